"""Data keys, the recipients they are wrapped for, and the envelopes that carry them."""
