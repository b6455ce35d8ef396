"""One transaction over authenticated rows: each row is verified when it is read and tagged when it is written.

Beside the rows, `heads` keeps for each table the digest of its set of rows, so that a row that was deleted, or
put back as it was earlier, is found when the table is read as a whole. The audit chain grows here too, so that
no change can be committed without its line.

What was verified is not verified again in the same transaction: SQLite shows it one state of the file, which only
its own writes change.
"""

import hmac
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final, TypeVar, cast

from sqlalchemy import Table
from sqlalchemy.engine import Connection

from tapekey.errors import StoreDamaged
from tapekey.keystore import audit, database, records, schema, statements
from tapekey.keystore.seal import DIGEST_SIZE, Seal, Value, damaged
from tapekey.keystore.statements import Row, key_columns

Record = TypeVar("Record")
Clock = Callable[[], datetime]

TABLES: Final[Mapping[type, Table]] = {
    records.StoreRecord: schema.STORE,
    records.Head: schema.HEADS,
    records.Setting: schema.SETTINGS,
    records.SealedSecret: schema.SECRETS,
    records.RecipientRecord: schema.RECIPIENTS,
    records.RuleRecord: schema.RULES,
    records.DriveRow: schema.DRIVES,
    records.QualificationRow: schema.QUALIFICATIONS,
    records.CartridgeRecord: schema.CARTRIDGES,
    records.KeyRecord: schema.DATA_KEYS,
    records.Issue: schema.ENVELOPES,
    records.KadRecord: schema.KADS,
    records.SafetyEvidence: schema.EVIDENCE,
    records.MountRecord: schema.MOUNTS,
    records.GuardOriginal: schema.GUARD_ORIGINALS,
    records.ParkedRecord: schema.PARKED_KEYS,
    records.WitnessRecord: schema.WITNESSES,
    records.SightingRecord: schema.SIGHTINGS,
    records.AuditRow: schema.AUDIT,
}
# Tables whose set of rows has no digest: the heads themselves, the one store row, and the chain, which has its own.
WITHOUT_SET: Final = frozenset({"heads", "store", "audit"})
MODULUS: Final = 1 << (8 * DIGEST_SIZE)
Place = tuple[str, tuple[Value, ...]]  # a table, and a row's key in it


