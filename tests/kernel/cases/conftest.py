"""What the cases are given from outside."""

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--tape-target", default="", help="PORT/NAME of an iSCSI tape on the host")
    parser.addoption("--library", default="", help="PORT/PORT of the virtual library on the host, and of its line")
