"""A portal in a process of its own, with a drive that stands in DIR: python -m tests.real.portal_child DIR SECONDS.

It says where it listens, and lives until its standard input ends. SECONDS is the deadline of who does not log in.
"""

import sys
from pathlib import Path

from tapekey.target import machine, portal
from tapekey.target.rack import Rack
from tests.target.peer import TARGET

if __name__ == "__main__":
    portal.DEADLINE = float(sys.argv[2])  # type: ignore[misc]
    with (
        machine.open(Path(sys.argv[1])) as drive,
        portal.listening(Rack({0: drive}, "child"), name=TARGET) as (host, port),
    ):
        print(host, port, flush=True)
        sys.stdin.read()
