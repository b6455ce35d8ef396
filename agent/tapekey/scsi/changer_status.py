"""The data of READ ELEMENT STATUS, SMC-3 (reference 8.2): what is in each element of a library.

Every descriptor of a page has the length that the page's header says; a longer one than ours is stepped over by it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from tapekey.errors import Malformed
from tapekey.scsi import received
from tapekey.scsi.changer import ElementType
from tapekey.scsi.vital import Association, CodeSet, DesignatorType
from tapekey.wire.codes import Code
from tapekey.wire.layout import Reader, bits, decode, encode, size_of, text, uint, wire


class MediumType(Code):
    """MEDIUM TYPE of a descriptor (SMC-3)."""

    UNSPECIFIED = 0
    DATA = 1
    CLEANING = 2
    DIAGNOSTICS = 3
    WRITE_ONCE = 4
    MICROCODE = 5


# fmt: off
@wire(size=8)
@dataclass(frozen=True, slots=True)
class StatusHeader:
    """Header of all the data; `length` is what there is, however much room was given."""

    first:  int = uint(0, 2)
    count:  int = uint(2, 2)
    length: int = uint(5, 3)


@wire(size=8)
@dataclass(frozen=True, slots=True)
class PageHeader:
    """Header before the descriptors of one element type."""

    type:              ElementType = uint(0, 1, ElementType)
    volume_tags:       bool        = bits(1, 7, 7, bool)
    alternate_tags:    bool        = bits(1, 6, 6, bool)
    descriptor_length: int         = uint(2, 2)
    length:            int         = uint(5, 3)


@wire(size=12)
@dataclass(frozen=True, slots=True)
class ElementState:
    """The first twelve bytes of a descriptor. `source` is the storage element the cartridge came from, if valid."""

    address:      int        = uint( 0, 2)
    import_able:  bool       = bits( 2, 5, 5, bool)  # INENAB
    export_able:  bool       = bits( 2, 4, 4, bool)  # EXENAB
    accessible:   bool       = bits( 2, 3, 3, bool)
    exception:    bool       = bits( 2, 2, 2, bool)
    by_operator:  bool       = bits( 2, 1, 1, bool)  # IMPEXP
    full:         bool       = bits( 2, 0, 0, bool)
    asc:          int        = uint( 4, 1)
    ascq:         int        = uint( 5, 1)
    source_valid: bool       = bits( 9, 7, 7, bool)
    inverted:     bool       = bits( 9, 6, 6, bool)
    disabled:     bool       = bits( 9, 3, 3, bool)
    medium_type:  MediumType = bits( 9, 2, 0, MediumType)
    source:       int        = uint(10, 2)


@wire(size=36)
@dataclass(frozen=True, slots=True)
class VolumeTag:
    """A volume tag: the barcode, and a sequence number that libraries leave at zero."""

    barcode:  str = text( 0, 32)
    sequence: int = uint(34,  2)


@wire(size=4)
@dataclass(frozen=True, slots=True)
class NameHeader:
    """Header of the drive's name; length 0 says that there is none."""

    code_set:    CodeSet        = bits(0, 3, 0, CodeSet)
    association: Association    = bits(1, 5, 4, Association)
    kind:        DesignatorType = bits(1, 3, 0, DesignatorType)
    length:      int            = uint(3, 1)
# fmt: on


@dataclass(frozen=True, slots=True)
class DriveName:
    """What DVCID says of a drive: serial (ASCII, vendor specific), T10 name of 34 bytes, or NAA in binary."""

    code_set: CodeSet
    kind: DesignatorType
    value: bytes


@dataclass(frozen=True, slots=True)
class Element:
    """One element. `barcode` is None where no tags were asked for or are told."""

    state: ElementState
    barcode: str | None = None
    name: DriveName | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """The elements of one type."""

    type: ElementType
    elements: tuple[Element, ...]


NO_NAME: Final = NameHeader(code_set=CodeSet(0), kind=DesignatorType(0))


def descriptor_length(*, volume_tags: bool, longest_name: int = 0) -> int:
    """How long the descriptors of a page are."""
    return size_of(ElementState) + (size_of(VolumeTag) if volume_tags else 0) + size_of(NameHeader) + longest_name


def encode_element(element: Element, length: int, *, volume_tags: bool) -> bytes:
    """Write one descriptor, padded to its page's length."""
    tag = encode(VolumeTag(barcode=element.barcode or "")) if volume_tags and element.barcode else b""
    if volume_tags and not tag:
        tag = bytes(size_of(VolumeTag))
    return (encode(element.state) + tag + _encode_name(element.name)).ljust(length, b"\0")


def encode_page(type: ElementType, descriptors: Sequence[bytes], length: int, *, volume_tags: bool) -> bytes:
    """Write a page around its descriptors, all of the same length."""
    body = b"".join(descriptors)
    header = PageHeader(type=type, volume_tags=volume_tags, descriptor_length=length, length=len(body))
    return encode(header) + body


def encode_status(first: int, count: int, pages: Iterable[bytes]) -> bytes:
    """Write the whole: the lowest address told, how many elements, their pages."""
    body = b"".join(pages)
    return encode(StatusHeader(first=first, count=count, length=len(body))) + body


def announced(data: bytes) -> int:
    """How many bytes there are to fetch in all."""
    return decode(StatusHeader, data).length + size_of(StatusHeader)


def decode_status(data: bytes) -> tuple[Page, ...]:
    """Read the whole; a last page that was cut at the allocation length is read as far as it came."""
    header = decode(StatusHeader, data)
    reader = Reader(received.behind(data, size_of(StatusHeader), header.length), "the element status")
    pages = []
    while reader.left:
        pages.append(_decode_page(reader))
    return tuple(pages)


def _decode_page(reader: Reader) -> Page:
    header = reader.read(PageHeader, "a page's header")
    least = descriptor_length(volume_tags=header.volume_tags) - size_of(NameHeader)
    if header.alternate_tags:
        least += size_of(VolumeTag)
    if header.descriptor_length < least:
        raise Malformed("an element descriptor is too short", why=f"{header.descriptor_length} bytes, not {least}")
    body = reader.take(min(header.length, reader.left), "a page's descriptors")
    size = header.descriptor_length
    found = (_decode_element(body[at : at + size], header) for at in range(0, len(body) - size + 1, size))
    return Page(header.type, tuple(found))


def _decode_element(image: bytes, header: PageHeader) -> Element:
    reader = Reader(image, "an element descriptor")
    state = reader.read(ElementState, "the element's state")
    barcode = None
    if header.volume_tags:
        barcode = reader.read(VolumeTag, "the volume tag").barcode
    if header.alternate_tags:
        reader.take(size_of(VolumeTag), "the alternate tag")
    return Element(state, barcode, _decode_name(reader))


def _decode_name(reader: Reader) -> DriveName | None:
    if reader.left < size_of(NameHeader):
        return None
    header = reader.read(NameHeader, "the drive's name")
    value = reader.take(min(header.length, reader.left), "the drive's name")
    return DriveName(header.code_set, header.kind, value) if value else None


def _encode_name(name: DriveName | None) -> bytes:
    if name is None:
        return encode(NO_NAME)
    return encode(replace(NO_NAME, code_set=name.code_set, kind=name.kind, length=len(name.value))) + name.value
