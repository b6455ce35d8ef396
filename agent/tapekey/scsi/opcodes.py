"""REPORT SUPPORTED OPERATION CODES (A3h/0Ch), SPC-4 (reference 1.9): what a drive knows, and how long it may take.

Asking about A2h and B5h here is the cheapest probe for encryption. The recommended time-outs are the drive's own
word on how long to wait; some firmware lacks the command altogether.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

from tapekey.exchange import Command
from tapekey.scsi import received
from tapekey.scsi.codes import Opcode
from tapekey.wire.codes import Code
from tapekey.wire.layout import Reader, bits, decode, encode, size_of, uint, wire

SERVICE_ACTION: Final = 0x0C
ROOM: Final = 65_536


class Options(Code):
    """REPORTING OPTIONS: all commands, one by opcode, or one by opcode and service action."""

    ALL = 0b000
    OPCODE = 0b001
    SERVICE_ACTION = 0b010


class Support(Code):
    """SUPPORT of one command."""

    UNKNOWN_NOW = 0b000
    NOT_SUPPORTED = 0b001
    STANDARD = 0b011
    VENDOR = 0b101


# fmt: off
@wire(size=12)
@dataclass(frozen=True, slots=True)
class ReportOpcodes:
    """REPORT SUPPORTED OPERATION CODES (A3h/0Ch)."""

    opcode:           Opcode  = uint( 0, 1, Opcode, default=Opcode.MAINTENANCE_IN)
    service_action:   int     = bits( 1, 4, 0, default=SERVICE_ACTION)
    timeouts:         bool    = bits( 2, 7, 7, bool)  # RCTD
    options:          Options = bits( 2, 2, 0, Options)
    requested:        Opcode  = uint( 3, 1, Opcode)
    requested_action: int     = uint( 4, 2)
    room:             int     = uint( 6, 4)
    control:          int     = uint(11, 1)


@wire(size=8)
@dataclass(frozen=True, slots=True)
class EntryHeader:
    """Command descriptor of the all-commands data."""

    opcode:             Opcode = uint(0, 1, Opcode)
    service_action:     int    = uint(2, 2)
    timeouts:           bool   = bits(5, 1, 1, bool)  # CTDP
    has_service_action: bool   = bits(5, 0, 0, bool)  # SERVACTV
    cdb_length:         int    = uint(6, 2)


@wire(size=4)
@dataclass(frozen=True, slots=True)
class OneHeader:
    """First four bytes of the one-command data."""

    timeouts:   bool    = bits(1, 7, 7, bool)  # CTDP
    support:    Support = bits(1, 2, 0, Support)
    cdb_length: int     = uint(2, 2)


@wire(size=12)
@dataclass(frozen=True, slots=True)
class Timeouts:
    """Command timeouts descriptor, in seconds; 0 means that none is given."""

    length:           int = uint(0, 2, default=0x0A)
    command_specific: int = uint(3, 1)
    nominal:          int = uint(4, 4)
    recommended:      int = uint(8, 4)
# fmt: on


@dataclass(frozen=True, slots=True)
class Entry:
    """A command that the drive knows; `service_action` is None where the opcode alone is the command."""

    opcode: Opcode
    cdb_length: int
    service_action: int | None = None
    timeouts: Timeouts | None = None


@dataclass(frozen=True, slots=True)
class One:
    """What the drive says of one command; `usage` marks the bits of the CDB that it evaluates."""

    support: Support
    usage: bytes = b""
    timeouts: Timeouts | None = None

    @property
    def supported(self) -> bool:
        """Whether the drive said so. `UNKNOWN_NOW` is neither yes nor no: ask again."""
        return self.support in (Support.STANDARD, Support.VENDOR)


def report_opcodes(*, timeouts: bool = True) -> Command:
    """Ask for all commands."""
    return Command(encode(ReportOpcodes(timeouts=timeouts, room=ROOM)), data_in_max=ROOM)


def report_opcode(opcode: Opcode, service_action: int | None = None, *, timeouts: bool = False) -> Command:
    """Ask for one command."""
    cdb = ReportOpcodes(
        timeouts=timeouts,
        options=Options.OPCODE if service_action is None else Options.SERVICE_ACTION,
        requested=opcode,
        requested_action=service_action or 0,
        room=ROOM,
    )
    return Command(encode(cdb), data_in_max=ROOM)


def encode_all(entries: Iterable[Entry]) -> bytes:
    """Write the all-commands data."""
    body = b"".join(map(_encode_entry, entries))
    return len(body).to_bytes(4, "big") + body


def decode_all(data: bytes) -> tuple[Entry, ...]:
    """Read the all-commands data."""
    announced = int.from_bytes(received.fixed(data, 4, "the list of commands"), "big")
    reader = Reader(received.behind(data, 4, announced), "the list of commands")
    found = []
    while reader.left:
        found.append(_decode_entry(reader))
    return tuple(found)


def encode_one(one: One) -> bytes:
    """Write the one-command data."""
    header = OneHeader(timeouts=one.timeouts is not None, support=one.support, cdb_length=len(one.usage))
    return encode(header) + one.usage + _encode_timeouts(one.timeouts)


def decode_one(data: bytes) -> One:
    """Read the one-command data. A command that is not supported may come without usage map."""
    reader = Reader(data, "the answer about a command")
    header = reader.read(OneHeader, "the header")
    if header.support not in (Support.STANDARD, Support.VENDOR):
        return One(header.support)
    usage = reader.take(header.cdb_length, "the usage map")
    return One(header.support, usage, _decode_timeouts(reader) if header.timeouts else None)


def _encode_entry(entry: Entry) -> bytes:
    header = EntryHeader(
        opcode=entry.opcode,
        service_action=entry.service_action or 0,
        timeouts=entry.timeouts is not None,
        has_service_action=entry.service_action is not None,
        cdb_length=entry.cdb_length,
    )
    return encode(header) + _encode_timeouts(entry.timeouts)


def _decode_entry(reader: Reader) -> Entry:
    header = reader.read(EntryHeader, "a command descriptor")
    return Entry(
        opcode=header.opcode,
        cdb_length=header.cdb_length,
        service_action=header.service_action if header.has_service_action else None,
        timeouts=_decode_timeouts(reader) if header.timeouts else None,
    )


def _encode_timeouts(timeouts: Timeouts | None) -> bytes:
    return b"" if timeouts is None else encode(replace(timeouts, length=size_of(Timeouts) - 2))


def _decode_timeouts(reader: Reader) -> Timeouts:
    length = reader.take(2, "a timeouts descriptor's length")
    return decode(Timeouts, length + reader.take(int.from_bytes(length, "big"), "a timeouts descriptor"))
