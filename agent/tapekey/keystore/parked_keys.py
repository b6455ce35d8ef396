"""Keys that wait in empty drives, without a cartridge: sealed here until a cartridge gets one for its own.

A parked key is never removed: a block under it may turn up on any cartridge that was in its drive.
"""

import hashlib
from dataclasses import replace

from tapekey.errors import EnvelopeRefused, KeyUnavailable, NotFound
from tapekey.keys import commitment
from tapekey.keys.data_key import DataKey, KeyId
from tapekey.keystore.records import ParkedRecord, ParkedState
from tapekey.keystore.rows import Transaction
from tapekey.keystore.seal import Place, Purpose, damaged

VERSION = 1
UNSEEN = -1


def add(transaction: Transaction, key: DataKey, drive: str, kad: bytes) -> ParkedRecord:
    """Seal a key for a drive, with what will stand beside each block under it."""
    sealed = transaction.seal.close(_place(key.id, VERSION), Purpose.DATA_KEY, key.secret)
    record = ParkedRecord(
        id=key.id,
        drive_serial=drive,
        state=ParkedState.WAITING,
        kcv=commitment.check_value(key),
        kad=kad,
        kad_hash=hashlib.sha256(kad).digest(),
        key_instance_counter=UNSEEN,
        medium_serial="",
        created=transaction.now(),
        version=VERSION,
        sealed=sealed,
    )
    transaction.insert(record)
    return record


def find(transaction: Transaction, key_id: KeyId) -> ParkedRecord:
    """The record of a parked key; NotFound if there is none."""
    record = transaction.one(ParkedRecord, id=key_id.raw)
    if record is None:
        raise NotFound(f"no parked key {key_id} on record")
    return record


def waiting(transaction: Transaction, drive: str) -> list[ParkedRecord]:
    """The keys that wait for this drive; more than one only if a change was cut off."""
    return transaction.some(ParkedRecord, drive_serial=drive, state=ParkedState.WAITING.value)


def by_kad(transaction: Transaction, kad: bytes) -> ParkedRecord | None:
    """The parked key that these key-associated data were made for, or None."""
    return next(iter(transaction.some(ParkedRecord, kad_hash=hashlib.sha256(kad).digest())), None)


def open_key(transaction: Transaction, record: ParkedRecord) -> DataKey:
    """Unseal a parked key and confirm that it is the one that the record commits to."""
    if record.state is ParkedState.BOUND:
        raise KeyUnavailable(f"key {record.id} waits no more", why=f"it is cartridge {record.medium_serial}'s")
    secret = transaction.seal.open(_place(record.id, record.version), Purpose.DATA_KEY, record.sealed)
    try:
        return commitment.confirm(DataKey(record.id, secret), record.kcv)
    except EnvelopeRefused as error:
        raise damaged("parked_keys", record.id.raw, "the key does not match its check value") from error


def stands(transaction: Transaction, record: ParkedRecord, counter: int) -> None:
    """Record what the drive's counter was when the key was read back; UNSEEN before it is sent."""
    transaction.replace(replace(record, key_instance_counter=counter))


def bind(transaction: Transaction, record: ParkedRecord, medium_serial: str) -> None:
    """It is this cartridge's from now on; the secret moves to the data keys."""
    transaction.replace(replace(record, state=ParkedState.BOUND, medium_serial=medium_serial, sealed=b""))


def drop(transaction: Transaction, record: ParkedRecord) -> None:
    """It is not put into a drive again."""
    transaction.replace(replace(record, state=ParkedState.DROPPED))


def _place(key_id: KeyId, version: int) -> Place:
    return Place("parked_keys", key_id.raw, version)
