"""The SQLite file: where it lies, who may read it, that it is durable, and what its failures mean.

Nothing here knows what is stored. Every failure of the database or the file system becomes StoreFailed or
StoreDamaged; an answer that is not durable is never given.
"""

import errno
import os
import sqlite3
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, cast

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine import URL, Connection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from tapekey.errors import StoreDamaged, StoreFailed, StoreMissing, TapekeyError, Usage

FILE: Final = "keystore.db"
BUSY_SECONDS: Final = 10.0

# Set on every connection, read back, and compared: SQLite ignores what it does not know or cannot do.
PRAGMAS: Final = (
    ("journal_mode", "WAL", "wal"),
    ("synchronous", "FULL", 2),
    ("foreign_keys", "ON", 1),
    ("secure_delete", "ON", 1),
    ("trusted_schema", "OFF", 0),
    ("cell_size_check", "ON", 1),
)

# SQLite's primary result codes (sqlite.org/rescode.html), the low byte of the extended ones.
REASONS: Final = {
    sqlite3.SQLITE_FULL: ("the disk is full", "free some space"),
    sqlite3.SQLITE_BUSY: ("another process holds it", "try again; look for a process that hangs"),
    sqlite3.SQLITE_LOCKED: ("another process holds it", "try again; look for a process that hangs"),
    sqlite3.SQLITE_READONLY: ("it cannot be written", "look at the owner, the mode and the mount options"),
    sqlite3.SQLITE_IOERR: ("input/output error", "look at the disk and the kernel's log"),
    sqlite3.SQLITE_CANTOPEN: ("it cannot be opened", "look at the owner, the mode and the disk"),
    sqlite3.SQLITE_PERM: ("permission denied", "look at the owner and the mode"),
    sqlite3.SQLITE_NOMEM: ("out of memory", "free some memory"),
}
DAMAGE: Final = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_FORMAT}


@contextmanager
def translating(directory: Path) -> Iterator[None]:
    """Turn what the database and the system raise into this store's errors, here and nowhere else."""
    try:
        yield
    except DBAPIError as error:
        raise _translated(directory, error.orig) from error
    except sqlite3.Error as error:
        raise _translated(directory, error) from error
    except UnicodeDecodeError as error:  # SQLite quotes in its messages what it cannot read
        raise StoreDamaged(f"the keystore in {directory} is damaged", why="it holds text that is none") from error
    except UnicodeEncodeError as error:
        raise Usage(f"{ascii(error.object)[:80]} is not text", why="it is not UTF-8") from error
    except (OSError, PoolTimeout) as error:
        why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise StoreFailed(f"the keystore in {directory} failed", why=why, mend="look at the disk") from error


def _translated(directory: Path, error: BaseException | None) -> TapekeyError:
    code = getattr(error, "sqlite_errorcode", None)
    primary = None if code is None else code & 0xFF
    if primary in REASONS:
        why, mend = REASONS[primary]
        return StoreFailed(f"the keystore in {directory} failed", why=why, mend=mend)
    if primary in DAMAGE or primary is None:
        why = str(error).splitlines()[0][:200]
        return StoreDamaged(f"the keystore in {directory} is damaged", why=why, mend="restore it from a backup")
    return StoreFailed(f"the keystore in {directory} failed", why=str(error).splitlines()[0][:200])


def engine_of(path: Path) -> Engine:
    """An engine whose every connection has the durable settings. Nothing is opened yet."""
    engine = create_engine(
        URL.create("sqlite+pysqlite", database=str(path)),
        connect_args={"timeout": BUSY_SECONDS, "check_same_thread": False},
        pool_timeout=2 * BUSY_SECONDS,
        hide_parameters=True,
    )
    event.listen(engine, "connect", _prepare)
    return engine


def wait_longer(engine: Engine, seconds: float) -> None:
    """Have every connection from now on wait so long for another process, where a command would have given up."""

    def patient(connection: sqlite3.Connection, _: object) -> None:
        connection.execute(f"PRAGMA busy_timeout={round(1000 * seconds)}").close()

    event.listen(engine, "connect", patient)
    engine.dispose()


