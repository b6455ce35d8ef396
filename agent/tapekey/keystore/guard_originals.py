"""Mode page 10h/01h of each drive as it stood before us: kept before the first change, until it is put back."""

from tapekey.keystore.records import GuardOriginal
from tapekey.keystore.rows import Transaction


def keep(transaction: Transaction, serial: str, naa: bytes, current: bytes, saved: bytes) -> None:
    """Keep the page; what is kept already stays, since what stands in the drive by now may be our own."""
    if get(transaction, serial) is not None:
        return
    transaction.insert(GuardOriginal(serial, naa, current, saved, transaction.now()))
    transaction.note("write guard's page kept", drive=serial, current=current.hex(), saved=saved.hex())


def get(transaction: Transaction, serial: str) -> GuardOriginal | None:
    """The page as it was, or None."""
    return transaction.one(GuardOriginal, serial=serial)


def forget(transaction: Transaction, serial: str) -> None:
    """The page stands in the drive again: what is found there at the next change is the drive's own."""
    known = get(transaction, serial)
    if known is not None:
        transaction.remove(known)
        transaction.note("write guard's page put back", drive=serial)
