"""What the cases are given: the host's tape target, and a kernel without simulated drives before and after each."""

from collections.abc import Iterator

import pytest

from tests.kernel.cases import simulated


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--tape-target", default="", help="PORT/NAME of an iSCSI tape on the host")


@pytest.fixture(autouse=True)
def _no_drive_stays() -> Iterator[None]:
    simulated.unload()
    yield
    simulated.unload()
