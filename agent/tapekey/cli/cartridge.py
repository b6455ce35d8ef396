"""`tapekey cartridge`: what a cartridge carries, and what operators say of it."""

from pathlib import Path
from typing import Any

import click

from tapekey import wiring
from tapekey.cli.options import (
    actor,
    allow_virtual_option,
    drive_argument,
    store_options,
    trace_option,
    virtual_allowed,
)
from tapekey.cli.render import captions, emit, json_option, pairs, table
from tapekey.errors import Malformed, Usage
from tapekey.wiring import Access


@click.group()
def cartridge() -> None:
    """Cartridges: create, show, list, scratch, adopt, release."""


@cartridge.command()
@click.argument("directory", type=click.Path(path_type=Path))
@click.option("--generation", required=True, help="lto4 to lto9, or t10000c.")
@click.option("--barcode", default="", help="The label, such as ENC001L6.")
@click.option("--capacity", type=int, help="Bytes until the physical end; as the real one if not given.")
@click.option("--worm", is_flag=True, help="A cartridge that can be written once.")
def create(directory: Path, generation: str, barcode: str, capacity: int | None, worm: bool) -> None:
    """Make a virtual cartridge in DIRECTORY."""
    from tapekey.target import cartridge as virtual

    try:
        made = virtual.create(directory, generation, barcode, capacity=capacity, worm=worm)
    except ValueError as error:
        raise Usage("no such cartridge can be made", why=str(error)) from error
    click.echo(f"cartridge {made.barcode or 'without label'} (serial {made.serial}) made in {directory}")


@cartridge.command()
@drive_argument
@trace_option
@json_option
def show(drive: str, trace: Path | None, as_json: bool) -> None:
    """Show the cartridge in DRIVE and the envelopes that it carries. Needs no keystore, moves no tape."""
    from tapekey.cartridge import account, envelopes, identity
    from tapekey.drive import load

    with wiring.drive(drive, trace) as transport:
        load.ready(transport)
        who = identity.identify(transport)
        found = envelopes.read(transport)
        told = account.account(transport)
    carried = [envelope_facts(one.attribute, one.value) for one in found]
    facts = {
        "serial": who.serial,
        "manufacturer": who.manufacturer,
        "volsers": list(who.volsers),
        "kind": who.kind.value,
        "write_protected": who.write_protected,
        "loads": who.loads,
        "change_reference": who.change_reference.hex() or None,
        "first_encrypted": told.first_encrypted,
        "first_clear_after": told.first_clear_after,
        "envelopes": carried,
    }
    lines = pairs(captions({name: value for name, value in facts.items() if name != "envelopes"}))
    for one in carried or [{"envelopes": "none"}]:
        lines += ["", *pairs(captions({name: value for name, value in one.items() if name != "hex"}))]
    emit("cartridge", facts, as_json, lines)


def envelope_facts(attribute: int, value: bytes) -> dict[str, Any]:
    """What an envelope says of itself: nothing of it is believed here."""
    from tapekey.keys import envelope

    facts: dict[str, Any] = {"attribute": f"{attribute:04X}h", "bytes": len(value), "hex": value.hex()}
    try:
        read = envelope.read(value)
    except Malformed as error:
        return facts | {"unreadable": str(error)}
    return facts | {
        "key": str(read.binding.key_id),
        "for_cartridge": read.binding.medium_serial,
        "volser_claim": read.binding.volser,
        "manager": read.binding.manager_id.hex(),
        "sequence": read.binding.sequence,
        "opens_for": [f"{_suite(stanza.suite)} {stanza.locator.hex()}" for stanza in read.stanzas],
        "signed": read.signature is not None,
    }


def _suite(number: int) -> str:
    from tapekey.keys.suite import Suite

    return Suite(number).name if number in set(Suite) else f"suite {number}"


@cartridge.command("list")
@json_option
@store_options
def list_(access: Access, as_json: bool) -> None:
    """List the cartridges on record."""
    from tapekey.keystore import cartridges

    with wiring.manager(access) as manager, manager.store.reading() as transaction:
        rows = [
            {
                "serial": record.medium_serial,
                "volsers": list(record.volsers),
                "key": str(record.current_key) if record.current_key else None,
                "scratch": record.scratch,
                "once_required": record.once_required,
            }
            for record in cartridges.every(transaction)
        ]
    head = ("serial", "volsers", "key", "scratch", "under require")
    emit("cartridges", {"cartridges": rows}, as_json, table(head, (list(row.values()) for row in rows)))


@cartridge.command()
@click.argument("name")
@click.option("--unseen", is_flag=True, help="NAME is the serial number of a cartridge that had no key from here yet.")
@store_options
def scratch(access: Access, name: str, unseen: bool) -> None:
    """Declare that the cartridge NAME (serial or volser) may be overwritten: its next save makes a new key."""
    from tapekey.keystore import cartridges

    with wiring.manager(access) as manager, manager.store.writing() as transaction:
        serial = name if unseen else cartridges.find(transaction, name).medium_serial
        cartridges.scratch(transaction, serial, by=actor())
    click.echo(f"cartridge {serial} is scratch: what it holds will be overwritten")


@cartridge.command()
@click.argument("name")
@store_options
def release(access: Access, name: str) -> None:
    """Let a cartridge that was once under `require` follow the rules as they are now."""
    from tapekey.keystore import cartridges

    with wiring.manager(access) as manager, manager.store.writing() as transaction:
        record = cartridges.find(transaction, name)
        cartridges.release(transaction, record.medium_serial, by=actor())
    click.echo(f"cartridge {record.medium_serial} follows the rules as they are now")


@cartridge.command()
@drive_argument
@allow_virtual_option
@trace_option
@store_options
def adopt(access: Access, drive: str, allow_virtual: bool, trace: Path | None) -> None:
    """Take the key of the cartridge in DRIVE, made elsewhere, on record for writing: on your word."""
    from tapekey.mount.adopt import adopt as take
    from tapekey.mount.options import Options

    options = Options(allow_virtual=virtual_allowed(allow_virtual))
    with wiring.manager(access) as manager, wiring.drive_alone(drive, trace) as transport:
        key_id = take(transport, manager, actor(), options)
    click.echo(f"key {key_id} adopted: the next save writes under it")
