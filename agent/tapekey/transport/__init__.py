"""Ways to reach a device: each delivers a command and brings the answer back, and judges nothing."""
