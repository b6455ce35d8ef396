"""The commands of docs/backup-software/tar.md, as they stand there, on a tape node with the agent under `require`."""

import os
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.kernel.cases.agent_jobs import house
from tests.kernel.cases.agent_jobs.house import Agent
from tests.kernel.cases.library.bench import Bench, tape

BARCODE, SLOT = "JOB004L8", 28
PAGE = house.CODE / "docs" / "backup-software" / "tar.md"


@dataclass(frozen=True, slots=True)
class Shell:
    """Where the page's commands run: with `tapekey` in the path, and the page's node for the drive's."""

    place: Path
    node: str

    def run(self, line: str) -> str:
        done = subprocess.run(
            ["bash", "-c", f"set -o pipefail; {line.replace('/dev/st0', self.node)}"],
            cwd=self.place,
            env={**os.environ, "PATH": f"{house.WORK}:{os.environ['PATH']}"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=300,
        )
        assert done.returncode == 0, f"{line}: {done.returncode}\n{done.stdout}"
        return done.stdout


@pytest.fixture(scope="module")
def lines() -> list[str]:
    """The page's commands for a tape node."""
    (block,) = re.findall(r"^```sh\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    return str(block).splitlines()


@pytest.fixture(scope="module")
def shell(jobs: Bench, agent: Agent) -> Iterator[Shell]:
    house.script("tapekey")
    place = house.WORK / "recipes"
    for name in ("files", "restored", "fetched"):
        (place / name).mkdir(parents=True)
    (place / "files" / "data").write_bytes(os.urandom(1_000_000))
    jobs.mtx("load", SLOT, 0)
    agent.await_state(house.serial_of(jobs, 0), "ready to write")
    yield Shell(place, tape(jobs.drives[0]).replace("nst", "st"))
    agent.ask("unload", 120.0, drive=house.serial_of(jobs, 0), seconds=100)
    jobs.mtx("unload", SLOT, 0)


def test_every_command_of_the_page_runs_and_what_was_saved_comes_back(
    shell: Shell, lines: list[str], agent: Agent, jobs: Bench
) -> None:
    assert len(lines) == 4
    for line in lines:
        shell.run(line)
    saved = (shell.place / "files" / "data").read_bytes()
    for place in ("restored", "fetched"):
        assert (shell.place / place / "files" / "data").read_bytes() == saved
    assert not house.in_clear(BARCODE, *house.needles(saved)[::16])
    assert not agent.drive(house.serial_of(jobs, 0))["alarm"]
