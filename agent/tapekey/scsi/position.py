"""READ POSITION (34h), SSC-4, in its three forms (reference 1.6).

Service action 01h, which Linux `st` sends by default, is the old vendor form; a device answers it like 00h.
"""

from dataclasses import dataclass
from typing import Final

from tapekey.exchange import Command
from tapekey.scsi import received
from tapekey.scsi.codes import Opcode
from tapekey.wire.codes import Code
from tapekey.wire.layout import bits, decode, encode, size_of, uint, wire

QUICK: Final = 300.0  # the drive may finish a buffered write first


class Form(Code):
    """SERVICE ACTION of READ POSITION."""

    SHORT = 0x00
    SHORT_VENDOR = 0x01
    LONG = 0x06
    EXTENDED = 0x08


# fmt: off
@wire(size=10)
@dataclass(frozen=True, slots=True)
class ReadPosition:
    """READ POSITION (34h); `room` is 0 for the short and the long form, whose sizes are fixed."""

    opcode:  Opcode = uint(0, 1, Opcode, default=Opcode.READ_POSITION)
    form:    Form   = bits(1, 4, 0, Form)
    room:    int    = uint(7, 2)
    control: int    = uint(9, 1)


@wire(size=20)
@dataclass(frozen=True, slots=True)
class ShortPosition:
    """Short form; the numbers mean nothing when `unknown` is set."""

    beginning_of_partition:    bool = bits( 0, 7, 7, bool)
    end_of_partition:          bool = bits( 0, 6, 6, bool)
    object_count_unknown:      bool = bits( 0, 5, 5, bool)
    byte_count_unknown:        bool = bits( 0, 4, 4, bool)
    unknown:                   bool = bits( 0, 2, 2, bool)
    overflow:                  bool = bits( 0, 1, 1, bool)
    beyond_early_warning:      bool = bits( 0, 0, 0, bool)
    partition:                 int  = uint( 1, 1)
    first_object:              int  = uint( 4, 4)
    last_object:               int  = uint( 8, 4)
    buffered_objects:          int  = uint(13, 3)
    buffered_bytes:            int  = uint(16, 4)


@wire(size=32)
@dataclass(frozen=True, slots=True)
class LongPosition:
    """Long form; the object number is unknown when `unknown` is set, the file number when `marks_unknown` is."""

    beginning_of_partition:    bool = bits( 0, 7, 7, bool)
    end_of_partition:          bool = bits( 0, 6, 6, bool)
    marks_unknown:             bool = bits( 0, 3, 3, bool)
    unknown:                   bool = bits( 0, 2, 2, bool)
    beyond_early_warning:      bool = bits( 0, 0, 0, bool)
    partition:                 int  = uint( 4, 4)
    object:                    int  = uint( 8, 8)
    file:                      int  = uint(16, 8)


@wire(size=32)
@dataclass(frozen=True, slots=True)
class ExtendedPosition:
    """Extended form."""

    beginning_of_partition:    bool = bits( 0, 7, 7, bool)
    end_of_partition:          bool = bits( 0, 6, 6, bool)
    object_count_unknown:      bool = bits( 0, 5, 5, bool)
    byte_count_unknown:        bool = bits( 0, 4, 4, bool)
    unknown:                   bool = bits( 0, 2, 2, bool)
    overflow:                  bool = bits( 0, 1, 1, bool)
    beyond_early_warning:      bool = bits( 0, 0, 0, bool)
    partition:                 int  = uint( 1, 1)
    additional_length:         int  = uint( 2, 2, default=0x1C)
    buffered_objects:          int  = uint( 5, 3)
    first_object:              int  = uint( 8, 8)
    last_object:               int  = uint(16, 8)
    buffered_bytes:            int  = uint(24, 8)
# fmt: on


def read_short_position() -> Command:
    """Ask for the short form; every drive knows it."""
    return Command(encode(ReadPosition(form=Form.SHORT)), data_in_max=size_of(ShortPosition), timeout=QUICK)


def read_long_position() -> Command:
    """Ask for the long form, with partition, object and file number."""
    return Command(encode(ReadPosition(form=Form.LONG)), data_in_max=size_of(LongPosition), timeout=QUICK)


def read_extended_position() -> Command:
    """Ask for the extended form: the short form with wide numbers."""
    room = size_of(ExtendedPosition)
    return Command(encode(ReadPosition(form=Form.EXTENDED, room=room)), data_in_max=room, timeout=QUICK)


def decode_short_position(data: bytes) -> ShortPosition:
    """Read the short form."""
    return decode(ShortPosition, received.fixed(data, size_of(ShortPosition), "the short position"))


def decode_long_position(data: bytes) -> LongPosition:
    """Read the long form."""
    return decode(LongPosition, received.fixed(data, size_of(LongPosition), "the long position"))


def decode_extended_position(data: bytes) -> ExtendedPosition:
    """Read the extended form."""
    return decode(ExtendedPosition, received.fixed(data, size_of(ExtendedPosition), "the extended position"))
