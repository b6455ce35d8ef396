"""LOG SENSE (4Dh) and LOG SELECT (4Ch), SPC-4: framing of pages and parameters, and page 00h (reference 1.11, 11.4).

What the pages mean is in `tape_alert`, `device_status`, `volume_statistics` and `log_counters`.
"""

from collections.abc import Container, Iterable
from dataclasses import dataclass
from typing import Final

from tapekey.errors import Malformed
from tapekey.exchange import Command
from tapekey.scsi import received
from tapekey.scsi.codes import Opcode
from tapekey.wire.codes import Code
from tapekey.wire.layout import Reader, bits, decode, encode, size_of, uint, wire

ROOM: Final = 16_384
ALL_SUBPAGES: Final = 0xFF


class LogPage(Code):
    """PAGE CODE of log pages."""

    SUPPORTED = 0x00
    WRITE_ERRORS = 0x02
    READ_ERRORS = 0x03
    NON_MEDIUM_ERRORS = 0x06
    SEQUENTIAL_ACCESS = 0x0C
    TEMPERATURE = 0x0D
    DEVICE_STATUS = 0x11
    TAPE_ALERT_RESPONSE = 0x12
    DEVICE_STATISTICS = 0x14
    TAPE_DIAGNOSTIC = 0x16
    VOLUME_STATISTICS = 0x17
    DATA_COMPRESSION = 0x1B
    TAPE_ALERT = 0x2E
    TAPE_USAGE = 0x30
    TAPE_CAPACITY = 0x31
    DATA_COMPRESSION_VENDOR = 0x32
    PERFORMANCE = 0x37


class Control(Code):
    """PC of LOG SENSE: which values."""

    THRESHOLD = 0b00
    CUMULATIVE = 0b01
    DEFAULT_THRESHOLD = 0b10
    DEFAULT_CUMULATIVE = 0b11


class Form(Code):
    """FORMAT AND LINKING of a parameter."""

    COUNTER = 0b00
    ASCII_LIST = 0b01
    BOUNDED_COUNTER = 0b10
    BINARY_LIST = 0b11


# fmt: off
@wire(size=10)
@dataclass(frozen=True, slots=True)
class LogSense:
    """LOG SENSE (4Dh); `first` is the parameter pointer."""

    opcode:    Opcode  = uint(0, 1, Opcode, default=Opcode.LOG_SENSE)
    save:      bool    = bits(1, 0, 0, bool)
    page_control: Control = bits(2, 7, 6, Control)
    page:      LogPage = bits(2, 5, 0, LogPage)
    subpage:   int     = uint(3, 1)
    first:     int     = uint(5, 2)
    room:      int     = uint(7, 2)
    control:   int     = uint(9, 1)


@wire(size=10)
@dataclass(frozen=True, slots=True)
class LogSelect:
    """LOG SELECT (4Ch)."""

    opcode:          Opcode  = uint(0, 1, Opcode, default=Opcode.LOG_SELECT)
    parameter_reset: bool    = bits(1, 1, 1, bool)
    save:            bool    = bits(1, 0, 0, bool)
    page_control:    Control = bits(2, 7, 6, Control)
    page:            LogPage = bits(2, 5, 0, LogPage)
    subpage:         int     = uint(3, 1)
    length:          int     = uint(7, 2)
    control:         int     = uint(9, 1)


@wire(size=4)
@dataclass(frozen=True, slots=True)
class PageHeader:
    """First four bytes of a log page."""

    disable_save:   bool    = bits(0, 7, 7, bool)
    subpage_format: bool    = bits(0, 6, 6, bool)
    page:           LogPage = bits(0, 5, 0, LogPage)
    subpage:        int     = uint(1, 1)
    length:         int     = uint(2, 2)


@wire(size=4)
@dataclass(frozen=True, slots=True)
class ParameterHeader:
    """First four bytes of a log parameter."""

    code:           int  = uint(0, 2)
    disable_update: bool = bits(2, 7, 7, bool)
    target_save:    bool = bits(2, 5, 5, bool)
    form:           Form = bits(2, 1, 0, Form)
    length:         int  = uint(3, 1)
