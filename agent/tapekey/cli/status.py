"""`tapekey status`: what the agent says, printed. It is run often, so it loads nothing that it does not need."""

import time
from collections.abc import Iterator

import click

from tapekey.cli.render import clean, emit, json_option, table
from tapekey.service import address, asking
from tapekey.service.told import Told

CLEAR_SCREEN = "\x1b[H\x1b[2J"
HEAD = ("DRIVE", "STATE", "CARTRIDGE", "GUARDS", "KEY", "FOR")
UNITS = ((86400, "d"), (3600, "h"), (60, "min"))


@click.command()
@click.option("--watch", is_flag=True, help="Show it again and again, until interrupted.")
@click.option(
    "--every", type=click.FloatRange(0.1, 3600), default=2.0, show_default=True, help="With --watch: seconds."
)
@click.option("--socket", metavar="PATH", help="The agent's socket, if not the configuration's.")
@json_option
def status(watch: bool, every: float, socket: str | None, as_json: bool) -> None:
    """What the agent says of itself and its drives."""
    path = socket or address.socket()
    while True:
        facts = asking.ask(path, "status")
        if watch and not as_json:
            click.echo(CLEAR_SCREEN, nl=False)
        emit("status", facts, as_json, lines(Told(facts), time.time()))
        if not watch:
            return
        time.sleep(every)


def lines(view: Told, now: float) -> Iterator[str]:
    """The agent, a table of its drives, and what somebody should do."""
    began = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(view.number("started")))
    yield f"agent {clean(view.text('version'))}, process {view.number('pid'):.0f}, since {began}"
    answers = f"does not answer: {view.text('manager')}" if view.text("manager") else "answers"
    yield clean(f"keystore {view.text('store')} {answers}")
    yield ""
    drives = view.several("drives")
    yield from table(HEAD, [_row(drive, now) for drive in drives])
    for drive in drives:
        yield from _remarks(drive)
    for alarm in view.texts("alarms"):
        yield clean(f"alarm: {alarm}")


def _row(drive: Told, now: float) -> tuple[str, ...]:
    return (
        drive.text("serial") or drive.text("where"),
        drive.text("state").upper() if drive.flag("alarm") else drive.text("state"),
        drive.text("volser") or drive.text("cartridge"),
        ", ".join(drive.texts("guards")) or "none",
        drive.text("key")[:8],
        age(now - drive.number("since")) if drive.number("since") else "",
    )


def _remarks(drive: Told) -> Iterator[str]:
    """Why it is as it is and why the next job will fail, with what mends it."""
    name = drive.text("serial") or drive.text("where")
    if drive.text("why"):
        yield clean(f"{name}: {drive.text('why')}")
    for reason in drive.texts("prognosis"):
        yield clean(f"{name}: the next job will fail because {reason}")
    if drive.text("mend"):
        yield clean(f"{name}: try: {drive.text('mend')}")


def age(seconds: float) -> str:
    """A time as people say it: its largest unit."""
    for size, unit in UNITS:
        if seconds >= size:
            return f"{seconds / size:.0f} {unit}"
    return f"{max(seconds, 0):.0f} s"
