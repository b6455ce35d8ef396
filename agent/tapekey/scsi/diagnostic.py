"""SEND DIAGNOSTIC (1Dh) and RECEIVE DIAGNOSTIC RESULTS (1Ch), SPC-4 (reference 11.5)."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from tapekey.exchange import Command
from tapekey.scsi import received
from tapekey.scsi.codes import Opcode
from tapekey.wire.layout import bits, decode, encode, size_of, uint, wire


# fmt: off
@wire(size=6)
@dataclass(frozen=True, slots=True)
class SendDiagnostic:
    """SEND DIAGNOSTIC (1Dh); `self_test` is the default one, `code` another."""

    opcode:       Opcode = uint(0, 1, Opcode, default=Opcode.SEND_DIAGNOSTIC)
    code:         int    = bits(1, 7, 5)
    page_format:  bool   = bits(1, 4, 4, bool)
    self_test:    bool   = bits(1, 2, 2, bool)
    device_offline: bool = bits(1, 1, 1, bool)  # DEVOFFL
    unit_offline: bool   = bits(1, 0, 0, bool)  # UNITOFFL
    length:       int    = uint(3, 2)
    control:      int    = uint(5, 1)


@wire(size=6)
@dataclass(frozen=True, slots=True)
class ReceiveDiagnostic:
    """RECEIVE DIAGNOSTIC RESULTS (1Ch)."""

    opcode:     Opcode = uint(0, 1, Opcode, default=Opcode.RECEIVE_DIAGNOSTIC)
    page_valid: bool   = bits(1, 0, 0, bool)  # PCV
    page:       int    = uint(2, 1)
    room:       int    = uint(3, 2)
    control:    int    = uint(5, 1)


@wire(size=4)
@dataclass(frozen=True, slots=True)
class PageHeader:
    """First four bytes of a diagnostic page."""

    page:   int = uint(0, 1)
    length: int = uint(2, 2)
# fmt: on

SUPPORTED_LIST: Final = bytes(4)  # page 00h as SEND DIAGNOSTIC has it: which pages are there


def self_test() -> Command:
    """Let the drive test itself."""
    return Command(encode(SendDiagnostic(self_test=True)))


def receive_diagnostic(page: int, room: int = 512) -> Command:
    """Ask for a diagnostic page."""
    return Command(encode(ReceiveDiagnostic(page_valid=True, page=page, room=room)), data_in_max=room)


def encode_supported(pages: Iterable[int]) -> bytes:
    """Write page 00h: which pages there are."""
    body = bytes(sorted(pages))
    return encode(PageHeader(length=len(body))) + body


def decode_supported(data: bytes) -> tuple[int, ...]:
    """Read page 00h."""
    header = decode(PageHeader, data)
    return tuple(received.behind(data, size_of(PageHeader), header.length))
