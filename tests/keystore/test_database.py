"""The file: private, durable, whole or absent; and every failure has its own name."""

import hashlib
import os
import resource
import signal
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import Engine

from tapekey.errors import StoreDamaged, StoreFailed, StoreMissing
from tapekey.keystore import database
from tapekey.keystore.check import check
from tapekey.keystore.store import Store
from tests.keystore import vault


def mode_of(path: Path) -> int:
    return path.stat().st_mode & 0o777


def grow(keystore: Store) -> None:
    for _ in range(200):
        keystore.note("x" * 200, fact="y" * 200)


def in_child(act: Callable[[], None]) -> int:
    """Run in a forked child; 0 if nothing was raised."""
    child = os.fork()
    if child == 0:
        try:
            act()
            os._exit(0)
        except BaseException:  # noqa: BLE001
            os._exit(1)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def test_directory_and_files_are_private_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        place = vault.make(tmp_path)
        with vault.opened(place) as keystore:
            keystore.note("something")
            assert mode_of(place) == 0o700
            assert {mode_of(path) for path in place.iterdir()} == {0o600}
            assert len(list(place.iterdir())) == 3
    finally:
        os.umask(before)


def test_nothing_else_is_left_in_the_directory(tmp_path: Path) -> None:
    assert [path.name for path in vault.make(tmp_path).iterdir()] == ["keystore.db"]


def test_the_settings_that_make_it_durable_are_on(tmp_path: Path) -> None:
    with vault.opened(vault.make(tmp_path)) as keystore, keystore.reading() as transaction:
        for name, _, expected in database.PRAGMAS:
            assert transaction.connection.exec_driver_sql(f"PRAGMA {name}").scalar() == expected
        assert transaction.connection.exec_driver_sql("PRAGMA busy_timeout").scalar() == 10_000


def test_the_settings_are_sqlites_for_surviving_a_power_loss() -> None:
    """SQLite's own words (pragma synchronous): in WAL mode NORMAL may lose the last commits, FULL does not."""
    expected = {name: value for name, _, value in database.PRAGMAS}
    assert (expected["journal_mode"], expected["synchronous"], expected["foreign_keys"]) == ("wal", 2, 1)


def test_a_setting_that_does_not_hold_refuses_the_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = vault.make(tmp_path)
    monkeypatch.setattr(database, "PRAGMAS", (("synchronous", "OFF", 2),))
    with pytest.raises(StoreFailed, match="not durable here"), vault.opened(place):
        pass


def test_a_store_is_never_made_over_another(tmp_path: Path) -> None:
    place = vault.make(tmp_path)
    content = (place / database.FILE).read_bytes()
    with pytest.raises(StoreFailed, match="already"):
        vault.make(tmp_path)
    assert (place / database.FILE).read_bytes() == content


def test_a_directory_that_is_open_to_others_is_refused(tmp_path: Path) -> None:
    place = vault.make(tmp_path)
    place.chmod(0o750)
    with pytest.raises(StoreFailed, match="open to others") as caught, vault.opened(place):
        pass
    assert caught.value.mend == f"chmod 700 {place}"


def test_a_file_that_is_open_to_others_is_refused(tmp_path: Path) -> None:
    place = vault.make(tmp_path)
    (place / database.FILE).chmod(0o640)
    with pytest.raises(StoreFailed, match="open to others"), vault.opened(place):
        pass


def test_an_empty_directory_is_made_private_and_a_full_one_refused(tmp_path: Path) -> None:
    (tmp_path / "store").mkdir(mode=0o755)
    assert mode_of(vault.make(tmp_path)) == 0o700
    full = tmp_path / "full" / "store"
    full.mkdir(parents=True)
    full.chmod(0o755)
    (full / "something").touch()
    with pytest.raises(StoreFailed, match="open to others"):
        vault.make(tmp_path / "full")


def test_no_store_is_said_with_the_way_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(StoreMissing) as caught, vault.opened(tmp_path):
        pass
    assert "keystore init" in caught.value.mend


def test_a_making_that_failed_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: Path) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(database, "sync", fail)
    with pytest.raises(StoreFailed, match="Input/output error"):
        vault.make(tmp_path)
    assert not (tmp_path / "store" / database.FILE).exists()


