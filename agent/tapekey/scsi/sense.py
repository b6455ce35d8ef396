"""Sense data, fixed and descriptor format (SPC-4): what a device says about a command that did not simply succeed.

Sense is cut to the host's buffer on its way, so fields behind the header that did not arrive read as zero, and a
descriptor that is cut ends the list. Without its first eight bytes sense is `Malformed`, and so is no sense at all.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from tapekey.errors import Malformed
from tapekey.wire.codes import Code
from tapekey.wire.layout import bits, decode, encode, field_at, octets, place_of, rest, sint, size_of, uint, wire

HEADER = 8


class SenseKey(Code):
    """SENSE KEY: the kind of answer."""

    NO_SENSE = 0x0
    RECOVERED_ERROR = 0x1
    NOT_READY = 0x2
    MEDIUM_ERROR = 0x3
    HARDWARE_ERROR = 0x4
    ILLEGAL_REQUEST = 0x5
    UNIT_ATTENTION = 0x6
    DATA_PROTECT = 0x7
    BLANK_CHECK = 0x8
    VENDOR_SPECIFIC = 0x9
    COPY_ABORTED = 0xA
    ABORTED_COMMAND = 0xB
    VOLUME_OVERFLOW = 0xD
    MISCOMPARE = 0xE
    COMPLETED = 0xF


class Response(Code):
    """RESPONSE CODE: format, and whether the error belongs to an earlier command."""

    FIXED = 0x70
    FIXED_DEFERRED = 0x71
    DESCRIPTOR = 0x72
    DESCRIPTOR_DEFERRED = 0x73


class DescriptorType(Code):
    """DESCRIPTOR TYPE in descriptor format."""

    INFORMATION = 0x00
    COMMAND_SPECIFIC = 0x01
    SENSE_KEY_SPECIFIC = 0x02
    FIELD_REPLACEABLE_UNIT = 0x03
    STREAM = 0x04


@dataclass(frozen=True, slots=True)
class FieldPointer:
    """The field that the device objects to: a byte, perhaps a bit, of the CDB or of the parameter list."""

    byte: int
    bit: int | None = None
    in_cdb: bool = False


@dataclass(frozen=True, slots=True)
class Sense:
    """What the device said, whichever format it came in.

    information  the signed residual, or None where the device does not vouch for it
    field        only with ILLEGAL REQUEST
    """

    key: SenseKey
    asc: int = 0
    ascq: int = 0
    information: int | None = None
    command_specific: int = 0
    filemark: bool = False
    eom: bool = False
    ili: bool = False
    deferred: bool = False
    field: FieldPointer | None = None

    @property
    def code(self) -> str:
        """Key, ASC and ASCQ in hex, such as 7/74/03."""
        return f"{self.key:X}/{self.asc:02X}/{self.ascq:02X}"


@wire(size=3)
@dataclass(frozen=True, slots=True)
class KeySpecific:
    """SENSE KEY SPECIFIC with ILLEGAL REQUEST: the field pointer."""

    # fmt: off
    sksv:          bool = bits(0, 7, 7, bool)
    in_cdb:        bool = bits(0, 6, 6, bool)
    bpv:           bool = bits(0, 3, 3, bool)
    bit_pointer:   int  = bits(0, 2, 0)
    field_pointer: int  = uint(1, 2)
    # fmt: on


@wire(size=18)
@dataclass(frozen=True, slots=True)
class FixedSense:
    """Fixed format, response codes 70h and 71h."""

    # fmt: off
    valid:             bool     = bits( 0, 7, 7, bool)
    response:          Response = bits( 0, 6, 0, Response, default=Response.FIXED)
    filemark:          bool     = bits( 2, 7, 7, bool)
    eom:               bool     = bits( 2, 6, 6, bool)
    ili:               bool     = bits( 2, 5, 5, bool)
    sdat_ovfl:         bool     = bits( 2, 4, 4, bool)
    sense_key:         SenseKey = bits( 2, 3, 0, SenseKey)
    information:       int      = sint( 3, 4)
    additional_length: int      = uint( 7, 1)
    command_specific:  int      = uint( 8, 4)
    asc:               int      = uint(12, 1)
    ascq:              int      = uint(13, 1)
    fru:               int      = uint(14, 1)
    key_specific:      bytes    = octets(15, 3)
    # fmt: on


@wire(size=HEADER)
@dataclass(frozen=True, slots=True)
class DescriptorSense:
    """Descriptor format, response codes 72h and 73h, up to the descriptors."""

    # fmt: off
    response:          Response = bits(0, 6, 0, Response, default=Response.DESCRIPTOR)
    sense_key:         SenseKey = bits(1, 3, 0, SenseKey)
    asc:               int      = uint(2, 1)
    ascq:              int      = uint(3, 1)
    sdat_ovfl:         bool     = bits(4, 7, 7, bool)
    additional_length: int      = uint(7, 1)
    descriptors:       bytes    = rest(HEADER)
    # fmt: on


@wire(size=12)
@dataclass(frozen=True, slots=True)
class InformationDescriptor:
    """Information (00h)."""

    # fmt: off
    type:        DescriptorType = uint(0, 1, DescriptorType, default=DescriptorType.INFORMATION)
    length:      int            = uint(1, 1, default=10)
    valid:       bool           = bits(2, 7, 7, bool)
    information: int            = sint(4, 8)
    # fmt: on


@wire(size=12)
@dataclass(frozen=True, slots=True)
class CommandDescriptor:
    """Command-specific information (01h)."""

    # fmt: off
    type:             DescriptorType = uint(0, 1, DescriptorType, default=DescriptorType.COMMAND_SPECIFIC)
    length:           int            = uint(1, 1, default=10)
    command_specific: int            = uint(4, 8)
    # fmt: on


@wire(size=8)
@dataclass(frozen=True, slots=True)
class KeySpecificDescriptor:
    """Sense key specific (02h)."""

    # fmt: off
    type:         DescriptorType = uint(0, 1, DescriptorType, default=DescriptorType.SENSE_KEY_SPECIFIC)
    length:       int            = uint(1, 1, default=6)
    key_specific: bytes          = octets(4, 3)
    # fmt: on


@wire(size=4)
@dataclass(frozen=True, slots=True)
class StreamDescriptor:
    """Stream commands (04h): the flags of tapes."""

    # fmt: off
    type:     DescriptorType = uint(0, 1, DescriptorType, default=DescriptorType.STREAM)
    length:   int            = uint(1, 1, default=2)
    filemark: bool           = bits(3, 7, 7, bool)
    eom:      bool           = bits(3, 6, 6, bool)
    ili:      bool           = bits(3, 5, 5, bool)
    # fmt: on


Descriptor = InformationDescriptor | CommandDescriptor | KeySpecificDescriptor | StreamDescriptor

DESCRIPTORS: Mapping[DescriptorType, type[Descriptor]] = {
    DescriptorType.INFORMATION: InformationDescriptor,
    DescriptorType.COMMAND_SPECIFIC: CommandDescriptor,
    DescriptorType.SENSE_KEY_SPECIFIC: KeySpecificDescriptor,
    DescriptorType.STREAM: StreamDescriptor,
}


def decode_sense(data: bytes) -> Sense:
    """Read sense data of either format."""
    if len(data) < HEADER:
        raise Malformed("sense data is cut short", why=f"{len(data)} bytes of at least {HEADER}")
    response = Response(data[0] & 0x7F)
    image = data[: HEADER + data[HEADER - 1]]
    if response in (Response.FIXED, Response.FIXED_DEFERRED):
        return _from_fixed(decode(FixedSense, image.ljust(size_of(FixedSense), b"\0")))
    if response in (Response.DESCRIPTOR, Response.DESCRIPTOR_DEFERRED):
        return _from_descriptors(decode(DescriptorSense, image))
    raise Malformed("sense data has no known format", why=f"response code {data[0]:02X}h")


def encode_fixed(sense: Sense, length: int = 18) -> bytes:
    """Write fixed format, padded with zeros to `length`. INFORMATION that does not fit 32 bits is left out."""
    fits = sense.information is not None and -(2**31) <= sense.information < 2**31
    page = FixedSense(
        valid=fits,
        response=Response.FIXED_DEFERRED if sense.deferred else Response.FIXED,
        filemark=sense.filemark,
        eom=sense.eom,
        ili=sense.ili,
        sense_key=sense.key,
        information=sense.information or 0 if fits else 0,
        additional_length=length - HEADER,
        command_specific=sense.command_specific & 0xFFFFFFFF,
        asc=sense.asc,
        ascq=sense.ascq,
        key_specific=_key_specific(sense.field),
    )
    return encode(page).ljust(length, b"\0")


def encode_descriptor(sense: Sense) -> bytes:
    """Write descriptor format, with a descriptor for each thing that there is to say."""
    parts: list[Descriptor] = []
    if sense.information is not None:
        parts.append(InformationDescriptor(valid=True, information=sense.information))
    if sense.command_specific:
        parts.append(CommandDescriptor(command_specific=sense.command_specific))
    if sense.field:
        parts.append(KeySpecificDescriptor(key_specific=_key_specific(sense.field)))
    if sense.filemark or sense.eom or sense.ili:
        parts.append(StreamDescriptor(filemark=sense.filemark, eom=sense.eom, ili=sense.ili))
    tail = b"".join(encode(part) for part in parts)
    page = DescriptorSense(
        response=Response.DESCRIPTOR_DEFERRED if sense.deferred else Response.DESCRIPTOR,
        sense_key=sense.key,
        asc=sense.asc,
        ascq=sense.ascq,
        additional_length=len(tail),
        descriptors=tail,
    )
    return encode(page)


def field_name(structure: type, pointer: FieldPointer) -> str:
    """Name the field of a wire structure that a pointer points at, as a manual prints it: ALGORITHM INDEX."""
    name = field_at(structure, pointer.byte, pointer.bit)
    if name:
        return name.replace("_", " ").upper()
    return f"byte {pointer.byte}" if pointer.bit is None else f"byte {pointer.byte} bit {pointer.bit}"


def point_at(structure: type, name: str, *, in_cdb: bool = False) -> FieldPointer:
    """The pointer by which a device objects to a field: its first byte and, in that, its most significant bit."""
    byte, bit = place_of(structure, name)
    return FieldPointer(byte, bit, in_cdb)


def _from_fixed(page: FixedSense) -> Sense:
    return Sense(
        page.sense_key,
        page.asc,
        page.ascq,
        information=page.information if page.valid else None,
        command_specific=page.command_specific,
        filemark=page.filemark,
        eom=page.eom,
        ili=page.ili,
        deferred=page.response is Response.FIXED_DEFERRED,
        field=_field(page.sense_key, page.key_specific),
    )


def _from_descriptors(page: DescriptorSense) -> Sense:
    deferred = page.response is Response.DESCRIPTOR_DEFERRED
    sense = Sense(page.sense_key, page.asc, page.ascq, deferred=deferred)
    for part in _descriptors(page.descriptors):
        match part:
            case InformationDescriptor():
                sense = replace(sense, information=part.information if part.valid else None)
            case CommandDescriptor():
                sense = replace(sense, command_specific=part.command_specific)
            case KeySpecificDescriptor():
                sense = replace(sense, field=_field(sense.key, part.key_specific))
            case StreamDescriptor():
                sense = replace(sense, filemark=part.filemark, eom=part.eom, ili=part.ili)
    return sense


def _descriptors(data: bytes) -> Iterator[Descriptor]:
    while len(data) >= 2:
        size = 2 + data[1]
        structure = DESCRIPTORS.get(DescriptorType(data[0]))
        if structure and size_of(structure) <= min(size, len(data)):
            yield decode(structure, data[:size])
        data = data[size:]


def _field(key: SenseKey, image: bytes) -> FieldPointer | None:
    specific = decode(KeySpecific, image)
    if key != SenseKey.ILLEGAL_REQUEST or not specific.sksv:
        return None
    return FieldPointer(specific.field_pointer, specific.bit_pointer if specific.bpv else None, specific.in_cdb)


def _key_specific(field: FieldPointer | None) -> bytes:
    if field is None:
        return bytes(size_of(KeySpecific))
    return encode(
        KeySpecific(
            sksv=True,
            in_cdb=field.in_cdb,
            bpv=field.bit is not None,
            bit_pointer=field.bit or 0,
            field_pointer=field.byte,
        )
    )
