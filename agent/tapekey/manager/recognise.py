"""Compare what was found on a cartridge with the record. Changes nothing, opens nothing, believes nothing.

An envelope is CURRENT only by the SHA-256 of its bytes; what an envelope or KAD says of itself merely names the
mismatch. Of several things found, the worst decides.
"""

import hashlib
from collections.abc import Iterable
from typing import Final

from tapekey.errors import Malformed
from tapekey.keys import brief, envelope
from tapekey.keys.brief import Brief
from tapekey.keys.envelope import Envelope
from tapekey.keystore import cartridges, data_keys, recipients
from tapekey.keystore.records import CartridgeRecord, KeyRecord, State
from tapekey.keystore.rows import Transaction
from tapekey.manager.questions import Evidence, Known
from tapekey.policy.facts import KeyFacts, KeyState, Match

# The worst first. ABSENT is what remains of nothing.
WORST_FIRST: Final = (
    Match.OTHER_MEDIUM,
    Match.DIFFERS,
    Match.STRANGER,
    Match.FOREIGN,
    Match.TORN,
    Match.CURRENT,
    Match.OLDER,
)

KEY_STATES: Final = {
    State.PRE_ACTIVE: KeyState.PREPARED,
    State.ACTIVE: KeyState.ACTIVE,
    State.DEACTIVATED: KeyState.READ_ONLY,
    State.COMPROMISED: KeyState.READ_ONLY,
    State.DESTROYED: KeyState.GONE,
}


def recognise(transaction: Transaction, evidence: Evidence) -> Known:
    """The facts that policy decides from."""
    cartridge = cartridges.get(transaction, evidence.medium_serial)
    record = _current_key(transaction, cartridge)
    state, why = _state(transaction, record)
    return Known(
        KeyFacts(
            state=state,
            envelope=_worst(_match_envelope(transaction, evidence, record, data) for data in evidence.envelopes),
            kad=_match_kad(transaction, evidence, record),
            scratch=cartridge is not None and cartridge.scratch,
            once_required=cartridge is not None and cartridge.once_required,
            why=why,
        ),
        record.id if record else None,
    )


def _current_key(transaction: Transaction, cartridge: CartridgeRecord | None) -> KeyRecord | None:
    if cartridge is None or cartridge.current_key is None:
        return None
    return data_keys.find(transaction, cartridge.current_key)


def _state(transaction: Transaction, record: KeyRecord | None) -> tuple[KeyState, str]:
    if record is None:
        return KeyState.NONE, ""
    if record.state is State.ACTIVE:
        expired = _expired(transaction, record)
        if expired:
            return KeyState.READ_ONLY, f"expired: {', '.join(expired)}"
    return KEY_STATES[record.state], record.why


def _expired(transaction: Transaction, record: KeyRecord) -> list[str]:
    """Recipients of the key's envelope whose certificate has expired."""
    issue = data_keys.current_issue(transaction, record.id)
    carried = [recipients.get(transaction, name) for name in (issue.carried if issue else ())]
    return [one.name for one in carried if one.expires and one.expires <= transaction.now()]


def _worst(matches: Iterable[Match]) -> Match:
    found = set(matches)
    return next((match for match in WORST_FIRST if match in found), Match.ABSENT)


def _match_envelope(transaction: Transaction, evidence: Evidence, record: KeyRecord | None, data: bytes) -> Match:
    issue = data_keys.by_hash(transaction, hashlib.sha256(data).digest())
    if issue is not None:
        if issue.medium_serial != evidence.medium_serial:
            return Match.OTHER_MEDIUM
        current = not issue.superseded and record is not None and issue.key_id == record.id
        return Match.CURRENT if current else Match.OLDER
    if not envelope.is_envelope(data):
        return Match.FOREIGN
    try:
        return _by_its_word(transaction, evidence, envelope.read(data))
    except Malformed:
        return Match.TORN


def _by_its_word(transaction: Transaction, evidence: Evidence, found: Envelope) -> Match:
    if found.binding.medium_serial != evidence.medium_serial:
        return Match.OTHER_MEDIUM
    known = data_keys.get(transaction, found.binding.key_id)
    return Match.STRANGER if known is None else Match.DIFFERS


def _match_kad(transaction: Transaction, evidence: Evidence, record: KeyRecord | None) -> Match:
    if not evidence.kad:
        return Match.ABSENT
    known = data_keys.by_kad(transaction, bare(evidence.kad))
    if known is not None:
        if known.medium_serial != evidence.medium_serial:
            return Match.OTHER_MEDIUM
        return Match.CURRENT if record is not None and known.key_id == record.id else Match.OLDER
    try:
        return _kad_by_its_word(transaction, brief.read_brief(evidence.kad))
    except Malformed:
        return Match.TORN if evidence.kad[0] == brief.VERSION else Match.FOREIGN


def _kad_by_its_word(transaction: Transaction, found: Brief) -> Match:
    """A tagged brief envelope has no mark of its own: it is ours by form only if it names a recipient of ours."""
    if found.key_id is not None and data_keys.get(transaction, found.key_id) is not None:
        return Match.DIFFERS
    if found.form is not brief.Form.TAGGED:
        return Match.STRANGER
    ours = any(record.fingerprint.startswith(found.locator) for record in recipients.every(transaction))
    return Match.STRANGER if ours else Match.FOREIGN


def bare(kad: bytes) -> bytes:
    """KAD without a drive's padding behind it."""
    try:
        form = brief.read_brief(kad).form
    except Malformed:
        return kad
    return kad[: form.value]
