"""What a drive is, and whole verified operations on it: change, read back, compare. Knows nothing of keys' names."""
