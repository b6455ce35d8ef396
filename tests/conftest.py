"""Plants the fault that TAPEKEY_TEST_FAULT names, so that `tests/faults` can see which test fails on it."""

import os
from collections.abc import Iterator

import pytest


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
