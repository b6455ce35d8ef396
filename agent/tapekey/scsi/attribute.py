"""Cartridge memory (MAM): READ ATTRIBUTE (8Ch) and WRITE ATTRIBUTE (8Dh), SPC-4 (reference 4.1).

Identifiers, lengths and ranges are in `attribute_table`. Values come from a cartridge, so nothing here trusts
a length, and a value that does not arrive whole is no value.
"""

import struct
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Final

from tapekey.exchange import Command
from tapekey.scsi import received
from tapekey.scsi.attribute_table import AttributeId, Format, kind_of
from tapekey.scsi.codes import Opcode
from tapekey.scsi.counter import Counter, counter
from tapekey.wire.codes import Code
from tapekey.wire.layout import Reader, bits, decode, encode, size_of, uint, wire

ROOM: Final = 65_536
TIMEOUT: Final = 300.0  # the chip is written through, and the drive may be moving
_PADDING = " \0"


class ReadAction(Code):
    """SERVICE ACTION of READ ATTRIBUTE."""

    VALUES = 0x00
    LIST = 0x01
    LOGICAL_VOLUMES = 0x02
    PARTITIONS = 0x03
    RESTRICTED = 0x04
    SUPPORTED = 0x05


# fmt: off
@wire(size=16)
@dataclass(frozen=True, slots=True)
class ReadAttribute:
    """READ ATTRIBUTE (8Ch); `cache` lets the drive answer with the attributes of the last volume."""

    opcode:    Opcode      = uint( 0, 1, Opcode, default=Opcode.READ_ATTRIBUTE)
    action:    ReadAction  = bits( 1, 4, 0, ReadAction)
    volume:    int         = uint( 5, 1)
    partition: int         = uint( 7, 1)
    first:     AttributeId = uint( 8, 2, AttributeId)
    room:      int         = uint(10, 4)
    cache:     bool        = bits(14, 0, 0, bool)
    control:   int         = uint(15, 1)


@wire(size=16)
@dataclass(frozen=True, slots=True)
class WriteAttribute:
    """WRITE ATTRIBUTE (8Dh)."""

    opcode:        Opcode = uint( 0, 1, Opcode, default=Opcode.WRITE_ATTRIBUTE)
    write_through: bool   = bits( 1, 0, 0, bool)
    volume:        int    = uint( 5, 1)
    partition:     int    = uint( 7, 1)
    length:        int    = uint(10, 4)
    control:       int    = uint(15, 1)


@wire(size=5)
@dataclass(frozen=True, slots=True)
class AttributeHeader:
    """First five bytes of an attribute."""

    id:        AttributeId = uint(0, 2, AttributeId)
    read_only: bool        = bits(2, 7, 7, bool)
    format:    Format      = bits(2, 1, 0, Format)
    length:    int         = uint(3, 2)


@wire(size=4)
@dataclass(frozen=True, slots=True)
class Numbering:
    """Data of the service actions 02h and 03h: the first logical volume or partition, and how many there are."""

    length: int = uint(0, 2, default=2)
    first:  int = uint(2, 1)
    count:  int = uint(3, 1)
# fmt: on


@dataclass(frozen=True, slots=True)
class Attribute:
    """One attribute as it stands in the chip."""

    id: AttributeId
    value: bytes
    format: Format = Format.BINARY
    read_only: bool = False


def read_attribute(identifier: int, partition: int = 0, *, room: int | None = None) -> Command:
    """Ask for the value of one attribute; the drive may append those that follow, as far as there is room."""
    if room is None:
        length = kind_of(identifier).length
        room = ROOM if length is None else 4 + size_of(AttributeHeader) + length
    return _read(ReadAction.VALUES, identifier, partition, room)


def read_attributes(first: int = 0, partition: int = 0, *, room: int = ROOM) -> Command:
    """Ask for all attributes from `first` on, with values."""
    return _read(ReadAction.VALUES, first, partition, room)


def list_attributes(first: int = 0, partition: int = 0) -> Command:
    """Ask which attributes exist."""
    return _read(ReadAction.LIST, first, partition, ROOM)


def list_supported(first: int = 0, partition: int = 0) -> Command:
    """Ask which attributes could exist, among them those of the host that do not yet."""
    return _read(ReadAction.SUPPORTED, first, partition, ROOM)


def list_volumes() -> Command:
    """Ask for the number of logical volumes."""
    return _read(ReadAction.LOGICAL_VOLUMES, 0, 0, size_of(Numbering))


def list_partitions() -> Command:
    """Ask for the number of partitions."""
    return _read(ReadAction.PARTITIONS, 0, 0, size_of(Numbering))


def write_attributes(attributes: Iterable[Attribute], partition: int = 0, *, write_through: bool = True) -> Command:
    """Write attributes, into the chip itself unless told otherwise. An empty value removes the attribute."""
    data = encode_attributes(attributes)
    cdb = WriteAttribute(write_through=write_through, partition=partition, length=len(data))
    return Command(encode(cdb), data_out=data, timeout=TIMEOUT)


