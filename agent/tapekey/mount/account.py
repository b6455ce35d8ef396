"""The drive's account of a mount, into the books: at unload, or at the next load if nobody asked before.

What the drive says is its word and not proof; where it contradicts what the mount was for, that is an alarm.
"""

from dataclasses import replace

from tapekey.cartridge import account as drives_word
from tapekey.cartridge.identity import CartridgeId
from tapekey.errors import TapekeyError
from tapekey.exchange import Transport
from tapekey.manager.questions import Account, KeyManager, Mount
from tapekey.policy.facts import Intent

TAKEN_OUT = "the cartridge was taken out before the drive was asked for its account"


def ask(transport: Transport, manager: KeyManager, mount: Mount) -> Account:
    """Ask the drive what it did to the mounted cartridge. The books stay open until the caller closes them."""
    told = _told(transport)
    wrong = contradiction(mount, told)
    if wrong:
        manager.note(
            "contradicted by the drive's account",
            alarm=True,
            drive=mount.drive_serial,
            cartridge=mount.medium_serial,
            generation=mount.generation,
            why=wrong,
        )
        told = replace(told, remarks=(*told.remarks, wrong))
    return told


def interim(transport: Transport, manager: KeyManager, mount: Mount) -> Account:
    """The account of a mount that goes on, when software has closed the drive. The books stay open."""
    told = ask(transport, manager, mount)
    manager.note(
        "interim account",
        drive=mount.drive_serial,
        cartridge=mount.medium_serial,
        generation=mount.generation,
        change_reference=told.change_reference.hex(),
        first_encrypted=told.first_encrypted,
        first_clear_after=told.first_clear_after,
        written_mib=told.written_mib,
    )
    return told


def after_eject(manager: KeyManager, mount: Mount) -> bool:
    """The cartridge has gone: whether its account was taken. If not, it stays unaccounted until its next load."""
    newest = manager.current(mount.drive_serial)
    accounted = newest is not None and newest.generation == mount.generation and newest.accounted
    if not accounted:
        manager.note(
            "unaccounted",
            drive=mount.drive_serial,
            cartridge=mount.medium_serial,
            generation=mount.generation,
            why=TAKEN_OUT,
        )
    return accounted


def late(transport: Transport, manager: KeyManager, mount: Mount | None, cartridge: CartridgeId) -> Account | None:
    """Close the books of a mount that ended, or goes on, without its account; None: the drive was not asked for it."""
    if mount is None or mount.accounted:
        return None
    if mount.medium_serial != cartridge.serial:
        manager.account(mount, Account(remarks=(TAKEN_OUT,)))
        return None
    told = ask(transport, manager, mount)
    manager.account(mount, told)
    return told


def contradiction(mount: Mount, told: Account) -> str:
    """What the account says against the purpose of the mount; empty: nothing."""
    moved = bool(mount.change_reference) and told.change_reference not in (b"", mount.change_reference)
    if mount.intent is Intent.RESTORE and mount.key_id is not None and moved:
        return "the cartridge was written while it was mounted for reading"
    clear = told.first_clear_after
    if mount.intent is Intent.SAVE and mount.key_id is not None and clear is not None and clear >= 0:
        return f"a clear block stands behind an encrypted one, at object {clear}"
    return ""


def _told(transport: Transport) -> Account:
    """The drive's word; that it cannot be had is put down, and keeps no cartridge in the drive."""
    try:
        word = drives_word.account(transport)
    except TapekeyError as error:
        return Account(remarks=(f"the drive gave no account: {error}",))
    return Account(
        word.change_reference,
        word.first_encrypted,
        word.first_clear_after,
        word.loads,
        word.written_mib,
        word.remarks,
    )
