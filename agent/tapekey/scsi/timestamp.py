"""The drive's clock: REPORT TIMESTAMP (A3h/0Fh) and SET TIMESTAMP (A4h/0Fh), SPC-4 (reference 11.5)."""

from dataclasses import dataclass
from typing import Final

from tapekey.exchange import Command
from tapekey.scsi.codes import Opcode
from tapekey.wire.codes import Code
from tapekey.wire.layout import bits, encode, uint, wire

SERVICE_ACTION: Final = 0x0F


class Origin(Code):
    """TIMESTAMP ORIGIN: where the clock's value comes from."""

    POWER_ON = 0b000
    SET = 0b010
    OTHER = 0b011


# fmt: off
@wire(size=12)
@dataclass(frozen=True, slots=True)
class ReportTimestamp:
    """REPORT TIMESTAMP (A3h/0Fh)."""

    opcode:         Opcode = uint( 0, 1, Opcode, default=Opcode.MAINTENANCE_IN)
    service_action: int    = bits( 1, 4, 0, default=SERVICE_ACTION)
    room:           int    = uint( 6, 4)
    control:        int    = uint(11, 1)


@wire(size=12)
@dataclass(frozen=True, slots=True)
class SetTimestamp:
    """SET TIMESTAMP (A4h/0Fh)."""

    opcode:         Opcode = uint( 0, 1, Opcode, default=Opcode.MAINTENANCE_OUT)
    service_action: int    = bits( 1, 4, 0, default=SERVICE_ACTION)
    length:         int    = uint( 6, 4)
    control:        int    = uint(11, 1)


@wire(size=12)
@dataclass(frozen=True, slots=True)
class Timestamp:
    """Data of REPORT TIMESTAMP: milliseconds since 1970, or since power-on."""

    length:       int    = uint(0, 2, default=0x0A)
    origin:       Origin = bits(2, 2, 0, Origin)
    milliseconds: int    = uint(4, 6)


@wire(size=12)
@dataclass(frozen=True, slots=True)
class NewTimestamp:
    """Data of SET TIMESTAMP."""

    milliseconds: int = uint(4, 6)
# fmt: on


def report_timestamp() -> Command:
    """Ask for the drive's clock; the answer is `Timestamp`."""
    return Command(encode(ReportTimestamp(room=12)), data_in_max=12)


def set_timestamp(milliseconds: int) -> Command:
    """Set the drive's clock, in milliseconds since 1970."""
    return Command(encode(SetTimestamp(length=12)), data_out=encode(NewTimestamp(milliseconds=milliseconds)))
