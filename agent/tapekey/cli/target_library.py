"""`tapekey target`, of libraries: create, inventory, export, move."""

from pathlib import Path

import click

from tapekey.cli.render import emit, json_option, table
from tapekey.cli.target_panel import press
from tapekey.errors import Usage

HEAD = ("element", "barcode", "source", "place", "fault")
directory_argument = click.argument("directory", type=click.Path(path_type=Path))


def create(
    directory: Path,
    personality: str,
    serial: str,
    knobs: dict[str, object],
    drives: int,
    *,
    slots: int | None,
    mail_slots: int,
    barcodes: str,
    capacity: int | None,
) -> None:
    """Make a library."""
    from tapekey.target import library
    from tapekey.target.description import Description
    from tapekey.target.library_barcodes import expand
    from tapekey.target.library_description import KNOBS
    from tapekey.target.personality import PERSONALITIES

    if slots is None:
        raise Usage("how many slots the library has is not said", mend="--slots 24")
    own = {name: value for name, value in knobs.items() if name in KNOBS}
    others = {name: value for name, value in knobs.items() if name not in KNOBS}
    cartridges = expand(barcodes)
    library.create(
        directory,
        personality=Description(PERSONALITIES[personality], serial, b"").with_knobs(others).personality,
        drives=drives,
        slots=slots,
        barcodes=cartridges,
        mail_slots=mail_slots,
        serial=serial,
        capacity=capacity,
        knobs=own,
    )
    click.echo(f"virtual library made in {directory}: drives {drives}, slots {slots}, cartridges {len(cartridges)}")


@click.command()
@directory_argument
@json_option
def inventory(directory: Path, as_json: bool) -> None:
    """What is where in the library."""
    facts = press(directory, "inventory")
    emit("target-inventory", facts, as_json, table(HEAD, ([row[name] for name in HEAD] for row in facts["elements"])))


@click.command()
@directory_argument
@click.argument("cartridge")
def export(directory: Path, cartridge: str) -> None:
    """Take CARTRIDGE (a barcode, or the element where it is) out of the library."""
    taken = press(directory, "export", cartridge=cartridge)["cartridge"]
    click.echo(f"{cartridge} is out of {directory}: {taken}")


@click.command()
@directory_argument
@click.argument("cartridge")
@click.argument("element")
def move(directory: Path, cartridge: str, element: str) -> None:
    """Have the robot carry CARTRIDGE (a barcode, or the element where it is) to ELEMENT: slot-N, drive-N or mail-N."""
    place = press(directory, "move", cartridge=cartridge, element=element)["element"]
    click.echo(f"{cartridge} is in {place} of {directory}")
