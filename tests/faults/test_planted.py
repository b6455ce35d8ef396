"""Every planted fault is noticed by the test that it names: that test fails, and it fails as a test."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests import told
from tests.faults.planted import FAULTS

ROOT = Path(__file__).parents[2]
TESTS_FAILED = 1


@pytest.mark.long
@pytest.mark.parametrize("name", FAULTS)
def test_the_named_test_fails_on_the_fault(name: str) -> None:
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "-p", "no:xdist"]
    environ = {**os.environ, "TAPEKEY_TEST_FAULT": name}
    done = subprocess.run(
        [*command, FAULTS[name].caught_by],
        cwd=ROOT,
        env=environ,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == TESTS_FAILED, (
        f"{FAULTS[name].caught_by} did not notice: {done.stdout[-2000:]}{done.stderr}"
    )
    assert done.stdout.splitlines()[-1].startswith("1 failed in"), f"{name} cannot be planted: {done.stdout[-2000:]}"


def test_there_are_enough_faults(record_property: Callable[[str, object], None]) -> None:
    assert len(FAULTS) >= 20
    assert all(fault.what for fault in FAULTS.values())
    record_property(told.PROPERTY, f"faults planted: {len(FAULTS)}, each for one test to notice")
