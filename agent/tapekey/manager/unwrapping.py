"""Open what a cartridge carries with private keys, one after the other: its envelopes, then its KAD.

NotThisKey lets the next key try. EnvelopeRefused stops: something opened, or should have, and is not to be believed.
"""

from collections.abc import Iterable

from tapekey.errors import EnvelopeRefused, KeyUnavailable, Malformed, NotThisKey
from tapekey.keys import brief, envelope
from tapekey.keys.brief import Brief
from tapekey.keys.data_key import DataKey
from tapekey.keys.envelope import Envelope
from tapekey.keys.identity import Identity
from tapekey.manager.questions import Evidence


def unwrap(evidence: Evidence, identities: Iterable[Identity]) -> DataKey:
    """The data key of this cartridge, or KeyUnavailable."""
    held = tuple(identities)
    found = envelopes(evidence)
    kad = kad_of(evidence)
    if kad is not None and kad.key_id is not None:
        found = [one for one in found if one.binding.key_id == kad.key_id] or found
    refusals: list[str] = []
    for one in found:
        for identity in held:
            try:
                return envelope.open_envelope(one, identity, evidence.medium_serial)
            except (NotThisKey, KeyUnavailable) as error:
                refusals.append(error.what)
    if kad is not None:
        for identity in held:
            try:
                return brief.open_brief(kad, identity)
            except (NotThisKey, KeyUnavailable) as error:
                refusals.append(error.what)
            except EnvelopeRefused:
                if kad.form is not brief.Form.TAGGED:
                    raise
    raise unavailable(evidence, refusals[-1] if refusals else "")


def envelopes(evidence: Evidence) -> list[Envelope]:
    """The envelopes that decode, the newest first. What is torn is passed over: the KAD may still serve."""
    found = []
    for data in evidence.envelopes:
        try:
            found.append(envelope.read(data))
        except Malformed:
            continue
    return sorted(found, key=lambda one: one.binding.sequence, reverse=True)


def kad_of(evidence: Evidence) -> Brief | None:
    """The brief envelope of the blocks, or None if they carry none of ours."""
    try:
        return brief.read_brief(evidence.kad)
    except Malformed:
        return None


def unavailable(evidence: Evidence, why: str) -> KeyUnavailable:
    """The error when nothing opened."""
    nothing = not evidence.envelopes and not evidence.kad
    return KeyUnavailable(
        f"no key held here opens cartridge {evidence.medium_serial}",
        why="neither its memory nor its blocks carry an envelope" if nothing else why,
        mend="give the private key of a recipient, or ask the keystore that made the key",
    )
