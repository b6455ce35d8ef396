"""What the cases are given from outside."""

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--tape-target", default="", help="PORT/NAME of an iSCSI tape on the host")
    parser.addoption("--library", default="", help="PORT/PORT of the virtual library on the host, and of its line")
    parser.addoption("--jobs", default="", help="PORT/PORT of another, for jobs of backup software with the agent")
    parser.addoption("--volumes", type=int, default=4, help="how many volumes Bacula's job is spread over, up to 20")
