"""Counts that a test wants read at the end of a run: given as a property, they reach it from any process."""

from typing import Any, Final

import pytest

PROPERTY: Final = "told"


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Print what passing tests told, if anything."""
    lines = [
        str(value)
        for report in terminalreporter.stats.get("passed", [])
        if isinstance(report, pytest.TestReport)
        for name, value in report.user_properties
        if name == PROPERTY
    ]
    if lines:
        terminalreporter.section("counts")
        for line in lines:
            terminalreporter.write_line(line)
