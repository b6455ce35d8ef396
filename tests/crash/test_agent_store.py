"""The keystore goes away in the middle of jobs: nothing is sent to a drive but questions, and all goes on behind it."""

import resource
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path

import pytest

from tapekey.errors import StoreFailed, StoreMissing
from tapekey.service import asking
from tests.crash import agent_birth
from tests.crash.agent_job import Job
from tests.crash.agent_yard import KEYED, Yard, yard

MORE = 5  # objects that each job writes meanwhile
Failure = Callable[[Yard], AbstractContextManager[None]]


@contextmanager
def moved_away(made: Yard) -> Iterator[None]:
    """Another directory stands in its place, with nothing in it."""
    store, away = made.directory / "store", made.directory / "away"
    store.rename(away)
    store.mkdir()
    try:
        yield
    finally:
        store.rmdir()
        away.rename(store)


@contextmanager
def full(made: Yard) -> Iterator[None]:
    """Nothing more can be written: no file of the agent's may grow."""
    before = resource.prlimit(made.pid, resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
    try:
        yield
    finally:
        resource.prlimit(made.pid, resource.RLIMIT_FSIZE, before)


@pytest.fixture
def busy(tmp_path: Path) -> Iterator[tuple[Yard, list[Job]]]:
    """Jobs that write on all drives of an agent."""
    with agent_birth.births() as births, yard(tmp_path, [births]) as made:
        made.start()
        jobs = [Job(made.drive(name), name, name, made.socket) for name in KEYED]
        for job in jobs:
            made.panel(job.serial, "insert", cartridge=str(made.tape(job.serial)))
            job.start()
        made.until(lambda: all(job.began.is_set() or job.error for job in jobs), "a job does not begin")
        try:
            yield made, jobs
        finally:
            for job in jobs:
                job.end()


@pytest.mark.long
def test_a_lost_store_disturbs_no_job_and_keeps_a_cartridge_that_cannot_be_accounted(
    busy: tuple[Yard, list[Job]],
) -> None:
    made, jobs = busy
    for failure in (moved_away, full):
        _nobody_notices(made, jobs, failure)
    for job in jobs:
        job.end()
    _stays_in(made)


def _nobody_notices(made: Yard, jobs: list[Job], failure: Failure) -> None:
    before = {job.serial: (made.record(job.serial), job.done) for job in jobs}
    marks = {name: len(made.taps[name].seen) for name in KEYED}
    with failure(made):
        for name in KEYED:
            _verify(made, name)
        made.until(lambda: all(job.error or job.done >= before[job.serial][1] + MORE for job in jobs), "jobs stand")
    made.until(lambda: all(made.views()[name]["state"] == "ready to write" for name in KEYED), "not taken up again")
    for job in jobs:
        assert not job.error
        assert made.record(job.serial) == before[job.serial][0]
        assert not made.taps[job.serial].changes_since(marks[job.serial])
        assert made.views()[job.serial]["generation"] == 1


def _stays_in(made: Yard) -> None:
    before = {name: made.record(name) for name in KEYED}
    marks = {name: len(made.taps[name].seen) for name in KEYED}
    with full(made):
        for name in KEYED:
            with pytest.raises(StoreFailed):
                asking.ask(made.socket, "unload", timeout=60.0, drive=name, seconds=50.0)
            assert (made.views()[name]["state"], made.views()[name]["alarm"]) == ("failed", True)
            assert made.record(name) == before[name]
            assert not made.taps[name].changes_since(marks[name])
    for name in KEYED:
        told = asking.ask(made.socket, "unload", timeout=60.0, drive=name, seconds=50.0)
        assert told["accounted"] is True
        mount = made.manager.current(name)
        assert mount is not None
        assert (mount.accounted, mount.generation) == (True, 1)


def _verify(made: Yard, name: str) -> None:
    """Have the agent need its store; whether it can say where the drive stands is no matter."""
    with suppress(StoreFailed, StoreMissing):
        asking.ask(made.socket, "verify", timeout=30.0, drive=name, seconds=20.0)
