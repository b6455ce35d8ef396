"""The one door to a keystore: make it, open it with what unlocks a slot, and work in transactions."""

import hmac
import os
import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Engine, insert, select
from sqlalchemy.engine import Connection

from tapekey.errors import NotFound, StoreDamaged, StoreFailed, Usage
from tapekey.keystore import audit, database, records, schema, slots
from tapekey.keystore.rows import TABLES, WITHOUT_SET, Clock, Transaction
from tapekey.keystore.seal import DIGEST_SIZE, Place, Purpose, Seal, of_root
from tapekey.keystore.slots import Opener, Slot
from tapekey.secret import Secret

ID_SIZE = 16


def utc() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Store:
    """An open keystore."""

    directory: Path
    engine: Engine
    seal: Seal
    clock: Clock
    manager_id: bytes

    @contextmanager
    def reading(self) -> Iterator[Transaction]:
        """A consistent view; nothing is written."""
        with database.translating(self.directory), database.transaction(self.engine, write=False) as connection:
            yield Transaction(connection, self.seal, self.clock)

    @contextmanager
    def writing(self) -> Iterator[Transaction]:
        """One writer's transaction, durable when the block has ended without an error."""
        with database.translating(self.directory), database.transaction(self.engine, write=True) as connection:
            transaction = Transaction(connection, self.seal, self.clock)
            transaction.confirm_heads()  # what this commit writes would vouch for heads put back from earlier
            yield transaction
            transaction.flush()

    def note(self, event: str, *, alarm: bool = False, **facts: audit.Fact) -> None:
        """An audit line of its own."""
        with self.writing() as transaction:
            transaction.note(event, alarm=alarm, **facts)


def make(directory: Path, openers: Sequence[Opener], clock: Clock, content: Callable[[Transaction], None]) -> None:
    """Make a keystore with one slot for each opener and what `content` puts in: whole, or not at all."""
    if not openers:
        raise Usage("the keystore would have no slot", mend="give a passphrase or a key file")
    root = Secret.taken_from(bytearray(secrets.token_bytes(slots.ROOT_SIZE)))
    store_id, manager_id = os.urandom(ID_SIZE), os.urandom(ID_SIZE)
    with root:
        table = [slots.make(number, opener, root, store_id) for number, opener in enumerate(openers, start=1)]
        seal = of_root(root, store_id)

    def fill(engine: Engine) -> None:
        with database.transaction(engine, write=True) as connection:
            schema.METADATA.create_all(connection)
            connection.execute(insert(schema.SLOTS), [_slot_row(slot) for slot in table])
            transaction = Transaction(connection, seal, clock)
            _fill(transaction, manager_id, table)
            content(transaction)
            transaction.flush()

    try:
        with database.translating(directory):
            database.create(directory, fill)
    finally:
        seal.wipe()


def _fill(transaction: Transaction, manager_id: bytes, table: Sequence[Slot]) -> None:
    tag = transaction.seal.slots_tag([slot.columns() for slot in table])
    now = transaction.now()
    transaction.insert(records.Head("audit", 0, audit.START))
    for name in {table.name for table in TABLES.values()} - WITHOUT_SET:
        transaction.insert(records.Head(name, 0, bytes(DIGEST_SIZE)))
    transaction.insert(records.StoreRecord(1, schema.VERSION, transaction.seal.store_id, manager_id, now, tag, b""))
    transaction.note("keystore made", store=transaction.seal.store_id.hex(), manager=manager_id.hex())


def _slot_row(slot: Slot) -> dict[str, int | str | bytes]:
    return dict(zip(("id", "kind", "label", "parameters", "wrapped"), slot.columns(), strict=True))


@contextmanager
def open_store(directory: Path, openers: Sequence[Opener], clock: Clock = utc) -> Iterator[Store]:
    """Open a keystore; StoreLocked when no slot opens, StoreDamaged when what opens does not verify."""
    with database.translating(directory):
        engine = database.engine_of(database.existing(directory))
    try:
        with database.translating(directory):
            store_id, table = _read_unverified(engine)
        with slots.unlock(table, openers, store_id) as root:
            seal = of_root(root, store_id)
        try:
            store = Store(directory, engine, seal, clock, b"")
            manager_id = _verified_manager_id(store, table)
            _grow(store)
            yield Store(directory, engine, seal, clock, manager_id)
        finally:
            seal.wipe()
    finally:
        engine.dispose()


