"""What the cases are given from outside."""

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--tape-target", default="", help="PORT/NAME of an iSCSI tape on the host")
