"""Reservations: RESERVE and RELEASE (6: 16h, 17h; 10: 56h, 57h) of SPC-2, PERSISTENT RESERVE (5Eh, 5Fh) of SPC-4.

See reference 1.8. Keys of registrants are numbers that the initiators chose, and no secrets.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from tapekey.errors import Malformed
from tapekey.exchange import Command
from tapekey.scsi import received
from tapekey.scsi.codes import Opcode
from tapekey.wire.codes import Code
from tapekey.wire.layout import Reader, bits, decode, encode, rest, size_of, uint, wire

ROOM: Final = 8_192
LENGTH: Final = 0x18


class InAction(Code):
    """SERVICE ACTION of PERSISTENT RESERVE IN."""

    READ_KEYS = 0x00
    READ_RESERVATION = 0x01
    REPORT_CAPABILITIES = 0x02
    READ_FULL_STATUS = 0x03


class OutAction(Code):
    """SERVICE ACTION of PERSISTENT RESERVE OUT."""

    REGISTER = 0x00
    RESERVE = 0x01
    RELEASE = 0x02
    CLEAR = 0x03
    PREEMPT = 0x04
    PREEMPT_AND_ABORT = 0x05
    REGISTER_AND_IGNORE_EXISTING_KEY = 0x06
    REGISTER_AND_MOVE = 0x07


class ReservationType(Code):
    """TYPE of a persistent reservation."""

    WRITE_EXCLUSIVE = 0x1
    EXCLUSIVE_ACCESS = 0x3
    WRITE_EXCLUSIVE_REGISTRANTS_ONLY = 0x5
    EXCLUSIVE_ACCESS_REGISTRANTS_ONLY = 0x6
    WRITE_EXCLUSIVE_ALL_REGISTRANTS = 0x7
    EXCLUSIVE_ACCESS_ALL_REGISTRANTS = 0x8


# fmt: off
@wire(size=6)
@dataclass(frozen=True, slots=True)
class Reserve6:
    """RESERVE (16h); the other fields are obsolete, and for third parties and extents."""

    opcode:      Opcode = uint(0, 1, Opcode, default=Opcode.RESERVE_6)
    third_party: bool   = bits(1, 4, 4, bool)
    extent:      bool   = bits(1, 0, 0, bool)
    control:     int    = uint(5, 1)


@wire(size=6)
@dataclass(frozen=True, slots=True)
class Release6:
    """RELEASE (17h)."""

    opcode:      Opcode = uint(0, 1, Opcode, default=Opcode.RELEASE_6)
    third_party: bool   = bits(1, 4, 4, bool)
    extent:      bool   = bits(1, 0, 0, bool)
    control:     int    = uint(5, 1)


@wire(size=10)
@dataclass(frozen=True, slots=True)
class Reserve10:
    """RESERVE (56h)."""

    opcode:      Opcode = uint(0, 1, Opcode, default=Opcode.RESERVE_10)
    third_party: bool   = bits(1, 4, 4, bool)
    long_id:     bool   = bits(1, 1, 1, bool)
    extent:      bool   = bits(1, 0, 0, bool)
    length:      int    = uint(7, 2)
    control:     int    = uint(9, 1)


@wire(size=10)
@dataclass(frozen=True, slots=True)
class Release10:
    """RELEASE (57h)."""

    opcode:      Opcode = uint(0, 1, Opcode, default=Opcode.RELEASE_10)
    third_party: bool   = bits(1, 4, 4, bool)
    long_id:     bool   = bits(1, 1, 1, bool)
    extent:      bool   = bits(1, 0, 0, bool)
    length:      int    = uint(7, 2)
    control:     int    = uint(9, 1)


@wire(size=10)
@dataclass(frozen=True, slots=True)
class PersistentIn:
    """PERSISTENT RESERVE IN (5Eh)."""

    opcode:  Opcode   = uint(0, 1, Opcode, default=Opcode.PERSISTENT_RESERVE_IN)
    action:  InAction = bits(1, 4, 0, InAction)
    room:    int      = uint(7, 2)
    control: int      = uint(9, 1)


@wire(size=10)
@dataclass(frozen=True, slots=True)
class PersistentOut:
    """PERSISTENT RESERVE OUT (5Fh)."""

    opcode:  Opcode          = uint(0, 1, Opcode, default=Opcode.PERSISTENT_RESERVE_OUT)
    action:  OutAction       = bits(1, 4, 0, OutAction)
    scope:   int             = bits(2, 7, 4)
    type:    ReservationType = bits(2, 3, 0, ReservationType)
    length:  int             = uint(5, 4)
    control: int             = uint(9, 1)


@wire(size=24)
@dataclass(frozen=True, slots=True)
class OutParameters:
    """Parameter list of PERSISTENT RESERVE OUT."""

    key:                  int  = uint( 0, 8)
    action_key:           int  = uint( 8, 8)
    specify_initiators:   bool = bits(20, 3, 3, bool)  # SPEC_I_PT
    all_target_ports:     bool = bits(20, 2, 2, bool)  # ALL_TG_PT
    through_power_loss:   bool = bits(20, 0, 0, bool)  # APTPL


@wire(size=24)
@dataclass(frozen=True, slots=True)
class MoveParameters:
    """Parameter list of REGISTER AND MOVE (SPC-4; UNV here); `initiator` is the TransportID of who gets it."""

    key:                int   = uint( 0, 8)
    action_key:         int   = uint( 8, 8)
    unregister:         bool  = bits(17, 1, 1, bool)  # UNREG
    through_power_loss: bool  = bits(17, 0, 0, bool)  # APTPL
    port:               int   = uint(18, 2)
    length:             int   = uint(20, 4)
    initiator:          bytes = rest(24)


@wire(size=8)
@dataclass(frozen=True, slots=True)
class InHeader:
    """First eight bytes of the data of READ KEYS, READ RESERVATION and READ FULL STATUS."""

    generation: int = uint(0, 4)
    length:     int = uint(4, 4)


@wire(size=16)
@dataclass(frozen=True, slots=True)
class Holder:
    """The reservation in the data of READ RESERVATION, behind its header."""

    key:   int             = uint( 0, 8)
    scope: int             = bits(13, 7, 4)
    type:  ReservationType = bits(13, 3, 0, ReservationType)


@wire(size=24)
@dataclass(frozen=True, slots=True)
class RegistrantHeader:
    """Full status descriptor of READ FULL STATUS, before the transport's name of the initiator."""

    key:              int             = uint( 0, 8)
    all_target_ports: bool            = bits(12, 1, 1, bool)
    holder:           bool            = bits(12, 0, 0, bool)
    scope:            int             = bits(13, 7, 4)
    type:             ReservationType = bits(13, 3, 0, ReservationType)
    port:             int             = uint(18, 2)
    length:           int             = uint(20, 4)


