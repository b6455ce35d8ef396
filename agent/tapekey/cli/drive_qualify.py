"""`tapekey drive qualify`: try what the guard can rely on, and keep what came out."""

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tapekey import wiring
from tapekey.cli import drive_rest
from tapekey.cli.options import drive_argument, store_options, trace_option
from tapekey.cli.render import emit, json_option, pairs
from tapekey.errors import DriveUnknown, Refused, Usage
from tapekey.wiring import Access

if TYPE_CHECKING:
    from tapekey.drive.identity import DriveId
    from tapekey.exchange import Transport
    from tapekey.keystore.qualifications import Qualified
    from tapekey.manager.local import LocalManager


@click.command()
@drive_argument
@click.option("--scratch-serial", default="", metavar="SERIAL", help="The loaded cartridge: WHAT IT HOLDS IS LOST.")
@click.option("--power-cycle", is_flag=True, help="Power the drive off and on too; for a real one you are asked to.")
@trace_option
@json_option
@store_options
def qualify(
    access: Access, drive: str, scratch_serial: str, power_cycle: bool, trace: Path | None, as_json: bool
) -> None:
    """Try what the guard can rely on in an approved drive, and keep the result with its firmware level.

    The drive must be empty, or have a scratch cartridge in it that is named by its serial number. Everything that is
    set for a trial is put back.
    """
    from tapekey.drive import identity
    from tapekey.drive.qualify import qualify as try_out
    from tapekey.keystore import qualifications
    from tapekey.keystore.qualifications import Qualified, Tried
    from tapekey.mount import rest

    with wiring.manager(access) as manager:
        with ExitStack() as reach:
            transport = reach.enter_context(wiring.drive(drive, trace))
            who = identity.identify(transport)
            _demand_allowed(manager, who, scratch_serial)
            rest.unpark(transport, manager)
            cycle = _power_cycle(drive, trace, reach) if power_cycle else None
            found = try_out(transport, scratch=scratch_serial, power_cycle=cycle)
        results = tuple(Tried(each.trial.value, each.answer.value, each.told) for each in found.results)
        kept = Qualified(who.serial, who.naa, who.revision, results)
        with manager.store.writing() as transaction:
            qualifications.keep(transaction, kept)
        with wiring.drive_alone(drive, trace) as transport:
            drive_rest.bring(transport, manager)
    emit("qualification", {"drive": who.serial, **facts(kept, who)}, as_json, lines(kept, who))


def facts(found: "Qualified", who: "DriveId") -> dict[str, Any]:
    """For JSON. `holds`: the drive still has that firmware, and is the one that was tried."""
    return {
        "firmware": found.firmware,
        "tried": found.tried or None,
        "holds": _holds(found, who),
        "results": [{"trial": each.trial, "answer": each.answer, "told": each.told} for each in found.results],
    }


def lines(found: "Qualified", who: "DriveId") -> list[str]:
    """For people: each statement with its answer."""
    from tapekey.drive.qualification import Trial

    words = {trial.value: trial.statement for trial in Trial}
    told = {
        words.get(each.trial, each.trial): each.answer + (f" ({each.told})" if each.told else "")
        for each in found.results
    }
    stale = "" if _holds(found, who) else f"; the drive now has {who.revision}: qualify it again"
    return pairs({"firmware": found.firmware + stale, **told})


def _holds(found: "Qualified", who: "DriveId") -> bool:
    return (found.naa, found.firmware) == (who.naa, who.revision)


def _demand_allowed(manager: "LocalManager", who: "DriveId", scratch: str) -> None:
    """Only an approved drive that is not hands-off is set, and no cartridge is written that has a key on record."""
    from tapekey.keystore.records import CartridgeRecord

    record = manager.drive(who.serial)
    if record is None or record.naa != who.naa:
        raise DriveUnknown(f"drive {who} is not approved", mend="tapekey drive approve")
    if record.hands_off:
        raise Refused(f"drive {who} is not touched", why="it is marked hands-off")
    with manager.store.reading() as transaction:
        known = transaction.one(CartridgeRecord, medium_serial=scratch) if scratch else None
    if known and known.current_key and not known.scratch:
        raise Refused(
            f"cartridge {scratch} is not written",
            why="a key is on record for it, and nobody has declared it scratch",
            mend=f"tapekey cartridge scratch {scratch}",
        )


def _power_cycle(drive: str, trace: Path | None, reach: ExitStack) -> "Callable[[], Transport]":
    """How the power is taken away and given back."""
    place = drive.removeprefix("virtual:")
    if place == drive:
        return lambda: _by_hand(drive, trace, reach)
    from tapekey.target import machine

    if not machine.served(Path(place)):
        raise Usage("the virtual drive has no power to take away", mend=f"tapekey target serve {place}")
    return lambda: _switched(drive, trace, reach, Path(place))


def _by_hand(drive: str, trace: Path | None, reach: ExitStack) -> "Transport":
    """The node goes with the power, and may come back under another number: a name by-id is found again."""
    reach.close()
    click.pause(f"Power {drive} off and on, wait until it is up again, then press any key.", err=True)
    return reach.enter_context(wiring.drive(drive, trace))


def _switched(drive: str, trace: Path | None, reach: ExitStack, place: Path) -> "Transport":
    from tapekey.target import machine
    from tapekey.transport.socket import connect

    reach.close()
    with connect(place / machine.SOCKET, "panel") as panel:
        panel.control("power-cycle")
    return reach.enter_context(wiring.drive(drive, trace))
