"""Open what a cartridge carries with private keys: the KAD of its blocks, then the envelopes in its memory.

The KAD stands beside the very block that is to be read, so it decides: an envelope planted in the memory, for whatever
key or cartridge, can neither take its place nor stop it. Nothing that opens is worse news than something that is
not to be believed, so EnvelopeRefused is raised only when nothing opens.
"""

from collections.abc import Callable, Iterable, Iterator
from functools import partial

from tapekey.errors import EnvelopeRefused, KeyUnavailable, Malformed, NotThisKey
from tapekey.keys import brief, commitment, envelope
from tapekey.keys.brief import Brief
from tapekey.keys.data_key import DataKey
from tapekey.keys.envelope import Envelope
from tapekey.keys.identity import Identity
from tapekey.manager.questions import Evidence


def unwrap(evidence: Evidence, identities: Iterable[Identity]) -> DataKey:
    """The data key of this cartridge. EnvelopeRefused: what should have opened it is false; KeyUnavailable: none."""
    refused: EnvelopeRefused | None = None
    why = ""
    for attempt in _attempts(evidence, tuple(identities)):
        try:
            return attempt()
        except (NotThisKey, KeyUnavailable) as error:
            why = error.what
        except EnvelopeRefused as error:
            refused = refused or error
    raise refused or unavailable(evidence, why)


def _attempts(evidence: Evidence, held: tuple[Identity, ...]) -> Iterator[Callable[[], DataKey]]:
    kad, found = kad_of(evidence), envelopes(evidence)
    if kad is not None:
        yield from (partial(_open_kad, kad, identity, found) for identity in held)
        if kad.key_id is not None:
            found = [one for one in found if one.binding.key_id == kad.key_id]
    for one in found:
        yield from (partial(envelope.open_envelope, one, identity, evidence.medium_serial) for identity in held)


def _open_kad(kad: Brief, identity: Identity, found: list[Envelope]) -> DataKey:
    """The key, under the name that an envelope commits it to where the KAD has no room for one."""
    try:
        key = brief.open_brief(kad, identity)
    except EnvelopeRefused as refused:
        if kad.form is brief.Form.TAGGED:  # has no mark of its own, so it may be another program's
            raise NotThisKey(refused.what) from refused
        raise
    for one in found if kad.key_id is None else ():
        named = DataKey(one.binding.key_id, key.secret)
        if commitment.check_value(named) == one.check:
            return named
    return key


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