def _prepare(connection: sqlite3.Connection, _: object) -> None:
    connection.isolation_level = None  # transactions are begun in so many words
    for name, wanted, expected in PRAGMAS:
        connection.execute(f"PRAGMA {name}={wanted}").close()
        (found,) = connection.execute(f"PRAGMA {name}").fetchone()
        if found != expected:
            raise StoreFailed(
                "the keystore is not durable here",
                why=f"SQLite has {name}={found} where {wanted} was asked",
                mend="put the keystore on a local file system",
            )


@contextmanager
def transaction(engine: Engine, *, write: bool) -> Iterator[Connection]:
    """One transaction: committed when the block ends, rolled back when it raises.

    A writer takes the lock at once (BEGIN IMMEDIATE), so that what it read cannot change before it writes.
    """
    with engine.connect() as connection:
        connection.begin()  # for SQLAlchemy's own books: it rolls back what is not committed
        driver_of(connection).execute("BEGIN IMMEDIATE" if write else "BEGIN")
        yield connection
        if write:
            connection.commit()


def driver_of(connection: Connection) -> sqlite3.Connection:
    """What SQLAlchemy's connection stands for."""
    return cast(sqlite3.Connection, connection.connection.driver_connection)


def demand_sound(connection: Connection) -> None:
    """StoreDamaged if SQLite finds the file's pages or indexes damaged: a row that an index lost would not be found."""
    found = connection.exec_driver_sql("PRAGMA integrity_check(1)").scalar()
    if found != "ok":
        why = str(found).splitlines()[0][:200]
        raise StoreDamaged("the keystore's file is damaged", why=why, mend="restore it from a backup")


def existing(directory: Path) -> Path:
    """The store's file, private to its owner; StoreMissing if there is none."""
    path = directory / FILE
    if not path.exists():
        raise StoreMissing(
            f"no keystore in {directory}", mend=f"make one with: tapekey keystore init --store {directory}"
        )
    for place in (directory, path):
        _demand_private(place)
    return path


def _demand_private(place: Path) -> None:
    mode = stat.S_IMODE(place.stat().st_mode)
    if mode & 0o077:
        wanted = "700" if place.is_dir() else "600"
        raise StoreFailed(
            f"the keystore {place} is open to others", why=f"its mode is {mode:o}", mend=f"chmod {wanted} {place}"
        )


def create(directory: Path, fill: Callable[[Engine], None]) -> None:
    """Make the file whole or not at all: filled beside, synced, then linked to its name, which must be free."""
    _make_private(directory)
    if (directory / FILE).exists():
        raise StoreFailed(f"there is a keystore in {directory} already", mend="choose another directory")
    fresh = directory / f"{FILE}.new-{os.getpid()}"
    try:
        os.close(os.open(fresh, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
        engine = engine_of(fresh)
        try:
            fill(engine)
        finally:
            engine.dispose()
        _demand_whole(fresh)
        sync(fresh)
        os.link(fresh, directory / FILE)
    finally:
        for leftover in directory.glob(f"{fresh.name}*"):
            leftover.unlink()
    sync(directory)


def _demand_whole(path: Path) -> None:
    """The last connection that closes moves everything into the file and takes its log away; if it can."""
    log = path.with_name(f"{path.name}-wal")
    if log.exists():
        raise StoreFailed("the keystore could not be made", why=f"{log} is still needed", mend="look at the disk")


def _make_private(directory: Path) -> None:
    missing = [place for place in directory.parents if not place.exists()]
    directory.parent.mkdir(parents=True, exist_ok=True)
    for place in missing:
        sync(place.parent)
    try:
        directory.mkdir(mode=0o700)
        sync(directory.parent)
    except FileExistsError:
        if not directory.is_dir():
            raise OSError(errno.ENOTDIR, os.strerror(errno.ENOTDIR)) from None
        if not any(directory.iterdir()):
            directory.chmod(0o700)
        _demand_private(directory)


def sync(path: Path) -> None:
    """fsync a file or directory."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
