"""What is on record of each cartridge, under its medium serial."""

from dataclasses import replace

from tapekey.errors import Conflict, NotFound, Usage
from tapekey.keys.data_key import KeyId
from tapekey.keystore.records import CartridgeRecord
from tapekey.keystore.rows import Transaction


def get(transaction: Transaction, medium_serial: str) -> CartridgeRecord | None:
    """The record of a medium, or None."""
    return transaction.one(CartridgeRecord, medium_serial=medium_serial)


def every(transaction: Transaction) -> list[CartridgeRecord]:
    """All cartridges on record."""
    return transaction.every(CartridgeRecord)


def find(transaction: Transaction, name: str) -> CartridgeRecord:
    """By medium serial, else by a volser that exactly one cartridge has had."""
    known = get(transaction, name)
    if known is not None:
        return known
    labelled = [record for record in every(transaction) if name in record.volsers]
    if not labelled:
        raise NotFound(
            f"no cartridge {name} on record",
            mend="see: tapekey cartridge list; one that is new here: tapekey cartridge scratch SERIAL --unseen",
        )
    if len(labelled) > 1:
        serials = ", ".join(record.medium_serial for record in labelled)
        raise Conflict(f"several cartridges were labelled {name}", why=serials, mend="name the medium serial")
    return labelled[0]


def seen(transaction: Transaction, medium_serial: str, *volsers: str) -> CartridgeRecord:
    """The record of a medium, made if there is none; new labels are added to it."""
    if not medium_serial:
        raise Usage("a cartridge without medium serial cannot be put on record", mend="see: tapekey cartridge show")
    known = get(transaction, medium_serial)
    labels = known.volsers if known else ()
    labels += tuple(dict.fromkeys(volser for volser in volsers if volser and volser not in labels))
    record = replace(known or CartridgeRecord(medium_serial), volsers=labels, seen=transaction.now())
    save(transaction, record)
    return record


def save(transaction: Transaction, record: CartridgeRecord) -> None:
    """Write a record, new or not."""
    new = get(transaction, record.medium_serial) is None
    (transaction.insert if new else transaction.replace)(record)


def scratch(transaction: Transaction, medium_serial: str, *, by: str) -> None:
    """Declare that what the cartridge holds may be overwritten: it gets a new key at its next save."""
    save(transaction, replace(seen(transaction, medium_serial), scratch=True))
    transaction.note("cartridge declared scratch", cartridge=medium_serial, by=by)


def release(transaction: Transaction, medium_serial: str, *, by: str) -> None:
    """Let a cartridge that was once under `require` go back to what the rules say now."""
    record = find(transaction, medium_serial)
    save(transaction, replace(record, once_required=False))
    transaction.note("cartridge released", cartridge=record.medium_serial, by=by)


def issued(
    transaction: Transaction, record: CartridgeRecord, key_id: KeyId, sequence: int, *, required: bool
) -> CartridgeRecord:
    """Record the key and the sequence number of the newest envelope."""
    once = record.once_required or required
    record = replace(record, current_key=key_id, sequence=sequence, once_required=once)
    save(transaction, record)
    return record


def keyed(transaction: Transaction, medium_serial: str) -> None:
    """A key was installed for writing: the word that the cartridge is scratch is used up."""
    record = get(transaction, medium_serial)
    if record is not None and record.scratch:
        save(transaction, replace(record, scratch=False))
