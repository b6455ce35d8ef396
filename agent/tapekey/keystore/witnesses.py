"""What each cartridge's volume change reference (MAM 0009h) was when we last asked for it."""

from tapekey.keystore.records import WitnessRecord
from tapekey.keystore.rows import Transaction


def get(transaction: Transaction, medium_serial: str) -> WitnessRecord | None:
    """The newest witness of a cartridge, or None."""
    return transaction.one(WitnessRecord, medium_serial=medium_serial)


def keep(
    transaction: Transaction, medium_serial: str, drive: str, generation: int, moment: str, reference: bytes
) -> WitnessRecord | None:
    """Put a witness in place of the older one, which is returned."""
    known = get(transaction, medium_serial)
    record = WitnessRecord(medium_serial, drive, generation, moment, reference, transaction.now())
    (transaction.insert if known is None else transaction.replace)(record)
    return known
