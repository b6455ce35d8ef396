"""Security protocol 20h: encryption management attributes, pages 0022h of SPIN and SPOUT (SSC-4).

By these a key manager is told what key is wanted. No drive is known to have them. PAGE LENGTH is at bytes 6-7 here,
unlike in every other page of the protocol.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from tapekey.errors import Malformed
from tapekey.exchange import Command
from tapekey.scsi.codes import SecurityProtocol
from tapekey.scsi.encryption import InPage, OutPage, read_page
from tapekey.scsi.security import ROOM, security_protocol_out
from tapekey.wire.codes import Code
from tapekey.wire.layout import Reader, bits, decode, encode, rest, size_of, uint, wire


class AttributeType(Code):
    """Type of an encryption management attribute."""

    DESIRED_OPERATION = 0x0000  # a value of Operation, two bytes
    KEY_SELECTION_CRITERIA = 0x0001  # a list of Criterion
    KEY_WRAPPING = 0x0002  # a list of Criterion


class Operation(Code):
    """Value of DESIRED_OPERATION."""

    CREATE = 0x0001
    RESOLVE = 0x0002


class SelectionType(Code):
    """Type of a key selection criterion."""

    ALGORITHM = 0x0001
    KEY_ID = 0x0002


class WrappingType(Code):
    """Type of a key wrapping attribute."""

    KEKS = 0x0001


@wire(size=6)
@dataclass(frozen=True, slots=True)
class AttributeHeader:
    """Head of an encryption management attribute."""

    # fmt: off
    type:     AttributeType = uint(0, 2, AttributeType)
    critical: bool          = bits(3, 7, 7, bool)  # CRIT: not to be ignored by who does not know it
    length:   int           = uint(4, 2)
    # fmt: on


@dataclass(frozen=True, slots=True)
class Attribute:
    """One encryption management attribute."""

    type: AttributeType
    value: bytes
    critical: bool = False


def encode_attributes(attributes: Iterable[Attribute]) -> bytes:
    """Write attributes one behind the other."""
    return b"".join(encode(AttributeHeader(one.type, one.critical, len(one.value))) + one.value for one in attributes)


def decode_attributes(data: bytes) -> tuple[Attribute, ...]:
    """Read attributes to the end."""
    reader = Reader(data, "list of management attributes")
    attributes = []
    while reader.left:
        head = reader.read(AttributeHeader, "attribute")
        attributes.append(Attribute(head.type, reader.take(head.length, "value"), head.critical))
    return tuple(attributes)


@wire(size=8)
@dataclass(frozen=True, slots=True)
class ManagementAttributes:
    """Get and Set Encryption Management Attributes page (0022h)."""

    # fmt: off
    page_code:   InPage                = uint(0, 2, InPage, default=InPage.GET_MANAGEMENT_ATTRIBUTES)
    caod:        bool                  = bits(5, 0, 0, bool)  # clear attributes on demount
    page_length: int                   = uint(6, 2)
    attributes:  tuple[Attribute, ...] = rest(8, decode_attributes, encode_attributes)
    # fmt: on


def encode_management_attributes(attributes: Iterable[Attribute], *, caod: bool = False) -> bytes:
    """Write page 0022h of either direction."""
    attributes = tuple(attributes)
    length = len(encode_attributes(attributes))
    return encode(ManagementAttributes(caod=caod, page_length=length, attributes=attributes))


def decode_management_attributes(data: bytes) -> ManagementAttributes:
    """Read page 0022h of either direction. Bytes behind PAGE LENGTH are ignored."""
    head = Reader(data, "ManagementAttributes")
    code = head.number(2, "page code")
    head.take(4, "flags")
    length = head.number(2, "page length")
    if code != InPage.GET_MANAGEMENT_ATTRIBUTES:
        raise Malformed("ManagementAttributes is another page", why=f"page code {code:04X}h")
    if length > head.left:
        raise Malformed("ManagementAttributes is cut short", why=f"{length} bytes are announced, {head.left} came")
    return decode(ManagementAttributes, data[: size_of(ManagementAttributes) + length])


def read_management_attributes(room: int = ROOM) -> Command:
    """Ask for the encryption management attributes."""
    return read_page(InPage.GET_MANAGEMENT_ATTRIBUTES, room)


def set_management_attributes(attributes: Iterable[Attribute], *, caod: bool = False) -> Command:
    """Set the encryption management attributes."""
    data = encode_management_attributes(attributes, caod=caod)
    return security_protocol_out(SecurityProtocol.TAPE_DATA_ENCRYPTION, OutPage.SET_MANAGEMENT_ATTRIBUTES, data)


@wire(size=4)
@dataclass(frozen=True, slots=True)
class CriterionHeader:
    """Head of a key selection criterion, and of a key wrapping attribute."""

    # fmt: off
    critical: bool = bits(0, 7, 7, bool)
    type:     int  = uint(0, 2, high=14)  # a SelectionType or a WrappingType
    length:   int  = uint(2, 2)
    # fmt: on


@dataclass(frozen=True, slots=True)
class Criterion:
    """One entry in the value of KEY_SELECTION_CRITERIA or KEY_WRAPPING."""

    type: int
    value: bytes
    critical: bool = False


def encode_criteria(criteria: Iterable[Criterion]) -> bytes:
    """Write criteria one behind the other."""
    return b"".join(encode(CriterionHeader(one.critical, one.type, len(one.value))) + one.value for one in criteria)


def decode_criteria(data: bytes) -> tuple[Criterion, ...]:
    """Read the value of KEY_SELECTION_CRITERIA or KEY_WRAPPING to its end."""
    reader = Reader(data, "list of criteria")
    criteria = []
    while reader.left:
        head = reader.read(CriterionHeader, "criterion")
        criteria.append(Criterion(head.type, reader.take(head.length, "value"), head.critical))
    return tuple(criteria)
