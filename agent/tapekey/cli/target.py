"""`tapekey target`: virtual drives, for tests and for learning."""

import signal
import threading
from pathlib import Path
from typing import Any

import click

from tapekey.cli.render import captions, emit, json_option, pairs, table
from tapekey.errors import Conflict, Usage

directory_argument = click.argument("directory", type=click.Path(path_type=Path))
cartridge_argument = click.argument("cartridge", type=click.Path(path_type=Path))


@click.group()
def target() -> None:
    """Virtual drives: create, serve, insert, eject."""


@target.command()
@directory_argument
@click.option("--personality", required=True, help="Such as ibm-lto6; see: tapekey target personalities.")
@click.option("--serial", default="", help="The serial number; random if not given.")
@click.option(
    "--set", "knobs", multiple=True, metavar="NAME=VALUE", help="Turn a knob of the personality (repeatable)."
)
def create(directory: Path, personality: str, serial: str, knobs: tuple[str, ...]) -> None:
    """Make a virtual drive in DIRECTORY."""
    from tapekey.target import machine
    from tapekey.target.description import Description
    from tapekey.target.personality import PERSONALITIES

    if personality not in PERSONALITIES:
        raise Usage(f"no personality {personality}", mend=f"one of {', '.join(PERSONALITIES)}")
    standard = Description(PERSONALITIES[personality], serial, b"")
    machine.create(directory, standard.with_knobs(dict(map(_knob, knobs))).personality, serial=serial)
    click.echo(f"virtual drive ({personality}) made in {directory}")


def _knob(text: str) -> tuple[str, Any]:
    name, equals, value = text.partition("=")
    if not equals:
        raise Usage(f"{text!r} turns no knob", mend="NAME=VALUE")
    plain = {"true": True, "false": False}
    if value in plain:
        return name, plain[value]
    try:
        return name, float(value) if "." in value else int(value)
    except ValueError:
        return name, value


@target.command()
@json_option
def personalities(as_json: bool) -> None:
    """List the drives that a virtual drive can be."""
    from tapekey.target.personality import PERSONALITIES

    rows = [{"name": name, "vendor": facts.vendor, "product": facts.product} for name, facts in PERSONALITIES.items()]
    head = ("name", "vendor", "product")
    emit("personalities", {"personalities": rows}, as_json, table(head, ([row[name] for name in head] for row in rows)))


@target.command()
@directory_argument
def serve(directory: Path) -> None:
    """Power the virtual drive on until interrupted. Its keys are in its memory only: power off, and they are gone."""
    from tapekey.target import server

    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    server.serve(directory, stop=stop, ready=lambda _: click.echo(f"virtual:{directory} is on"))


@target.command()
@directory_argument
@cartridge_argument
def insert(directory: Path, cartridge: Path) -> None:
    """Put CARTRIDGE into the virtual drive in DIRECTORY."""
    _panel(directory, "insert", cartridge=str(cartridge.absolute()))
    click.echo(f"{cartridge} is in {directory}")


@target.command()
@directory_argument
def eject(directory: Path) -> None:
    """Press the button of the virtual drive, and take the cartridge out."""
    _panel(directory, "eject")
    click.echo(f"{directory} is empty")


@target.command()
@directory_argument
@json_option
def status(directory: Path, as_json: bool) -> None:
    """What one sees by looking at the virtual drive."""
    facts = _panel(directory, "status")
    emit("target", facts, as_json, pairs(captions(facts)))


@target.command("write-protect")
@cartridge_argument
@click.option("--off", is_flag=True, help="Slide the tab back.")
def write_protect(cartridge: Path, off: bool) -> None:
    """Slide the write-protect tab of CARTRIDGE, which must not be in a drive."""
    from tapekey.target.cartridge import Cartridge, protect

    with Cartridge.open(cartridge):
        protect(cartridge, not off)
    click.echo(f"{cartridge} is {'writable' if off else 'write-protected'}")


def _panel(directory: Path, verb: str, **arguments: object) -> dict[str, Any]:
    """An action at the front panel: of the drive that is powered on, else of one powered on for this alone."""
    from tapekey.target import front_panel, machine
    from tapekey.transport.socket import connect

    if machine.served(directory):
        with connect(directory / machine.SOCKET, "panel") as connection:
            answer = connection.control(verb, **arguments)
    else:
        with machine.open(directory) as powered:
            answer = front_panel.press(powered, {"verb": verb, **arguments})
    if answer.pop("ok", False) is not True:
        what, why, mend = (str(answer.get(name, "")) for name in ("what", "why", "mend"))
        raise Conflict(what or f"the virtual drive did not {verb}", why=why, mend=mend)
    return answer
