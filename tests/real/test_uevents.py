"""The follower of udev's events as it ships, on libudev itself: umockdev plays the kernel and udev."""

import sys
from pathlib import Path

import pytest

from tests.real.bench import run

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.real

FOLLOWER = """
from tapekey.discovery.watch import Went, follow

with follow() as (nodes, feed):
    assert nodes == ()
    print("ready", flush=True)
    for _ in range(10):
        for event in feed.wait(5.0):
            print(type(event).__name__, event.node.path, event.node.nst, flush=True)
            if isinstance(event, Went):
                raise SystemExit(0)
raise SystemExit("it never went")
"""


def test_a_drive_is_followed_from_coming_to_going() -> None:
    play = ("umockdev-wrapper", "/usr/bin/python3", ROOT / "tests" / "real" / "uevents.py")
    done = run(*play, sys.executable, "-c", FOLLOWER)
    assert done.status == 0, done.text
    assert done.out.decode().splitlines() == [
        "ready",
        "Came /dev/sg0 None",
        "Changed /dev/sg0 nst0",
        "PowerOn /dev/sg0 nst0",
        "Went /dev/sg0 nst0",
    ]
