"""Security protocol 20h, tape data encryption (SSC-4): lists of pages and key formats, and random numbers.

Pages 0000h, 0001h, 0011h and 0030h, read with `encryption.decode_page` and written with `encryption.encode_page`.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from tapekey.exchange import Command
from tapekey.scsi.encryption import InPage, KeyFormat, OutPage, read_page
from tapekey.scsi.security import ROOM
from tapekey.wire.layout import Reader, octets, rest, uint, wire


def encode_codes(codes: Iterable[int]) -> bytes:
    """Write a list of 2-byte page codes, ascending."""
    return b"".join(code.to_bytes(2, "big") for code in sorted(codes))


def decode_in_codes(data: bytes) -> tuple[InPage, ...]:
    """Read a list of 2-byte page codes of SECURITY PROTOCOL IN."""
    return tuple(InPage(code) for code in _codes(data))


def decode_out_codes(data: bytes) -> tuple[OutPage, ...]:
    """Read a list of 2-byte page codes of SECURITY PROTOCOL OUT."""
    return tuple(OutPage(code) for code in _codes(data))


def _codes(data: bytes) -> list[int]:
    reader = Reader(data, "list of page codes")
    codes = []
    while reader.left:
        codes.append(reader.number(2, "page code"))
    return codes


def decode_formats(data: bytes) -> tuple[KeyFormat, ...]:
    """Read a list of key formats, each once: one emulator lists its only format twice."""
    return tuple(dict.fromkeys(KeyFormat(code) for code in data))


@wire(size=4)
@dataclass(frozen=True, slots=True)
class InSupport:
    """Tape Data Encryption In Support page (0000h)."""

    # fmt: off
    page_code:   InPage             = uint(0, 2, InPage, default=InPage.IN_SUPPORT)
    page_length: int                = uint(2, 2)
    pages:       tuple[InPage, ...] = rest(4, decode_in_codes, encode_codes)
    # fmt: on


@wire(size=4)
@dataclass(frozen=True, slots=True)
class OutSupport:
    """Tape Data Encryption Out Support page (0001h)."""

    # fmt: off
    page_code:   InPage              = uint(0, 2, InPage, default=InPage.OUT_SUPPORT)
    page_length: int                 = uint(2, 2)
    pages:       tuple[OutPage, ...] = rest(4, decode_out_codes, encode_codes)
    # fmt: on


@wire(size=4)
@dataclass(frozen=True, slots=True)
class KeyFormats:
    """Supported Key Formats page (0011h)."""

    # fmt: off
    page_code:   InPage                = uint(0, 2, InPage, default=InPage.KEY_FORMATS)
    page_length: int                   = uint(2, 2)
    formats:     tuple[KeyFormat, ...] = rest(4, decode_formats)
    # fmt: on


@wire(size=36)
@dataclass(frozen=True, slots=True)
class RandomNumber:
    """Random Number page (0030h)."""

    # fmt: off
    page_code:   InPage = uint(0, 2, InPage, default=InPage.RANDOM_NUMBER)
    page_length: int    = uint(2, 2)
    number:      bytes  = octets(4, 32)
    # fmt: on


def read_in_support(room: int = ROOM) -> Command:
    """Ask which pages SECURITY PROTOCOL IN has."""
    return read_page(InPage.IN_SUPPORT, room)


def read_out_support(room: int = ROOM) -> Command:
    """Ask which pages SECURITY PROTOCOL OUT has."""
    return read_page(InPage.OUT_SUPPORT, room)


def read_key_formats(room: int = ROOM) -> Command:
    """Ask in which forms the drive takes a key."""
    return read_page(InPage.KEY_FORMATS, room)


def read_random_number(room: int = ROOM) -> Command:
    """Ask for 32 random bytes, new for every request."""
    return read_page(InPage.RANDOM_NUMBER, room)
