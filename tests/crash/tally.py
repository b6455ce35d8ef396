"""How many crashes a test run tried, told at its end; the processes that test send their counts with their reports."""

import json
import os
from collections import Counter
from typing import Any, Final

import pytest

PROPERTY: Final = "crash"
SOAK: Final = "TAPEKEY_SOAK"
SOAKED: Final = 20


def rounds() -> int:
    """How often each number of crashes is tried: once, or many times for a soak."""
    return SOAKED if os.environ.get(SOAK) else 1


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Print the totals, if there were any."""
    reports = [report for reports in terminalreporter.stats.values() for report in reports]
    tried = [
        json.loads(str(value))
        for report in reports
        if isinstance(report, pytest.TestReport) and report.when == "call"
        for name, value in report.user_properties
        if name == PROPERTY
    ]
    if tried:
        terminalreporter.section("crashes")
        for line in told(tried):
            terminalreporter.write_line(line)


def told(tried: list[tuple[dict[str, Any], dict[str, Any]]]) -> list[str]:
    """The totals in words."""
    kills = [result for job, result in tried if result["killed"] and not job["power"]]
    cuts = [(job, result) for job, result in tried if result["killed"] and job["power"]]
    partly = sum(bool(job["unsynced"]) for job, _ in cuts)
    notes = sum((Counter(result["notes"]) for _, result in tried), Counter[str]())
    lines = []
    if kills:
        lines.append(f"kills tried: {len(kills)} (per gap: {_gaps(kills)})")
    if cuts:
        gaps = _gaps([result for _, result in cuts])
        lines.append(f"power cuts tried: {len(cuts)} (per gap: {gaps}); {partly} left some of what was not synced")
    return [*lines, f"afterwards: {', '.join(f'{name} {number}' for name, number in sorted(notes.items()))}"]


def _gaps(results: list[dict[str, Any]]) -> str:
    met = Counter(result["gap"] for result in results)
    return ", ".join(f"{gap} {number}" for gap, number in met.most_common())
