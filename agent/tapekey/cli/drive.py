"""`tapekey drive`: tape drives, and what stands in them."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tapekey import wiring
from tapekey.cli import drive_list, drive_qualify, drive_rest, key_file
from tapekey.cli.options import (
    allow_virtual_option,
    clear_key_option,
    drive_argument,
    store_options,
    trace_option,
    virtual_allowed,
    way,
)
from tapekey.cli.render import captions, emit, json_option, pairs, table
from tapekey.errors import Malformed, Refused
from tapekey.wiring import Access

if TYPE_CHECKING:
    from tapekey.discovery.sysfs import Node
    from tapekey.drive.abilities import Abilities
    from tapekey.drive.identity import DriveId
    from tapekey.exchange import Transport
    from tapekey.keystore.qualifications import Qualified
    from tapekey.manager.local import LocalManager

HEX_KEY = 64
RAW_KEY = 32


@click.group()
def drive() -> None:
    """Tape drives: list, show, status, approve, release, qualify, set-key, clear-key."""


drive.add_command(drive_qualify.qualify)
drive.add_command(drive_rest.release)


@drive.command("list")
@click.option("--approved", is_flag=True, help="The approved drives of the keystore, instead of this host's.")
@json_option
@store_options
def list_(access: Access, approved: bool, as_json: bool) -> None:
    """List the tape drives of this host, or those on record."""
    rows = drive_list.on_record(access) if approved else drive_list.of_host(access)
    head = drive_list.RECORD_HEAD if approved else drive_list.HOST_HEAD
    emit("drives", {"drives": rows}, as_json, table(head, ([row[name] for name in head] for row in rows)))


@drive.command()
@drive_argument
@trace_option
@json_option
@store_options
def show(access: Access, drive: str, trace: Path | None, as_json: bool) -> None:
    """Show who a drive is and what it can do for encryption. A keystore adds its approval and qualification."""
    from tapekey.drive import abilities, identity, load, parking

    node = _node(drive)
    with wiring.drive(drive, trace, doubtful=True) as transport:
        who = identity.identify(transport)
        load.presence(transport)
        able = abilities.abilities(transport)
        parkable = parking.without_cartridge(transport, able) if wiring.opens(access) else able
    facts = {
        "vendor": who.vendor,
        "product": who.product,
        "revision": who.revision,
        "serial": who.serial,
        "manufacturer_serial": who.manufacturer_serial or None,
        "naa": who.naa.hex() or None,
        "virtual": who.virtual,
        "encryption": able.management.value,
        "why": able.why,
        **_abilities(able),
        **(drive_list.of_node(node) if node else {}),
    }
    approved, qualified, guards = (
        _on_record(access, who, parkable) if wiring.opens(access) else (None, None, _NO_GUARDS)
    )
    lines = pairs(captions(facts | {"approved": approved}) | captions(_shown(guards)))
    if qualified:
        lines += ["", "qualification", *drive_qualify.lines(qualified, who)]
    known = {"approved": approved, "qualification": qualified and drive_qualify.facts(qualified, who)}
    emit("drive", facts | known | guards, as_json, lines)


_NO_GUARDS: dict[str, Any] = {"guards": None, "untried": None, "rule_at_rest": None, "mode_page_kept": None}


def _on_record(access: Access, who: "DriveId", able: "Abilities") -> "tuple[bool, Qualified | None, dict[str, Any]]":
    from tapekey.keystore import qualifications

    with wiring.manager(access) as manager:
        record = manager.drive(who.serial)
        with manager.store.reading() as transaction:
            qualified = qualifications.get(transaction, who.serial)
        return record is not None and record.naa == who.naa, qualified, drive_rest.guards(manager, who, able)


def _shown(guards: dict[str, Any]) -> dict[str, Any]:
    """Lists as words, for people; nothing of what is not known."""
    told = {name: "; ".join(value) or None if isinstance(value, list) else value for name, value in guards.items()}
    return {name: value for name, value in told.items() if value is not None}


def _node(drive: str) -> "Node | None":
    """The sg node behind a name in /dev; None for other URIs."""
    if not drive.startswith("/dev/"):
        return None
    from tapekey.discovery.resolve import resolve

    return resolve(drive)


def _abilities(able: "Abilities") -> dict[str, Any]:
    return {
        "algorithm_index": able.algorithm.index if able.algorithm else None,
        "algorithm_code": f"{int(able.algorithm.code):08x}" if able.algorithm else None,
        "a_kad_bytes": able.kad_room.authenticated,
        "u_kad_bytes": able.kad_room.unauthenticated,
        "key_formats": [int(form) for form in able.key_formats],
        "locks": able.locks,
        "clears_on_demount": able.clears_on_demount,
        "write_guard": able.write_guard,
        "own_public_key": able.public_key is not None,
    }


@drive.command()
@drive_argument
@trace_option
@json_option
@store_options
def status(access: Access, drive: str, trace: Path | None, as_json: bool) -> None:
    """Show the encryption parameters in force, and whose they are."""
    from tapekey.drive import abilities, identity, load, parameters, parking
    from tapekey.mount import owner

    with wiring.manager(access) as manager, wiring.drive(drive, trace) as transport:
        who = identity.identify(transport)
        load.presence(transport)
        able = abilities.abilities(transport)
        now = parameters.status(transport)
        whose = owner.of_parameters(transport, able, manager, manager.current(who.serial))
        closed = _guard_closed(transport, able)
        guards = drive_rest.guards(manager, who, parking.without_cartridge(transport, able))
    kad = parameters.kads_of(now.kads)
    facts = {
        "drive": who.serial,
        "owner": whose.value,
        "encryption_mode": now.encryption.name,
        "decryption_mode": now.decryption.name,
        "algorithm_index": now.algorithm_index,
        "key_instance_counter": now.key_instance_counter,
        "scope": now.parameters_scope.name,
        "kads": [{"type": each.type.name, "hex": each.value.hex(), "text": _text(each.value)} for each in now.kads],
        "kad": kad.hex() or None,
        "writes_require_encryption": closed,
    }
    shown = captions({name: value for name, value in facts.items() if name not in ("kads", "kad")} | _shown(guards))
    lines = pairs(shown | {each.type.name.lower() + " KAD": _text(each.value) or each.value.hex() for each in now.kads})
    emit("drive-status", facts | guards, as_json, lines)


def _guard_closed(transport: "Transport", able: "Abilities") -> bool | None:
    from tapekey.drive import guard

    return guard.look(transport).closed if able.write_guard else None


def _text(value: bytes) -> str | None:
    words = value.rstrip(b"\0")
    return words.decode("ascii") if words and words.isascii() and words.decode("ascii").isprintable() else None


@drive.command()
@drive_argument
@click.option("--hands-off", is_flag=True, help="On record, but never touched.")
@click.option(
    "--allow",
    multiple=True,
    type=click.Choice(drive_list.UNTRUSTED),
    help="Accept a drive that is attached like this (repeatable); never accepted unasked.",
)
@allow_virtual_option
@trace_option
@store_options
def approve(
    access: Access, drive: str, hands_off: bool, allow: tuple[str, ...], allow_virtual: bool, trace: Path | None
) -> None:
    """Approve a drive: only approved drives get keys. Pins its own public key if it has one."""
    from tapekey.drive import abilities, identity, load
    from tapekey.manager import drive_wrap
    from tapekey.manager.questions import DriveRecord

    node = _node(drive)
    with wiring.drive(drive, trace) as transport:
        who = identity.identify(transport)
        load.presence(transport)
        able = abilities.abilities(transport)
    _demand_acceptable(who, node, wiring.link(drive), allow, virtual_allowed(allow_virtual))
    public = able.public_key
    pinned = drive_wrap.pinned(public.modulus, public.exponent) if public else b""
    where = node.lasting if node else drive
    record = DriveRecord(
        who.serial, who.naa, who.vendor, who.product, where, who.virtual is not None, hands_off, pinned
    )
    with wiring.manager(access) as manager:
        manager.approve(record)
        click.echo(
            f"drive {who.serial} ({who.vendor} {who.product}) approved" + (", its public key pinned" if pinned else "")
        )
        if not hands_off:
            _rest(manager, drive, trace)


def _rest(manager: "LocalManager", drive: str, trace: Path | None) -> None:
    """Close it from now on if its rule says so; what keeps it open or untouched is said."""
    with wiring.drive_alone(drive, trace) as transport:
        done = drive_rest.bring(transport, manager)
    if done:
        click.echo(done)


def _demand_acceptable(
    who: "DriveId", node: "Node | None", link: str, allow: tuple[str, ...], allow_virtual: bool
) -> None:
    """See that nothing about the drive needs a word that was not given, and that it is one of its name."""
    if who.virtual is not None and not (allow_virtual or "virtual" in allow):
        raise Refused(
            f"drive {who} is not approved", why="it is a virtual one", mend="if that is meant: --allow-virtual"
        )
    if link in drive_list.UNTRUSTED and link not in allow:
        raise Refused(
            f"drive {who} is not approved",
            why=f"it is attached by {link}, which others may reach or imitate",
            mend=f"if that is meant: --allow {link}",
        )
    if node is not None:
        from tapekey import host

        host.demand_unique(node, who)


@drive.command("set-key")
@drive_argument
@click.option("--data-key", type=click.Path(path_type=Path), required=True, help="32 raw bytes, or 64 hex digits.")
@click.option("--mixed", is_flag=True, help="Read clear blocks too.")
@click.option("--unguarded", is_flag=True, help="Accept a drive that cannot refuse clear writes while it reads.")
@allow_virtual_option
@clear_key_option
@trace_option
@store_options
def set_key(
    access: Access,
    drive: str,
    data_key: Path,
    mixed: bool,
    unguarded: bool,
    allow_virtual: bool,
    allow_clear_key: str | None,
    trace: Path | None,
) -> None:
    """Set a raw data key by hand, for reading only: for tapes that other software encrypted.

    For writing there is `tapekey save`, which trusts only the keystore.
    """
    from tapekey.drive.identity import identify
    from tapekey.keys.data_key import KEY_ID_SIZE, KeyId
    from tapekey.manager.questions import KeyMaterial
    from tapekey.mount import by_hand
    from tapekey.mount.options import Options

    secret = _raw_key(data_key)
    with secret, wiring.manager(access) as manager, wiring.drive_alone(drive, trace) as transport:
        named = frozenset({identify(transport).serial} if unguarded else set())
        options = Options(
            allow_virtual=virtual_allowed(allow_virtual),
            unguarded=named,
            clear_labels=mixed,
            way=way(drive, allow_clear_key),
        )
        mount = by_hand.set_key(transport, manager, KeyMaterial(KeyId(bytes(KEY_ID_SIZE)), plain=secret), options)
    click.echo(f"key set in drive {mount.drive_serial} for reading {mount.volser or mount.medium_serial}")


def _raw_key(file: Path) -> Any:
    """Exactly 32 bytes, raw or as hex: a key that is a byte short is never filled up."""
    from tapekey.secret import Secret

    content = key_file.read(file)
    try:
        digits = bytes(content).strip()
        if len(digits) == HEX_KEY:
            return Secret.taken_from(bytearray.fromhex(digits.decode("ascii")))
    except ValueError as error:
        raise Malformed(f"{file} is no data key", why="64 characters, and not all are hex digits") from error
    if len(content) != RAW_KEY:
        raise Malformed(f"{file} is no data key", why=f"{len(content)} bytes, neither 32 raw nor 64 hex digits")
    return Secret.taken_from(content)


@drive.command("clear-key")
@drive_argument
@trace_option
@store_options
def clear_key(access: Access, drive: str, trace: Path | None) -> None:
    """Take a key of ours out of a drive. Somebody else's stays."""
    from tapekey.mount import by_hand

    with wiring.manager(access) as manager, wiring.drive_alone(drive, trace) as transport:
        done = by_hand.clear_key(transport, manager)
    click.echo("key cleared" if done else "no key was set")


@drive.command()
@click.argument("serial")
@store_options
def forget(access: Access, serial: str) -> None:
    """Take a drive's approval back."""
    from tapekey.keystore import drives, guard_originals

    with wiring.manager(access) as manager, manager.store.writing() as transaction:
        drives.forget(transaction, serial)
        kept = guard_originals.get(transaction, serial)
    click.echo(f"drive {serial} forgotten")
    if kept is not None:
        click.echo("its own mode page is kept: approve it again and give it back with tapekey drive release", err=True)
