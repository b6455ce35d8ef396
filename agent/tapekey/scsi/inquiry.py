"""INQUIRY (12h), SPC-4: standard data and the command itself (reference 1.7); and REPORT LUNS (A0h).

The pages of vital product data are in `vital`.
"""

from dataclasses import dataclass, replace
from typing import Final

from tapekey.errors import Malformed
from tapekey.exchange import Command
from tapekey.scsi import received
from tapekey.scsi.codes import DeviceType, Opcode
from tapekey.wire.codes import Code
from tapekey.wire.layout import bits, decode, encode, rest, size_of, text, uint, wire

ROOM: Final = 512
_FIPS = 39
_PERIPHERAL_LAST, _FLAT, _FLAT_LAST = 0xFF, 0x4000, 0x3FFF


class VitalPage(Code):
    """PAGE CODE of vital product data."""

    SUPPORTED = 0x00
    SERIAL = 0x80
    IDENTIFICATION = 0x83
    SEQUENTIAL_ACCESS = 0xB0
    MANUFACTURER_SERIAL = 0xB1
    AUTOMATION_SERIAL = 0xB3
    ELEMENT_ADDRESS = 0xB4
    BLOCK_PROTECTION = 0xB5
    VIRTUAL = 0xD0  # of tapekey's virtual drives: says that there is no hardware behind


# fmt: off
@wire(size=6)
@dataclass(frozen=True, slots=True)
class Inquiry:
    """INQUIRY (12h)."""

    opcode:  Opcode    = uint(0, 1, Opcode, default=Opcode.INQUIRY)
    vital:   bool      = bits(1, 0, 0, bool)
    page:    VitalPage = uint(2, 1, VitalPage)
    room:    int       = uint(3, 2)
    control: int       = uint(5, 1)


@wire(size=36)
@dataclass(frozen=True, slots=True)
class Standard:
    """Standard INQUIRY data; `more` holds what follows the first 36 bytes."""

    qualifier:          int        = bits( 0, 7, 5)
    device_type:        DeviceType = bits( 0, 4, 0, DeviceType, default=DeviceType.TAPE)
    removable:          bool       = bits( 1, 7, 7, bool, default=True)
    version:            int        = uint( 2, 1, default=0x06)
    response_format:    int        = bits( 3, 3, 0, default=2)
    additional_length:  int        = uint( 4, 1, default=0x1F)
    protect:            bool       = bits( 5, 0, 0, bool)
    enclosure_services: bool       = bits( 6, 6, 6, bool)
    multi_port:         bool       = bits( 6, 4, 4, bool)
    medium_changer:     bool       = bits( 6, 3, 3, bool)
    command_queue:      bool       = bits( 7, 1, 1, bool)
    vendor:             str        = text( 8,  8)
    product:            str        = text(16, 16)
    revision:           str        = text(32,  4)
    more:               bytes      = rest(36)

    @property
    def fips(self) -> bool:
        """IBM byte 39 bit 0: the drive runs in its FIPS mode."""
        at = _FIPS - size_of(Standard)
        return len(self.more) > at and bool(self.more[at] & 0x01)


@wire(size=12)
@dataclass(frozen=True, slots=True)
class ReportLuns:
    """REPORT LUNS (A0h)."""

    opcode:        Opcode = uint( 0, 1, Opcode, default=Opcode.REPORT_LUNS)
    select_report: int    = uint( 2, 1)
    room:          int    = uint( 6, 4)
    control:       int    = uint(11, 1)
# fmt: on


def inquire(room: int = ROOM) -> Command:
    """Ask who the device is. Neither needs a medium nor consumes a unit attention."""
    return Command(encode(Inquiry(room=room)), data_in_max=room)


def inquire_vital(page: VitalPage, room: int = ROOM) -> Command:
    """Ask for a page of vital product data."""
    return Command(encode(Inquiry(vital=True, page=page, room=room)), data_in_max=room)


def encode_standard(data: Standard) -> bytes:
    """Write standard data, with the additional length that its bytes have."""
    image = encode(data)
    return encode(replace(data, additional_length=len(image) - 5))


def decode_standard(data: bytes) -> Standard:
    """Read standard data: at least its first 36 bytes."""
    image = received.fixed(data, size_of(Standard), "standard inquiry data")
    length = max(5 + image[4], size_of(Standard))
    return decode(Standard, data[:length])


def report_luns(room: int = ROOM) -> Command:
    """Ask which logical units the device has."""
    return Command(encode(ReportLuns(room=room)), data_in_max=room)


def encode_luns(luns: tuple[int, ...]) -> bytes:
    """Write the data of REPORT LUNS: length, 4 reserved bytes, 8 bytes a unit."""
    body = b"".join(_lun(number) for number in luns)
    return len(body).to_bytes(4, "big") + bytes(4) + body


def decode_luns(data: bytes) -> tuple[int, ...]:
    """Read the data of REPORT LUNS: the numbers of units of one level. Malformed if one has more levels."""
    header = received.fixed(data, 8, "the list of logical units")
    body = received.behind(data, 8, int.from_bytes(header[:4], "big"))
    if len(body) % 8:
        raise Malformed("the list of logical units is cut short", why=f"{len(body)} bytes are no multiple of 8")
    return tuple(_number(body[at : at + 8]) for at in range(0, len(body), 8))


def _lun(number: int) -> bytes:
    """The eight bytes of a LUN: peripheral device addressing up to 255, flat space behind it (SAM-5 4.7.7)."""
    if not 0 <= number <= _FLAT_LAST:
        raise ValueError(f"{number} is no logical unit number of one level")
    return (number if number <= _PERIPHERAL_LAST else _FLAT | number).to_bytes(2, "big") + bytes(6)


def _number(image: bytes) -> int:
    first = int.from_bytes(image[:2], "big")
    if any(image[2:]) or (first & 0xC000 == 0 and first > _PERIPHERAL_LAST) or first & 0x8000:
        raise Malformed("a logical unit number is not of one level", why=image.hex(" "))
    return first & _FLAT_LAST
