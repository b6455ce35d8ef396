"""`tapekey keystore`: create, inspect and check the keystore."""

from pathlib import Path

import click

from tapekey import wiring
from tapekey.cli import key_file
from tapekey.cli.options import store_options
from tapekey.cli.render import captions, emit, json_option, pairs
from tapekey.wiring import Access


@click.group()
def keystore() -> None:
    """Create, inspect and check the keystore."""


@keystore.command()
@click.option("--recovery-recipient", type=click.Path(path_type=Path), help="Public key whose private half is offline.")
@click.option("--unsafe-single-copy", is_flag=True, help="Accept that keys are used while they exist here only.")
@store_options
def init(access: Access, recovery_recipient: Path | None, unsafe_single_copy: bool) -> None:
    """Create a keystore that opens with the passphrase or the key file given.

    A key is used only once it exists a second time: name an offline recovery recipient, or accept the risk.
    """
    from tapekey.keys import recipient_file
    from tapekey.keystore import birth

    recovery = None
    if recovery_recipient:
        recovery = recipient_file.load(bytes(key_file.read(recovery_recipient))).recipient
    birth.create(
        access.store, wiring.openers(access), recovery_recipient=recovery, unsafe_single_copy=unsafe_single_copy
    )
    click.echo(f"keystore made in {access.store}")
    if not recovery:
        click.echo("warning: losing this keystore loses every key that no other recipient can open", err=True)


@keystore.command()
@json_option
@store_options
def status(access: Access, as_json: bool) -> None:
    """Say what the keystore holds and how safe it is."""
    from tapekey.keystore.status import status as ask

    with wiring.manager(access) as manager:
        told = ask(manager.store)
    facts = {
        "store_id": told.store_id,
        "manager_id": told.manager_id,
        "version": told.version,
        "created": told.created,
        "slots": [{"number": number, "kind": kind, "label": label} for number, kind, label in told.slots],
        "recovery_recipient": told.recovery or None,
        "unsafe_single_copy": told.unsafe_single_copy,
        "recipients": told.recipients,
        "rules": told.rules,
        "drives": told.drives,
        "cartridges": told.cartridges,
        "keys": {state.value: count for state, count in told.keys.items()},
        "audit_lines": told.audit_lines,
    }
    slots = ", ".join(f"{kind} {label}".strip() for _, kind, label in told.slots)
    keys = ", ".join(f"{count} {state.value}" for state, count in told.keys.items()) or "none"
    safety = "single copies are accepted" if told.unsafe_single_copy else "keys are used only when they exist twice"
    shown = {**facts, "slots": slots, "keys": keys, "unsafe_single_copy": None, "safety": safety}
    emit("keystore", facts, as_json, pairs(captions(shown)))


@keystore.command()
@json_option
@store_options
def check(access: Access, as_json: bool) -> None:
    """Verify every record and the audit chain."""
    from tapekey.keystore.check import check as verify

    with wiring.manager(access) as manager:
        counts = verify(manager.store)
    text = [f"{count:>6}  {table}" for table, count in counts.items()]
    emit("keystore-check", {"records": dict(counts), "good": True}, as_json, [*text, "every record verifies"])


@keystore.command("single-copy")
@click.argument("choice", type=click.Choice(["accept", "refuse"]))
@store_options
def single_copy(access: Access, choice: str) -> None:
    """Accept, or refuse, to use keys that exist in this keystore only."""
    from tapekey.keystore import birth

    with wiring.manager(access) as manager, manager.store.writing() as transaction:
        birth.set_unsafe_single_copy(transaction, on=choice == "accept")
        transaction.note("single copies accepted" if choice == "accept" else "single copies refused")
    click.echo(f"single copies: {choice}ed" if choice == "accept" else "single copies: refused")
