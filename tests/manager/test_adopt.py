"""Adopting: by an operator's word a foreign cartridge becomes one that may be written."""

from dataclasses import replace
from pathlib import Path

import pytest

from tapekey.errors import Conflict, EnvelopeRefused, KeyUnavailable
from tapekey.keys import envelope
from tapekey.keys.data_key import DataKey, new_data_key
from tapekey.keys.envelope import Binding
from tapekey.keys.recipient import Named
from tapekey.keystore import data_keys, store
from tapekey.keystore.check import check
from tapekey.keystore.records import Origin, State
from tapekey.manager.questions import Evidence
from tapekey.policy.facts import KeyState, Match
from tests.keystore import vault
from tests.manager.test_reading import MEDIUM, elsewhere, here


def test_an_adopted_key_is_foreign_active_and_wrapped_anew(tmp_path: Path) -> None:
    foreign, key = elsewhere(tmp_path)
    with vault.manager(vault.make(tmp_path)) as manager:
        here(manager)
        prepared = manager.adopt(vault.found(foreign), vault.request(), by="operator")
        with manager.store.reading() as transaction:
            record = data_keys.find(transaction, prepared.key_id)
        material = manager.release(
            prepared.key_id, medium_serial=MEDIUM, drive="HU1", witnessed=prepared.envelope, wrap=None
        )
        assert check(manager.store)["data_keys"] == 1
    assert (record.origin, record.state, prepared.key_id) == (Origin.FOREIGN, State.ACTIVE, foreign.key_id)
    assert material.plain == key
    assert prepared.carried == ("recovery", "site")


def test_the_cartridge_is_recognised_before_and_after_its_envelope_is_replaced(tmp_path: Path) -> None:
    foreign, _ = elsewhere(tmp_path)
    with vault.manager(vault.make(tmp_path)) as manager:
        here(manager)
        assert manager.known(vault.found(foreign)).facts.envelope is Match.STRANGER
        prepared = manager.adopt(vault.found(foreign), vault.request(), by="operator")
        before = manager.known(vault.found(foreign)).facts
        after = manager.known(Evidence(MEDIUM, envelopes=(prepared.envelope,), kad=foreign.kad)).facts
    assert (before.state, before.envelope, before.kad) == (KeyState.ACTIVE, Match.OLDER, Match.CURRENT)
    assert (after.state, after.envelope, after.kad) == (KeyState.ACTIVE, Match.CURRENT, Match.CURRENT)


def test_its_line_names_the_operator(tmp_path: Path) -> None:
    foreign, _ = elsewhere(tmp_path)
    with vault.manager(vault.make(tmp_path)) as manager:
        here(manager)
        manager.adopt(vault.found(foreign), vault.request(), by="alice")
        line = store.audit_lines(manager.store)[-1]
    assert (line.event, line.facts["by"]) == ("key adopted", "alice")


def test_what_does_not_open_is_not_adopted(tmp_path: Path) -> None:
    foreign, _ = elsewhere(tmp_path)
    with vault.manager(vault.make(tmp_path)) as manager:
        before = check(manager.store)
        with pytest.raises(KeyUnavailable):
            manager.adopt(vault.found(foreign), vault.request(), by="operator")
        assert check(manager.store) == before


def test_a_key_on_record_always_wins(tmp_path: Path) -> None:
    foreign, _ = elsewhere(tmp_path)
    with vault.manager(vault.make(tmp_path)) as manager:
        here(manager)
        manager.prepare(vault.request())
        with pytest.raises(Conflict, match="has a key on record"):
            manager.adopt(vault.found(foreign), vault.request(), by="operator")


def test_a_key_is_adopted_once(tmp_path: Path) -> None:
    foreign, _ = elsewhere(tmp_path)
    with vault.manager(vault.make(tmp_path)) as manager:
        here(manager)
        manager.adopt(vault.found(foreign), vault.request(), by="operator")
        with pytest.raises(Conflict, match="on record already"):
            manager.adopt(vault.found(foreign), vault.request(), by="operator")


def test_evidence_and_request_must_be_of_one_cartridge(tmp_path: Path) -> None:
    foreign, _ = elsewhere(tmp_path)
    evidence = replace(vault.found(foreign), medium_serial="MED0000009")
    with vault.manager(vault.make(tmp_path)) as manager, pytest.raises(ValueError, match="different cartridges"):
        manager.adopt(evidence, vault.request(), by="operator")


@pytest.mark.parametrize("sequence", [(1 << 31), (1 << 32) - 2, (1 << 32) - 1])
def test_an_envelope_that_leaves_no_sequence_number_is_not_adopted(tmp_path: Path, sequence: int) -> None:
    foreign, key = elsewhere(tmp_path)
    binding = Binding(foreign.key_id, MEDIUM, b"M" * 16, sequence)
    last = envelope.seal(DataKey(foreign.key_id, key), binding, [Named("us", vault.public_rsa().recipient)]).envelope
    with vault.manager(vault.make(tmp_path)) as manager:
        here(manager)
        before = check(manager.store)
        with pytest.raises(EnvelopeRefused, match="no number"):
            manager.adopt(Evidence(MEDIUM, envelopes=(last,)), vault.request(), by="operator")
        assert check(manager.store) == before


def test_an_envelope_that_only_claims_the_adopted_key_stays_strange(tmp_path: Path) -> None:
    foreign, _ = elsewhere(tmp_path)
    binding = Binding(foreign.key_id, MEDIUM, b"M" * 16, 0)
    wrong = DataKey(foreign.key_id, new_data_key().secret)
    forged = envelope.seal(wrong, binding, [Named("us", vault.public_rsa().recipient)]).envelope
    with vault.manager(vault.make(tmp_path)) as manager:
        here(manager)
        evidence = replace(vault.found(foreign), envelopes=(foreign.envelope, forged))
        manager.adopt(evidence, vault.request(), by="operator")
        assert manager.known(Evidence(MEDIUM, envelopes=(foreign.envelope,))).facts.envelope is Match.OLDER
        assert manager.known(Evidence(MEDIUM, envelopes=(forged,))).facts.envelope is Match.DIFFERS
