"""What a decision is made from: facts about the rule, the drive, the cartridge and the key on record.

Everything that cannot be found out is an error before it gets here, or `UNKNOWN`, which is never taken for "no".
"""

from dataclasses import dataclass, field
from enum import Enum


class Intent(Enum):
    """What the operator or the software is about to do."""

    SAVE = "save"
    RESTORE = "restore"


class Stance(Enum):
    """What a rule says about encryption."""

    REQUIRE = "require"
    ALLOW = "allow"
    FORBID = "forbid"
    OBSERVE = "observe"


class Carry(Enum):
    """What the cartridge carries: the wrapped key itself, or only the key's id."""

    FULL = "full"
    ID = "id"


class Guard(Enum):
    """What stands between a clear write and the tape."""

    DRIVE = "drive"
    PARKED = "parked"
    GATE = "gate"
    HOOK = "hook"
    WATCHED = "watched"


class Subject(Enum):
    """What a rule's pattern is compared with."""

    VOLSER = "volser"
    POOL = "pool"
    DRIVE = "drive"
    LIBRARY = "library"
    DEFAULT = "default"


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule. `pattern` is a glob (`ENC*`) or an inclusive range (`ENC001L6..ENC024L6`); empty for DEFAULT.

    `recipients` are names in the order in which room on the cartridge is given to them; those in `must_fit`
    refuse the save when there is no room for them.
    """

    subject: Subject
    pattern: str
    stance: Stance
    recipients: tuple[str, ...] = ()
    carry: Carry = Carry.FULL
    guard: Guard | None = None
    must_fit: frozenset[str] = field(default_factory=frozenset)


class Management(Enum):
    """Who may set encryption parameters on the drive: five different answers."""

    APPLICATION = "application-managed"
    ELSEWHERE = "library- or system-managed"
    DISABLED = "encryption disabled"
    NONE = "no encryption"
    BROKEN = "broken"


class Parameters(Enum):
    """Whose encryption parameters stand in the drive now."""

    NONE = "none"
    OURS = "ours"
    PARKED = "parked by us"  # a key of ours that stood in the empty drive: writes are encrypted under it
    FOREIGN = "foreign owner"


class CartridgeKind(Enum):
    """What sort of cartridge it is."""

    DATA = "data"
    WORM = "worm"
    CLEANING = "cleaning"
    FIRMWARE = "firmware"


class Contents(Enum):
    """What is recorded on the tape, found by decoded facts only."""

    BLANK = "blank"
    CLEAR = "clear data"
    ENCRYPTED = "encrypted"  # encrypted blocks, perhaps behind clear labels
    MIXED = "mixed"  # clear blocks behind encrypted ones
    UNKNOWN = "unknown"


class KeyState(Enum):
    """The key that the store has on record for this medium."""

    NONE = "none"
    PREPARED = "prepared"  # committed, never released: nothing can have been written under it
    ACTIVE = "active"
    READ_ONLY = "read-only"  # deactivated, expired, compromised or of foreign origin
    GONE = "destroyed"


class Match(Enum):
    """How a thing found on the cartridge (envelope in its memory, KAD of its blocks) stands to the record."""

    ABSENT = "absent"
    CURRENT = "as recorded"
    OLDER = "superseded"  # known here, but replaced since: a replay, or a change that was not finished
    TORN = "torn"  # our magic, but it does not decode
    DIFFERS = "differs from the record"
    OTHER_MEDIUM = "bound to another cartridge"
    STRANGER = "not on record here"  # well-formed and ours by form: forged for us, or from another store
    FOREIGN = "not ours"  # somebody else's form


@dataclass(frozen=True, slots=True)
class DriveFacts:
    approved: bool
    hands_off: bool
    virtual: bool
    virtual_allowed: bool
    management: Management
    parameters: Parameters
    guards: frozenset[Guard]
    exposed: bool = False  # a key would cross a network in clear on its way to the drive, and nobody allowed that
    unguarded_reading: bool = False  # an operator named this drive: it may read without a guard against clear writes


@dataclass(frozen=True, slots=True)
class CartridgeFacts:
    kind: CartridgeKind
    write_protected: bool
    contents: Contents
    votes_agree: bool  # every source of the cartridge's identity names the same volume


@dataclass(frozen=True, slots=True)
class KeyFacts:
    """What the manager makes of the cartridge."""

    state: KeyState
    envelope: Match
    kad: Match
    scratch: bool = False  # declared by an operator, pool or hook, and not yet written since
    once_required: bool = False  # a rule `require` held once, and the cartridge was not released since
    why: str = ""  # for READ_ONLY and the mismatches: the record's own words


@dataclass(frozen=True, slots=True)
class Facts:
    intent: Intent
    rule: Rule
    drive: DriveFacts
    cartridge: CartridgeFacts
    key: KeyFacts
    clear_labels: bool = False  # the operator wants clear blocks read too, while reading with a key
