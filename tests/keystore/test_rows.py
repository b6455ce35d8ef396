"""Rows: whoever changes the file without the root key is found at the next read."""

import shutil
import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import Integer, Table

from tapekey.errors import Conflict, StoreDamaged
from tapekey.keys.data_key import new_data_key
from tapekey.keystore import (
    birth,
    cartridges,
    data_keys,
    drives,
    guard_originals,
    mounts,
    qualifications,
    recipients,
    rules,
    schema,
    store,
    witnesses,
)
from tapekey.keystore.check import check
from tapekey.keystore.qualifications import Qualified, Tried
from tapekey.keystore.records import (
    CartridgeRecord,
    DriveRow,
    KeyRecord,
    Origin,
    ParkedRecord,
    ParkedState,
    RuleRecord,
    SafetyEvidence,
    Setting,
    SightingRecord,
    State,
)
from tapekey.keystore.rows import TABLES, Transaction
from tapekey.secret import Secret
from tests.keystore import vault


def fill(transaction: Transaction) -> None:
    """At least one row in every table."""
    key = new_data_key()
    rules.add(transaction, vault.REQUIRE_SITE)
    store.set_setting(transaction, "unsafe_single_copy", "off")
    transaction.insert(DriveRow("DRIVE1", b"N" * 8, "IBM", "ULT3580-TD6", "virtual:/x", True, False, b"", "now"))
    qualifications.keep(transaction, Qualified("DRIVE1", b"N" * 8, "G350", (Tried("key_parks", "yes", ""),)))
    cartridges.scratch(transaction, "OTHER", by="operator")
    mounts.begin(transaction, "DRIVE1", "MED0000001", "ENC001L6", "save")
    cartridges.seen(transaction, "MED0000002", "ENC002L6")
    data_keys.add(transaction, key, "MED0000002", Origin.OWN, State.PRE_ACTIVE)
    transaction.insert(SafetyEvidence(b"E" * 16, key.id, "backup", "there", b"", "now"))
    guard_originals.keep(transaction, "DRIVE1", b"N" * 8, b"current", b"saved")
    witnesses.keep(transaction, "MED0000002", "DRIVE1", 1, "loaded", b"reference")
    transaction.insert(SightingRecord("DRIVE1", "MED0000002", ("ENC002L6",), "{}", "now"))
    transaction.insert(
        ParkedRecord(key.id, "DRIVE1", ParkedState.BOUND, b"kcv", b"kad", b"hash", 1, "MED0000002", "now", 1, b"sealed")
    )


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = vault.make(tmp_path_factory.mktemp("filled"))
    with vault.manager(made) as manager:
        vault.write(manager.store, fill)
        manager.prepare(vault.request())
    return made


@pytest.fixture
def place(filled: Path, tmp_path: Path) -> Path:
    return shutil.copytree(filled, tmp_path / "store")


COLUMNS = [
    pytest.param(table, column.name, id=f"{table.name}.{column.name}")
    for table in TABLES.values()
    for column in table.columns
    if (table.name, column.name) != ("store", "version")  # read before there is a key: see test_store
]


def changed(table: Table, column: str) -> str:
    if isinstance(table.c[column].type, Integer):
        return f'"{column}" + 1'
    kind = "BLOB" if isinstance(table.c[column].type, schema.Octets) else "TEXT"
    return f"CAST(\"{column}\" || 'x' AS {kind})"


@pytest.mark.parametrize(("table", "column"), COLUMNS)
def test_any_column_of_any_table_that_was_changed_is_damage(place: Path, table: Table, column: str) -> None:
    last = f'rowid = (SELECT max(rowid) FROM "{table.name}")'  # noqa: S608
    statement = f'UPDATE "{table.name}" SET "{column}" = {changed(table, column)} WHERE {last}'  # noqa: S608
    assert vault.tamper(place, statement) == 1
    with pytest.raises(StoreDamaged) as caught, vault.opened(place) as keystore:
        check(keystore)
    assert table.name in str(caught.value) or table.name in ("store", "audit")


@pytest.mark.parametrize("table", TABLES.values(), ids=lambda table: table.name)
def test_a_deleted_row_is_damage(place: Path, table: Table) -> None:
    vault.tamper(place, f'DELETE FROM "{table.name}" WHERE rowid = (SELECT max(rowid) FROM "{table.name}")')  # noqa: S608
    with pytest.raises(StoreDamaged), vault.opened(place) as keystore:
        check(keystore)


