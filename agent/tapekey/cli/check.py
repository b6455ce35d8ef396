"""`tapekey check`: for Nagios and its like. One line with figures, the reasons below it, and an exit status of its own.

The statuses and the form of the output are those of the monitoring plugins' guidelines (0 OK, 1 WARNING, 2 CRITICAL,
3 UNKNOWN; `text | label=value`; https://www.monitoring-plugins.org/doc/guidelines.html), not those of other commands.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from typing import NoReturn

import click

from tapekey.cli.render import clean
from tapekey.errors import AgentMissing, TapekeyError
from tapekey.service import address, asking
from tapekey.service.told import Told

LONGEST_WORK = 2.25 * 3600  # an LTO-9 cartridge may be prepared for two hours at its first load
SECONDS = 10.0


class Level(IntEnum):
    """How bad it is, and the exit status."""

    OK = 0
    WARNING = 1
    CRITICAL = 2
    UNKNOWN = 3


# What somebody would look at first: that nothing is known is not worse than what is known to be bad.
WORST = (Level.CRITICAL, Level.UNKNOWN, Level.WARNING, Level.OK)


@dataclass(frozen=True, slots=True)
class Finding:
    level: Level
    text: str


@click.command()
@click.option("--drive", "names", multiple=True, metavar="SERIAL", help="Only this drive; may be given again.")
@click.option("--socket", metavar="PATH", help="The agent's socket, if not the configuration's.")
def check(names: tuple[str, ...], socket: str | None) -> None:
    """One line and an exit status for monitoring: 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN."""
    try:
        view = Told(asking.ask(socket or address.socket(), "status", timeout=SECONDS))
        findings = [*of_agent(view), *of_drives(view, names, time.time())]
        figures = perfdata(view)
    except AgentMissing as error:
        _leave([Finding(Level.CRITICAL, f"no drive is served because {_told(error)}")], "")
    except TapekeyError as error:
        _leave([Finding(Level.UNKNOWN, _told(error))], "")
    _leave(findings, figures)


def _told(error: TapekeyError) -> str:
    return f"{error} (try: {error.mend})" if error.mend else str(error)


def _leave(findings: list[Finding], figures: str) -> NoReturn:
    """Print the worst on the first line, all below it, and end with its status."""
    findings = sorted(findings, key=lambda finding: WORST.index(finding.level))
    level = findings[0].level if findings else Level.OK
    more = f" (and {len(findings) - 1} more)" if len(findings) > 1 else ""
    first = f"{_plain(findings[0].text)}{more}" if findings else "the next job on each drive has what it needs"
    click.echo(f"TAPEKEY {level.name} - {first}" + (f" | {figures}" if figures else ""))
    for finding in findings:
        click.echo(f"{finding.level.name}: {_plain(finding.text)}")
    raise click.exceptions.Exit(level)


def _plain(text: str) -> str:
    """On one line, without the bar that begins the figures."""
    return clean(text).replace("|", "/")


def of_agent(view: Told) -> Iterator[Finding]:
    """What is wrong with the agent itself, whatever its drives do."""
    if view.text("manager"):
        yield Finding(Level.CRITICAL, f"no key can be had because the keystore does not answer: {view.text('manager')}")
    if view.flag("single_copy"):
        text = "keys are served that exist once only; try: tapekey keystore single-copy refuse"
        yield Finding(Level.WARNING, text)
    for alarm in view.texts("alarms"):
        yield Finding(Level.WARNING, f"alarm: {alarm}")


def of_drives(view: Told, names: tuple[str, ...], now: float) -> Iterator[Finding]:
    """What is wrong with the drives that were named, or all."""
    drives = {drive.text("serial"): drive for drive in view.several("drives")}
    for name in names:
        if name not in drives:
            yield Finding(Level.CRITICAL, f"the next job on drive {name} will fail because the agent does not see it")
    if not drives and not names:
        yield Finding(Level.WARNING, "the agent has no drives")
    for name, drive in drives.items():
        if not names or name in names:
            yield from of_drive(name, drive, now)


def of_drive(name: str, drive: Told, now: float) -> Iterator[Finding]:
    """Why the next job on one drive will fail, and what else about it wants somebody."""
    state, mend = drive.text("state"), f" (try: {drive.text('mend')})" if drive.text("mend") else ""
    for reason in drive.texts("prognosis"):
        yield Finding(Level.CRITICAL, f"the next job on drive {name} will fail because {reason}{mend}")
    if drive.flag("alarm"):
        yield Finding(Level.CRITICAL, f"drive {name}: alarm: {drive.text('why') or state}{mend}")
    if state == "pending":
        yield Finding(
            Level.WARNING, f"drive {name} waits for approval; try: tapekey drive approve {drive.text('where')}"
        )
    if state == "empty" and not drive.flag("accounted", absent=True):
        yield Finding(Level.WARNING, f"drive {name}: the account of cartridge {_cartridge(drive)} is outstanding")
    if (began := drive.number("busy_since")) and now - began > LONGEST_WORK:
        yield Finding(Level.WARNING, f"drive {name} has been worked on for {(now - began) / 3600:.1f} h")


def _cartridge(drive: Told) -> str:
    return drive.text("volser") or drive.text("cartridge") or "?"


def perfdata(view: Told) -> str:
    """Figures in the plugins' form; `c`: a counter."""
    drives = view.several("drives")
    figures = {
        "drives": len(drives),
        "failing": sum(bool(drive.texts("prognosis")) for drive in drives),
        "alarms": sum(drive.flag("alarm") for drive in drives),
        "pending": sum(drive.text("state") == "pending" for drive in drives),
    }
    counters = {f"{name}_total": f"{value}c" for name, value in sorted(view.numbers("counters").items())}
    return " ".join(f"{_label(name)}={value}" for name, value in {**figures, **counters}.items())


def _label(name: str) -> str:
    return "".join(c if c.isalnum() else "_" for c in name)
