"""The records of the keystore, and how their fields become columns and come back.

Secrets are not among them: a record carries its sealed value, which `seal` opens for its one place.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum, IntEnum
from functools import cache, partial
from typing import Any, Final, TypeVar, cast, get_type_hints

from tapekey.keys.data_key import KeyId
from tapekey.keys.suite import Suite
from tapekey.keystore.seal import Value, damaged
from tapekey.policy.facts import Carry, Guard, Stance, Subject

Record = TypeVar("Record")
Names = tuple[str, ...]
Reader = Callable[[Any], Any]

PLAIN: Final = frozenset({int, str, bytes})


class State(Enum):
    """The states of a key as KMIP 2.1 (4.57 State) has them."""

    PRE_ACTIVE = "pre-active"
    ACTIVE = "active"
    DEACTIVATED = "deactivated"
    COMPROMISED = "compromised"
    DESTROYED = "destroyed"


class Origin(Enum):
    """Where a key came from: made here, or adopted from a cartridge."""

    OWN = "own"
    FOREIGN = "foreign"


class ParkedState(Enum):
    """What became of a key that was made to stand in an empty drive."""

    WAITING = "waiting"  # in its drive, or to be put there again: nothing is known to be written under it
    BOUND = "bound"  # a cartridge's: its secret is among the data keys
    DROPPED = "dropped"  # not put into the drive again; kept, since a block under it may turn up


class Role(Enum):
    """What a recipient is to this store."""

    SITE = "site"
    GROUP = "group"
    RECOVERY = "recovery"
    NAMED = "named"


@dataclass(frozen=True, slots=True)
class StoreRecord:
    id: int
    version: int
    store_id: bytes
    manager_id: bytes
    created: str
    slots_tag: bytes
    heads_digest: bytes


@dataclass(frozen=True, slots=True)
class Head:
    """Of a table: how many rows, and the digest of their set. Of the audit chain: newest number and its hash."""

    name: str
    count: int
    digest: bytes


@dataclass(frozen=True, slots=True)
class Setting:
    name: str
    value: str


@dataclass(frozen=True, slots=True)
class SealedSecret:
    """A secret of the manager itself."""

    name: str
    version: int
    sealed: bytes


@dataclass(frozen=True, slots=True)
class RecipientRecord:
    """`sealed` is empty when the private half is not in this store. `expires` is empty or an ISO 8601 time."""

    name: str
    suite: Suite
    public: bytes
    fingerprint: bytes
    role: Role
    expires: str
    added: str
    version: int
    sealed: bytes

    @property
    def held(self) -> bool:
        return self.sealed != b""


@dataclass(frozen=True, slots=True)
class RuleRecord:
    id: bytes
    place: int
    subject: Subject
    pattern: str
    stance: Stance
    recipients: Names
    carry: Carry
    guard: Guard | None
    must_fit: Names


@dataclass(frozen=True, slots=True)
class DriveRow:
    serial: str
    naa: bytes
    vendor: str
    product: str
    where: str
    virtual: bool
    hands_off: bool
    key: bytes
    approved: str


@dataclass(frozen=True, slots=True)
class QualificationRow:
    """What was tried out on a drive with one firmware; `results` is a JSON array of [trial, answer, words]."""

    serial: str
    naa: bytes
    firmware: str
    tried: str
    results: str


@dataclass(frozen=True, slots=True)
class CartridgeRecord:
    medium_serial: str
    volsers: Names = ()
    current_key: KeyId | None = None
    sequence: int = 0
    scratch: bool = False
    once_required: bool = False
    seen: str = ""


@dataclass(frozen=True, slots=True)
class KeyRecord:
    id: KeyId
    medium_serial: str
    state: State
    origin: Origin
    kcv: bytes
    why: str
    created: str
    activated: str
    ended: str
    version: int
    sealed: bytes


@dataclass(frozen=True, slots=True)
class Issue:
    """One envelope and its KAD as issued. `shape` says for which rule and rooms; `outside`: it has a stanza for a
    recipient whose private half is not in this store."""

    id: bytes
    key_id: KeyId
    medium_serial: str
    sequence: int
    envelope: bytes
    hash: bytes
    kad: bytes
    shape: str
    carried: Names
    left_out: Names
    outside: bool
    superseded: bool
    issued: str


@dataclass(frozen=True, slots=True)
class KadRecord:
    hash: bytes
    kad: bytes
    key_id: KeyId
    medium_serial: str


@dataclass(frozen=True, slots=True)
class SafetyEvidence:
    """A proof that a key exists somewhere else too: a receipt of another manager, or a verified backup."""

    id: bytes
    key_id: KeyId
    kind: str
    source: str
    body: bytes
    found: str


@dataclass(frozen=True, slots=True)
class SightingRecord:
    """What was seen of a drive, with or without a cartridge, while nothing was touched. `facts` is a JSON object."""

    drive_serial: str
    medium_serial: str
    volsers: Names
    facts: str
    seen: str


@dataclass(frozen=True, slots=True)
class MountRecord:
    drive_serial: str
    generation: int
    medium_serial: str
    volser: str
    intent: str
    key_id: KeyId | None
    kad: bytes
    key_instance_counter: int  # -1: not known
    change_reference: bytes
    accounted: bool
    began: str
    closed: str


@dataclass(frozen=True, slots=True)
class GuardOriginal:
    """Mode page 10h/01h of a drive as it was before we first changed it: the page's bytes, current and saved."""

    serial: str
    naa: bytes
    current: bytes
    saved: bytes
    kept: str


