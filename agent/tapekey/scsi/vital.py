"""Vital product data, SPC-4 and SSC-4 (reference 1.7): pages 00h, 80h, 83h, B0h, B1h, B3h, B4h, B5h, and our D0h.

A drive is known by page 80h (the serial it reports) and its NAA of page 83h. Page D0h, which only tapekey's
virtual drives have, says in ASCII that no hardware stands behind: `TAPEKEY VIRTUAL` and what more there is to say.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from tapekey.errors import Malformed
from tapekey.scsi import received
from tapekey.scsi.codes import DeviceType
from tapekey.scsi.inquiry import VitalPage
from tapekey.wire.codes import Code
from tapekey.wire.layout import Reader, bits, decode, encode, size_of, uint, wire

VIRTUAL: Final = "TAPEKEY VIRTUAL"
_PADDING = " \0"


class CodeSet(Code):
    """CODE SET of a designator."""

    BINARY = 1
    ASCII = 2
    UTF_8 = 3


class Association(Code):
    """ASSOCIATION of a designator: what it names."""

    LOGICAL_UNIT = 0
    PORT = 1
    DEVICE = 2


class DesignatorType(Code):
    """DESIGNATOR TYPE."""

    VENDOR_SPECIFIC = 0
    T10_VENDOR_ID = 1
    EUI_64 = 2
    NAA = 3
    RELATIVE_PORT = 4
    TARGET_PORT_GROUP = 5
    LOGICAL_UNIT_GROUP = 6
    MD5_LOGICAL_UNIT = 7
    SCSI_NAME = 8


# fmt: off
@wire(size=4)
@dataclass(frozen=True, slots=True)
class PageHeader:
    """First four bytes of every page."""

    qualifier:   int        = bits(0, 7, 5)
    device_type: DeviceType = bits(0, 4, 0, DeviceType, default=DeviceType.TAPE)
    page:        VitalPage  = uint(1, 1, VitalPage)
    length:      int        = uint(2, 2)


@wire(size=4)
@dataclass(frozen=True, slots=True)
class DesignatorHeader:
    """First four bytes of a designation descriptor of page 83h."""

    protocol:       int            = bits(0, 7, 4)
    code_set:       CodeSet        = bits(0, 3, 0, CodeSet)
    protocol_valid: bool           = bits(1, 7, 7, bool)
    association:    Association    = bits(1, 5, 4, Association)
    kind:           DesignatorType = bits(1, 3, 0, DesignatorType)
    length:         int            = uint(3, 1)


@wire(size=4)
@dataclass(frozen=True, slots=True)
class ProtectionMethod:
    """Logical block protection method descriptor of page B5h, from its length byte on."""

    length:             int  = uint(0, 1, default=3)
    method:             int  = uint(1, 1)
    information_length: int  = bits(2, 5, 0)
    on_write:           bool = bits(3, 7, 7, bool)
    on_read:            bool = bits(3, 6, 6, bool)
    on_recover:         bool = bits(3, 5, 5, bool)
# fmt: on


@dataclass(frozen=True, slots=True)
class Designator:
    """One name of the device, a port or the logical unit."""

    kind: DesignatorType
    value: bytes
    code_set: CodeSet = CodeSet.BINARY
    association: Association = Association.LOGICAL_UNIT
    protocol: int | None = None


def encode_vital(page: VitalPage, body: bytes, device_type: DeviceType = DeviceType.TAPE) -> bytes:
    """Write a page around its body."""
    return encode(PageHeader(device_type=device_type, page=page, length=len(body))) + body


def decode_vital(data: bytes, page: VitalPage) -> bytes:
    """The body of a page, which must be the one that was asked for."""
    header = decode(PageHeader, data)
    if header.page != page:
        raise Malformed(
            "the drive sent another page", why=f"vital product data page {header.page:02X}h, not {page:02X}h"
        )
    return received.behind(data, size_of(PageHeader), header.length)


def encode_supported(pages: Iterable[VitalPage]) -> bytes:
    """Write page 00h."""
    return encode_vital(VitalPage.SUPPORTED, bytes(sorted(pages)))


def decode_supported(data: bytes) -> tuple[VitalPage, ...]:
    """Read page 00h: which pages there are."""
    return tuple(VitalPage(code) for code in decode_vital(data, VitalPage.SUPPORTED))


def encode_serial(serial: str, page: VitalPage = VitalPage.SERIAL, width: int = 0) -> bytes:
    """Write page 80h, B1h or B3h: a serial number, right-aligned to `width`."""
    return encode_vital(page, serial.encode("ascii").rjust(width))


def decode_serial(data: bytes, page: VitalPage = VitalPage.SERIAL) -> str:
    """Read page 80h, B1h or B3h: a serial number, without the padding on either side."""
    return decode_vital(data, page).decode("ascii", "replace").strip(_PADDING)


def encode_designators(designators: Iterable[Designator]) -> bytes:
    """Write page 83h."""
    return encode_vital(VitalPage.IDENTIFICATION, b"".join(map(_encode_designator, designators)))


def decode_designators(data: bytes) -> tuple[Designator, ...]:
    """Read page 83h."""
    reader = Reader(decode_vital(data, VitalPage.IDENTIFICATION), "device identification page 83h")
    found = []
    while reader.left:
        header = reader.read(DesignatorHeader, "a designator's header")
        value = reader.take(header.length, "a designator")
        protocol = header.protocol if header.protocol_valid else None
        found.append(Designator(header.kind, value, header.code_set, header.association, protocol))
    return tuple(found)


def naa(designators: Iterable[Designator]) -> bytes | None:
    """The logical unit's NAA, its world wide name."""
    return _of_logical_unit(designators, DesignatorType.NAA)


