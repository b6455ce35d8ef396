"""One Bacula job over many volumes of an autochanger, with the agent under `require`.

Small cartridges, so that the job comes to the physical end of each. Four of them; `--volumes 20` for all.
"""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.kernel.cases import bacula as daemon
from tests.kernel.cases import simulated
from tests.kernel.cases.agent_jobs import house
from tests.kernel.cases.agent_jobs.house import Agent
from tests.kernel.cases.bacula import SCRIPT, Bacula
from tests.kernel.cases.library.bench import Bench, Recorder

WORK = house.WORK / "bacula"
LABEL = b"Bacula 1.0 immortal"
OPEN_WAIT = 5  # seconds: it begins with opening each drive, and the agent holds those that are empty
HELD = 4_050_000  # bytes of files on a cartridge of 4 MiB when it is full


@dataclass(frozen=True, slots=True)
class Job:
    """Bacula with its changer command, and how many volumes its job is to be spread over."""

    bacula: Bacula
    hook: Path
    volumes: int

    @property
    def barcodes(self) -> list[str]:
        return [f"BAC{number:03}L8" for number in range(1, self.volumes + 1)]


@pytest.fixture(scope="module")
def job(jobs: Bench, agent: Agent, request: pytest.FixtureRequest) -> Iterator[Job]:
    volumes = int(request.config.getoption("--volumes"))
    hook = house.script("hook", "hook", "changer", "--", SCRIPT)
    WORK.mkdir()
    daemon.configure(WORK, jobs.changer, jobs.drives, str(hook), open_wait=OPEN_WAIT)
    with daemon.daemons(WORK):
        made = Bacula(WORK, patience=120.0 + 120.0 * volumes)
        simulated.await_(lambda: "Version" in made.ask("status director"), "the director")
        yield Job(made, hook, volumes)
    house.put_away(jobs, agent)


@pytest.fixture(scope="module")
def contents(job: Job) -> dict[str, bytes]:
    """Files for as many volumes."""
    size = HELD * (2 * job.volumes - 1) // (2 * job.volumes)  # the last volume is half full
    made = {f"file-{number}": os.urandom(size) for number in range(job.volumes)}
    for name, content in made.items():
        (job.bacula.files / name).write_bytes(content)
    return made


def test_every_volume_is_labelled_by_its_barcode_and_encrypted(job: Job, record_property: Recorder) -> None:
    said = job.bacula.ask(f"label storage=Library pool=Default barcodes slots=1-{job.volumes} drive=0", "yes")
    assert said.count("3000 OK label") == job.volumes, said
    _tell(job, record_property)
    assert not [barcode for barcode in job.barcodes if house.in_clear(barcode, LABEL)]


def test_job_is_spread_over_the_volumes_and_no_block_is_clear(
    job: Job, contents: dict[str, bytes], record_property: Recorder
) -> None:
    said = job.bacula.ask("run job=Backup yes")
    assert re.search(r"Termination: +Backup OK", said), said
    (volumes,) = re.findall(r"Volume name\(s\): +(\S+)", said)
    assert sorted(volumes.split("|")) == job.barcodes, said
    _tell(job, record_property)
    looked_for = [LABEL, *(needle for content in contents.values() for needle in house.needles(content)[::16])]
    assert not [barcode for barcode in job.barcodes if house.in_clear(barcode, *looked_for)]


def test_all_of_it_is_restored_byte_for_byte(job: Job, contents: dict[str, bytes], record_property: Recorder) -> None:
    said = job.bacula.ask("restore client=client select all done yes")
    assert re.search(r"Termination: +Restore OK", said), said
    _tell(job, record_property)
    for name, content in contents.items():
        (found,) = job.bacula.restored.rglob(name)
        assert found.read_bytes() == content


def test_every_mount_is_accounted(job: Job, jobs: Bench, agent: Agent, capsys: pytest.CaptureFixture[str]) -> None:
    for drive in range(len(jobs.drives)):
        job.bacula.ask(f"unmount storage=Library drive={drive}")
        agent.await_state(house.serial_of(jobs, drive), "empty")
    assert house.unaccounted(capsys) == []


def _tell(job: Job, record_property: Recorder) -> None:
    for verb in ("load", "unload"):
        record_property(f"{verb}s", house.told_of(job.hook, verb))
