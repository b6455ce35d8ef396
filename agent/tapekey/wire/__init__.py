"""Declared structure to bytes and back: one table per structure, read in both directions."""
