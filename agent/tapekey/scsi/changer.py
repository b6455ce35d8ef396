"""Commands of media changers, SMC-3 (reference 8.1): what moves cartridges, and asks where they are.

Some operation codes mean something else on a tape drive (07h, 2Bh, B5h), so changers have an enum of their own.
The data of READ ELEMENT STATUS is in `changer_status`, the mode pages in `changer_mode`.
"""

from dataclasses import dataclass
from typing import Final

from tapekey.exchange import Command
from tapekey.scsi import media
from tapekey.wire.codes import Code
from tapekey.wire.layout import bits, encode, uint, wire

MOVING: Final = 600.0  # seconds for a command that moves cartridges, across a large library
INVENTORY: Final = 1800.0  # seconds for looking at every element
ANY_TRANSPORT: Final = 0  # the default transport element


class Opcode(Code):
    """Operation codes of media changers."""

    # fmt: off
    TEST_UNIT_READY              = 0x00
    REQUEST_SENSE                = 0x03
    INITIALIZE_ELEMENT_STATUS    = 0x07
    INQUIRY                      = 0x12
    MODE_SELECT_6                = 0x15
    RESERVE_6                    = 0x16
    RELEASE_6                    = 0x17
    MODE_SENSE_6                 = 0x1A
    SEND_DIAGNOSTIC              = 0x1D
    PREVENT_ALLOW_MEDIUM_REMOVAL = 0x1E
    POSITION_TO_ELEMENT          = 0x2B
    INITIALIZE_WITH_RANGE        = 0x37
    LOG_SENSE                    = 0x4D
    MODE_SELECT_10               = 0x55
    RESERVE_10                   = 0x56
    RELEASE_10                   = 0x57
    MODE_SENSE_10                = 0x5A
    PERSISTENT_RESERVE_IN        = 0x5E
    PERSISTENT_RESERVE_OUT       = 0x5F
    REPORT_LUNS                  = 0xA0
    MAINTENANCE_IN               = 0xA3
    MOVE_MEDIUM                  = 0xA5
    EXCHANGE_MEDIUM              = 0xA6
    READ_ELEMENT_STATUS          = 0xB8
    INITIALIZE_WITH_RANGE_E7     = 0xE7  # vendors' number, from before 37h was assigned
    # fmt: on


class ElementType(Code):
    """ELEMENT TYPE CODE."""

    ALL = 0
    TRANSPORT = 1
    STORAGE = 2
    IMPORT_EXPORT = 3
    DRIVE = 4


# fmt: off
@wire(size=6)
@dataclass(frozen=True, slots=True)
class Initialize:
    """INITIALIZE ELEMENT STATUS (07h)."""

    opcode:  Opcode = uint(0, 1, Opcode, default=Opcode.INITIALIZE_ELEMENT_STATUS)
    control: int    = uint(5, 1)


@wire(size=10)
@dataclass(frozen=True, slots=True)
class InitializeRange:
    """INITIALIZE ELEMENT STATUS WITH RANGE (37h, E7h). Without `ranged` it is the whole library."""

    opcode:  Opcode = uint(0, 1, Opcode, default=Opcode.INITIALIZE_WITH_RANGE)
    fast:    bool   = bits(1, 1, 1, bool)
    ranged:  bool   = bits(1, 0, 0, bool)
    first:   int    = uint(2, 2)
    count:   int    = uint(6, 2)
    control: int    = uint(9, 1)


@wire(size=12)
@dataclass(frozen=True, slots=True)
class MoveMedium:
    """MOVE MEDIUM (A5h)."""

    opcode:      Opcode = uint( 0, 1, Opcode, default=Opcode.MOVE_MEDIUM)
    transport:   int    = uint( 2, 2)
    source:      int    = uint( 4, 2)
    destination: int    = uint( 6, 2)
    invert:      bool   = bits(10, 0, 0, bool)
    control:     int    = uint(11, 1)


@wire(size=12)
@dataclass(frozen=True, slots=True)
class ExchangeMedium:
    """EXCHANGE MEDIUM (A6h): what is in `source` goes to `first`, and what was there, to `second`."""

    opcode:        Opcode = uint( 0, 1, Opcode, default=Opcode.EXCHANGE_MEDIUM)
    transport:     int    = uint( 2, 2)
    source:        int    = uint( 4, 2)
    first:         int    = uint( 6, 2)
    second:        int    = uint( 8, 2)
    invert_first:  bool   = bits(10, 1, 1, bool)
    invert_second: bool   = bits(10, 0, 0, bool)
    control:       int    = uint(11, 1)


@wire(size=10)
@dataclass(frozen=True, slots=True)
class PositionToElement:
    """POSITION TO ELEMENT (2Bh)."""

    opcode:      Opcode = uint(0, 1, Opcode, default=Opcode.POSITION_TO_ELEMENT)
    transport:   int    = uint(2, 2)
    destination: int    = uint(4, 2)
    invert:      bool   = bits(8, 0, 0, bool)
    control:     int    = uint(9, 1)


@wire(size=12)
@dataclass(frozen=True, slots=True)
class ReadElementStatus:
    """READ ELEMENT STATUS (B8h). CURDATA asks for an answer without motion, DVCID for the drives' names."""

    opcode:      Opcode      = uint( 0, 1, Opcode, default=Opcode.READ_ELEMENT_STATUS)
    volume_tags: bool        = bits( 1, 4, 4, bool)
    type:        ElementType = bits( 1, 3, 0, ElementType)
    first:       int         = uint( 2, 2)
    count:       int         = uint( 4, 2)
    current:     bool        = bits( 6, 1, 1, bool)
    drive_names: bool        = bits( 6, 0, 0, bool)
    room:        int         = uint( 7, 3)
    control:     int         = uint(11, 1)
# fmt: on


def initialize() -> Command:
    """Look at every element."""
    return Command(encode(Initialize()), timeout=INVENTORY)


def initialize_range(first: int, count: int) -> Command:
    """Look at `count` elements from `first` on."""
    return Command(encode(InitializeRange(ranged=True, first=first, count=count)), timeout=INVENTORY)


def move(source: int, destination: int) -> Command:
    """Carry a cartridge from one element to another."""
    return Command(encode(MoveMedium(source=source, destination=destination)), timeout=MOVING)


def exchange(source: int, first: int, second: int) -> Command:
    """Put what is in `source` into `first`, and what was there into `second`."""
    return Command(encode(ExchangeMedium(source=source, first=first, second=second)), timeout=MOVING)


def position(destination: int) -> Command:
    """Bring the transport before an element."""
    return Command(encode(PositionToElement(destination=destination)), timeout=MOVING)


def read_status(
    type: ElementType = ElementType.ALL,
    first: int = 0,
    count: int = 0xFFFF,
    *,
    volume_tags: bool = True,
    current: bool = True,
    drive_names: bool = False,
    room: int = 0x10_0000,
) -> Command:
    """Ask what is where, by default without any motion."""
    cdb = ReadElementStatus(
        type=type,
        first=first,
        count=count,
        volume_tags=volume_tags,
        current=current,
        drive_names=drive_names,
        room=room,
    )
    return Command(encode(cdb), data_in_max=room, timeout=media.QUICK if current else MOVING)