# fmt: on


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of a log page."""

    code: int
    value: bytes
    form: Form = Form.BINARY_LIST


@dataclass(frozen=True, slots=True)
class Page:
    """A log page and its parameters."""

    page: LogPage
    parameters: tuple[Parameter, ...]
    subpage: int = 0

    def find(self, code: int) -> bytes | None:
        """The value of a parameter, or None if the page has none of that code."""
        return next((item.value for item in self.parameters if item.code == code), None)


def log_sense(page: LogPage, subpage: int = 0, *, first: int = 0, room: int = ROOM) -> Command:
    """Ask for the cumulative values of a page."""
    cdb = LogSense(page_control=Control.CUMULATIVE, page=page, subpage=subpage, first=first, room=room)
    return Command(encode(cdb), data_in_max=room)


def reset_counters() -> Command:
    """Set all cumulative values back: LOG SELECT with PCR and no parameters."""
    return Command(encode(LogSelect(parameter_reset=True, page_control=Control.CUMULATIVE)))


def encode_page(page: Page) -> bytes:
    """Write a page."""
    return _framed(page.page, page.subpage, b"".join(map(encode_parameter, page.parameters)))


def decode_page(data: bytes, page: LogPage, subpage: int = 0) -> Page:
    """Read a page, which must be the one that was asked for. Parameters must have arrived whole."""
    reader = Reader(_body(data, page, subpage), f"log page {page:02X}h")
    found = []
    while reader.left:
        header = reader.read(ParameterHeader, "a parameter's header")
        found.append(Parameter(header.code, reader.take(header.length, f"parameter {header.code:04X}h"), header.form))
    return Page(page, tuple(found), subpage)


def announced(data: bytes) -> int:
    """How many bytes a page says that it has behind its header. Some drives put the room there."""
    return decode(PageHeader, data).length


def encode_parameter(item: Parameter) -> bytes:
    """Write a parameter."""
    return encode(ParameterHeader(code=item.code, form=item.form, length=len(item.value))) + item.value


def encode_supported(pages: Iterable[LogPage]) -> bytes:
    """Write page 00h: which pages there are."""
    return _framed(LogPage.SUPPORTED, 0, bytes(sorted(pages)))


def decode_supported(data: bytes) -> tuple[LogPage, ...]:
    """Read page 00h."""
    return tuple(LogPage(code & 0x3F) for code in _body(data, LogPage.SUPPORTED, 0))


def encode_supported_subpages(pages: Iterable[tuple[LogPage, int]]) -> bytes:
    """Write page 00h/FFh: which pages and subpages there are."""
    return _framed(LogPage.SUPPORTED, ALL_SUBPAGES, b"".join(bytes(pair) for pair in sorted(pages)))


def decode_supported_subpages(data: bytes) -> tuple[tuple[LogPage, int], ...]:
    """Read page 00h/FFh."""
    reader = Reader(_body(data, LogPage.SUPPORTED, ALL_SUBPAGES), "log page 00h/FFh")
    found = []
    while reader.left:
        page, subpage = reader.take(2, "a page and subpage code")
        found.append((LogPage(page & 0x3F), subpage))
    return tuple(found)


def numbers(page: Page, known: Container[int]) -> dict[int, tuple[int, int]]:
    """Value and width of the numeric parameters among `known`; drives differ in width, so theirs holds."""
    return {
        item.code: (
            received.number(item.value, f"parameter {item.code:04X}h of log page {page.page:02X}h"),
            len(item.value),
        )
        for item in page.parameters
        if item.code in known
    }


def _framed(page: LogPage, subpage: int, body: bytes) -> bytes:
    return encode(PageHeader(subpage_format=subpage != 0, page=page, subpage=subpage, length=len(body))) + body


def _body(data: bytes, page: LogPage, subpage: int) -> bytes:
    header = decode(PageHeader, data)
    if (header.page, header.subpage if header.subpage_format else 0) != (page, subpage):
        raise Malformed("the drive sent another log page", why=f"{header.page:02X}h, not {page:02X}h/{subpage:02X}h")
    return received.behind(data, size_of(PageHeader), header.length)