def remove_attribute(identifier: int, partition: int = 0) -> Command:
    """Remove an attribute of the host: write it with no value."""
    return write_attributes([attribute(identifier, b"")], partition)


def attribute(identifier: int, value: bytes) -> Attribute:
    """An attribute for writing, in its format and padded to its length; longer values are the caller's mistake."""
    kind = kind_of(identifier)
    if value and kind.length is not None:
        if len(value) > kind.length:
            raise ValueError(f"attribute {identifier:04X}h takes {kind.length} bytes, not {len(value)}")
        value = value.ljust(kind.length, _FILL[kind.format])
    return Attribute(AttributeId(identifier), value, kind.format)


def encode_attribute(item: Attribute) -> bytes:
    """Write one attribute."""
    header = AttributeHeader(id=item.id, read_only=item.read_only, format=item.format, length=len(item.value))
    return encode(header) + item.value


def encode_attributes(attributes: Iterable[Attribute]) -> bytes:
    """Write a list of attributes in ascending order: data of READ ATTRIBUTE 00h, and of WRITE ATTRIBUTE."""
    body = b"".join(encode_attribute(item) for item in sorted(attributes, key=lambda item: item.id))
    return len(body).to_bytes(4, "big") + body


def decode_attributes(data: bytes) -> tuple[Attribute, ...]:
    """Read the data of READ ATTRIBUTE 00h, all of it: an attribute that the room cut off is refused."""
    return _attributes(_body(data))


def decode_written(data: bytes) -> tuple[Attribute, ...]:
    """Read the list of WRITE ATTRIBUTE, in its order; its own length field is ignored, as devices do."""
    received.fixed(data, 4, "an attribute list")
    return _attributes(data[4:])


def decode_attribute(data: bytes, identifier: int) -> Attribute | None:
    """Read the first attribute of READ ATTRIBUTE 00h: the wanted one, or None if it does not exist.

    A drive answers with the next one that exists; what follows the first may be cut off by the room.
    """
    reader = Reader(_body(data), "an attribute list")
    if not reader.left:
        return None
    first = _attribute(reader)
    return first if first.id == identifier else None


def encode_ids(identifiers: Iterable[int]) -> bytes:
    """Write the data of the service actions 01h and 05h."""
    body = b"".join(identifier.to_bytes(2, "big") for identifier in sorted(identifiers))
    return len(body).to_bytes(4, "big") + body


def decode_ids(data: bytes) -> tuple[AttributeId, ...]:
    """Read the data of the service actions 01h and 05h."""
    reader = Reader(_body(data), "an attribute list")
    count = reader.left // 2
    found = struct.unpack(f">{count}H", reader.take(2 * count, "attribute identifiers"))
    if reader.left:
        reader.number(2, "an attribute identifier")  # half of one: Malformed
    return tuple(map(_identifier, found))


@cache
def _identifier(number: int) -> AttributeId:
    """A drive lists hundreds that our table does not have."""
    return AttributeId(number)


def announced(data: bytes) -> int:
    """How many bytes an answer says that it has behind its length field. Some drives put the room there."""
    return int.from_bytes(received.fixed(data, 4, "an attribute list"), "big")


def decode_numbering(data: bytes) -> Numbering:
    """Read the data of the service actions 02h and 03h."""
    return decode(Numbering, data)


def words(item: Attribute) -> str:
    """The text of an ASCII or TEXT value, without the spaces and NULs that writers pad with."""
    return item.value.decode("utf-8", "replace").strip(_PADDING)


def number(item: Attribute) -> int:
    """The number that a binary value is."""
    return received.number(item.value, f"attribute {item.id:04X}h")


def block(item: Attribute) -> Counter:
    """A block number of 0224h or 0225h, or why there is none."""
    return counter(number(item), 8)


_FILL: Final = {Format.BINARY: b"\0", Format.ASCII: b" ", Format.TEXT: b"\0"}


def _read(action: ReadAction, first: int, partition: int, room: int) -> Command:
    cdb = ReadAttribute(action=action, partition=partition, first=AttributeId(first), room=room)
    return Command(encode(cdb), data_in_max=room, timeout=TIMEOUT)


def _body(data: bytes) -> bytes:
    return received.behind(data, 4, int.from_bytes(received.fixed(data, 4, "an attribute list"), "big"))


def _attribute(reader: Reader) -> Attribute:
    header = reader.read(AttributeHeader, "an attribute's header")
    value = reader.take(header.length, f"attribute {header.id:04X}h")
    return Attribute(header.id, value, header.format, header.read_only)


def _attributes(body: bytes) -> tuple[Attribute, ...]:
    reader = Reader(body, "an attribute list")
    found = []
    while reader.left:
        found.append(_attribute(reader))
    return tuple(found)
