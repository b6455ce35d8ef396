"""One transaction over authenticated rows: each row is verified when it is read and tagged when it is written.

Beside the rows, `heads` keeps for each table the digest of its set of rows, so that a row that was deleted, or
put back as it was earlier, is found when the table is read as a whole. The audit chain grows here too, so that
no change can be committed without its line.
"""

import hmac
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cache
from typing import Any, Final, TypeVar

from sqlalchemy import Insert, Select, Table, Update, and_, bindparam, delete, insert, select, update
from sqlalchemy.engine import Connection

from tapekey.errors import StoreDamaged
from tapekey.keystore import audit, records, schema
from tapekey.keystore.seal import DIGEST_SIZE, Seal, Value, damaged

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


def key_columns(table: Table) -> tuple[str, ...]:
    return tuple(column.name for column in table.primary_key.columns)


@dataclass(slots=True)
class Transaction:
    """Verified reads, tagged writes and audit lines within one database transaction."""

    connection: Connection
    seal: Seal
    clock: Clock
    heads: dict[str, tuple[int, int]] = field(default_factory=dict)

    def now(self) -> str:
        return audit.stamp(self.clock())

    def one(self, kind: type[Record], **where: Value) -> Record | None:
        """The row of a key, or None."""
        return next(iter(self.some(kind, **where)), None)

    def some(self, kind: type[Record], **where: Value) -> list[Record]:
        """The rows that match, oldest key first; each verified."""
        table = TABLES[kind]
        found = self.connection.execute(_matching(table, tuple(where)), where).mappings()
        return [self._record(kind, table, dict(row)) for row in found]

    def newest(self, kind: type[Record], by: str, **where: Value) -> Record | None:
        """The matching row with the highest value of a column, or None."""
        table = TABLES[kind]
        row = self.connection.execute(_newest(table, by, tuple(where)), where).mappings().first()
        return None if row is None else self._record(kind, table, dict(row))

    def every(self, kind: type[Record]) -> list[Record]:
        """The whole table; StoreDamaged also when a row is missing or was put back from earlier."""
        table = TABLES[kind]
        rows = [dict(row) for row in self.connection.execute(_matching(table, ())).mappings()]
        found = [self._record(kind, table, row) for row in rows]
        digest = sum(self.seal.share(_octets(row["tag"])) for row in rows) % MODULUS
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
        row = self._tagged(table, record)
        self.connection.execute(_insert(table), row)
        self._change_set(table, 1, row["tag"], None)

    def replace(self, record: object) -> None:
        """Write a row anew under its key; it must be there."""
        table = TABLES[type(record)]
        row = self._tagged(table, record)
        old = self._stored(table, row)
        self.connection.execute(_update(table), row | {f"where_{name}": row[name] for name in key_columns(table)})
        self._change_set(table, 0, row["tag"], old)

    def remove(self, record: object) -> None:
        """Delete a row; it must be there."""
        table = TABLES[type(record)]
        row = records.columns_of(record)
        old = self._stored(table, row)
        self.connection.execute(delete(table).where(_is(table, row)))
        self._change_set(table, -1, None, old)

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
        for found in self.connection.execute(select(table).order_by(table.c.seq)).mappings():
            row = dict(found)
            yield int(row["seq"]), str(row["line"]), self._authentic(table, row)

    def flush(self) -> None:
        """Write the digests of the tables that changed, and theirs; the last thing before a commit."""
        for name, (count, digest) in self.heads.items():
            self.replace(records.Head(name, count, digest.to_bytes(DIGEST_SIZE)))
        self.heads.clear()
        self.replace(replace(self._store_record(), heads_digest=self._heads_digest()))

    def confirm_heads(self) -> None:
        """StoreDamaged if some tables' heads are from another time than the rest. Not within a writer's changes."""
        if not hmac.compare_digest(self._heads_digest(), self._store_record().heads_digest):
            raise damaged("heads", "*", "some of it stands as it was earlier")

    def _heads_digest(self) -> bytes:
        rows = self.connection.execute(TAGS_OF_HEADS).scalars()
        return (sum(self.seal.share(_octets(tag)) for tag in rows) % MODULUS).to_bytes(DIGEST_SIZE)

    def _store_record(self) -> records.StoreRecord:
        record = self.one(records.StoreRecord, id=1)
        if record is None:
            raise damaged("store", 1, "it is missing")
        return record

    def _record(self, kind: type[Record], table: Table, row: dict[str, Value]) -> Record:
        if not self._authentic(table, row):
            raise damaged(table.name, _name(table, row), "its tag does not verify")
        return records.record_of(kind, table.name, row)

    def _authentic(self, table: Table, row: Mapping[str, Value]) -> bool:
        values = [row[column.name] for column in table.columns if column.name != "tag"]
        return hmac.compare_digest(self.seal.tag(table.name, values), _octets(row["tag"]))

    def _tagged(self, table: Table, record: object) -> dict[str, Value]:
        row = records.columns_of(record)
        values = [row[column.name] for column in table.columns if column.name != "tag"]
        return row | {"tag": self.seal.tag(table.name, values)}

    def _stored(self, table: Table, row: Mapping[str, Value]) -> bytes:
        keys = key_columns(table)
        found = self.connection.execute(_matching(table, keys), {name: row[name] for name in keys}).mappings().first()
        if found is None or not self._authentic(table, dict(found)):
            raise damaged(
                table.name, _name(table, row), "it is missing" if found is None else "its tag does not verify"
            )
        return _octets(found["tag"])

    def _head(self, name: str) -> tuple[int, int]:
        if name not in self.heads:
            head = self.one(records.Head, name=name)
            if head is None:
                raise damaged("heads", name, "it is missing")
            return head.count, int.from_bytes(head.digest)
        return self.heads[name]

    def _change_set(self, table: Table, more: int, new: Value, old: Value) -> None:
        if table.name in WITHOUT_SET:
            return
        count, digest = self._head(table.name)
        digest += self.seal.share(_octets(new)) if new is not None else 0
        digest -= self.seal.share(_octets(old)) if old is not None else 0
        self.heads[table.name] = (count + more, digest % MODULUS)


TAGS_OF_HEADS: Final = select(schema.HEADS.c.tag)

# Statements are made once: to compose one anew takes three times as long as to execute it.


@cache
def _matching(table: Table, names: tuple[str, ...]) -> Select[Any]:
    """The rows that have these columns' values, by their keys."""
    return select(table).where(*(table.c[name] == bindparam(name) for name in names)).order_by(*table.primary_key)


@cache
def _newest(table: Table, by: str, names: tuple[str, ...]) -> Select[Any]:
    matching = select(table).where(*(table.c[name] == bindparam(name) for name in names))
    return matching.order_by(table.c[by].desc()).limit(1)


@cache
def _insert(table: Table) -> Insert:
    return insert(table)


@cache
def _update(table: Table) -> Update:
    """By `where_` and the names of the key's columns."""
    return update(table).where(*(table.c[name] == bindparam(f"where_{name}") for name in key_columns(table)))


def _is(table: Table, row: Mapping[str, Value]):  # type: ignore[no-untyped-def]
    return and_(*(table.c[name] == row[name] for name in key_columns(table)))


def _name(table: Table, row: Mapping[str, Value]) -> Value:
    return row[key_columns(table)[0]]


def _octets(value: object) -> bytes:
    return value if isinstance(value, bytes) else b""
