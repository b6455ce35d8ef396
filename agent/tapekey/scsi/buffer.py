"""READ BUFFER (3Ch) and WRITE BUFFER (3Bh), SPC-4 (reference 11.5): echo, a small buffer, microcode to refuse."""

from dataclasses import dataclass
from typing import Final

from tapekey.exchange import Command
from tapekey.scsi.codes import Opcode
from tapekey.wire.codes import Code
from tapekey.wire.layout import bits, encode, uint, wire


class ReadMode(Code):
    """MODE of READ BUFFER."""

    HEADER_AND_DATA = 0x00
    DATA = 0x02
    DESCRIPTOR = 0x03
    ECHO = 0x0A
    ECHO_DESCRIPTOR = 0x0B
    ERROR_HISTORY = 0x1C


class WriteMode(Code):
    """MODE of WRITE BUFFER."""

    DATA = 0x02
    MICROCODE = 0x04
    MICROCODE_AND_SAVE = 0x05
    MICROCODE_BY_OFFSET = 0x06
    MICROCODE_BY_OFFSET_AND_SAVE = 0x07
    ECHO = 0x0A
    MICROCODE_DEFERRED_WITH_EVENTS = 0x0D
    MICROCODE_DEFERRED = 0x0E
    ACTIVATE_MICROCODE = 0x0F


# fmt: off
@wire(size=10)
@dataclass(frozen=True, slots=True)
class ReadBuffer:
    """READ BUFFER (3Ch)."""

    opcode:  Opcode   = uint(0, 1, Opcode, default=Opcode.READ_BUFFER)
    mode:    ReadMode = bits(1, 4, 0, ReadMode)
    buffer:  int      = uint(2, 1)
    offset:  int      = uint(3, 3)
    room:    int      = uint(6, 3)
    control: int      = uint(9, 1)


@wire(size=10)
@dataclass(frozen=True, slots=True)
class WriteBuffer:
    """WRITE BUFFER (3Bh)."""

    opcode:  Opcode    = uint(0, 1, Opcode, default=Opcode.WRITE_BUFFER)
    mode:    WriteMode = bits(1, 4, 0, WriteMode)
    buffer:  int       = uint(2, 1)
    offset:  int       = uint(3, 3)
    length:  int       = uint(6, 3)
    control: int       = uint(9, 1)


@wire(size=4)
@dataclass(frozen=True, slots=True)
class Descriptor:
    """Data of mode 03h: the power of two that offsets are multiples of, and the size."""

    boundary: int = uint(0, 1)
    capacity: int = uint(1, 3)


@wire(size=4)
@dataclass(frozen=True, slots=True)
class EchoDescriptor:
    """Data of mode 0Bh; `capacity` is what fits into the echo buffer."""

    overwritten_by_others: bool = bits(0, 0, 0, bool)  # EBOS
    capacity:              int  = uint(2, 2)
# fmt: on

_LARGEST_ECHO: Final = 0x1FFF  # the field has 13 bits


def read_buffer(mode: ReadMode, buffer: int = 0, offset: int = 0, room: int = 4) -> Command:
    """Ask for a buffer's contents or its description."""
    return Command(encode(ReadBuffer(mode=mode, buffer=buffer, offset=offset, room=room)), data_in_max=room)


def write_echo(data: bytes) -> Command:
    """Put bytes into the echo buffer, to read them back."""
    if len(data) > _LARGEST_ECHO:
        raise ValueError("an echo buffer holds less than 8 KiB")
    return Command(encode(WriteBuffer(mode=WriteMode.ECHO, length=len(data))), data_out=data)
