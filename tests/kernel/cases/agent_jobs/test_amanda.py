"""Amanda's own job over three cartridges with the agent under `require`: its robot changer, unpatched.

It calls a script for `mtx`, so that a load has ended when the drive is ready, and an unload when the account is taken.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.kernel.cases.agent_jobs import amanda, house
from tests.kernel.cases.agent_jobs.amanda import Amanda
from tests.kernel.cases.agent_jobs.house import Agent
from tests.kernel.cases.library.bench import Bench, Recorder

BARCODES = ("AMA001L8", "AMA002L8", "AMA003L8")
SLOTS = range(21, 24)


@dataclass(frozen=True, slots=True)
class Job:
    """Amanda, and what it is to save: more than two cartridges hold."""

    amanda: Amanda
    contents: dict[str, bytes]
    hook: Path


@pytest.fixture(scope="module")
def job(jobs: Bench, agent: Agent) -> Iterator[Job]:
    hook = house.script("amanda-hook", "hook", "changer", "--")
    made = amanda.configure(house.WORK / "amanda", jobs, f"{SLOTS[0]}-{SLOTS[-1]}", hook)
    contents = {f"file-{number}": os.urandom(3_000_000) for number in range(3)}
    for name, content in contents.items():
        (made.files / name).write_bytes(content)
    yield Job(made, contents, hook)
    house.put_away(jobs, agent)


def test_new_cartridges_are_labelled(job: Job) -> None:
    for number, slot in enumerate(SLOTS):
        said = job.amanda.run("amlabel", amanda.NAME, f"DAILY-{number}", "slot", str(slot))
        assert "Success" in said, said


def test_job_is_spread_over_three_cartridges_and_no_block_is_clear(job: Job) -> None:
    job.amanda.run("amdump", amanda.NAME)
    noted = job.amanda.noted()
    assert all(f"label DAILY-{number} tape {number + 1}" in noted for number in range(3)), noted
    needles = [needle for content in job.contents.values() for needle in house.needles(content)[::16]]
    assert not [barcode for barcode in BARCODES if house.in_clear(barcode, b"AMANDA: ", *needles)]


def test_all_of_it_is_fetched_byte_for_byte(job: Job, record_property: Recorder) -> None:
    place = job.amanda.work / "fetched"
    job.amanda.run("mkdir", str(place))
    job.amanda.run("amfetchdump", "-a", amanda.NAME, "localhost", cwd=place)
    record_property("loads", house.told_of(job.hook, "load"))
    record_property("unloads", house.told_of(job.hook, "unload"))
    (dump,) = place.iterdir()
    job.amanda.run("tar", "-xf", dump.name, cwd=place)
    assert {name: (place / name).read_bytes() for name in job.contents} == job.contents


def test_each_mount_is_accounted(job: Job, jobs: Bench, agent: Agent, capsys: pytest.CaptureFixture[str]) -> None:
    house.put_away(jobs, agent)
    for drive in range(len(jobs.drives)):
        agent.await_state(house.serial_of(jobs, drive), "empty")
    assert house.unaccounted(capsys) == []