@pytest.mark.parametrize("column", ["kind", "label", "parameters", "wrapped"])
def test_a_changed_slot_that_still_opens_is_damage(tmp_path: Path, column: str) -> None:
    place = vault.make(tmp_path)
    value: object = b"x" if column in ("parameters", "wrapped") else "x"
    vault.tamper(place, "INSERT INTO slots SELECT 2, kind, label, parameters, wrapped FROM slots")
    vault.tamper(place, f"UPDATE slots SET {column} = ? WHERE id = 2", value)  # noqa: S608
    with pytest.raises(StoreDamaged, match="slot table"), vault.opened(place):
        pass


def test_a_damaged_record_is_named_and_the_others_still_read(place: Path) -> None:
    vault.tamper(place, "UPDATE cartridges SET once_required = 0, scratch = 1 WHERE medium_serial = 'MED0000001'")
    with vault.opened(place) as keystore, keystore.reading() as transaction:
        with pytest.raises(StoreDamaged, match="cartridges record 'MED0000001'"):
            cartridges.get(transaction, "MED0000001")
        assert cartridges.get(transaction, "MED0000002") is not None


def test_a_row_cannot_take_another_rows_tag(place: Path) -> None:
    vault.tamper(
        place,
        "UPDATE cartridges SET tag = (SELECT tag FROM cartridges WHERE medium_serial = 'OTHER') "
        "WHERE medium_serial = 'MED0000001'",
    )
    with vault.opened(place) as keystore, keystore.reading() as transaction, pytest.raises(StoreDamaged):
        transaction.some(CartridgeRecord)


def test_a_row_put_back_as_it_was_is_damage_of_its_table(place: Path, tmp_path: Path) -> None:
    shutil.copytree(place, tmp_path / "earlier")
    with vault.opened(place) as keystore:
        vault.write(keystore, lambda transaction: cartridges.scratch(transaction, "MED0000002", by="operator"))
    with sqlite3.connect(tmp_path / "earlier" / "keystore.db") as old:
        row = old.execute("SELECT scratch, seen, tag FROM cartridges WHERE medium_serial = 'MED0000002'").fetchone()
    old.close()
    vault.tamper(place, "UPDATE cartridges SET scratch=?, seen=?, tag=? WHERE medium_serial = 'MED0000002'", *row)
    with vault.opened(place) as keystore, pytest.raises(StoreDamaged, match="as it was earlier"):
        check(keystore)


def test_audit_chain_and_head_put_back_together_are_found(place: Path) -> None:
    with sqlite3.connect(place / "keystore.db") as connection:
        count, digest, tag = connection.execute("SELECT count, digest, tag FROM heads WHERE name='audit'").fetchone()
    connection.close()
    with vault.opened(place) as keystore:
        keystore.note("alarm", alarm=True)
    vault.tamper(place, "DELETE FROM audit WHERE seq > ?", count)
    vault.tamper(place, "UPDATE heads SET count=?, digest=?, tag=? WHERE name='audit'", count, digest, tag)
    with vault.opened(place) as keystore, pytest.raises(StoreDamaged, match="heads"):
        store.verify_audit(keystore)


def put_back(place: Path, earlier: Path, *tables: str) -> None:
    """Tables and their heads as they were in an earlier copy of the file."""
    with sqlite3.connect(place / "keystore.db") as connection:
        connection.execute("ATTACH ? AS earlier", (str(earlier / "keystore.db"),))
        for table in tables:
            connection.execute(f"DELETE FROM {table}")  # noqa: S608
            connection.execute(f"INSERT INTO {table} SELECT * FROM earlier.{table}")  # noqa: S608
            connection.execute("DELETE FROM heads WHERE name = ?", (table,))
            connection.execute("INSERT INTO heads SELECT * FROM earlier.heads WHERE name = ?", (table,))
    connection.close()


def test_a_table_put_back_with_its_head_is_not_vouched_for_by_the_next_commit(place: Path, tmp_path: Path) -> None:
    shutil.copytree(place, tmp_path / "earlier")
    with vault.opened(place) as keystore:
        vault.write(keystore, lambda transaction: transaction.remove(transaction.every(RuleRecord)[0]))
    put_back(place, tmp_path / "earlier", "rules")
    with vault.opened(place) as keystore:
        with pytest.raises(StoreDamaged, match="heads"):
            keystore.note("anything")
        with pytest.raises(StoreDamaged, match="heads"):
            check(keystore)


