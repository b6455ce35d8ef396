"""Unwrapping: the blocks decide, and what is planted in the memory neither stops a restore nor takes its place."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tapekey.errors import EnvelopeRefused, KeyUnavailable
from tapekey.keys import envelope
from tapekey.keys.brief import KadRoom
from tapekey.keys.data_key import DataKey, KeyId, new_data_key
from tapekey.keys.envelope import Binding
from tapekey.keys.identity import Kind
from tapekey.keys.recipient import Named
from tapekey.keystore import recipients
from tapekey.manager import unwrapping
from tapekey.manager.questions import Evidence, Prepared
from tapekey.policy.facts import Rule, Stance, Subject
from tests.keystore import vault

MEDIUM = "MED0000001"
CURVE = vault.key_pair(Kind.X25519, 1)
GROUP = vault.key_pair(Kind.KEK, 1)


def elsewhere(tmp_path: Path, whose: object = CURVE, kad: KadRoom = vault.LTO6) -> tuple[Prepared, DataKey]:
    """A cartridge of another keystore, for one recipient, and its key."""
    rule = Rule(Subject.VOLSER, "E*", Stance.REQUIRE, ("partner",))
    with vault.manager(vault.make(tmp_path / "elsewhere")) as manager:
        with manager.store.writing() as transaction:
            recipients.add(transaction, "partner", whose)  # type: ignore[arg-type]
        prepared = manager.prepare(vault.request(rule=rule, kad=kad))
        material = manager.release(
            prepared.key_id, medium_serial=MEDIUM, drive="HU1", witnessed=prepared.envelope, wrap=None
        )
    assert material.plain is not None
    return prepared, DataKey(prepared.key_id, material.plain)


def forged(key: DataKey, *, medium: str = MEDIUM) -> bytes:
    """What anybody can make who has the recipient's public key."""
    binding = Binding(key.id, medium, b"M" * 16, 1000)
    return envelope.seal(key, binding, [Named("partner", CURVE.recipient)]).envelope


def spoilt(data: bytes) -> bytes:
    """An envelope that names its recipients and opens for none of them."""
    read = envelope.read(data)
    stanzas = tuple(replace(one, wrapped=bytes(len(one.wrapped))) for one in read.stanzas)
    return envelope.encode(replace(read, stanzas=stanzas, signature=None))


PLANTED: dict[str, Callable[[bytes], tuple[bytes, ...]]] = {
    "forged with another key": lambda own: (forged(new_data_key()), own),
    "forged with another key for this key's id": lambda own: (
        forged(DataKey(envelope.read(own).binding.key_id, new_data_key().secret)),
        own,
    ),
    "of another cartridge": lambda own: (forged(new_data_key(), medium="MED0000009"), own),
    "spoilt": lambda own: (spoilt(own),),
}


@pytest.mark.parametrize("case", PLANTED)
def test_what_is_planted_in_the_memory_does_not_stop_the_blocks_own_key(tmp_path: Path, case: str) -> None:
    prepared, key = elsewhere(tmp_path)
    found = unwrapping.unwrap(Evidence(MEDIUM, envelopes=PLANTED[case](prepared.envelope), kad=prepared.kad), [CURVE])
    assert found.secret == key.secret


def test_a_key_from_the_blocks_bears_the_name_that_its_envelope_commits_it_to(tmp_path: Path) -> None:
    prepared, key = elsewhere(tmp_path)
    assert unwrapping.unwrap(vault.found(prepared), [CURVE]).id == key.id
    strange = Evidence(MEDIUM, envelopes=(forged(new_data_key()),), kad=prepared.kad)
    assert unwrapping.unwrap(strange, [CURVE]).id != envelope.read(strange.envelopes[0]).binding.key_id


def test_an_envelope_of_another_key_than_the_blocks_name_is_not_opened(tmp_path: Path) -> None:
    prepared, _ = elsewhere(tmp_path, GROUP, KadRoom(60, 6))
    other = forged(DataKey(KeyId(b"O" * 16), new_data_key().secret))
    with pytest.raises(KeyUnavailable):
        unwrapping.unwrap(Evidence(MEDIUM, envelopes=(other,), kad=prepared.kad), [CURVE])


def test_blocks_that_open_for_nobody_leave_the_envelope_to_serve(tmp_path: Path) -> None:
    prepared, key = elsewhere(tmp_path)
    kad = prepared.kad[:12] + bytes(80)
    assert unwrapping.unwrap(Evidence(MEDIUM, envelopes=(prepared.envelope,), kad=kad), [CURVE]).secret == key.secret


def test_what_is_false_and_nothing_else_is_refused(tmp_path: Path) -> None:
    prepared, _ = elsewhere(tmp_path)
    for planted in (spoilt(prepared.envelope), forged(new_data_key(), medium="MED0000009")):
        with pytest.raises(EnvelopeRefused):
            unwrapping.unwrap(Evidence(MEDIUM, envelopes=(planted,)), [GROUP, CURVE])
