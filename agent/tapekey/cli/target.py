"""`tapekey target`: virtual drives and libraries, for tests and for learning."""

from pathlib import Path
from typing import Any

import click

from tapekey.cli import target_cartridge, target_library, target_serve
from tapekey.cli.render import captions, emit, json_option, pairs, table
from tapekey.cli.target_panel import press
from tapekey.errors import Usage

directory_argument = click.argument("directory", type=click.Path(path_type=Path))
cartridge_argument = click.argument("cartridge", type=click.Path(path_type=Path))


@click.group()
def target() -> None:
    """Virtual drives and libraries: create, serve, insert, eject, move."""


@target.command()
@directory_argument
@click.option("--personality", required=True, help="Such as ibm-lto6; see: tapekey target personalities.")
@click.option("--serial", default="", help="The serial number; random if not given.")
@click.option(
    "--set", "knobs", multiple=True, metavar="NAME=VALUE", help="Turn a knob of the personality (repeatable)."
)
@click.option("--drives", type=int, help="Make a library with so many drives, instead of a lone drive.")
@click.option("--slots", type=int, help="Storage slots of the library.")
@click.option("--mail-slots", type=int, default=2, show_default=True, help="Import/export elements of the library.")
@click.option(
    "--barcodes", default="", help="Its cartridges: a list of barcodes and ranges, ENC001L8..ENC024L8,CLN001L8."
)
@click.option("--capacity", type=int, help="Bytes until the physical end of each; as the real ones if not given.")
def create(
    directory: Path, personality: str, serial: str, knobs: tuple[str, ...], drives: int | None, **more: Any
) -> None:
    """Make a virtual drive in DIRECTORY, or with --drives a library."""
    from tapekey.target import machine
    from tapekey.target.description import Description
    from tapekey.target.personality import PERSONALITIES

    if personality not in PERSONALITIES:
        raise Usage(f"no personality {personality}", mend=f"one of {', '.join(PERSONALITIES)}")
    if drives is not None:
        target_library.create(directory, personality, serial, dict(map(_knob, knobs)), drives, **more)
        return
    if more["slots"] is not None or more["barcodes"]:
        raise Usage("a lone drive has no slots and no cartridges", mend="say how many --drives the library has")
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
@cartridge_argument
def insert(directory: Path, cartridge: Path) -> None:
    """Put CARTRIDGE into the virtual drive in DIRECTORY, or into a free import/export element of the library."""
    from tapekey.target.library import is_library

    known = is_library(directory) and not cartridge.exists()  # by its name, one that was exported
    answer = press(directory, "insert", cartridge=str(cartridge if known else cartridge.absolute()))
    place = answer.get("element")
    click.echo(f"{cartridge} is in {f'{place} of ' if place else ''}{directory}")


@target.command()
@directory_argument
def eject(directory: Path) -> None:
    """Press the button of the virtual drive, and take the cartridge out."""
    press(directory, "eject")
    click.echo(f"{directory} is empty")


@target.command()
@directory_argument
@json_option
def status(directory: Path, as_json: bool) -> None:
    """What one sees by looking at the virtual drive or library."""
    facts = press(directory, "status")
    emit("target", facts, as_json, pairs(captions(facts)))


@target.command("set")
@directory_argument
@click.argument("knobs", nargs=-1, required=True, metavar="NAME=VALUE...")
def set_(directory: Path, knobs: tuple[str, ...]) -> None:
    """Turn knobs, while it serves or not: of a drive; of a library, or of all drives in it."""
    press(directory, "set", **dict(map(_knob, knobs)))
    click.echo(f"{directory}: {', '.join(knobs)}")


for command in (
    target_serve.serve,
    target_library.inventory,
    target_library.export,
    target_library.move,
    target_cartridge.write_protect,
    target_cartridge.age,
    target_cartridge.damage,
):
    target.add_command(command)
