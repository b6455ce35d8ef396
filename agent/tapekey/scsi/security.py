"""SECURITY PROTOCOL IN and OUT (SPC-4), and protocol 00h, by which a device says what it speaks."""

from dataclasses import dataclass

from tapekey.exchange import Command
from tapekey.scsi import sense
from tapekey.scsi.codes import Opcode, SecurityProtocol
from tapekey.secret import Secret
from tapekey.wire.layout import bits, encode, uint, wire

ROOM = 8192  # no known page of any protocol is longer
TIMEOUT = 60.0  # IBM LTO SCSI Reference, annex A: one minute for both commands


@wire(size=12)
@dataclass(frozen=True, slots=True)
class SecurityCdb:
    """CDB of SPIN (A2h, LENGTH is the allocation length) and SPOUT (B5h, LENGTH is the transfer length)."""

    # fmt: off
    operation_code:             Opcode           = uint( 0, 1, Opcode, default=Opcode.SECURITY_PROTOCOL_IN)
    security_protocol:          SecurityProtocol = uint( 1, 1, SecurityProtocol)
    security_protocol_specific: int              = uint( 2, 2)  # the page code for protocols 00h and 20h
    inc_512:                    bool             = bits( 4, 7, 7, bool)  # length in units of 512: tapes refuse it
    length:                     int              = uint( 6, 4)
    control:                    int              = uint(11, 1)
    # fmt: on


def security_protocol_in(protocol: int, specific: int, room: int = ROOM, timeout: float = TIMEOUT) -> Command:
    """Ask for a page of a security protocol."""
    cdb = SecurityCdb(Opcode.SECURITY_PROTOCOL_IN, SecurityProtocol(protocol), specific, length=room)
    return Command(encode(cdb), data_in_max=room, timeout=timeout)


def security_protocol_out(protocol: int, specific: int, data: Secret | bytes, timeout: float = TIMEOUT) -> Command:
    """Send a page of a security protocol."""
    cdb = SecurityCdb(Opcode.SECURITY_PROTOCOL_OUT, SecurityProtocol(protocol), specific, length=len(data))
    return Command(encode(cdb), data_out=data, timeout=timeout)


def field_name(pointer: sense.FieldPointer) -> str:
    """Name the field of the CDB that a device objects to."""
    return sense.field_name(SecurityCdb, pointer)
