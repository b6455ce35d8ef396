"""`tapekey observe`: what `require` would refuse of what was seen so far, before anyone switches it on."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from tapekey import wiring
from tapekey.cli.options import store_options
from tapekey.cli.render import emit, json_option, table
from tapekey.wiring import Access

if TYPE_CHECKING:
    from tapekey.manager.forecast import CartridgeForecast, DriveForecast, Forecast

DRIVE_HEAD = ("drive", "require would", "because", "try")
CARTRIDGE_HEAD = ("cartridge", "serial", "drive", "holds", "require would", "because", "try")


@click.command()
@json_option
@store_options
def observe(access: Access, as_json: bool) -> None:
    """Tell what `require` would refuse of the drives and cartridges that were seen while nothing was touched.

    Asks the keystore alone. What is seen under `observe`, in drives marked hands-off and of cartridges that are left
    alone is kept there, by the agent and by `tapekey save`. What it says of contents rests on cartridge memory and log
    pages: the tape was not moved for it.
    """
    from tapekey.manager.forecast import forecast

    with wiring.manager(access) as manager:
        found = forecast(manager.store)
    emit("observe", _facts(found), as_json, _lines(found))


def _facts(found: "Forecast") -> dict[str, Any]:
    return {
        "drives": [{**asdict(one), "refused": one.refused} for one in found.drives],
        "cartridges": [asdict(one) for one in found.cartridges],
        "cartridges_refused": sum(one.refused for one in found.cartridges),
        "drives_refused": sum(one.refused for one in found.drives),
    }


def _lines(found: "Forecast") -> Iterator[str]:
    yield from table(DRIVE_HEAD, (row for one in found.drives for row in _drive_rows(one)))
    yield ""
    yield from table(CARTRIDGE_HEAD, (row for one in found.cartridges for row in _cartridge_rows(one)))
    yield ""
    yield f"cartridges seen {len(found.cartridges)}, of which refused {sum(one.refused for one in found.cartridges)}"


def _drive_rows(one: "DriveForecast") -> Iterator[Sequence[str]]:
    if not one.remarks:
        yield one.serial, "serve it", "", ""
    for remark in one.remarks:
        yield one.serial, "refuse" if remark.refuses else "serve it", remark.why, remark.mend


def _cartridge_rows(one: "CartridgeForecast") -> Iterator[Sequence[str]]:
    name = (one.volsers[0] if one.volsers else "", one.serial, one.drive, one.contents)
    told = "refuse, alarm" if one.alarm else "refuse" if one.refused else "serve it"
    yield *name, told, one.why, one.mend
    for remark in _remarks(one):
        yield *name, "", remark, ""


def _remarks(one: "CartridgeForecast") -> Iterator[str]:
    if one.owner:
        yield f"the key in the drive: {one.owner}"
    if one.application:
        yield f"its memory names {one.application}"
    if one.left_out:
        yield f"no room for {', '.join(one.left_out)}"
    yield from one.remarks
