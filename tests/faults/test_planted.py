"""Every planted fault is noticed by the test that it names: that test fails, and it fails as a test."""

import json
import select
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests import told
from tests.faults.planted import FAULTS

ROOT = Path(__file__).parents[2]
TESTS_FAILED = 1
PATIENCE = 120.0

Nursery = subprocess.Popen[str]


@pytest.fixture(scope="module")
def nursery() -> Iterator[Nursery]:
    command = [sys.executable, "-m", "tests.faults.nursery"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=ROOT, stdin=pipe, stdout=pipe, text=True, bufsize=1) as process:
        try:
            assert answer(process) == len(FAULTS)
            yield process
        finally:
            process.kill()


def answer(process: Nursery) -> int:
    assert process.stdout is not None
    poll = select.poll()  # select() knows the first 1,024 descriptors of a process only
    poll.register(process.stdout, select.POLLIN)
    assert poll.poll(1000 * PATIENCE), "the test does not end"
    return int(process.stdout.readline())


@pytest.mark.long
@pytest.mark.parametrize("name", FAULTS)
def test_the_named_test_fails_on_the_fault(name: str, nursery: Nursery, tmp_path: Path) -> None:
    assert nursery.stdin is not None
    output = tmp_path / "output"
    asked = {"fault": name, "test": FAULTS[name].caught_by, "output": str(output)}
    print(json.dumps(asked), file=nursery.stdin, flush=True)
    status, said = answer(nursery), output.read_text()
    assert status == TESTS_FAILED, f"{FAULTS[name].caught_by} did not notice: {said[-2000:]}"
    assert said.splitlines()[-1].startswith("1 failed in"), f"{name} cannot be planted: {said[-2000:]}"


def test_there_are_enough_faults(record_property: Callable[[str, object], None]) -> None:
    assert len(FAULTS) >= 20
    assert all(fault.what for fault in FAULTS.values())
    record_property(told.PROPERTY, f"faults planted: {len(FAULTS)}, each for one test to notice")
