"""Approved drives: serial, NAA and, where it has one, the pinned public key."""

from dataclasses import replace

from tapekey.errors import DriveUnknown, NotFound
from tapekey.keystore.records import DriveRow
from tapekey.keystore.rows import Transaction


def get(transaction: Transaction, serial: str) -> DriveRow | None:
    """The approved drive with this serial, or None."""
    return next((drive for drive in every(transaction) if drive.serial == serial), None)


def every(transaction: Transaction) -> list[DriveRow]:
    """All approved drives."""
    return transaction.every(DriveRow)


def approve(transaction: Transaction, drive: DriveRow) -> None:
    """Put a drive on record. DriveUnknown if another drive claims its serial or NAA."""
    for known in every(transaction):
        if known.serial == drive.serial and replace(known, hands_off=drive.hands_off, approved=drive.approved) == drive:
            transaction.replace(drive)
            transaction.note("drive approved again", drive=drive.serial, hands_off=int(drive.hands_off))
            return
        if known.serial == drive.serial or (drive.naa and known.naa == drive.naa):
            raise DriveUnknown(
                f"the drive {drive.serial} is not approved",
                why=_difference(known, drive),
                mend=f"if it is the same drive, take its record away first: tapekey drive forget {known.serial}",
            )
    transaction.insert(drive)
    transaction.note(
        "drive approved",
        drive=drive.serial,
        naa=drive.naa.hex(),
        where=drive.where,
        virtual=int(drive.virtual),
        pinned=int(drive.key != b""),
    )


def _difference(known: DriveRow, drive: DriveRow) -> str:
    if known.serial != drive.serial:
        return f"the drive {known.serial} on record claims the same NAA"
    if known.naa != drive.naa:
        return "a drive with this serial and another NAA is on record"
    if known.key != drive.key:
        return "the drive on record under this identity has another public key"
    return f"a drive with this identity is on record at {known.where}"


def forget(transaction: Transaction, serial: str) -> None:
    """Take a drive's approval back."""
    known = get(transaction, serial)
    if known is None:
        raise NotFound(f"no approved drive {serial}", mend="see: tapekey drive list --approved")
    transaction.remove(known)
    transaction.note("drive approval taken back", drive=serial)