def t10_id(designators: Iterable[Designator]) -> str | None:
    """The logical unit's T10 vendor identification: vendor, product and serial in one."""
    value = _of_logical_unit(designators, DesignatorType.T10_VENDOR_ID)
    return None if value is None else value.decode("ascii", "replace").strip(_PADDING)


def encode_sequential_access(*, write_once: bool) -> bytes:
    """Write page B0h."""
    return encode_vital(VitalPage.SEQUENTIAL_ACCESS, bytes([write_once, 0]))


def decode_sequential_access(data: bytes) -> bool:
    """Read page B0h: whether the drive knows write-once (WORM) media."""
    body = received.fixed(decode_vital(data, VitalPage.SEQUENTIAL_ACCESS), 1, "page B0h")
    return bool(body[0] & 0x01)


def encode_element_address(address: int) -> bytes:
    """Write page B4h, in four bytes."""
    return encode_vital(VitalPage.ELEMENT_ADDRESS, address.to_bytes(4, "big"))


def decode_element_address(data: bytes) -> int | None:
    """Read page B4h: the drive's address in its library, if one has told it."""
    body = decode_vital(data, VitalPage.ELEMENT_ADDRESS)
    return int.from_bytes(body, "big") if body else None


def encode_block_protection(methods: Iterable[ProtectionMethod]) -> bytes:
    """Write page B5h: four reserved bytes, then a descriptor a method."""
    return encode_vital(VitalPage.BLOCK_PROTECTION, bytes(4) + b"".join(map(encode, methods)))


def decode_block_protection(data: bytes) -> tuple[ProtectionMethod, ...]:
    """Read page B5h."""
    reader = Reader(decode_vital(data, VitalPage.BLOCK_PROTECTION), "block protection page B5h")
    reader.take(4, "the reserved bytes")
    found = []
    while reader.left:
        length = reader.take(1, "a descriptor's length")
        found.append(decode(ProtectionMethod, length + reader.take(length[0], "a protection method")))
    return tuple(found)


def encode_virtual(about: str = "") -> bytes:
    """Write page D0h of a virtual drive."""
    return encode_vital(VitalPage.VIRTUAL, f"{VIRTUAL} {about}".rstrip().encode("ascii"))


def decode_virtual(data: bytes) -> str | None:
    """Read page D0h: what a virtual drive says of itself, or None if this is another vendor's page of that code."""
    words = decode_vital(data, VitalPage.VIRTUAL).decode("ascii", "replace").strip(_PADDING)
    return words if words.startswith(VIRTUAL) else None


def _encode_designator(item: Designator) -> bytes:
    header = DesignatorHeader(
        protocol=item.protocol or 0,
        code_set=item.code_set,
        protocol_valid=item.protocol is not None,
        association=item.association,
        kind=item.kind,
        length=len(item.value),
    )
    return encode(header) + item.value


def _of_logical_unit(designators: Iterable[Designator], kind: DesignatorType) -> bytes | None:
    wanted = (item for item in designators if item.kind == kind and item.association == Association.LOGICAL_UNIT)
    return next((item.value for item in wanted), None)
