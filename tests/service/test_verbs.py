"""What is asked of an agent that has just begun: who comes first waits until the agent knows its drives."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from tapekey.errors import NotFound
from tapekey.exchange import Transport
from tapekey.service import verbs
from tapekey.service.alarms import Alarms
from tapekey.service.drives import Drives
from tapekey.service.verbs import Arguments, Desk
from tapekey.target.description import Description
from tests.rig import rig
from tests.service.crew import PATIENCE, company, until, way


@contextmanager
def desk(directory: Path, free: threading.Event) -> Iterator[Desk]:
    """A drive that can be reached once `free` is set, and says its name only then."""
    with rig(directory, inserted=False) as bench:

        @contextmanager
        def reach() -> Iterator[Transport]:
            assert free.wait(PATIENCE)
            yield bench.machine.transport("agent")

        drives = Drives(company(bench, Alarms()), lambda _: ())
        drives.serve([replace(way(bench), reach=reach)])
        try:
            yield Desk(drives, lambda: pytest.fail("nobody asks"), lambda *_: None, lambda: None)
        finally:
            free.set()
            assert drives.stop(PATIENCE) == ()


def ask(one: Desk, drive: str, seconds: float) -> verbs.Reply:
    asked: Arguments = {"drive": drive, "seconds": seconds}
    return one.verify(asked)


def test_a_job_that_comes_before_the_drive_is_known_waits_for_it(tmp_path: Path) -> None:
    free = threading.Event()
    with desk(tmp_path, free) as one:
        serial = Description.load(tmp_path / "drive").serial
        with ThreadPoolExecutor(1) as pool:
            asked = pool.submit(ask, one, serial, PATIENCE)
            assert wait([asked], timeout=2 * verbs.LOOK).not_done, asked.exception()
            free.set()
            assert asked.result(PATIENCE)["drive"] == serial


def test_nobody_waits_for_a_drive_that_is_not_there(tmp_path: Path) -> None:
    free = threading.Event()
    free.set()
    with desk(tmp_path, free) as one:
        until(lambda: not one.drives.is_beginning)
        began = time.monotonic()
        with pytest.raises(NotFound):
            ask(one, "NOBODY", PATIENCE)
        assert time.monotonic() - began < PATIENCE / 2


def test_a_drive_that_is_not_known_in_time_is_not_there(tmp_path: Path) -> None:
    with desk(tmp_path, threading.Event()) as one, pytest.raises(NotFound):
        ask(one, "NOBODY", 0.2)
