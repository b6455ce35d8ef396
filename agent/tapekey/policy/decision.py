"""What can be decided about a cartridge in a drive: a closed union of values.

Every decision says which parameters the drive is to have (`modes`), what becomes of the drive's own guard
(`guard`), why, and by which numbered rule of `decide`. Those that refuse also say what mends it.
"""

from dataclasses import dataclass
from enum import Enum
from typing import ClassVar, Final


class Modes(Enum):
    """Encryption and decryption mode, as SSC-5 names them for page 0010h."""

    UNTOUCHED = "untouched"
    OFF = "DISABLE / DISABLE"
    WRITE = "ENCRYPT / MIXED"
    READ = "DISABLE / DECRYPT"
    READ_WITH_CLEAR_LABELS = "DISABLE / MIXED"


class GuardMove(Enum):
    """What becomes of the drive's writes-require-encryption bits, where it has them."""

    KEEP = "untouched"
    CLOSE = "on"
    OPEN = "off"


@dataclass(frozen=True, slots=True)
class MakeKey:
    """Make a new key and write under it."""

    number: int
    why: str
    modes: ClassVar[Modes] = Modes.WRITE
    guard: ClassVar[GuardMove] = GuardMove.CLOSE


@dataclass(frozen=True, slots=True)
class UseKey:
    """Write under the key on record; `repair_memory`: its envelope must be put on the cartridge again."""

    number: int
    why: str
    repair_memory: bool = False
    modes: ClassVar[Modes] = Modes.WRITE
    guard: ClassVar[GuardMove] = GuardMove.CLOSE


@dataclass(frozen=True, slots=True)
class ReadKey:
    """Read with the cartridge's key and never write; `alarm`: what was found deserves a look."""

    number: int
    why: str
    modes: Modes = Modes.READ
    alarm: bool = False
    guard: ClassVar[GuardMove] = GuardMove.CLOSE


@dataclass(frozen=True, slots=True)
class ReadClear:
    """Read without a key: nothing on the cartridge is encrypted."""

    number: int
    why: str
    modes: ClassVar[Modes] = Modes.OFF
    guard: ClassVar[GuardMove] = GuardMove.CLOSE


@dataclass(frozen=True, slots=True)
class WriteClear:
    """Write without a key: the rule wants it so, or allows it and no key can be had."""

    number: int
    why: str
    modes: ClassVar[Modes] = Modes.OFF
    guard: ClassVar[GuardMove] = GuardMove.OPEN


@dataclass(frozen=True, slots=True)
class CloseDrive:
    """Refuse, take our key out of the drive, and close its guard."""

    number: int
    why: str
    mend: str
    alarm: bool = False
    modes: ClassVar[Modes] = Modes.OFF
    guard: ClassVar[GuardMove] = GuardMove.CLOSE


@dataclass(frozen=True, slots=True)
class Protect:
    """Refuse writing: leave the drive's parameters alone, but close its guard."""

    number: int
    why: str
    mend: str
    alarm: bool = False
    modes: ClassVar[Modes] = Modes.UNTOUCHED
    guard: ClassVar[GuardMove] = GuardMove.CLOSE


@dataclass(frozen=True, slots=True)
class Refuse:
    """Refuse, and touch nothing at all."""

    number: int
    why: str
    mend: str
    alarm: bool = False
    modes: ClassVar[Modes] = Modes.UNTOUCHED
    guard: ClassVar[GuardMove] = GuardMove.KEEP


@dataclass(frozen=True, slots=True)
class Leave:
    """Touch nothing: no key is needed, or it is not for us to give one."""

    number: int
    why: str
    modes: ClassVar[Modes] = Modes.UNTOUCHED
    guard: ClassVar[GuardMove] = GuardMove.KEEP


Decision = MakeKey | UseKey | ReadKey | ReadClear | WriteClear | CloseDrive | Protect | Refuse | Leave
Refusal: Final = (CloseDrive, Protect, Refuse)