@dataclass(slots=True)
class Transaction:
    """Verified reads, tagged writes and audit lines within one database transaction."""

    connection: Connection
    seal: Seal
    clock: Clock
    heads: dict[str, tuple[int, int]] = field(default_factory=dict)  # as they are after this transaction's changes
    heads_digest: int | None = None  # of the heads' own set; None: not known yet
    seen: dict[Place, tuple[object, bytes]] = field(default_factory=dict)  # what is verified, with its tag
    whole: dict[type, list[object]] = field(default_factory=dict)  # the tables that were read as a whole
    driver: sqlite3.Connection = field(init=False)

    def __post_init__(self) -> None:
        self.driver = database.driver_of(self.connection)

    def now(self) -> str:
        return audit.stamp(self.clock())

    def one(self, kind: type[Record], **where: Value) -> Record | None:
        """The row of a key, or None."""
        table = TABLES[kind]
        seen = self.seen.get((table.name, tuple(where.get(name) for name in key_columns(table))))
        if seen is not None and len(where) == len(key_columns(table)):
            return cast(Record, seen[0])
        return next(iter(self.some(kind, **where)), None)

    def some(self, kind: type[Record], **where: Value) -> list[Record]:
        """The rows that match, oldest key first; each verified."""
        table = TABLES[kind]
        rows = statements.rows(self.driver, statements.matching(table, tuple(where)), table, where)
        return [self._record(kind, table, row) for row in rows]

    def newest(self, kind: type[Record], by: str, **where: Value) -> Record | None:
        """The matching row with the highest value of a column, or None."""
        table = TABLES[kind]
        rows = statements.rows(self.driver, statements.newest(table, by, tuple(where)), table, where)
        return next((self._record(kind, table, row) for row in rows), None)

    def every(self, kind: type[Record]) -> list[Record]:
        """The whole table; StoreDamaged also when a row is missing or was put back from earlier."""
        if kind not in self.whole:
            self.whole[kind] = cast("list[object]", self._every(kind))
        return cast("list[Record]", list(self.whole[kind]))

    def _every(self, kind: type[Record]) -> list[Record]:
        table = TABLES[kind]
        rows = list(statements.rows(self.driver, statements.matching(table, ()), table, {}))
        found = [self._record(kind, table, row) for row in rows]
        digest = self.seal.shares(_octets(row["tag"]) for row in rows) % MODULUS
        if (len(rows), digest) != self._head(table.name):
            raise StoreDamaged(
                f"the keystore's table {table.name} is damaged",
                why="a record is missing, or stands as it was earlier",
                mend="restore the keystore from a backup",
            )
        return found

    def insert(self, record: object) -> None:
        """Add a row."""
        table = TABLES[type(record)]
        row, tag = self._tagged(table, record)
        statements.change(self.driver, statements.insert(table), row)
        self._change_set(table, 1, tag, None)
        self._wrote(table, row, record, tag)

    def replace(self, record: object) -> None:
        """Write a row anew under its key; it must be there."""
        table = TABLES[type(record)]
        row, tag = self._tagged(table, record)
        old = self._stored(table, row)
        if statements.change(self.driver, statements.update(table), row) != 1:
            raise damaged(table.name, _name(table, row), "it is missing")
        self._change_set(table, 0, tag, old)
        self._wrote(table, row, record, tag)

    def remove(self, record: object) -> None:
        """Delete a row; it must be there."""
        table = TABLES[type(record)]
        row = records.columns_of(record)
        old = self._stored(table, row)
        if statements.change(self.driver, statements.delete(table), row) != 1:
            raise damaged(table.name, _name(table, row), "it is missing")
        self._change_set(table, -1, None, old)
        self.whole.pop(type(record), None)
        self.seen.pop(_place(table, row), None)

    def note(self, event: str, *, alarm: bool = False, **facts: audit.Fact) -> None:
        """Add a line to the audit chain; it is durable with the transaction."""
        head = self.one(records.Head, name="audit")
        if head is None:
            raise damaged("heads", "audit", "it is missing")
        text = audit.compose(head.count + 1, self.now(), event, alarm, facts, head.digest)
        self.insert(records.AuditRow(head.count + 1, text))
        self.replace(records.Head("audit", head.count + 1, audit.hash_of(text)))

    def lines(self) -> Iterator[tuple[int, str, bool]]:
        """The audit rows in order, each with whether its tag verifies; for `audit.check`."""
        table = schema.AUDIT
        for row in statements.rows(self.driver, statements.matching(table, ()), table, {}):
            yield cast(int, row["seq"]), str(row["line"]), self._authentic(table, row)

    def flush(self) -> None:
        """Write the digests of the tables that changed, and theirs; the last thing before a commit."""
        for name, (count, digest) in self.heads.items():
            self.replace(records.Head(name, count, digest.to_bytes(DIGEST_SIZE)))
        self.heads.clear()
        digest = self._heads_digest() if self.heads_digest is None else self.heads_digest
        self.replace(replace(self._store_record(), heads_digest=digest.to_bytes(DIGEST_SIZE)))

    def confirm_heads(self) -> None:
        """StoreDamaged if some tables' heads are from another time than the rest. Not within a writer's changes."""
        self.heads_digest = self._heads_digest()
        if not hmac.compare_digest(self.heads_digest.to_bytes(DIGEST_SIZE), self._store_record().heads_digest):
            raise damaged("heads", "*", "some of it stands as it was earlier")

    def _heads_digest(self) -> int:
        found = self.driver.execute(statements.tags(schema.HEADS))
        return self.seal.shares(_octets(tag) for (tag,) in found) % MODULUS

    def _store_record(self) -> records.StoreRecord:
        record = self.one(records.StoreRecord, id=1)
        if record is None:
            raise damaged("store", 1, "it is missing")
        return record

    def _record(self, kind: type[Record], table: Table, row: Row) -> Record:
        if not self._authentic(table, row):
            raise damaged(table.name, _name(table, row), "its tag does not verify")
        found = records.record_of(kind, table.name, row)
        self.seen[_place(table, row)] = (found, _octets(row["tag"]))
        return found

    def _authentic(self, table: Table, row: Row) -> bool:
        return hmac.compare_digest(self.seal.tag(table.name, list(row.values())[:-1]), _octets(row["tag"]))

    def _tagged(self, table: Table, record: object) -> tuple[Row, bytes]:
        row = records.columns_of(record)
        tag = self.seal.tag(table.name, list(row.values()))
        return row | {"tag": tag}, tag

    def _stored(self, table: Table, row: Row) -> bytes:
        """The tag of the row that stands under this row's key."""
        seen = self.seen.get(_place(table, row))
        if seen is not None:
            return seen[1]
        keys = {name: row[name] for name in key_columns(table)}
        found = next(statements.rows(self.driver, statements.matching(table, tuple(keys)), table, keys), None)
        if found is None or not self._authentic(table, found):
            why = "it is missing" if found is None else "its tag does not verify"
            raise damaged(table.name, _name(table, row), why)
        return _octets(found["tag"])

    def _wrote(self, table: Table, row: Row, record: object, tag: bytes) -> None:
        self.whole.pop(type(record), None)
        self.seen[_place(table, row)] = (record, tag)

    def _head(self, name: str) -> tuple[int, int]:
        if name not in self.heads:
            head = self.one(records.Head, name=name)
            if head is None:
                raise damaged("heads", name, "it is missing")
            return head.count, int.from_bytes(head.digest)
        return self.heads[name]

    def _change_set(self, table: Table, more: int, new: bytes | None, old: bytes | None) -> None:
        if table is schema.HEADS and self.heads_digest is not None:
            self.heads_digest = (self.heads_digest + self._step(new, old)) % MODULUS
        if table.name in WITHOUT_SET:
            return
        count, digest = self._head(table.name)
        self.heads[table.name] = (count + more, (digest + self._step(new, old)) % MODULUS)

    def _step(self, new: bytes | None, old: bytes | None) -> int:
        """What a change of one row adds to the digest of its set."""
        come, gone = (0 if tag is None else self.seal.share(tag) for tag in (new, old))
        return come - gone


def _place(table: Table, row: Row) -> Place:
    return table.name, tuple(row[name] for name in key_columns(table))


def _name(table: Table, row: Row) -> Value:
    return row[key_columns(table)[0]]


def _octets(value: object) -> bytes:
    return value if isinstance(value, bytes) else b""
