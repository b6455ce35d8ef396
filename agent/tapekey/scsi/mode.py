"""MODE SENSE and MODE SELECT (6: 1Ah, 15h; 10: 5Ah, 55h), SPC-4: headers, block descriptor, and the answer taken apart.

The pages themselves are in `mode_page`. A page is kept as the bytes that came; `Answer.read` gives it its structure,
so that pages nobody knows survive reading and are never rewritten.
"""

from dataclasses import dataclass, replace
from typing import Final, TypeVar

from tapekey.errors import Malformed
from tapekey.exchange import Command
from tapekey.scsi import received
from tapekey.scsi.codes import Opcode
from tapekey.scsi.mode_page import ModePage, Structure
from tapekey.wire.codes import Code
from tapekey.wire.layout import Reader, bits, decode, encode, size_of, uint, wire

ROOM_6: Final = 0xFF
ROOM_10: Final = 4_096
TIMEOUT: Final = 360.0  # MODE SELECT may wait for the medium
_SUBPAGE_FORMAT: Final = 0x40
_SAVEABLE: Final = 0x80
_CODE: Final = 0x3F

P = TypeVar("P", bound=Structure)


class Control(Code):
    """PC of MODE SENSE: which values."""

    CURRENT = 0b00
    CHANGEABLE = 0b01
    DEFAULT = 0b10
    SAVED = 0b11


# fmt: off
@wire(size=6)
@dataclass(frozen=True, slots=True)
class ModeSense6:
    """MODE SENSE (1Ah)."""

    opcode:        Opcode   = uint(0, 1, Opcode, default=Opcode.MODE_SENSE_6)
    no_descriptor: bool     = bits(1, 3, 3, bool)
    page_control:  Control  = bits(2, 7, 6, Control)
    page:          ModePage = bits(2, 5, 0, ModePage)
    subpage:       int      = uint(3, 1)
    room:          int      = uint(4, 1)
    control:       int      = uint(5, 1)


@wire(size=10)
@dataclass(frozen=True, slots=True)
class ModeSense10:
    """MODE SENSE (5Ah)."""

    opcode:          Opcode   = uint(0, 1, Opcode, default=Opcode.MODE_SENSE_10)
    long_descriptor: bool     = bits(1, 4, 4, bool)
    no_descriptor:   bool     = bits(1, 3, 3, bool)
    page_control:    Control  = bits(2, 7, 6, Control)
    page:            ModePage = bits(2, 5, 0, ModePage)
    subpage:         int      = uint(3, 1)
    room:            int      = uint(7, 2)
    control:         int      = uint(9, 1)


@wire(size=6)
@dataclass(frozen=True, slots=True)
class ModeSelect6:
    """MODE SELECT (15h)."""

    opcode:      Opcode = uint(0, 1, Opcode, default=Opcode.MODE_SELECT_6)
    page_format: bool   = bits(1, 4, 4, bool)
    save:        bool   = bits(1, 0, 0, bool)
    length:      int    = uint(4, 1)
    control:     int    = uint(5, 1)


@wire(size=10)
@dataclass(frozen=True, slots=True)
class ModeSelect10:
    """MODE SELECT (55h)."""

    opcode:      Opcode = uint(0, 1, Opcode, default=Opcode.MODE_SELECT_10)
    page_format: bool   = bits(1, 4, 4, bool)
    save:        bool   = bits(1, 0, 0, bool)
    length:      int    = uint(7, 2)
    control:     int    = uint(9, 1)


@wire(size=4)
@dataclass(frozen=True, slots=True)
class Header6:
    """Mode parameter header (6); `length` counts the bytes behind it and is 0 in MODE SELECT."""

    length:            int  = uint(0, 1)
    medium_type:       int  = uint(1, 1)
    write_protected:   bool = bits(2, 7, 7, bool)
    buffered:          int  = bits(2, 6, 4)
    speed:             int  = bits(2, 3, 0)
    descriptor_length: int  = uint(3, 1)


