"""Plants the fault that TAPEKEY_TEST_FAULT names, so that `tests/faults` can see which test fails on it.

Here, too, since pytest asks only this conftest at the end: the totals of `tests/crash`.
"""

import os
from collections.abc import Iterator

import pytest

from tests.crash import tally

pytest_terminal_summary = tally.pytest_terminal_summary


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
