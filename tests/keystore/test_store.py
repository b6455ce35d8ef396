"""The door: what opens it, what it refuses, and that what it says is durable."""

import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import event

from tapekey.errors import NotFound, StoreDamaged, StoreFailed, StoreLocked, TapekeyError, Usage
from tapekey.keystore import birth, cartridges, records, slots, store
from tapekey.keystore.check import check
from tapekey.keystore.store import Store
from tests.keystore import vault


@pytest.mark.parametrize("module", ["tapekey.keystore", "tapekey.manager", "tapekey.manager.questions"])
def test_importing_the_package_loads_no_database_library(module: str) -> None:
    code = f"import sys, {module}; sys.exit('sqlalchemy' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_wrong_passphrase_leaves_it_locked(tmp_path: Path) -> None:
    place = vault.make(tmp_path)
    with pytest.raises(StoreLocked), store.open_store(place, [vault.words(b"wrong")]):
        pass


def test_each_opener_it_was_made_with_opens_it(tmp_path: Path) -> None:
    path = tmp_path / "root.key"
    path.touch(mode=0o600)
    path.write_bytes(bytes(range(32)))
    openers: list[slots.Opener] = [vault.words(), slots.KeyFile(path)]
    birth.create(tmp_path / "store", openers, unsafe_single_copy=True)
    for opener in openers:
        with store.open_store(tmp_path / "store", [opener]) as keystore:
            check(keystore)
            assert store.slot_kinds(keystore) == [(1, "passphrase", ""), (2, "file", "root.key")]


def test_a_store_without_a_slot_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(Usage, match="no slot"):
        birth.create(tmp_path / "store", [], unsafe_single_copy=True)
    assert not (tmp_path / "store").exists()


@pytest.mark.parametrize("version", [0, 2, 99])
def test_an_unknown_version_is_refused(tmp_path: Path, version: int) -> None:
    place = vault.make(tmp_path)
    vault.tamper(place, "UPDATE store SET version = ?", version)
    with pytest.raises(StoreFailed, match=f"version {version}"), vault.opened(place):
        pass


def test_a_store_record_of_another_store_does_not_open(tmp_path: Path) -> None:
    place = vault.make(tmp_path)
    vault.tamper(place, "UPDATE store SET store_id = ?", bytes(16))
    with pytest.raises(StoreDamaged), vault.opened(place):
        pass


def test_manager_and_store_ids_are_random(tmp_path: Path) -> None:
    found = set()
    for name in ("a", "b"):
        with vault.opened(vault.make(tmp_path / name)) as keystore:
            found |= {keystore.manager_id, keystore.seal.store_id}
    assert {len(one) for one in found} == {16}
    assert len(found) == 4


def test_what_was_noted_is_there_after_opening_again(tmp_path: Path) -> None:
    place = vault.make(tmp_path)
    with vault.opened(place) as keystore:
        keystore.note("drive changed", alarm=True, drive="D1", key=None, count=3)
    with vault.opened(place) as keystore:
        line = store.audit_lines(keystore)[-1]
    assert (line.event, line.alarm, line.facts) == ("drive changed", True, {"drive": "D1", "key": None, "count": 3})


def test_audit_lines_can_be_asked_for_in_part(tmp_path: Path) -> None:
    with vault.opened(vault.make(tmp_path)) as keystore:
        last = store.verify_audit(keystore)
        keystore.note("one")
        keystore.note("two", alarm=True)
        assert [line.event for line in store.audit_lines(keystore, after=last)] == ["one", "two"]
        assert [line.event for line in store.audit_lines(keystore, alarms_only=True)] == ["two"]


def with_lines(tmp_path: Path) -> Path:
    place = vault.make(tmp_path)
    with vault.opened(place) as keystore:
        for number in range(5):
            keystore.note(f"event {number}")
        assert store.verify_audit(keystore) == 9
    return place