@wire(size=8)
@dataclass(frozen=True, slots=True)
class Header10:
    """Mode parameter header (10); `length` counts the bytes behind it and is 0 in MODE SELECT."""

    length:            int  = uint(0, 2)
    medium_type:       int  = uint(2, 1)
    write_protected:   bool = bits(3, 7, 7, bool)
    buffered:          int  = bits(3, 6, 4)
    speed:             int  = bits(3, 3, 0)
    long_descriptor:   bool = bits(4, 0, 0, bool)
    descriptor_length: int  = uint(6, 2)


@wire(size=8)
@dataclass(frozen=True, slots=True)
class BlockDescriptor:
    """Block descriptor; a block length of 0 means variable blocks."""

    density:      int = uint(0, 1)
    blocks:       int = uint(1, 3)
    block_length: int = uint(5, 3)
# fmt: on


@dataclass(frozen=True, slots=True)
class RawPage:
    """A mode page as it came, with its own header."""

    image: bytes

    @property
    def page(self) -> ModePage:
        return ModePage(self.image[0] & _CODE)

    @property
    def subpage(self) -> int:
        has_one = self.page != ModePage.VENDOR and self.image[0] & _SUBPAGE_FORMAT
        return self.image[1] if has_one else 0


@dataclass(frozen=True, slots=True)
class Answer:
    """The data of MODE SENSE or MODE SELECT, in whichever of the two lengths of header it came."""

    medium_type: int = 0
    write_protected: bool = False
    buffered: int = 0
    speed: int = 0
    descriptor: BlockDescriptor | None = None
    pages: tuple[RawPage, ...] = ()

    def find(self, page: ModePage, subpage: int = 0) -> RawPage | None:
        """A page as it came, or None if it is not there."""
        return next((item for item in self.pages if (item.page, item.subpage) == (page, subpage)), None)

    def read(self, structure: type[P]) -> P | None:
        """A page with its structure, or None if it is not there."""
        wanted = structure()
        raw = self.find(wanted.page, subpage_of(wanted))
        return None if raw is None else decode(structure, raw.image)


def subpage_of(page: Structure) -> int:
    """The subpage that a page structure is; 0 if it is a page without."""
    return int(getattr(page, "subpage", 0))


def mode_sense(
    page: ModePage, subpage: int = 0, *, values: Control = Control.CURRENT, descriptor: bool = True, room: int = ROOM_10
) -> Command:
    """Ask for a page with MODE SENSE(10)."""
    cdb = ModeSense10(no_descriptor=not descriptor, page_control=values, page=page, subpage=subpage, room=room)
    return Command(encode(cdb), data_in_max=room)


def mode_sense_6(
    page: ModePage, subpage: int = 0, *, values: Control = Control.CURRENT, descriptor: bool = True, room: int = ROOM_6
) -> Command:
    """Ask for a page with MODE SENSE(6)."""
    cdb = ModeSense6(no_descriptor=not descriptor, page_control=values, page=page, subpage=subpage, room=room)
    return Command(encode(cdb), data_in_max=room)


def mode_select(answer: Answer, *, save: bool = False) -> Command:
    """Set pages with MODE SELECT(10); give what was read, with the page changed."""
    data = encode_selection_10(answer)
    cdb = ModeSelect10(page_format=True, save=save, length=len(data))
    return Command(encode(cdb), data_out=data, timeout=TIMEOUT)


def mode_select_6(answer: Answer, *, save: bool = False) -> Command:
    """Set pages with MODE SELECT(6)."""
    data = encode_selection_6(answer)
    cdb = ModeSelect6(page_format=True, save=save, length=len(data))
    return Command(encode(cdb), data_out=data, timeout=TIMEOUT)


def raw(page: Structure) -> RawPage:
    """A page structure as bytes, its length field set to what they are."""
    image = encode(page)
    header = 4 if image[0] & _SUBPAGE_FORMAT else 2
    return RawPage(encode(replace(page, length=len(image) - header)))


def encode_answer_10(answer: Answer) -> bytes:
    """Write the data of MODE SENSE(10)."""
    body = _body(answer)
    header = replace(_header_10(answer), length=size_of(Header10) - 2 + len(body))
    return encode(header) + body