def test_a_file_whose_log_is_still_needed_is_not_given_the_name(tmp_path: Path) -> None:
    others: list[sqlite3.Connection] = []

    def fill(engine: Engine) -> None:
        with database.transaction(engine, write=True) as connection:
            connection.exec_driver_sql("CREATE TABLE kept (value)")
        assert engine.url.database is not None
        others.append(sqlite3.connect(engine.url.database))
        others[0].execute("SELECT * FROM kept").fetchall()

    with pytest.raises(StoreFailed, match="could not be made"):
        database.create(tmp_path / "store", fill)
    others[0].close()
    assert list((tmp_path / "store").iterdir()) == []


def test_every_directory_on_the_way_is_synced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[Path] = []
    monkeypatch.setattr(database, "sync", synced.append)
    vault.make(tmp_path / "a" / "b")
    assert {tmp_path, tmp_path / "a", tmp_path / "a" / "b", tmp_path / "a" / "b" / "store"} <= set(synced)


def test_a_full_disk_acknowledges_nothing(tmp_path: Path) -> None:
    place = vault.make(tmp_path)
    with vault.opened(place) as keystore:
        with keystore.engine.connect() as connection:
            pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
            connection.exec_driver_sql(f"PRAGMA max_page_count={pages}")
        with pytest.raises(StoreFailed, match="the disk is full"):
            grow(keystore)
    with vault.opened(place) as keystore:
        keystore.note("after")


def test_a_file_size_limit_fails_and_loses_nothing(tmp_path: Path) -> None:
    place = vault.make(tmp_path)

    def hit_the_limit() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        with vault.opened(place) as keystore:
            resource.setrlimit(resource.RLIMIT_FSIZE, (65536, 65536))
            with pytest.raises(StoreFailed):
                grow(keystore)

    assert in_child(hit_the_limit) == 0
    with vault.opened(place) as keystore:
        assert check(keystore)["audit"] >= 5


def test_a_busy_store_gives_up_in_bounded_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = vault.make(tmp_path)
    monkeypatch.setattr(database, "BUSY_SECONDS", 0.05)
    holder = sqlite3.connect(place / database.FILE, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    try:
        with vault.opened(place) as keystore, pytest.raises(StoreFailed, match="another process holds it"):
            keystore.note("late")
    finally:
        holder.close()


def test_a_read_only_database_fails_to_write(tmp_path: Path) -> None:
    with vault.opened(vault.make(tmp_path)) as keystore:
        with keystore.engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA query_only=ON")
        with pytest.raises(StoreFailed, match="cannot be written"):
            keystore.note("lost")


@pytest.mark.parametrize("content", [b"", b"not a database at all, but long enough to be one" * 100])
def test_what_is_no_store_is_damage(tmp_path: Path, content: bytes) -> None:
    place = vault.make(tmp_path)
    (place / database.FILE).write_bytes(content)
    with pytest.raises((StoreDamaged, StoreFailed)), vault.opened(place):
        pass


def test_a_torn_page_is_damage(tmp_path: Path) -> None:
    place = vault.make(tmp_path)
    path = place / database.FILE
    content = bytearray(path.read_bytes())
    content[4096:] = bytes(len(content) - 4096)
    path.write_bytes(content)
    with pytest.raises(StoreDamaged), vault.opened(place):
        pass


def test_an_index_that_lost_a_row_is_damage(tmp_path: Path) -> None:
    place = vault.make(tmp_path)
    with vault.manager(place) as manager:
        wanted = hashlib.sha256(manager.prepare(vault.request()).envelope).digest()
    file = place / database.FILE
    content = file.read_bytes()
    assert content.count(wanted) == 2
    with sqlite3.connect(file) as connection:
        size, root = connection.execute(
            "SELECT page_size, rootpage FROM pragma_page_size, sqlite_master WHERE name = 'envelopes_by_hash'"
        ).fetchone()
    connection.close()
    at = content.index(wanted, (root - 1) * size)
    file.write_bytes(content[:at] + bytes(32) + content[at + 32 :])
    with vault.opened(place) as keystore, pytest.raises(StoreDamaged, match="index"):
        check(keystore)


def test_a_schema_that_is_no_text_is_damage(tmp_path: Path) -> None:
    place = vault.make(tmp_path)
    file = place / database.FILE
    file.write_bytes(file.read_bytes().replace(b"CREATE TABLE settings", b"CREATE TABL\xd4 settings"))
    with pytest.raises(StoreDamaged), vault.opened(place) as keystore:
        check(keystore)
