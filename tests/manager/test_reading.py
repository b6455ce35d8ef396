"""Reading keys: by record first, else whatever the cartridge carries for a private key that is here."""

from dataclasses import replace
from pathlib import Path

import pytest

from tapekey.errors import EnvelopeRefused, KeyUnavailable, StoreFailed
from tapekey.keys.data_key import KeyId
from tapekey.keys.identity import Kind
from tapekey.keystore import data_keys, recipients, store
from tapekey.keystore.records import State
from tapekey.manager.bare import BareManager
from tapekey.manager.local import LocalManager
from tapekey.manager.questions import Evidence, Prepared, ReadingKey, ReadingKeys
from tapekey.policy.facts import Rule, Stance, Subject
from tapekey.secret import Secret
from tests.keystore import vault

MEDIUM = "MED0000001"


def read(manager: ReadingKeys, evidence: Evidence) -> ReadingKey:
    return manager.key_for_reading(evidence, drive="HU1", wrap=None)


def active(manager: LocalManager, rule: Rule = vault.REQUIRE_SITE) -> tuple[Prepared, Secret]:
    prepared = manager.prepare(vault.request(rule=rule))
    material = manager.release(
        prepared.key_id, medium_serial=MEDIUM, drive="HU1", witnessed=prepared.envelope, wrap=None
    )
    assert material.plain is not None
    return prepared, material.plain


def elsewhere(tmp_path: Path, name: str = "elsewhere") -> tuple[Prepared, Secret]:
    """A cartridge of another keystore, wrapped for a recipient whose private half `here` has."""
    rule = Rule(Subject.VOLSER, "E*", Stance.REQUIRE, ("partner",))
    with vault.manager(vault.make(tmp_path / name)) as manager:
        with manager.store.writing() as transaction:
            recipients.add(transaction, "partner", vault.public_rsa().recipient)
        return active(manager, rule)


def here(manager: LocalManager) -> None:
    with manager.store.writing() as transaction:
        recipients.add(transaction, "us", vault.public_rsa())


def test_the_record_gives_the_key_by_envelope_or_kad_or_medium(tmp_path: Path) -> None:
    with vault.manager(vault.make(tmp_path)) as manager:
        prepared, key = active(manager)
        for evidence in (
            vault.found(prepared),
            Evidence(MEDIUM, kad=prepared.kad),
            Evidence(MEDIUM, kad=prepared.kad + bytes(8)),
            Evidence(MEDIUM, envelopes=(prepared.envelope,)),
            Evidence(MEDIUM, envelopes=(prepared.envelope[:40],)),
            Evidence(MEDIUM),
            Evidence("", kad=prepared.kad),
        ):
            found = read(manager, evidence)
            assert (found.material.plain, found.foreign) == (key, False)


def test_the_line_is_durable_before_the_key_leaves(tmp_path: Path) -> None:
    with vault.manager(vault.make(tmp_path)) as manager:
        prepared, _ = active(manager)
        read(manager, vault.found(prepared))
        assert store.audit_lines(manager.store)[-1].facts["source"] == "record"
        with manager.store.engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA query_only=ON")
        with pytest.raises(StoreFailed):
            read(manager, vault.found(prepared))


def test_the_blocks_say_which_key_not_the_memory(tmp_path: Path) -> None:
    with vault.manager(vault.make(tmp_path)) as manager:
        old, key = active(manager)
        new = manager.prepare(vault.request())
        found = read(manager, Evidence(MEDIUM, envelopes=(new.envelope,), kad=old.kad))
    assert (found.material.key_id, found.material.plain) == (old.key_id, key)


def test_a_key_that_was_never_released_reads_nothing(tmp_path: Path) -> None:
    with vault.manager(vault.make(tmp_path)) as manager:
        old, key = active(manager)
        new = manager.prepare(vault.request())
        assert read(manager, Evidence(MEDIUM, envelopes=(new.envelope, old.envelope))).material.plain == key


@pytest.mark.parametrize("state", [State.DEACTIVATED, State.COMPROMISED])
def test_a_key_that_may_only_be_read_is_given(tmp_path: Path, state: State) -> None:
    with vault.manager(vault.make(tmp_path)) as manager:
        prepared, key = active(manager)
        vault.write(manager.store, lambda one: data_keys.move(one, prepared.key_id, state))
        assert read(manager, vault.found(prepared)).material.plain == key


