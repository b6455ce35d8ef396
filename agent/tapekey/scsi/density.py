"""REPORT DENSITY SUPPORT (44h), SSC-4 (reference 1.10), and the density codes of LTO, 3592 and T10000.

Encryption does not change the density code of LTO, but does on 3592.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from tapekey.errors import Malformed
from tapekey.exchange import Command
from tapekey.scsi import received
from tapekey.scsi.codes import Opcode
from tapekey.wire.codes import Code
from tapekey.wire.layout import Reader, bits, decode, encode, size_of, text, uint, wire

ROOM: Final = 8_192


class Density(Code):
    """DENSITY CODE."""

    # fmt: off
    DEFAULT       = 0x00
    LTO_1         = 0x40
    LTO_2         = 0x42
    LTO_3         = 0x44
    LTO_4         = 0x46
    T10000A       = 0x4A
    T10000B       = 0x4B
    T10000C       = 0x4C
    IBM_J1A       = 0x51
    IBM_E05       = 0x52
    IBM_E06       = 0x53
    IBM_E07       = 0x54
    LTO_5         = 0x58
    LTO_6         = 0x5A
    LTO_7         = 0x5C
    LTO_8_TYPE_M  = 0x5D
    LTO_8         = 0x5E
    LTO_9         = 0x60
    IBM_J1A_ENCRYPTED = 0x71
    IBM_E05_ENCRYPTED = 0x72
    IBM_E06_ENCRYPTED = 0x73
    IBM_E07_ENCRYPTED = 0x74
    NO_CHANGE     = 0x7F
    # fmt: on


# MODE medium type of IBM drives: plain, and write-once where there is one. HPE uses 00h, 01h and 80h instead.
MEDIUM_TYPES: Final[dict[Density, tuple[int, int | None]]] = {
    Density.LTO_1: (0x18, None),
    Density.LTO_2: (0x28, None),
    Density.LTO_3: (0x38, 0x3C),
    Density.LTO_4: (0x48, 0x4C),
    Density.LTO_5: (0x58, 0x5C),
    Density.LTO_6: (0x68, 0x6C),
    Density.LTO_7: (0x78, 0x7C),
    Density.LTO_8: (0x88, 0x8C),
    Density.LTO_9: (0x98, 0x9C),
}


# fmt: off
@wire(size=10)
@dataclass(frozen=True, slots=True)
class ReportDensity:
    """REPORT DENSITY SUPPORT (44h); `of_medium` asks for the mounted volume's densities instead of the drive's."""

    opcode:      Opcode = uint(0, 1, Opcode, default=Opcode.REPORT_DENSITY_SUPPORT)
    medium_type: bool   = bits(1, 1, 1, bool)
    of_medium:   bool   = bits(1, 0, 0, bool)
    room:        int    = uint(7, 2)
    control:     int    = uint(9, 1)


@wire(size=52)
@dataclass(frozen=True, slots=True)
class DensityDescriptor:
    """Density support data block descriptor; capacity is in units of 10^6 bytes."""

    primary:      Density = uint( 0, 1, Density)
    secondary:    Density = uint( 1, 1, Density)
    writable:     bool    = bits( 2, 7, 7, bool)  # WRTOK
    duplicate:    bool    = bits( 2, 6, 6, bool)  # DUP
    default:      bool    = bits( 2, 5, 5, bool)  # DEFLT
    length_valid: bool    = bits( 2, 0, 0, bool)  # DLV
    length:       int     = uint( 3, 2)
    bits_per_mm:  int     = uint( 5, 3)
    width:        int     = uint( 8, 2)           # in 0.1 mm
    tracks:       int     = uint(10, 2)
    capacity:     int     = uint(12, 4)
    organization: str     = text(16, 8)
    name:         str     = text(24, 8)
    description:  str     = text(32, 20)


@wire(size=56)
@dataclass(frozen=True, slots=True)
class MediumTypeDescriptor:
    """Medium type descriptor (MEDIUM TYPE = 1; SSC-3, UNV here): a kind of medium, and the densities it may have."""

    medium_type:  int     = uint( 0, 1)
    size:         int     = uint( 2, 2, default=52)
    densities:    int     = uint( 4, 1)
    density:      Density = uint( 5, 1, Density)  # the first of at most nine
    width:        int     = uint(14, 2)           # in 0.1 mm
    length:       int     = uint(16, 2)           # in metres
    organization: str     = text(20, 8)
    name:         str     = text(28, 8)
    description:  str     = text(36, 20)
# fmt: on


def report_medium_types() -> Command:
    """Ask which kinds of medium the drive takes."""
    return Command(encode(ReportDensity(medium_type=True, room=ROOM)), data_in_max=ROOM)


def report_densities(*, of_medium: bool = False) -> Command:
    """Ask which densities the drive, or the mounted volume in it, supports."""
    return Command(encode(ReportDensity(of_medium=of_medium, room=ROOM)), data_in_max=ROOM)


def encode_densities(descriptors: Iterable[DensityDescriptor]) -> bytes:
    """Write the data; its available length counts two reserved bytes and the descriptors."""
    body = bytes(2) + b"".join(map(encode, descriptors))
    return len(body).to_bytes(2, "big") + body


def encode_medium_types(descriptors: Iterable[MediumTypeDescriptor]) -> bytes:
    """Write the data of MEDIUM TYPE = 1."""
    body = bytes(2) + b"".join(map(encode, descriptors))
    return len(body).to_bytes(2, "big") + body


def decode_medium_types(data: bytes) -> tuple[MediumTypeDescriptor, ...]:
    """Read the data of MEDIUM TYPE = 1."""
    announced = int.from_bytes(received.fixed(data, 4, "the list of media")[:2], "big")
    reader = Reader(received.behind(data, 4, max(0, announced - 2)), "the list of media")
    found = []
    while reader.left:
        found.append(reader.read(MediumTypeDescriptor, "a medium type descriptor"))
    return tuple(found)


def decode_densities(data: bytes) -> tuple[DensityDescriptor, ...]:
    """Read the data. Where DLV is set, a descriptor has its own length, and its end may be newer than our table."""
    announced = int.from_bytes(received.fixed(data, 4, "the list of densities")[:2], "big")
    reader = Reader(received.behind(data, 4, max(0, announced - 2)), "the list of densities")
    found = []
    while reader.left:
        found.append(_descriptor(reader))
    return tuple(found)


def _descriptor(reader: Reader) -> DensityDescriptor:
    first = reader.take(5, "a density descriptor")
    size = size_of(DensityDescriptor)
    if first[2] & 0x01:
        size = 5 + int.from_bytes(first[3:5], "big")
    if size < size_of(DensityDescriptor):
        raise Malformed("a density descriptor is too short", why=f"{size} bytes of {size_of(DensityDescriptor)}")
    return decode(DensityDescriptor, first + reader.take(size - 5, "a density descriptor"))
