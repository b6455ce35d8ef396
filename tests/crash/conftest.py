"""The server of crashes: one for each process that tests."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import pytest

from tests.crash import shim, tally
from tests.crash.job import Job, Result

ROOT = Path(__file__).parents[2]


@dataclass(slots=True)
class Crashes:
    """Crash on demand. `whole` is what came of a story that nobody cut off."""

    server: "subprocess.Popen[str]"
    whole: Result

    def run(self, job: Job) -> Result:
        """One crash and its inquest."""
        return _ask(self.server, job)


@pytest.fixture(scope="session")
def crashes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Crashes]:
    work = tmp_path_factory.mktemp("crash")
    environ = {**os.environ, "LD_PRELOAD": str(shim.build(work))}
    command = [sys.executable, "-m", "tests.crash.server", str(work)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=ROOT, env=environ, text=True, stdin=pipe, stdout=pipe) as server:
        whole = _ask(server, Job(seed=0, power=True))
        assert not whole.killed
        assert not whole.findings, whole.findings
        yield Crashes(server, whole)


def _ask(server: "subprocess.Popen[str]", job: Job) -> Result:
    assert server.stdin is not None
    assert server.stdout is not None
    server.stdin.write(json.dumps(asdict(job)) + "\n")
    server.stdin.flush()
    return Result(**json.loads(server.stdout.readline()))


@pytest.fixture
def count(request: pytest.FixtureRequest) -> Callable[[Job, Result], None]:
    """Count a crash for the summary, and fail on what its inquest found."""

    def counted(job: Job, result: Result) -> None:
        request.node.user_properties.append((tally.PROPERTY, json.dumps([asdict(job), asdict(result)])))
        assert not result.findings, "\n".join([f"after {job}:", *result.findings])

    return counted