@wire(size=8)
@dataclass(frozen=True, slots=True)
class Capabilities:
    """Data of REPORT CAPABILITIES; `types` is the type mask, with its first byte in the upper half."""

    length:              int  = uint(0, 2, default=8)
    reserve_and_release: bool = bits(2, 4, 4, bool)  # CRH: RESERVE of who holds it persistently is GOOD
    specify_initiators:  bool = bits(2, 3, 3, bool)
    all_target_ports:    bool = bits(2, 2, 2, bool)
    through_power_loss:  bool = bits(2, 0, 0, bool)
    types_valid:         bool = bits(3, 7, 7, bool)
    persistent_now:      bool = bits(3, 0, 0, bool)
    types:               int  = uint(4, 2)
# fmt: on


@dataclass(frozen=True, slots=True)
class Registrant:
    """One initiator in the data of READ FULL STATUS; `initiator` is its TransportID as it came."""

    header: RegistrantHeader
    initiator: bytes


def reserve() -> Command:
    """Reserve the whole logical unit for this nexus."""
    return Command(encode(Reserve6()))


def release() -> Command:
    """Give the reservation back."""
    return Command(encode(Release6()))


def persistent_in(action: InAction) -> Command:
    """Ask about registrations and the reservation."""
    return Command(encode(PersistentIn(action=action, room=ROOM)), data_in_max=ROOM)


def persistent_out(
    action: OutAction, key: int = 0, action_key: int = 0, type: ReservationType = ReservationType.EXCLUSIVE_ACCESS
) -> Command:
    """Register, reserve, release, clear or preempt."""
    cdb = PersistentOut(action=action, type=type, length=LENGTH)
    return Command(encode(cdb), data_out=encode(OutParameters(key=key, action_key=action_key)))


def register_and_move(key: int, action_key: int, initiator: bytes, *, unregister: bool = False) -> Command:
    """Hand the reservation to another initiator, which is registered with `action_key` by that."""
    data = encode(MoveParameters(key, action_key, unregister, port=1, length=len(initiator), initiator=initiator))
    cdb = PersistentOut(action=OutAction.REGISTER_AND_MOVE, length=len(data))
    return Command(encode(cdb), data_out=data)


def encode_keys(generation: int, keys: Iterable[int]) -> bytes:
    """Write the data of READ KEYS."""
    return _framed(generation, b"".join(key.to_bytes(8, "big") for key in keys))


def decode_keys(data: bytes) -> tuple[int, ...]:
    """Read the data of READ KEYS."""
    reader = Reader(_body(data), "the list of reservation keys")
    found = []
    while reader.left:
        found.append(reader.number(8, "a key"))
    return tuple(found)


def encode_holder(generation: int, holder: Holder | None) -> bytes:
    """Write the data of READ RESERVATION."""
    return _framed(generation, b"" if holder is None else encode(holder))


def decode_holder(data: bytes) -> Holder | None:
    """Read the data of READ RESERVATION; None if nobody holds one."""
    body = _body(data)
    return decode(Holder, body) if body else None


def encode_registrants(generation: int, registrants: Iterable[Registrant]) -> bytes:
    """Write the data of READ FULL STATUS."""
    return _framed(generation, b"".join(encode(item.header) + item.initiator for item in registrants))


def decode_registrants(data: bytes) -> tuple[Registrant, ...]:
    """Read the data of READ FULL STATUS."""
    reader = Reader(_body(data), "the list of registrants")
    found = []
    while reader.left:
        header = reader.read(RegistrantHeader, "a full status descriptor")
        found.append(Registrant(header, reader.take(header.length, "an initiator's name")))
    return tuple(found)


def generation(data: bytes) -> int:
    """The generation that PERSISTENT RESERVE IN data was true in."""
    return decode(InHeader, data).generation


def _framed(generation: int, body: bytes) -> bytes:
    return encode(InHeader(generation=generation, length=len(body))) + body


def _body(data: bytes) -> bytes:
    header = decode(InHeader, data)
    body = received.behind(data, size_of(InHeader), header.length)
    if not body and header.length:
        raise Malformed("reservation data is cut short", why=f"0 bytes of {header.length}")
    return body