def encode_answer_6(answer: Answer) -> bytes:
    """Write the data of MODE SENSE(6)."""
    body = _body(answer)
    header = replace(_header_6(answer), length=size_of(Header6) - 1 + len(body))
    return encode(header) + body


def encode_selection_10(answer: Answer) -> bytes:
    """Write the parameter list of MODE SELECT(10): no length, no write protection, no PS bits."""
    return encode(_header_10(replace(answer, write_protected=False))) + _body(_unsaved(answer))


def encode_selection_6(answer: Answer) -> bytes:
    """Write the parameter list of MODE SELECT(6)."""
    return encode(_header_6(replace(answer, write_protected=False))) + _body(_unsaved(answer))


def decode_answer_10(data: bytes) -> Answer:
    """Read the data of MODE SENSE(10)."""
    header = decode(Header10, data)
    return _answer(header, received.behind(data, size_of(Header10), max(0, header.length + 2 - size_of(Header10))))


def decode_answer_6(data: bytes) -> Answer:
    """Read the data of MODE SENSE(6)."""
    header = decode(Header6, data)
    return _answer(header, received.behind(data, size_of(Header6), max(0, header.length + 1 - size_of(Header6))))


def decode_selection_10(data: bytes) -> Answer:
    """Read the parameter list of MODE SELECT(10), whose length field is reserved."""
    return _answer(decode(Header10, data), data[size_of(Header10) :])


def decode_selection_6(data: bytes) -> Answer:
    """Read the parameter list of MODE SELECT(6), whose length field is reserved."""
    return _answer(decode(Header6, data), data[size_of(Header6) :])


def _header_10(answer: Answer) -> Header10:
    return Header10(
        medium_type=answer.medium_type,
        write_protected=answer.write_protected,
        buffered=answer.buffered,
        speed=answer.speed,
        descriptor_length=size_of(BlockDescriptor) if answer.descriptor else 0,
    )


def _header_6(answer: Answer) -> Header6:
    return Header6(
        medium_type=answer.medium_type,
        write_protected=answer.write_protected,
        buffered=answer.buffered,
        speed=answer.speed,
        descriptor_length=size_of(BlockDescriptor) if answer.descriptor else 0,
    )


def _body(answer: Answer) -> bytes:
    descriptor = encode(answer.descriptor) if answer.descriptor else b""
    return descriptor + b"".join(item.image for item in answer.pages)


def _unsaved(answer: Answer) -> Answer:
    pages = (RawPage(bytes([item.image[0] & ~_SAVEABLE & 0xFF]) + item.image[1:]) for item in answer.pages)
    return replace(answer, pages=tuple(pages))


def _answer(header: Header6 | Header10, body: bytes) -> Answer:
    reader = Reader(body, "mode data")
    descriptor = reader.take(header.descriptor_length, "the block descriptor")
    if 0 < len(descriptor) < size_of(BlockDescriptor):
        raise Malformed("the block descriptor is cut short", why=f"{len(descriptor)} bytes")
    return Answer(
        medium_type=header.medium_type,
        write_protected=header.write_protected,
        buffered=header.buffered,
        speed=header.speed,
        descriptor=decode(BlockDescriptor, descriptor) if descriptor else None,
        pages=_pages(reader),
    )


def _pages(reader: Reader) -> tuple[RawPage, ...]:
    found = []
    while reader.left:
        head = reader.take(1, "a page's code")
        if head[0] & _CODE == ModePage.VENDOR:  # comes last and need not have the form of a page
            found.append(RawPage(head + reader.take(reader.left, "mode page 00h")))
            break
        head += reader.take(1, "a page's header")
        if head[0] & _SUBPAGE_FORMAT:
            head += reader.take(2, "a subpage's length")
            length = int.from_bytes(head[2:4], "big")
        else:
            length = head[1]
        found.append(RawPage(head + reader.take(length, f"mode page {head[0] & _CODE:02X}h")))
    return tuple(found)
