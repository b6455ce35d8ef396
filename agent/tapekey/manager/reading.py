"""Find the key that reads a cartridge: by what the record knows, else by unwrapping what the cartridge carries.

The KAD of a block names what the block was written under, so it comes before the envelope in the memory. Reading
keys leave a line in the audit chain before they leave the store.
"""

import hashlib
from collections.abc import Iterator

from tapekey.errors import EnvelopeRefused, KeyUnavailable
from tapekey.keys.data_key import DataKey, KeyId
from tapekey.keystore import cartridges, data_keys, recipients
from tapekey.keystore.records import KeyRecord, State
from tapekey.keystore.rows import Transaction
from tapekey.keystore.store import Store
from tapekey.manager import drive_wrap, unwrapping
from tapekey.manager.questions import Evidence, ReadingKey, WrapTarget
from tapekey.manager.recognise import bare


def key_for_reading(keystore: Store, evidence: Evidence, *, drive: str, wrap: WrapTarget | None) -> ReadingKey:
    """The key, once the line that says so is durable."""
    cartridge = evidence.medium_serial
    try:
        with keystore.writing() as transaction:
            key, foreign = _find(transaction, evidence)
            material = drive_wrap.material_for(transaction, key, drive, wrap)
            source = "unwrapped" if foreign else "record"
            transaction.note("key given for reading", key=str(key.id), source=source, cartridge=cartridge, drive=drive)
        return ReadingKey(material, foreign)
    except EnvelopeRefused as error:
        keystore.note("envelope refused", alarm=True, cartridge=cartridge, drive=drive, why=str(error))
        raise
    except drive_wrap.KeyNotPinned as error:
        keystore.note("drive not as pinned", alarm=True, why=error.why, cartridge=cartridge, drive=drive)
        raise


def _find(transaction: Transaction, evidence: Evidence) -> tuple[DataKey, bool]:
    for key_id in _named(transaction, evidence):
        record = data_keys.get(transaction, key_id)
        if record is not None and _may_read(record):
            return data_keys.open_key(transaction, record), False
    try:
        return unwrapping.unwrap(evidence, recipients.identities(transaction)), True
    except KeyUnavailable:
        record = _on_record(transaction, evidence)
        if record is None:
            raise
        return data_keys.open_key(transaction, record), False


def _named(transaction: Transaction, evidence: Evidence) -> Iterator[KeyId]:
    """Keys that the evidence names, the likeliest first: blocks before memory, record before claim."""
    if evidence.kad:
        known = data_keys.by_kad(transaction, bare(evidence.kad))
        claimed = unwrapping.kad_of(evidence)
        if known is not None:
            yield known.key_id
            return
        if claimed is not None and claimed.key_id is not None:
            yield claimed.key_id
            return
    for data in evidence.envelopes:
        issue = data_keys.by_hash(transaction, hashlib.sha256(data).digest())
        if issue is not None and issue.medium_serial == evidence.medium_serial:
            yield issue.key_id
    for found in unwrapping.envelopes(evidence):
        if found.binding.medium_serial == evidence.medium_serial:
            yield found.binding.key_id


def _may_read(record: KeyRecord) -> bool:
    """A key that was never released has written nothing. Asking for a destroyed one is an answer, not a miss."""
    if record.state is State.DESTROYED:
        raise KeyUnavailable(
            f"key {record.id} was destroyed", why=record.why, mend="nothing here brings it back; a backup might"
        )
    return record.state is not State.PRE_ACTIVE


def _on_record(transaction: Transaction, evidence: Evidence) -> KeyRecord | None:
    """The medium's own key, when its blocks say nothing else."""
    cartridge = cartridges.get(transaction, evidence.medium_serial)
    if evidence.kad or cartridge is None or cartridge.current_key is None:
        return None
    record = data_keys.find(transaction, cartridge.current_key)
    return record if _may_read(record) else None
