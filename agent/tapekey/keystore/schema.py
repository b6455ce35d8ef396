"""The tables. Every row ends in `tag`, an HMAC over all its other columns (`rows`).

Only plain column types are used (INTEGER, TEXT, BLOB), so that the same tables can stand in another database;
identifiers that several stores may have to merge are random. `heads` holds, per table, how many rows there are
and a digest of the set of them, and for `audit` the newest line, so that a missing row is found.
"""

from collections.abc import Callable
from typing import Final

from sqlalchemy import Column, ForeignKey, Index, Integer, LargeBinary, MetaData, Table, Text
from sqlalchemy.engine import Dialect

VERSION: Final = 1


class Octets(LargeBinary):
    """BLOB, handed over as it is: what an intruder put in its place is judged by the row's tag, not converted."""

    cache_ok = True

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[object], bytes] | None:
        return None


METADATA: Final = MetaData()


def _key(name: str, kind: type[Integer | Text | Octets]) -> "Column[object]":
    return Column(name, kind(), primary_key=True, autoincrement=False)


# Which columns point at a row of another table.
POINTS_AT: Final = {
    ("data_keys", "medium_serial"): "cartridges.medium_serial",
    ("envelopes", "key_id"): "data_keys.id",
    ("kads", "key_id"): "data_keys.id",
    ("evidence", "key_id"): "data_keys.id",
}


def _plain(table: str, name: str, kind: type[Integer | Text | Octets]) -> "Column[object]":
    target = POINTS_AT.get((table, name))
    return Column(name, kind(), *([ForeignKey(target)] if target else []), nullable=False)


def _table(name: str, keys: "list[Column[object]]", **columns: type[Integer | Text | Octets]) -> Table:
    plain = [_plain(name, column, kind) for column, kind in columns.items()]
    return Table(name, METADATA, *keys, *plain, Column("tag", Octets(), nullable=False), sqlite_strict=True)


# fmt: off
STORE: Final = _table("store", [_key("id", Integer)],
    version=Integer, store_id=Octets, manager_id=Octets, created=Text, slots_tag=Octets, heads_digest=Octets)

SLOTS: Final = Table("slots", METADATA,      # authenticated as a whole by store.slots_tag
    _key("id", Integer), Column("kind", Text(), nullable=False), Column("label", Text(), nullable=False),
    Column("parameters", Octets(), nullable=False), Column("wrapped", Octets(), nullable=False), sqlite_strict=True)

HEADS: Final = _table("heads", [_key("name", Text)],
    count=Integer, digest=Octets)

SETTINGS: Final = _table("settings", [_key("name", Text)],
    value=Text)

SECRETS: Final = _table("secrets", [_key("name", Text)],
    version=Integer, sealed=Octets)

RECIPIENTS: Final = _table("recipients", [_key("name", Text)],
    suite=Integer, public=Octets, fingerprint=Octets, role=Text, expires=Text, added=Text,
    version=Integer, sealed=Octets)

RULES: Final = _table("rules", [_key("id", Octets)],
    place=Integer, subject=Text, pattern=Text, stance=Text, recipients=Text, carry=Text, guard=Text, must_fit=Text)

DRIVES: Final = _table("drives", [_key("serial", Text)],
    naa=Octets, vendor=Text, product=Text, where=Text, virtual=Integer, hands_off=Integer, key=Octets, approved=Text)

QUALIFICATIONS: Final = _table("qualifications", [_key("serial", Text)],
    naa=Octets, firmware=Text, tried=Text, results=Text)

CARTRIDGES: Final = _table("cartridges", [_key("medium_serial", Text)],
    volsers=Text, current_key=Octets, sequence=Integer, scratch=Integer, once_required=Integer, seen=Text)

DATA_KEYS: Final = _table("data_keys", [_key("id", Octets)],
    medium_serial=Text, state=Text, origin=Text, kcv=Octets, why=Text, created=Text, activated=Text, ended=Text,
    version=Integer, sealed=Octets)

ENVELOPES: Final = _table("envelopes", [_key("id", Octets)],
    key_id=Octets, medium_serial=Text, sequence=Integer, envelope=Octets, hash=Octets, kad=Octets, shape=Text,
    carried=Text, left_out=Text, outside=Integer, superseded=Integer, issued=Text)

KADS: Final = _table("kads", [_key("hash", Octets)],
    kad=Octets, key_id=Octets, medium_serial=Text)

EVIDENCE: Final = _table("evidence", [_key("id", Octets)],
    key_id=Octets, kind=Text, source=Text, body=Octets, found=Text)

MOUNTS: Final = _table("mounts", [_key("drive_serial", Text), _key("generation", Integer)],
    medium_serial=Text, volser=Text, intent=Text, key_id=Octets, kad=Octets, key_instance_counter=Integer,
    change_reference=Octets, accounted=Integer, began=Text, closed=Text)

GUARD_ORIGINALS: Final = _table("guard_originals", [_key("serial", Text)],
    naa=Octets, current=Octets, saved=Octets, kept=Text)

PARKED_KEYS: Final = _table("parked_keys", [_key("id", Octets)],
    drive_serial=Text, state=Text, kcv=Octets, kad=Octets, kad_hash=Octets, key_instance_counter=Integer,
    medium_serial=Text, created=Text, version=Integer, sealed=Octets)

WITNESSES: Final = _table("witnesses", [_key("medium_serial", Text)],
    drive_serial=Text, generation=Integer, moment=Text, reference=Octets, seen=Text)

SIGHTINGS: Final = _table("sightings", [_key("drive_serial", Text), _key("medium_serial", Text)],
    volsers=Text, facts=Text, seen=Text)

AUDIT: Final = _table("audit", [_key("seq", Integer)],
    line=Text)
# fmt: on

Index("envelopes_by_key", ENVELOPES.c.key_id)
Index("envelopes_by_hash", ENVELOPES.c.hash)
Index("envelopes_by_medium", ENVELOPES.c.medium_serial)
Index("data_keys_by_medium", DATA_KEYS.c.medium_serial)
Index("evidence_by_key", EVIDENCE.c.key_id)
Index("parked_keys_by_drive", PARKED_KEYS.c.drive_serial, PARKED_KEYS.c.state)
Index("parked_keys_by_kad", PARKED_KEYS.c.kad_hash)
