"""Facts in, one decision out. Pure: no I/O, no clock, and its own words for what it is told."""