@pytest.mark.parametrize(
    ("statement", "line"),
    [
        ("DELETE FROM audit WHERE seq = 6", 6),
        ("DELETE FROM audit WHERE seq > 7", 8),
        ("DELETE FROM audit", 1),
        ("UPDATE audit SET line = replace(line, 'event 2', 'event x') WHERE seq = 7", 7),
        ("UPDATE audit SET line = (SELECT line FROM audit WHERE seq = 5) WHERE seq = 6", 6),
        ("UPDATE audit SET seq = -seq WHERE seq IN (6, 7)", 1),
        ("UPDATE audit SET tag = zeroblob(32) WHERE seq = 1", 1),
    ],
)
def test_what_was_done_to_the_chain_is_named_by_line(tmp_path: Path, statement: str, line: int) -> None:
    place = with_lines(tmp_path)
    vault.tamper(place, statement)
    with vault.opened(place) as keystore, pytest.raises(StoreDamaged, match=f"audit line {line} "):
        store.verify_audit(keystore)


def test_the_chain_goes_on_over_damage_and_still_names_it(tmp_path: Path) -> None:
    place = with_lines(tmp_path)
    vault.tamper(place, "DELETE FROM audit WHERE seq > 7")
    with vault.opened(place) as keystore:
        keystore.note("later")
        with pytest.raises(StoreDamaged, match="audit line 8 "):
            store.verify_audit(keystore)


def test_two_writers_take_turns(tmp_path: Path) -> None:
    place = vault.make(tmp_path)
    with vault.opened(place) as one, vault.opened(place) as other:
        for number in range(5):
            one.note("one", number=number)
            other.note("other", number=number)
        assert store.verify_audit(one) == store.verify_audit(other) == 14


def test_a_reader_sees_one_moment(tmp_path: Path) -> None:
    place = vault.make(tmp_path)
    with vault.opened(place) as keystore, vault.opened(place) as other, keystore.reading() as transaction:
        before = len(list(transaction.lines()))
        other.note("meanwhile")
        assert len(list(transaction.lines())) == before


def test_a_missing_manager_secret_is_said(tmp_path: Path) -> None:
    with vault.opened(vault.make(tmp_path)) as keystore, keystore.reading() as transaction, pytest.raises(NotFound):
        store.kept_secret(transaction, "nothing")


def test_a_closed_store_holds_no_key(tmp_path: Path) -> None:
    kept: list[Store] = []
    with vault.opened(vault.make(tmp_path)) as keystore:
        kept.append(keystore)
    with pytest.raises(ValueError, match="wiped"):
        kept[0].note("too late")


def test_a_change_and_its_line_are_one_commit(tmp_path: Path) -> None:
    commits: list[object] = []
    with vault.opened(vault.make(tmp_path)) as keystore:
        before = store.verify_audit(keystore)
        event.listen(keystore.engine, "commit", commits.append)
        with keystore.writing() as transaction:
            cartridges.scratch(transaction, "MED0000001", by="operator")
        assert len(commits) == 1
        assert store.verify_audit(keystore) == before + 1


def test_a_store_of_an_older_program_gets_the_tables_that_it_lacks(tmp_path: Path) -> None:
    """As it was before: neither the tables nor their heads. The older program reads it afterwards as before."""
    place = vault.make(tmp_path)
    newer = ("guard_originals", "parked_keys", "sightings", "witnesses")
    with vault.opened(place) as keystore, keystore.writing() as transaction:
        for name in newer:
            head = transaction.one(records.Head, name=name)
            assert head is not None
            transaction.remove(head)
            transaction.connection.exec_driver_sql(f"DROP TABLE {name}")

    with vault.opened(place) as keystore, keystore.reading() as transaction:
        assert transaction.every(records.ParkedRecord) == []
        assert "keystore grown" in [line.event for line in store.audit_lines(keystore)]
    with vault.opened(place) as keystore:
        counts = check(keystore)
        assert set(newer) <= set(counts)
        assert [line.event for line in store.audit_lines(keystore)].count("keystore grown") == 1


def test_a_table_that_was_taken_away_is_damage_and_not_an_older_store(tmp_path: Path) -> None:
    place = vault.make(tmp_path)
    with vault.opened(place) as keystore, keystore.writing() as transaction:
        transaction.connection.exec_driver_sql("DROP TABLE witnesses")
    with pytest.raises(TapekeyError), vault.opened(place) as keystore:
        check(keystore)