def test_a_destroyed_key_is_refused_though_its_envelope_could_be_opened(tmp_path: Path) -> None:
    with vault.manager(vault.make(tmp_path)) as manager:
        prepared, _ = active(manager)
        vault.write(manager.store, lambda one: data_keys.move(one, prepared.key_id, State.DEACTIVATED))
        vault.write(manager.store, lambda one: data_keys.move(one, prepared.key_id, State.DESTROYED))
        for evidence in (vault.found(prepared), Evidence(MEDIUM), Evidence(MEDIUM, kad=prepared.kad)):
            with pytest.raises(KeyUnavailable, match="destroyed"):
                read(manager, evidence)


def test_another_keystores_cartridge_opens_with_a_private_key_held_here(tmp_path: Path) -> None:
    prepared, key = elsewhere(tmp_path)
    with vault.manager(vault.make(tmp_path)) as manager:
        here(manager)
        found = read(manager, vault.found(prepared))
        line = store.audit_lines(manager.store)[-1]
    assert (found.material.plain, found.material.key_id, found.foreign) == (key, prepared.key_id, True)
    assert line.facts["source"] == "unwrapped"


def test_without_a_private_key_nothing_opens(tmp_path: Path) -> None:
    prepared, _ = elsewhere(tmp_path)
    with vault.manager(vault.make(tmp_path)) as manager, pytest.raises(KeyUnavailable):
        read(manager, vault.found(prepared))


def test_a_transplanted_envelope_is_refused_with_an_alarm(tmp_path: Path) -> None:
    prepared, _ = elsewhere(tmp_path)
    with vault.manager(vault.make(tmp_path)) as manager:
        here(manager)
        with pytest.raises(EnvelopeRefused):
            read(manager, replace(vault.found(prepared), medium_serial="MED0000009"))
        assert store.audit_lines(manager.store)[-1].alarm


def test_a_torn_memory_is_replaced_by_the_kad(tmp_path: Path) -> None:
    rule = Rule(Subject.VOLSER, "E*", Stance.REQUIRE, ("curve",))
    with vault.manager(vault.make(tmp_path / "elsewhere")) as manager:
        with manager.store.writing() as transaction:
            recipients.add(transaction, "curve", vault.key_pair(Kind.X25519, 1).recipient)
        prepared, key = active(manager, rule)
    found = read(BareManager((vault.key_pair(Kind.X25519, 1),)), torn(prepared))
    assert (found.material.plain, found.foreign) == (key, True)


def torn(prepared: Prepared) -> Evidence:
    return Evidence(MEDIUM, envelopes=(prepared.envelope[:50],), kad=prepared.kad)


def test_bare_keys_are_tried_one_after_the_other(tmp_path: Path) -> None:
    prepared, key = elsewhere(tmp_path)
    others = tuple(vault.key_pair(kind) for kind in (Kind.P256, Kind.KEK, Kind.X25519))
    found = read(BareManager((*others, vault.public_rsa())), vault.found(prepared))
    assert found.material.plain == key
    with pytest.raises(KeyUnavailable):
        read(BareManager(others), vault.found(prepared))


def test_a_bare_manager_says_that_there_is_nothing(tmp_path: Path) -> None:
    with pytest.raises(KeyUnavailable, match="neither its memory nor its blocks"):
        read(BareManager((vault.public_rsa(),)), Evidence(MEDIUM))


def test_carry_id_needs_the_store(tmp_path: Path) -> None:
    with vault.manager(vault.make(tmp_path, unsafe=True)) as manager:
        prepared, key = active(manager, vault.id_only())
        assert read(manager, vault.found(prepared)).material.plain == key
        with manager.store.reading() as transaction:
            held = tuple(recipients.identities(transaction))
        with pytest.raises(KeyUnavailable, match="carries no copy"):
            read(BareManager(held), vault.found(prepared))


def test_an_envelope_that_claims_an_unknown_key_is_unwrapped_not_looked_up(tmp_path: Path) -> None:
    prepared, _ = elsewhere(tmp_path)
    with vault.manager(vault.make(tmp_path)) as manager:
        here(manager)
        found = read(manager, vault.found(prepared))
        with manager.store.reading() as transaction:
            assert data_keys.get(transaction, KeyId(found.material.key_id.raw)) is None
