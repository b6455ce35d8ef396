"""`python -m tapekey`."""

from tapekey.cli import main

main()