@dataclass(frozen=True, slots=True)
class ParkedRecord:
    """A key without a cartridge. `key_instance_counter` is -1 while it is not known to have been read back."""

    id: KeyId
    drive_serial: str
    state: ParkedState
    kcv: bytes
    kad: bytes
    kad_hash: bytes
    key_instance_counter: int
    medium_serial: str
    created: str
    version: int
    sealed: bytes


@dataclass(frozen=True, slots=True)
class WitnessRecord:
    """The volume change reference (MAM 0009h) of a cartridge when it was last asked for; empty: not told."""

    medium_serial: str
    drive_serial: str
    generation: int
    moment: str
    reference: bytes
    seen: str


@dataclass(frozen=True, slots=True)
class AuditRow:
    seq: int
    line: str


def columns_of(record: object) -> dict[str, Value]:
    """A record as plain column values."""
    return {name: _column(getattr(record, name), hint) for name, hint in _hints(type(record)).items()}  # type: ignore[arg-type]


def record_of(kind: type[Record], table: str, row: Mapping[str, Value]) -> Record:
    """A verified row as a record."""
    try:
        readers = _readers(kind).items()  # type: ignore[arg-type]
        return kind(**{name: read(row[name]) if read else row[name] for name, read in readers})
    except (LookupError, TypeError, ValueError) as error:
        raise damaged(table, next(iter(row.values()), "?"), "it does not decode") from error


@cache
def _hints(kind: Any) -> dict[str, Any]:
    return get_type_hints(kind)


def _column(value: object, hint: object) -> Value:
    if type(value) in PLAIN:
        return cast(Value, value)
    match value:
        case bool() | IntEnum():
            return int(value)
        case int() | str() | bytes():  # SQLAlchemy's names are of a type of their own
            return value
        case KeyId():
            return value.raw
        case Enum():
            return str(value.value)
        case tuple():
            return json.dumps(list(value))
        case None:
            return b"" if hint == KeyId | None else ""
    raise TypeError(f"no column holds {type(value).__name__}")


@cache
def _readers(kind: Any) -> dict[str, Reader | None]:
    """What makes a field of each column; None: the column's value is the field's."""
    return {name: _reader(hint) for name, hint in _hints(kind).items()}


def _reader(hint: Any) -> Reader | None:
    if hint == Names:
        return _names
    if hint in (KeyId | None, Guard | None):
        return partial(_present, hint.__args__[0])
    return None if hint in PLAIN else cast(Reader, hint)


def _names(value: Any) -> Names:
    return tuple(str(item) for item in json.loads(value))


def _present(read: Reader, value: Any) -> Any:
    return read(value) if value else None
