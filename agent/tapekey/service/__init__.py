"""The agent: what happens to a drive becomes facts, a decision, and one whole verified operation."""
