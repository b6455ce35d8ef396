"""A new key is committed with its envelope, its KAD, its cartridge and its audit line, or not at all."""

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest

from tapekey.errors import Conflict, DoesNotFit, Refused, StoreFailed
from tapekey.keys import brief, envelope, signature
from tapekey.keys.brief import Form, KadRoom
from tapekey.keys.identity import Kind
from tapekey.keystore import birth, data_keys, recipients, rules, store
from tapekey.keystore.check import check
from tapekey.keystore.records import State
from tapekey.manager.local import LocalManager
from tapekey.manager.questions import Evidence, Prepared
from tapekey.policy.facts import Rule, Stance, Subject
from tests.keystore import vault

PARTNERS = Rule(Subject.VOLSER, "P*", Stance.REQUIRE, ("site", "rsa", "curve"))


def with_partners(manager: LocalManager) -> None:
    with manager.store.writing() as transaction:
        recipients.add(transaction, "rsa", vault.public_rsa().recipient)
        recipients.add(transaction, "curve", vault.key_pair(Kind.P384).recipient)
        rules.add(transaction, PARTNERS)


def test_key_envelope_and_cartridge_are_on_record_when_it_returns(tmp_path: Path) -> None:
    place = vault.make(tmp_path)
    with vault.manager(place) as manager:
        prepared = manager.prepare(vault.request())
    with vault.manager(place) as manager:
        assert manager.prepared(prepared.key_id) == prepared
        line = store.audit_lines(manager.store)[-1]
    assert line.event == "key prepared"
    assert line.facts["envelope"] == hashlib.sha256(prepared.envelope).hexdigest()


def test_the_recovery_recipient_comes_first_and_the_rule_in_its_order(tmp_path: Path) -> None:
    with vault.manager(vault.make(tmp_path)) as manager:
        with_partners(manager)
        prepared = manager.prepare(vault.request(rule=PARTNERS))
    assert prepared.carried == ("recovery", "site", "rsa", "curve")
    assert prepared.left_out == ()


def test_who_does_not_fit_is_left_out_and_named(tmp_path: Path) -> None:
    with vault.manager(vault.make(tmp_path)) as manager:
        with_partners(manager)
        prepared = manager.prepare(vault.request(rule=PARTNERS, room=470))
    assert (prepared.carried, prepared.left_out) == (("recovery", "site", "curve"), ("rsa",))
    assert len(prepared.envelope) <= 470


def test_who_must_fit_and_does_not_refuses_and_leaves_nothing(tmp_path: Path) -> None:
    with vault.manager(vault.make(tmp_path)) as manager:
        with_partners(manager)
        before = check(manager.store)
        strict = replace(PARTNERS, must_fit=frozenset({"rsa"}))
        for room in (470, 20, 0):
            with pytest.raises(DoesNotFit, match="rsa|fit"):
                manager.prepare(vault.request(rule=strict, room=room))
        assert check(manager.store) == before


@pytest.mark.parametrize(
    ("room", "form"),
    [
        (KadRoom(12, 32), Form.TAGGED),
        (KadRoom(60, 32), Form.X25519),
        (KadRoom(60, 12), Form.AES_KW),
        (KadRoom(30, 0), Form.ID_ONLY),
    ],
    ids=["LTO-4", "LTO-5", "72 bytes", "T10000"],
)
def test_the_brief_envelope_takes_the_best_form_for_the_room(tmp_path: Path, room: KadRoom, form: Form) -> None:
    with vault.manager(vault.make(tmp_path)) as manager:
        prepared = manager.prepare(vault.request(kad=room))
    assert brief.read_brief(prepared.kad).form is form


def test_a_drive_without_room_for_an_id_gets_no_kad(tmp_path: Path) -> None:
    with vault.manager(vault.make(tmp_path)) as manager:
        assert manager.prepare(vault.request(kad=KadRoom(0, 0))).kad == b""


def test_without_room_in_the_memory_nothing_goes_there(tmp_path: Path) -> None:
    with vault.manager(vault.make(tmp_path)) as manager:
        for medium, room in (("A", 0), ("B", 20)):
            prepared = manager.prepare(vault.request(medium, room=room))
            assert (prepared.envelope, prepared.carried) == (b"", ())
            assert prepared.left_out == ("recovery", "site")
            assert prepared.kad


def test_carry_id_puts_only_the_id_anywhere(tmp_path: Path) -> None:
    with vault.manager(vault.make(tmp_path)) as manager:
        prepared = manager.prepare(vault.request(rule=vault.id_only()))
    found = envelope.read(prepared.envelope)
    assert (found.id_only, found.stanzas, prepared.carried) == (True, (), ())
    assert brief.read_brief(prepared.kad).form is Form.ID_ONLY


def test_a_hybrid_rule_has_no_classical_copy_anywhere(tmp_path: Path) -> None:
    hybrid = Rule(Subject.VOLSER, "Q*", Stance.REQUIRE, ("pq", "group"))
    with vault.manager(vault.make(tmp_path, unsafe=True)) as manager:
        with manager.store.writing() as transaction:
            recipients.add(transaction, "pq", vault.key_pair(Kind.MLKEM768_X25519).recipient)
            rules.add(transaction, hybrid)
        prepared = manager.prepare(vault.request(rule=hybrid))
    assert prepared.carried == ("pq", "group")
    assert brief.read_brief(prepared.kad).form is Form.AES_KW


