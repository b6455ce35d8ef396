"""What a cartridge carries against the record: CURRENT is a matter of bytes, everything else of suspicion."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tapekey.keys import brief, envelope
from tapekey.keys.data_key import KeyId, new_data_key
from tapekey.keys.envelope import Binding
from tapekey.keys.identity import Kind
from tapekey.keys.recipient import Named
from tapekey.keystore import audit, data_keys, recipients, rules
from tapekey.keystore.records import State
from tapekey.manager.local import LocalManager
from tapekey.manager.questions import Evidence, Prepared
from tapekey.policy.facts import KeyState, Match, Rule, Stance, Subject
from tests.keystore import vault

MEDIUM = "MED0000001"


@dataclass(frozen=True, slots=True)
class History:
    """A medium with an old and a current key, and another medium."""

    old: Prepared
    current: Prepared
    other: Prepared


def lived(manager: LocalManager) -> History:
    old = manager.prepare(vault.request())
    release(manager, old)
    current = manager.prepare(vault.request())
    release(manager, current)
    return History(old, current, manager.prepare(vault.request("MED0000002")))


def release(manager: LocalManager, prepared: Prepared) -> None:
    manager.release(prepared.key_id, medium_serial=MEDIUM, drive="HU1", witnessed=prepared.envelope, wrap=None)


def strange(medium: str = MEDIUM, key_id: KeyId | None = None) -> bytes:
    """An envelope that anyone can make."""
    key = new_data_key()
    key = replace(key, id=key_id or key.id)
    binding = Binding(key.id, medium, b"M" * 16, 9)
    return envelope.seal(key, binding, [Named("x", vault.key_pair(Kind.X25519).recipient)]).envelope


def strange_kad(key_id: KeyId | None = None) -> bytes:
    key = new_data_key()
    group = vault.key_pair(Kind.KEK).recipient
    return brief.seal_brief(replace(key, id=key_id or key.id), [Named("x", group)], brief.KadRoom(60, 12))


ENVELOPES: dict[str, tuple[Callable[[History], tuple[bytes, ...]], Match]] = {
    "nothing": (lambda h: (), Match.ABSENT),
    "current": (lambda h: (h.current.envelope,), Match.CURRENT),
    "current beside old": (lambda h: (h.old.envelope, h.current.envelope), Match.CURRENT),
    "old alone": (lambda h: (h.old.envelope,), Match.OLDER),
    "other medium's": (lambda h: (h.other.envelope,), Match.OTHER_MEDIUM),
    "other medium's beside current": (lambda h: (h.current.envelope, h.other.envelope), Match.OTHER_MEDIUM),
    "bound elsewhere, unknown": (lambda h: (strange("MED9"),), Match.OTHER_MEDIUM),
    "unknown": (lambda h: (strange(),), Match.STRANGER),
    "unknown beside current": (lambda h: (h.current.envelope, strange()), Match.STRANGER),
    "our key id, other bytes": (lambda h: (strange(key_id=h.current.key_id),), Match.DIFFERS),
    "our old key id, other bytes": (lambda h: (h.current.envelope, strange(key_id=h.old.key_id)), Match.DIFFERS),
    "torn": (lambda h: (h.current.envelope[:-1],), Match.TORN),
    "torn beside current": (lambda h: (h.current.envelope, h.old.envelope[:50]), Match.TORN),
    "one bit": (lambda h: (h.current.envelope[:-1] + bytes([h.current.envelope[-1] ^ 1]),), Match.TORN),
    "not ours": (lambda h: (b"something else",), Match.FOREIGN),
}

KADS: dict[str, tuple[Callable[[History], bytes], Match]] = {
    "nothing": (lambda h: b"", Match.ABSENT),
    "current": (lambda h: h.current.kad, Match.CURRENT),
    "current, padded by the drive": (lambda h: h.current.kad + bytes(20), Match.CURRENT),
    "old": (lambda h: h.old.kad, Match.OLDER),
    "other medium's": (lambda h: h.other.kad, Match.OTHER_MEDIUM),
    "our key id, other bytes": (lambda h: strange_kad(h.current.key_id), Match.DIFFERS),
    "unknown": (lambda h: strange_kad(), Match.STRANGER),
    "torn": (lambda h: h.current.kad[:30], Match.TORN),
    "a text": (lambda h: b"stenc key 7", Match.FOREIGN),
    "44 bytes of somebody": (lambda h: b"x" * 44, Match.FOREIGN),
}


@pytest.fixture(scope="module")
def lived_in(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, History]:
    place = vault.make(tmp_path_factory.mktemp("lived"))
    with vault.manager(place) as manager:
        return place, lived(manager)


@pytest.mark.parametrize("case", ENVELOPES)
def test_an_envelope_is_matched(lived_in: tuple[Path, History], case: str) -> None:
    place, history = lived_in
    make, expected = ENVELOPES[case]
    with vault.manager(place) as manager:
        facts = manager.known(Evidence(MEDIUM, envelopes=make(history))).facts
    assert (facts.envelope, facts.state) == (expected, KeyState.ACTIVE)


@pytest.mark.parametrize("case", KADS)
def test_a_kad_is_matched(lived_in: tuple[Path, History], case: str) -> None:
    place, history = lived_in
    make, expected = KADS[case]
    with vault.manager(place) as manager:
        assert manager.known(Evidence(MEDIUM, kad=make(history))).facts.kad is expected


def test_a_tagged_kad_for_our_group_key_is_a_stranger_not_foreign(tmp_path: Path) -> None:
    with vault.manager(vault.make(tmp_path)) as manager:
        with manager.store.reading() as transaction:
            group = recipients.named(transaction, "group")
        kad = brief.seal_brief(new_data_key(), [group], vault.LTO4)
        assert manager.known(Evidence(MEDIUM, kad=kad)).facts.kad is Match.STRANGER


@given(envelopes=st.lists(st.binary(max_size=80), max_size=2), kad=st.binary(max_size=92))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_hostile_bytes_are_never_as_recorded(
    lived_in: tuple[Path, History], envelopes: list[bytes], kad: bytes
) -> None:
    with vault.manager(lived_in[0]) as manager:
        facts = manager.known(Evidence(MEDIUM, envelopes=tuple(envelopes), kad=kad)).facts
    assert facts.envelope is not Match.CURRENT
    assert facts.kad is not Match.CURRENT


def test_a_medium_never_seen_has_no_key(tmp_path: Path) -> None:
    with vault.manager(vault.make(tmp_path)) as manager:
        known = manager.known(Evidence(MEDIUM))
    assert (known.facts.state, known.key_id) == (KeyState.NONE, None)


def test_asking_changes_nothing(tmp_path: Path) -> None:
    with vault.manager(vault.make(tmp_path)) as manager:
        prepared = manager.prepare(vault.request())
        before = (manager.store.directory / "keystore.db-wal").read_bytes()
        manager.known(vault.found(prepared))
        assert (manager.store.directory / "keystore.db-wal").read_bytes() == before


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (State.DEACTIVATED, KeyState.READ_ONLY),
        (State.COMPROMISED, KeyState.READ_ONLY),
    ],
)
def test_a_key_that_may_only_be_read_says_why(tmp_path: Path, state: State, expected: KeyState) -> None:
    with vault.manager(vault.make(tmp_path)) as manager:
        prepared = manager.prepare(vault.request())
        release(manager, prepared)
        vault.write(manager.store, lambda one: data_keys.move(one, prepared.key_id, state, why="as told"))
        facts = manager.known(vault.found(prepared)).facts
    assert (facts.state, facts.why) == (expected, "as told")


def test_a_destroyed_key_is_gone_and_its_envelope_still_known(tmp_path: Path) -> None:
    with vault.manager(vault.make(tmp_path)) as manager:
        prepared = manager.prepare(vault.request())
        vault.write(manager.store, lambda one: data_keys.move(one, prepared.key_id, State.DESTROYED, why="as told"))
        facts = manager.known(vault.found(prepared)).facts
    assert (facts.state, facts.envelope, facts.kad) == (KeyState.GONE, Match.CURRENT, Match.CURRENT)


def test_an_expired_recipient_makes_the_key_read_only(tmp_path: Path) -> None:
    clock = vault.Clock()
    with vault.manager(vault.make(tmp_path, clock=clock), clock) as manager:
        expires = audit.stamp(clock.now + timedelta(days=1))
        rule = Rule(Subject.VOLSER, "X*", Stance.REQUIRE, ("partner",))
        with manager.store.writing() as transaction:
            recipients.add(transaction, "partner", vault.key_pair(Kind.X25519).recipient, expires=expires)
            rules.add(transaction, rule)
        prepared = manager.prepare(vault.request(rule=rule))
        release(manager, prepared)
        assert manager.known(vault.found(prepared)).facts.state is KeyState.ACTIVE
        clock.wait(days=2)
        facts = manager.known(vault.found(prepared)).facts
    assert (facts.state, facts.why) == (KeyState.READ_ONLY, "expired: partner")
