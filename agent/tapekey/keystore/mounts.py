"""Mounts and their generations: nothing late may act on the next cartridge."""

from dataclasses import replace

from tapekey.errors import Conflict, NotFound
from tapekey.keystore.records import MountRecord
from tapekey.keystore.rows import Transaction


def begin(transaction: Transaction, drive: str, medium_serial: str, volser: str, intent: str) -> MountRecord:
    """A mount with the drive's next generation."""
    last = newest(transaction, drive)
    generation = 1 + (last.generation if last else 0)
    now = transaction.now()
    record = MountRecord(drive, generation, medium_serial, volser, intent, None, b"", -1, b"", False, now, "")
    transaction.insert(record)
    transaction.note("mount began", drive=drive, generation=generation, cartridge=medium_serial, volser=volser)
    return record


def newest(transaction: Transaction, drive: str) -> MountRecord | None:
    """The newest mount of a drive, or None."""
    return transaction.newest(MountRecord, "generation", drive_serial=drive)


def get(transaction: Transaction, drive: str, generation: int) -> MountRecord:
    """The mount of a generation."""
    found = transaction.one(MountRecord, drive_serial=drive, generation=generation)
    if found is None:
        raise NotFound(f"no mount {generation} of drive {drive} on record")
    return found


def installed(transaction: Transaction, mount: MountRecord) -> MountRecord:
    """Record what was installed and verified; Conflict if it is no longer the drive's newest mount."""
    last = newest(transaction, mount.drive_serial)
    if last is None or last.generation != mount.generation or last.medium_serial != mount.medium_serial:
        raise Conflict(
            f"mount {mount.generation} of drive {mount.drive_serial} is over",
            why=f"the newest is {last.generation}, of cartridge {last.medium_serial}" if last else "it never began",
        )
    record = replace(mount, began=last.began, closed=last.closed, accounted=last.accounted)
    transaction.replace(record)
    return record


def close(transaction: Transaction, drive: str, generation: int, change_reference: bytes) -> bool:
    """Mark a mount accounted. False: it was already."""
    record = get(transaction, drive, generation)
    if record.accounted:
        return False
    reference = change_reference or record.change_reference
    transaction.replace(replace(record, accounted=True, closed=transaction.now(), change_reference=reference))
    return True
