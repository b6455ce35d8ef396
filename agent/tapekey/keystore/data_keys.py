"""Data keys and their states, the envelopes and KADs issued for them, and the proofs that they exist elsewhere."""

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from tapekey.errors import Conflict, EnvelopeRefused, KeyUnavailable, NotFound
from tapekey.keys import commitment
from tapekey.keys.data_key import DataKey, KeyId
from tapekey.keystore.records import Issue, KadRecord, KeyRecord, Origin, SafetyEvidence, State
from tapekey.keystore.rows import Transaction
from tapekey.keystore.seal import Place, Purpose, damaged

VERSION: Final = 1

# KMIP 2.1, 3.20 State: which state may follow which.
# fmt: off
NEXT: Final[Mapping[State, frozenset[State]]] = {
    State.PRE_ACTIVE:  frozenset({State.ACTIVE, State.COMPROMISED, State.DESTROYED}),
    State.ACTIVE:      frozenset({State.DEACTIVATED, State.COMPROMISED}),
    State.DEACTIVATED: frozenset({State.COMPROMISED, State.DESTROYED}),
    State.COMPROMISED: frozenset({State.DESTROYED}),
    State.DESTROYED:   frozenset(),
}
# fmt: on


def add(transaction: Transaction, key: DataKey, medium_serial: str, origin: Origin, state: State) -> KeyRecord:
    """Seal a data key and put it on record for one medium."""
    sealed = transaction.seal.close(_place(key.id, VERSION), Purpose.DATA_KEY, key.secret)
    now = transaction.now()
    activated = now if state is State.ACTIVE else ""
    kcv = commitment.check_value(key)
    record = KeyRecord(key.id, medium_serial, state, origin, kcv, "", now, activated, "", VERSION, sealed)
    transaction.insert(record)
    return record


def get(transaction: Transaction, key_id: KeyId) -> KeyRecord | None:
    """The record of a key, or None."""
    return transaction.one(KeyRecord, id=key_id.raw)


def find(transaction: Transaction, key_id: KeyId) -> KeyRecord:
    """The record of a key; NotFound if there is none."""
    record = get(transaction, key_id)
    if record is None:
        raise NotFound(f"no key {key_id} on record")
    return record


def open_key(transaction: Transaction, record: KeyRecord) -> DataKey:
    """Unseal a key and confirm that it is the one that the record commits to."""
    if record.state is State.DESTROYED:
        raise KeyUnavailable(f"key {record.id} was destroyed", why=record.why)
    secret = transaction.seal.open(_place(record.id, record.version), Purpose.DATA_KEY, record.sealed)
    try:
        return commitment.confirm(DataKey(record.id, secret), record.kcv)
    except EnvelopeRefused as error:
        raise damaged("data_keys", record.id.raw, "the key does not match its check value") from error


def move(transaction: Transaction, key_id: KeyId, state: State, *, why: str = "") -> KeyRecord:
    """Change a key's state. A destroyed key and its wrapped copies are gone from here."""
    record = find(transaction, key_id)
    if state not in NEXT[record.state]:
        raise Conflict(f"key {key_id} cannot become {state.value}", why=f"it is {record.state.value}")
    now = transaction.now()
    if state is State.ACTIVE:
        record = replace(record, state=state, activated=now)
    else:
        record = replace(record, state=state, ended=now, why=why)
    if state is State.DESTROYED:
        record = replace(record, sealed=b"")
        _forget_copies(transaction, key_id)
    transaction.replace(record)
    transaction.note(f"key {state.value}", key=str(key_id), cartridge=record.medium_serial, why=why)
    return record


def _forget_copies(transaction: Transaction, key_id: KeyId) -> None:
    """Envelopes and KADs on record wrap the key for private keys that are here too. Their hashes stay."""
    for one in transaction.some(Issue, key_id=key_id.raw):
        transaction.replace(replace(one, envelope=b"", kad=b""))
    for kad in transaction.some(KadRecord, key_id=key_id.raw):
        transaction.replace(replace(kad, kad=b""))


def issue(transaction: Transaction, new: Issue) -> None:
    """Record an envelope as the current one of its medium: all earlier ones are superseded."""
    for earlier in issues_for_medium(transaction, new.medium_serial):
        if not earlier.superseded:
            transaction.replace(replace(earlier, superseded=True))
    transaction.insert(new)
    if new.kad:
        index(transaction, new.kad, new.key_id, new.medium_serial)


def index(transaction: Transaction, kad: bytes, key_id: KeyId, medium_serial: str) -> None:
    """Record what blocks under this key carry. The same KAD may be issued again for the same key."""
    known = by_kad(transaction, kad)
    if known is None:
        transaction.insert(KadRecord(hashlib.sha256(kad).digest(), kad, key_id, medium_serial))
    elif (known.key_id, known.medium_serial) != (key_id, medium_serial):
        raise Conflict("two keys have the same key-associated data", why=f"{known.key_id} and {key_id}")


def issues_for_medium(transaction: Transaction, medium_serial: str) -> list[Issue]:
    """Every envelope ever issued for a medium, newest first."""
    found = transaction.some(Issue, medium_serial=medium_serial)
    return sorted(found, key=lambda one: one.sequence, reverse=True)


def current_issue(transaction: Transaction, key_id: KeyId) -> Issue | None:
    """The envelope that should stand on the key's cartridge now, or None."""
    found = [one for one in transaction.some(Issue, key_id=key_id.raw) if not one.superseded]
    return max(found, key=lambda one: one.sequence, default=None)


def by_hash(transaction: Transaction, digest: bytes) -> Issue | None:
    """The issue whose envelope has this SHA-256."""
    return next(iter(transaction.some(Issue, hash=digest)), None)


def by_kad(transaction: Transaction, kad: bytes) -> KadRecord | None:
    """Which key these key-associated data were issued for."""
    return transaction.one(KadRecord, hash=hashlib.sha256(kad).digest())


def proofs(transaction: Transaction, key_id: KeyId) -> list[SafetyEvidence]:
    """Receipts and verified backups that hold this key."""
    return transaction.some(SafetyEvidence, key_id=key_id.raw)


def _place(key_id: KeyId, version: int) -> Place:
    return Place("data_keys", key_id.raw, version)
