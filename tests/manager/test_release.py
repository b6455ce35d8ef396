"""No key leaves for writing but to its own cartridge, safe, and with its release on record."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tapekey.errors import NotSafe, Refused, StoreDamaged, StoreFailed, TapekeyError
from tapekey.keys import envelope
from tapekey.keys.data_key import KeyId
from tapekey.keystore import data_keys, store
from tapekey.keystore.birth import set_unsafe_single_copy
from tapekey.keystore.records import SafetyEvidence, State
from tapekey.manager.local import LocalManager
from tapekey.manager.questions import KeyMaterial, Prepared
from tapekey.policy.facts import KeyState
from tests.keystore import vault

MEDIUM = "MED0000001"


def release(
    manager: LocalManager, prepared: Prepared, *, medium: str = MEDIUM, witnessed: bytes | None = None
) -> KeyMaterial:
    seen = prepared.envelope if witnessed is None else witnessed
    return manager.release(prepared.key_id, medium_serial=medium, drive="HU1", witnessed=seen, wrap=None)


def test_a_safe_key_is_released_and_active_on_record(tmp_path: Path) -> None:
    place = vault.make(tmp_path)
    with vault.manager(place) as manager:
        prepared = manager.prepare(vault.request())
        material = release(manager, prepared)
        assert material.plain is not None
        assert any(material.plain.reveal())
        opened = envelope.open_envelope(envelope.read(prepared.envelope), vault.key_pair(vault.RECOVERY, 99), MEDIUM)
        assert material.plain == opened.secret
    with vault.manager(place) as manager:
        assert manager.known(vault.found(prepared)).facts.state is KeyState.ACTIVE
        assert store.audit_lines(manager.store)[-1].event == "key released"


def test_a_second_release_gives_the_same_key(tmp_path: Path) -> None:
    with vault.manager(vault.make(tmp_path)) as manager:
        prepared = manager.prepare(vault.request())
        assert release(manager, prepared).plain == release(manager, prepared).plain


def test_it_is_not_safe_before_its_envelope_was_read_back(tmp_path: Path) -> None:
    with vault.manager(vault.make(tmp_path)) as manager:
        prepared = manager.prepare(vault.request())
        with pytest.raises(NotSafe) as caught:
            release(manager, prepared, witnessed=b"")
        assert "keystore single-copy accept" in caught.value.mend
        assert manager.known(vault.found(prepared)).facts.state is KeyState.PREPARED
        assert store.audit_lines(manager.store)[-1].event == "release refused"


def test_an_envelope_for_keys_of_this_store_only_is_not_safe(tmp_path: Path) -> None:
    place = vault.make(tmp_path, unsafe=True)
    with vault.manager(place) as manager:
        prepared = manager.prepare(vault.request())
        vault.write(manager.store, lambda one: set_unsafe_single_copy(one, on=False))
        with pytest.raises(NotSafe, match="keeps the private key in this keystore"):
            release(manager, prepared)


def test_carry_id_is_not_safe_by_itself(tmp_path: Path) -> None:
    with vault.manager(vault.make(tmp_path)) as manager:
        prepared = manager.prepare(vault.request(rule=vault.id_only()))
        with pytest.raises(NotSafe):
            release(manager, prepared)


def test_accepted_single_copies_are_released(tmp_path: Path) -> None:
    with vault.manager(vault.make(tmp_path, unsafe=True)) as manager:
        prepared = manager.prepare(vault.request(room=0))
        assert release(manager, prepared, witnessed=b"").plain


def test_a_proof_that_the_key_is_elsewhere_makes_it_safe(tmp_path: Path) -> None:
    with vault.manager(vault.make(tmp_path)) as manager:
        prepared = manager.prepare(vault.request(room=0))
        proof = SafetyEvidence(b"E" * 16, prepared.key_id, "backup", "there", b"", "now")
        vault.write(manager.store, lambda one: one.insert(proof))
        assert release(manager, prepared, witnessed=b"").plain


def test_a_proof_for_another_key_does_not(tmp_path: Path) -> None:
    with vault.manager(vault.make(tmp_path)) as manager:
        other = manager.prepare(vault.request("MED0000002"))
        prepared = manager.prepare(vault.request(room=0))
        proof = SafetyEvidence(b"E" * 16, other.key_id, "backup", "there", b"", "now")
        vault.write(manager.store, lambda one: one.insert(proof))
        with pytest.raises(NotSafe):
            release(manager, prepared, witnessed=b"")


def test_a_single_copy_store_still_refuses_a_wrong_envelope(tmp_path: Path) -> None:
    with vault.manager(vault.make(tmp_path, unsafe=True)) as manager:
        prepared = manager.prepare(vault.request())
        with pytest.raises(Refused) as caught:
            release(manager, prepared, witnessed=prepared.envelope[:-1])
        assert caught.value.alarm
        assert store.audit_lines(manager.store)[-1].alarm


def old_envelope(manager: LocalManager) -> tuple[Prepared, bytes]:
    first = manager.prepare(vault.request())
    release(manager, first)
    return manager.prepare(vault.request()), first.envelope


def test_a_replayed_envelope_releases_nothing(tmp_path: Path) -> None:
    with vault.manager(vault.make(tmp_path)) as manager:
        current, old = old_envelope(manager)
        with pytest.raises(Refused, match="not the one on record"):
            release(manager, current, witnessed=old)


def test_another_cartridge_gets_nothing(tmp_path: Path) -> None:
    with vault.manager(vault.make(tmp_path)) as manager:
        prepared = manager.prepare(vault.request())
        with pytest.raises(Refused, match="belongs to cartridge MED0000001") as caught:
            release(manager, prepared, medium="MED0000002")
        assert caught.value.alarm


def test_an_unknown_key_is_refused(tmp_path: Path) -> None:
    with vault.manager(vault.make(tmp_path)) as manager, pytest.raises(Refused, match="not on record"):
        manager.release(KeyId(b"x" * 16), medium_serial=MEDIUM, drive="HU1", witnessed=b"", wrap=None)


def test_a_superseded_key_is_refused(tmp_path: Path) -> None:
    with vault.manager(vault.make(tmp_path)) as manager:
        first = manager.prepare(vault.request())
        release(manager, first)
        manager.prepare(vault.request())
        with pytest.raises(Refused, match="deactivated"):
            release(manager, first)


@pytest.mark.parametrize("state", [State.DEACTIVATED, State.COMPROMISED])
def test_a_key_that_may_only_be_read_is_refused(tmp_path: Path, state: State) -> None:
    with vault.manager(vault.make(tmp_path)) as manager:
        prepared = manager.prepare(vault.request())
        release(manager, prepared)
        vault.write(manager.store, lambda one: data_keys.move(one, prepared.key_id, state))
        with pytest.raises(Refused, match=state.value):
            release(manager, prepared)


def test_a_destroyed_key_is_refused(tmp_path: Path) -> None:
    with vault.manager(vault.make(tmp_path)) as manager:
        prepared = manager.prepare(vault.request())
        vault.write(manager.store, lambda one: data_keys.move(one, prepared.key_id, State.DESTROYED))
        with pytest.raises(Refused, match="destroyed"):
            release(manager, prepared)


def test_a_key_that_does_not_match_its_check_value_is_damage(tmp_path: Path) -> None:
    with vault.manager(vault.make(tmp_path)) as manager:
        prepared = manager.prepare(vault.request())

        with manager.store.writing() as transaction:
            record = data_keys.find(transaction, prepared.key_id)
            transaction.replace(replace(record, kcv=bytes(16)))
        with pytest.raises(StoreDamaged, match="check value"):
            release(manager, prepared)


TAMPERINGS = {
    "state": "UPDATE data_keys SET state = 'active'",
    "medium": "UPDATE data_keys SET medium_serial = 'MED0000002'",
    "hash": "UPDATE envelopes SET hash = zeroblob(32)",
    "outside": "UPDATE envelopes SET outside = 1 - outside",
    "current key": "UPDATE cartridges SET sequence = 7",
    "safety": "INSERT INTO settings VALUES ('unsafe_single_copy', 'on', zeroblob(32))",
}


@pytest.mark.parametrize("statement", TAMPERINGS.values(), ids=TAMPERINGS)
def test_a_record_that_was_changed_releases_nothing(tmp_path: Path, statement: str) -> None:
    place = vault.make(tmp_path)
    with vault.manager(place) as manager:
        manager.prepare(vault.request("MED0000002"))
        prepared = manager.prepare(vault.request(rule=vault.id_only()))
    assert vault.tamper(place, statement) >= 1
    with vault.manager(place) as manager, pytest.raises(StoreDamaged):
        release(manager, prepared)


def test_a_full_disk_releases_nothing(tmp_path: Path) -> None:
    place = vault.make(tmp_path)
    with vault.manager(place) as manager:
        prepared = manager.prepare(vault.request())
        with manager.store.engine.connect() as connection:
            pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
            connection.exec_driver_sql(f"PRAGMA max_page_count={pages}")
        with pytest.raises(StoreFailed):
            fill_up(lambda: release(manager, prepared))
    with vault.manager(place) as manager:
        assert store.verify_audit(manager.store) > 5


def fill_up(act: Callable[[], object]) -> None:
    for _ in range(1000):
        act()


def test_a_commit_that_fails_hands_out_nothing(tmp_path: Path) -> None:
    place = vault.make(tmp_path)
    handed: list[KeyMaterial] = []
    with vault.manager(place) as manager:
        prepared = manager.prepare(vault.request())
        with manager.store.engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA query_only=ON")
        with pytest.raises(TapekeyError):
            handed.append(release(manager, prepared))
    with vault.manager(place) as manager:
        assert manager.known(vault.found(prepared)).facts.state is KeyState.PREPARED
    assert handed == []
