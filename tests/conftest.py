"""Plants the fault that TAPEKEY_TEST_FAULT names, so that `tests/faults` can see which test fails on it.

Here, too, since pytest asks only this conftest at the end: the totals of `tests/crash`, and what else tests counted.
"""

import os
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import settings

from tests import opened, told
from tests.crash import tally

# How fast an example is depends on what else the machine does; no test judges by that.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")


def pytest_terminal_summary(terminalreporter: Any) -> None:
    tally.pytest_terminal_summary(terminalreporter)
    told.pytest_terminal_summary(terminalreporter)


@pytest.fixture(autouse=True, scope="session")
def planted_fault() -> Iterator[None]:
    name = os.environ.get("TAPEKEY_TEST_FAULT")
    if not name:
        yield
        return
    from tests.faults.planted import FAULTS

    with pytest.MonkeyPatch.context() as patch:
        FAULTS[name].plant(patch)
        yield


@pytest.fixture(autouse=True, scope="session")
def turns_of_its_own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Drives of tests in other processes have the same serial numbers."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RUNTIME_DIRECTORY", str(tmp_path_factory.mktemp("run")))
        yield


@pytest.fixture(autouse=True)
def cartridges_closed() -> Iterator[None]:
    with opened.closed_behind():
        yield
