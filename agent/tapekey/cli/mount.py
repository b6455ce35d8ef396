"""`tapekey save`, `restore`, `unload`: the two flows, and the end of both."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from tapekey import wiring
from tapekey.cli import drive_rest, key_file
from tapekey.cli.options import (
    allow_virtual_option,
    clear_key_option,
    drive_argument,
    store_options,
    trace_option,
    virtual_allowed,
    way,
)
from tapekey.cli.render import emit, json_option, pairs
from tapekey.errors import Usage
from tapekey.wiring import Access

GUARDS = ("hook",)


def cartridge_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """What the caller knows of the cartridge beside what its memory says."""
    for option in (
        click.option("--volser", multiple=True, help="What the label or the changer says the barcode is (repeatable)."),
        click.option("--pool", default="", help="The media pool that the cartridge is in."),
        click.option("--library", default="", help="The serial number of the library."),
        click.option("--no-load", is_flag=True, help="Refuse if the cartridge is not loaded, instead of loading it."),
    ):
        function = option(function)
    return function


@click.command()
@drive_argument
@cartridge_options
@click.option("--waits", is_flag=True, help="The caller writes only after this returned: it stands for guard `hook`.")
@allow_virtual_option
@clear_key_option
@trace_option
@json_option
@store_options
def save(
    access: Access,
    drive: str,
    volser: tuple[str, ...],
    pool: str,
    library: str,
    no_load: bool,
    waits: bool,
    allow_virtual: bool,
    allow_clear_key: str | None,
    trace: Path | None,
    as_json: bool,
) -> None:
    """Make the cartridge in DRIVE ready to be written, encrypted.

    Loads it if needed, finds the rule that holds for it, makes or finds its key, puts the envelope on the cartridge,
    installs the key, and reads everything back. Software may open the drive when this has returned 0.
    """
    from tapekey.mount.options import Options
    from tapekey.mount.save import save as make_ready
    from tapekey.mount.survey import keep_what_was_left
    from tapekey.policy.facts import Guard

    options = Options(
        volsers=volser,
        pool=pool,
        library=library,
        allow_virtual=virtual_allowed(allow_virtual),
        guards=frozenset({Guard.HOOK} if waits else set()),
        load=not no_load,
        way=way(drive, allow_clear_key),
    )
    with wiring.manager(access) as manager, wiring.drive_alone(drive, trace) as transport:
        done = make_ready(transport, manager, options)
        keep_what_was_left(transport, manager, options, done)
    facts = {
        "phase": done.phase.value,
        "drive": done.drive,
        "cartridge": done.cartridge,
        "volser": done.volser,
        "encrypted": done.encrypted,
        "key": str(done.key_id) if done.key_id else None,
        "why": done.decision.why,
        "in_memory": done.in_memory,
        "carried": list(done.carried),
        "left_out": list(done.left_out),
    }
    text = [
        f"{_names(done)} is {done.phase.value}{_how(done)}",
        *pairs({"key": done.key_id, "why": done.decision.why, **_carriage(done)}),
    ]
    emit("save", facts, as_json, text)


def _how(done: Any) -> str:
    from tapekey.mount.state import Phase

    if done.phase is Phase.LEFT:
        return ""
    return ", encrypted" if done.encrypted else ", in clear"


def _carriage(done: Any) -> dict[str, str]:
    if not done.encrypted:
        return {}
    place = "on the cartridge" if done.in_memory else "not in the cartridge's memory"
    return {"envelope": place, "opens for": ", ".join(done.carried), "no room for": ", ".join(done.left_out)}


def _names(done: Any) -> str:
    volser = f"{done.volser} " if done.volser else ""
    return f"{volser}({done.cartridge}) in drive {done.drive}"


@click.command()
@drive_argument
@cartridge_options
@click.option("--identity", type=click.Path(path_type=Path), help="A private key file; no keystore is needed then.")
@click.option("--identity-passphrase-file", metavar="F|-", help="Opens the private key file, if it is sealed.")
@click.option("--mixed", is_flag=True, help="Read clear blocks too: for cartridges with clear labels.")
@click.option("--unguarded", is_flag=True, help="Accept a drive that cannot refuse clear writes while it reads.")
@allow_virtual_option
@clear_key_option
@trace_option
@json_option
@store_options
def restore(
    access: Access,
    drive: str,
    volser: tuple[str, ...],
    pool: str,
    library: str,
    no_load: bool,
    identity: Path | None,
    identity_passphrase_file: str | None,
    mixed: bool,
    unguarded: bool,
    allow_virtual: bool,
    allow_clear_key: str | None,
    trace: Path | None,
    as_json: bool,
) -> None:
    """Make the cartridge in DRIVE ready to be read.

    With --identity, one recipient's private key is enough: no keystore, no rules.
    """
    from tapekey.drive.identity import identify
    from tapekey.mount.options import Options
    from tapekey.mount.restore import restore as make_ready
    from tapekey.mount.state import Phase

    with wiring.drive_alone(drive, trace) as transport:
        named = frozenset({identify(transport).serial} if unguarded else set())
        options = Options(
            volsers=volser,
            pool=pool,
            library=library,
            allow_virtual=virtual_allowed(allow_virtual),
            unguarded=named,
            clear_labels=mixed,
            load=not no_load,
            way=way(drive, allow_clear_key),
        )
        if identity:
            done = make_ready(transport, _bare(identity, identity_passphrase_file), options)
        elif identity_passphrase_file:
            raise Usage("--identity-passphrase-file opens nothing", mend="give the private key file with --identity")
        else:
            with wiring.manager(access) as manager:
                done = make_ready(transport, manager, options, manager=manager)
    facts = {
        "phase": done.phase.value,
        "drive": done.drive,
        "cartridge": done.cartridge,
        "volser": done.volser,
        "key": str(done.key_id) if done.key_id else None,
        "foreign": done.foreign,
        "why": done.decision.why,
    }
    origin = "unwrapped from the cartridge: read only" if done.foreign else "on record" if done.key_id else ""
    head = f"{_names(done)} {'needs no key' if done.phase is Phase.CLOSED else f'is {done.phase.value}'}"
    emit("restore", facts, as_json, [head, *pairs({"key": done.key_id, "origin": origin, "why": done.decision.why})])


def _bare(file: Path, passphrase_file: str | None) -> Any:
    from tapekey.keys import identity_file
    from tapekey.manager.bare import BareManager

    passphrase = wiring.read_passphrase(passphrase_file) if passphrase_file else None
    text = key_file.read(file)
    try:
        return BareManager((identity_file.load(bytes(text), passphrase),))
    finally:
        text[:] = bytes(len(text))


@click.command()
@drive_argument
@trace_option
@json_option
@store_options
def unload(access: Access, drive: str, trace: Path | None, as_json: bool) -> None:
    """Take the drive's account, unload the cartridge, see that it is out, and clear its key."""
    from tapekey.mount.unload import unload as end

    with wiring.manager(access) as manager, wiring.drive_alone(drive, trace) as transport:
        done = end(transport, manager)
        resting = drive_rest.bring(transport, manager)
    told = done.account
    facts = {
        "drive": done.drive,
        "cartridge": done.cartridge or None,
        "accounted": told is not None,
        "first_encrypted": told.first_encrypted if told else None,
        "first_clear_after": told.first_clear_after if told else None,
        "written_mib": told.written_mib if told else None,
        "remarks": list(told.remarks) if told else [],
        "superseded_envelopes_removed": done.removed,
        "cleared": done.cleared,
        "rest": resting,
    }
    text = [f"{done.cartridge or 'nothing was loaded, nothing'} unloaded from drive {done.drive}"]
    if done.cleared:
        text.append("its key was still in the drive, and was taken out")
    if resting:
        text.append(resting)
    if told:
        text += pairs(
            {
                "first encrypted": _object(told.first_encrypted),
                "first clear behind": _object(told.first_clear_after),
                "written MiB": told.written_mib,
                "remarks": "; ".join(told.remarks),
            }
        )
    emit("unload", facts, as_json, text)


def _object(number: int | None) -> str:
    return "not told" if number is None else "none" if number < 0 else f"object {number}"
