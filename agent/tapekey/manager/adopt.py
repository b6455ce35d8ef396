"""Adopt a cartridge that carries a key made elsewhere: by an operator's word it may be written from now on."""

import hashlib
import os

from tapekey.errors import Conflict, EnvelopeRefused
from tapekey.keys.commitment import check_value
from tapekey.keys.data_key import DataKey
from tapekey.keys.envelope import Envelope
from tapekey.keystore import cartridges, data_keys, recipients
from tapekey.keystore.records import Issue, Origin, State
from tapekey.keystore.rows import Transaction
from tapekey.keystore.store import Store
from tapekey.manager import issuing, unwrapping
from tapekey.manager.questions import Evidence, Prepared, Request
from tapekey.manager.recognise import bare

MOST_ISSUED = 1 << 31  # half of the sequence numbers that an envelope has room for


def adopt(keystore: Store, evidence: Evidence, request: Request, *, by: str) -> Prepared:
    """Put the unwrapped key on record, of foreign origin and active, with an envelope of ours for the rule."""
    if evidence.medium_serial != request.medium_serial:
        raise ValueError("evidence and request name different cartridges")
    with keystore.writing() as transaction:
        key = unwrapping.unwrap(evidence, recipients.identities(transaction))
        _demand_free(transaction, key, evidence.medium_serial)
        cartridges.seen(transaction, request.medium_serial, request.volser)
        data_keys.add(transaction, key, request.medium_serial, Origin.FOREIGN, State.ACTIVE)
        _record_found(transaction, evidence, key)
        issue = issuing.issue(transaction, keystore.manager_id, request, key)
        transaction.note(
            "key adopted", key=str(key.id), cartridge=request.medium_serial, by=by, sequence=issue.sequence
        )
        return issuing.as_prepared(transaction, issue)


def _demand_free(transaction: Transaction, key: DataKey, medium_serial: str) -> None:
    if data_keys.get(transaction, key.id) is not None:
        raise Conflict(f"key {key.id} is on record already", mend="it needs no adoption")
    cartridge = cartridges.get(transaction, medium_serial)
    if cartridge is not None and cartridge.current_key is not None:
        raise Conflict(
            f"cartridge {medium_serial} has a key on record",
            why=f"it is {cartridge.current_key}, and a key on record always wins",
            mend="deactivate that key first, if the cartridge was really written elsewhere",
        )


def _record_found(transaction: Transaction, evidence: Evidence, key: DataKey) -> None:
    """What the cartridge carries of this key is ours to replace: older than what is issued next."""
    theirs = [(data, found) for data in evidence.envelopes for found in _of(data, key)]
    top = max((found.binding.sequence for _, found in theirs), default=0)
    if top >= MOST_ISSUED:
        raise EnvelopeRefused(
            f"key {key.id} is not adopted",
            why=f"its envelope says that it is the {top}th, and leaves no number for those to come",
            mend="find out who made it; it can still be read",
        )
    for data, found in theirs:
        transaction.insert(_older(transaction, data, found, evidence.medium_serial))
    if evidence.kad:
        data_keys.index(transaction, bare(evidence.kad), key.id, evidence.medium_serial)
    cartridge = cartridges.seen(transaction, evidence.medium_serial)
    cartridges.issued(transaction, cartridge, key.id, max(cartridge.sequence, top), required=False)


def _of(data: bytes, key: DataKey) -> list[Envelope]:
    """The envelope, if it is committed to this very key: its word for the key's id is not enough."""
    found = unwrapping.envelopes(Evidence("", envelopes=(data,)))
    return [one for one in found if one.binding.key_id == key.id and one.check == check_value(key)]


def _older(transaction: Transaction, data: bytes, found: Envelope, medium_serial: str) -> Issue:
    return Issue(
        id=os.urandom(16),
        key_id=found.binding.key_id,
        medium_serial=medium_serial,
        sequence=found.binding.sequence,
        envelope=data,
        hash=hashlib.sha256(data).digest(),
        kad=b"",
        shape="found",
        carried=(),
        left_out=(),
        outside=False,
        superseded=True,
        issued=transaction.now(),
    )