def _read_unverified(engine: Engine) -> tuple[bytes, list[Slot]]:
    """Store id and slots: needed before there is a key to verify them with."""
    with database.transaction(engine, write=False) as connection:
        row = connection.execute(select(schema.STORE.c.version, schema.STORE.c.store_id)).first()
        if row is None or not isinstance(row.store_id, bytes):
            raise StoreDamaged("the keystore has no store record", mend="restore it from a backup")
        if row.version != schema.VERSION:
            raise StoreFailed(
                "the keystore cannot be used",
                why=f"its format is version {row.version}, and this tapekey knows version {schema.VERSION}",
                mend="use the tapekey that wrote it, or a newer one",
            )
        return row.store_id, _slots(connection)


def _slots(connection: Connection) -> list[Slot]:
    rows = connection.execute(select(schema.SLOTS).order_by(schema.SLOTS.c.id)).all()
    return [Slot(row.id, row.kind, row.label, row.parameters, row.wrapped) for row in rows]


def _verified_manager_id(store: Store, table: Sequence[Slot]) -> bytes:
    with store.reading() as transaction:
        record = transaction.one(records.StoreRecord, id=1)
    if record is None or record.store_id != store.seal.store_id:
        raise StoreDamaged("the keystore has no store record of its own", mend="restore it from a backup")
    if not hmac.compare_digest(record.slots_tag, store.seal.slots_tag([slot.columns() for slot in table])):
        raise StoreDamaged(
            "the keystore's slot table is damaged", why="its tag does not verify", mend="restore a backup"
        )
    return record.manager_id


def _grow(store: Store) -> None:
    """Give a keystore of an older tapekey the tables that it lacks: that one goes on reading it, and leaves them alone.

    A table that its head names and that is not there was taken away: it is not made again.
    """
    if not _lacking(store):
        return
    with store.writing() as transaction:
        lacking = _absent(transaction)
        schema.METADATA.create_all(transaction.connection, [schema.METADATA.tables[name] for name in lacking])
        for name in lacking:
            transaction.insert(records.Head(name, 0, bytes(DIGEST_SIZE)))
        if lacking:
            transaction.note("keystore grown", tables=", ".join(lacking))


def _lacking(store: Store) -> list[str]:
    with store.reading() as transaction:
        return _absent(transaction)


def _absent(transaction: Transaction) -> list[str]:
    """Tables of this tapekey that the store's heads do not name."""
    named = set(transaction.connection.execute(select(schema.HEADS.c.name)).scalars())
    return sorted({table.name for table in TABLES.values()} - WITHOUT_SET - named)


def slot_kinds(store: Store) -> list[tuple[int, str, str]]:
    """Number, kind and label of each slot."""
    with store.reading() as transaction:
        return [(slot.id, slot.kind, slot.label) for slot in _slots(transaction.connection)]


def keep_secret(transaction: Transaction, name: str, secret: Secret) -> None:
    """Seal a secret of the manager itself."""
    sealed = transaction.seal.close(Place("secrets", name.encode(), 1), Purpose.MANAGER_KEY, secret)
    transaction.insert(records.SealedSecret(name, 1, sealed))


def kept_secret(transaction: Transaction, name: str) -> Secret:
    """Unseal a secret of the manager itself."""
    record = transaction.one(records.SealedSecret, name=name)
    if record is None:
        raise NotFound(f"the keystore has no {name}")
    return transaction.seal.open(Place("secrets", name.encode(), record.version), Purpose.MANAGER_KEY, record.sealed)


def setting(transaction: Transaction, name: str) -> str:
    """The value of a setting, or the empty string."""
    return next((found.value for found in transaction.every(records.Setting) if found.name == name), "")


def set_setting(transaction: Transaction, name: str, value: str) -> None:
    """Change a setting, with an audit line."""
    change = transaction.insert if transaction.one(records.Setting, name=name) is None else transaction.replace
    change(records.Setting(name, value))
    transaction.note("setting changed", setting=name, value=value)


def verify_audit(store: Store) -> int:
    """Verify the whole audit chain; StoreDamaged names the first bad line. Returns how many lines there are."""
    with store.reading() as transaction:
        head = transaction.one(records.Head, name="audit")
        if head is None:
            raise StoreDamaged("the audit chain has no head", mend="restore the keystore from a backup")
        transaction.confirm_heads()
        return audit.check(transaction.lines(), head.count, head.digest)


def audit_lines(store: Store, *, after: int = 0, alarms_only: bool = False) -> list[audit.Line]:
    """The audit lines behind a number, each verified by its own tag."""
    with store.reading() as transaction:
        lines = []
        for seq, text, authentic in transaction.lines():
            if not authentic:
                raise audit.bad_line(seq, "it was changed")
            lines.append(audit.parse(text))
    return [line for line in lines if line.seq > after and (line.alarm or not alarms_only)]
