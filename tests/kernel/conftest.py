"""The cases run in the guest only: see `python -m tests.kernel`."""

collect_ignore = ["cases"]