def test_a_rule_without_recipients_wraps_for_the_site(tmp_path: Path) -> None:
    rule = Rule(Subject.DEFAULT, "", Stance.REQUIRE)
    with vault.manager(vault.make(tmp_path)) as manager:
        assert manager.prepare(vault.request(rule=rule)).carried == ("recovery", "site")


def test_the_envelope_is_signed_by_the_manager_if_there_is_room(tmp_path: Path) -> None:
    with vault.manager(vault.make(tmp_path)) as manager:
        prepared = manager.prepare(vault.request())
        with manager.store.reading() as transaction:
            public = signature.of_seed(store.kept_secret(transaction, birth.SIGNING_KEY)).public
    envelope.verify_signature(envelope.read(prepared.envelope), public)


def test_a_key_that_was_never_released_is_taken_up_again(tmp_path: Path) -> None:
    place = vault.make(tmp_path)
    with vault.manager(place) as manager:
        first = manager.prepare(vault.request())
    with vault.manager(place) as manager:
        assert manager.prepare(vault.request()) == first


def test_it_is_sealed_anew_when_the_room_has_changed(tmp_path: Path) -> None:
    with vault.manager(vault.make(tmp_path)) as manager:
        first = manager.prepare(vault.request())
        second = manager.prepare(vault.request(room=300))
    assert second.key_id == first.key_id
    assert len(second.envelope) <= 300
    assert envelope.read(second.envelope).binding.sequence == 2
    assert second.superseded == (hashlib.sha256(first.envelope).digest(),)


def test_a_new_key_takes_the_place_of_an_active_one(tmp_path: Path) -> None:
    with vault.manager(vault.make(tmp_path)) as manager:
        first = manager.prepare(vault.request())
        released(manager, first)
        second = manager.prepare(vault.request())
        with manager.store.reading() as transaction:
            old = data_keys.find(transaction, first.key_id)
    assert second.key_id != first.key_id
    assert envelope.read(second.envelope).binding.sequence == 2
    assert (old.state, old.why) == (State.DEACTIVATED, f"superseded by {second.key_id}")
    assert second.superseded == (hashlib.sha256(first.envelope).digest(),)


def released(manager: LocalManager, prepared: Prepared) -> None:
    manager.release(prepared.key_id, medium_serial="MED0000001", drive="HU1", witnessed=prepared.envelope, wrap=None)


def test_a_key_that_somebody_else_has_taken_meanwhile_is_not_replaced(tmp_path: Path) -> None:
    with vault.manager(vault.make(tmp_path)) as manager:
        fresh = manager.known(Evidence("MED0000001"))
        first = manager.prepare(replace(vault.request(), decided_on=fresh))
        waiting = manager.known(Evidence("MED0000001"))
        released(manager, first)
        for stale in (fresh, waiting):
            with pytest.raises(Conflict, match="another process"):
                manager.prepare(replace(vault.request(), decided_on=stale))
        assert manager.known(Evidence("MED0000001")).key_id == first.key_id
        now = manager.known(Evidence("MED0000001"))
        assert manager.prepare(replace(vault.request(), decided_on=now)).key_id != first.key_id


def test_a_waiting_key_is_not_taken_up_for_who_has_expired_meanwhile(tmp_path: Path) -> None:
    rule, clock = Rule(Subject.VOLSER, "X*", Stance.REQUIRE, ("old",)), vault.Clock()
    with vault.manager(vault.make(tmp_path), clock) as manager:
        with manager.store.writing() as transaction:
            recipients.add(
                transaction, "old", vault.key_pair(Kind.P256).recipient, expires="2026-12-01T00:00:00.000000Z"
            )
        manager.prepare(vault.request(rule=rule))
        clock.wait(days=30)
        with pytest.raises(Refused, match="expired"):
            manager.prepare(vault.request(rule=rule))


def test_an_expired_recipient_refuses(tmp_path: Path) -> None:
    rule = Rule(Subject.VOLSER, "X*", Stance.REQUIRE, ("old",))
    with vault.manager(vault.make(tmp_path)) as manager:
        with manager.store.writing() as transaction:
            recipients.add(
                transaction, "old", vault.key_pair(Kind.P256).recipient, expires="2020-01-01T00:00:00.000000Z"
            )
        with pytest.raises(Refused, match="expired"):
            manager.prepare(vault.request(rule=rule))


def test_a_full_disk_prepares_nothing(tmp_path: Path) -> None:
    place = vault.make(tmp_path)
    acknowledged: list[Prepared] = []
    with vault.manager(place) as manager:
        with manager.store.engine.connect() as connection:
            pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
            connection.exec_driver_sql(f"PRAGMA max_page_count={pages}")
        with pytest.raises(StoreFailed, match="the disk is full"):
            acknowledged.extend(manager.prepare(vault.request(f"MED{number}")) for number in range(100))
    with vault.manager(place) as manager:
        assert check(manager.store)["data_keys"] == len(acknowledged)
        for prepared in acknowledged:
            assert manager.prepared(prepared.key_id) == prepared


def test_a_strange_label_is_not_put_on_the_cartridge(tmp_path: Path) -> None:
    with vault.manager(vault.make(tmp_path)) as manager:
        for number, label in enumerate(("", "Ü", "\x1b[2J", "x" * 33)):
            prepared = manager.prepare(replace(vault.request(f"MED{number}"), volser=label))
            assert envelope.read(prepared.envelope).binding.volser == ""