def test_single_copies_refused_again_stay_refused(place: Path, tmp_path: Path) -> None:
    with vault.opened(place) as keystore:
        vault.write(keystore, lambda transaction: birth.set_unsafe_single_copy(transaction, on=True))
        shutil.copytree(place, tmp_path / "earlier")
        vault.write(keystore, lambda transaction: birth.set_unsafe_single_copy(transaction, on=False))
    with sqlite3.connect(tmp_path / "earlier" / "keystore.db") as old:
        row = old.execute("SELECT value, tag FROM settings").fetchone()
    old.close()
    vault.tamper(place, "UPDATE settings SET value=?, tag=?", *row)
    with vault.opened(place) as keystore, keystore.reading() as transaction, pytest.raises(StoreDamaged):
        store.setting(transaction, birth.UNSAFE_SINGLE_COPY)


def test_a_drive_that_was_forgotten_is_not_approved_by_its_old_row(place: Path) -> None:
    with sqlite3.connect(place / "keystore.db") as old:
        (row,) = old.execute("SELECT * FROM drives").fetchall()
    old.close()
    with vault.manager(place) as manager:
        vault.write(manager.store, lambda transaction: drives.forget(transaction, row[0]))
        vault.tamper(place, f"INSERT INTO drives VALUES ({','.join('?' * len(row))})", *row)  # noqa: S608
        with pytest.raises(StoreDamaged, match="drives"):
            manager.drive(row[0])


def test_a_rule_taken_away_is_found_when_the_rules_are_read(place: Path) -> None:
    vault.tamper(place, "DELETE FROM rules")
    with vault.manager(place) as manager, pytest.raises(StoreDamaged, match="rules"):
        manager.rules()


def scratch_then_fail(transaction: Transaction) -> None:
    cartridges.scratch(transaction, "MED0000003", by="operator")
    raise Conflict("something came between")


def test_nothing_is_kept_when_the_block_raises(place: Path) -> None:
    with vault.opened(place) as keystore:
        before = check(keystore)
        with pytest.raises(Conflict):
            vault.write(keystore, scratch_then_fail)
        assert check(keystore) == before


def test_a_rewritten_row_keeps_the_set_whole(place: Path) -> None:
    with vault.opened(place) as keystore:
        vault.write(keystore, lambda transaction: transaction.remove(transaction.every(RuleRecord)[0]))
        check(keystore)


def secrets_of(transaction: Transaction) -> list[Secret]:
    keys = [data_keys.open_key(transaction, record).secret for record in transaction.every(KeyRecord)]
    private = [identity.secret for identity in recipients.identities(transaction)]
    return [*keys, *private, store.kept_secret(transaction, "signing key")]


def test_no_secret_is_in_the_files(place: Path) -> None:
    with vault.manager(place) as manager:
        keystore = manager.store
        manager.prepare(vault.request("MED0000003"))
        with keystore.reading() as transaction:
            secrets = [*secrets_of(transaction), Secret(vault.WORDS), *keystore.seal.keys.values()]
        content = b"".join(path.read_bytes() for path in place.iterdir())
        assert (place / "keystore.db-wal").stat().st_size > 0
        assert len(secrets) == 3 + 2 + 1 + 1 + 6
        for secret in secrets:
            key = bytes(secret.reveal())[-32:]  # of PKCS#8, the private key itself
            assert any(key)
            assert key not in content
            assert key.hex().encode() not in content


def test_a_transaction_sees_its_own_changes_to_what_it_has_read(place: Path) -> None:
    first, second = Setting("a", "1"), Setting("a", "2")
    with vault.opened(place) as keystore, keystore.writing() as transaction:
        before = transaction.every(Setting)
        transaction.insert(first)
        assert transaction.one(Setting, name="a") == first
        assert transaction.every(Setting) == [first, *before]
        transaction.replace(second)
        assert (transaction.one(Setting, name="a"), transaction.some(Setting, name="a")) == (second, [second])
        assert transaction.every(Setting) == [second, *before]
        transaction.remove(second)
        assert (transaction.one(Setting, name="a"), transaction.every(Setting)) == (None, before)
    with vault.opened(place) as keystore:
        check(keystore)


def test_what_one_transaction_verified_is_verified_again_in_the_next(place: Path) -> None:
    with vault.opened(place) as keystore:
        with keystore.reading() as transaction:
            assert transaction.one(Setting, name="unsafe_single_copy") is not None
        assert vault.tamper(place, "UPDATE settings SET value = 'on' WHERE name = 'unsafe_single_copy'") == 1
        with keystore.reading() as transaction, pytest.raises(StoreDamaged, match="its tag does not verify"):
            transaction.one(Setting, name="unsafe_single_copy")


def test_a_row_that_is_not_there_is_neither_replaced_nor_removed(place: Path) -> None:
    with vault.opened(place) as keystore:
        for change in (Transaction.replace, Transaction.remove):
            with keystore.reading() as transaction, pytest.raises(StoreDamaged, match="it is missing"):
                change(transaction, Setting("nothing", ""))
