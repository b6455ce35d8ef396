"""Execute a command and judge its answer: host and driver first, then target status, then sense.

The transport raises what host and driver did. This module turns status and sense into the errors of `tapekey.errors`,
one type per thing that a caller would do differently about, worded from `scsi.asc`. Nothing is retried unless the
caller says so, and no failure is ever read as "there is none".
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from tapekey.errors import (
    CommandAborted,
    DataProtected,
    DeviceBusy,
    DeviceError,
    EndOfData,
    EndOfMedium,
    HardwareFailed,
    KeyManagedElsewhere,
    KeyTriesExhausted,
    Malformed,
    MediumFailed,
    NoCartridge,
    NotReady,
    OpcodeUnknown,
    RemovalPrevented,
    RequestRefused,
    ReservationConflict,
    StateChanged,
    WriteProtected,
    WrongKey,
)
from tapekey.exchange import Command, Reply, Transport
from tapekey.scsi import asc, security, set_encryption
from tapekey.scsi.attribute import ReadAttribute
from tapekey.scsi.codes import Opcode, SecurityProtocol, Status
from tapekey.scsi.encryption import OutPage
from tapekey.scsi.inquiry import Inquiry
from tapekey.scsi.log import LogSense
from tapekey.scsi.mode import ModeSense6, ModeSense10
from tapekey.scsi.security import SecurityCdb
from tapekey.scsi.sense import FieldPointer, Sense, SenseKey, decode_sense
from tapekey.scsi.set_encryption import SetDataEncryption
from tapekey.wire.layout import decode, size_of


@dataclass(frozen=True, slots=True)
class Outcome:
    """A command that was carried out.

    `sense` is what a tape says beside success (key 0: filemark, end of medium, wrong length; key 1: recovered);
    `attentions` are the unit attentions that the caller allowed to pass, as 6/28/00, in their order.
    """

    data: bytes
    sense: Sense | None = None
    attentions: tuple[str, ...] = ()


def run(transport: Transport, command: Command, *, through_attention: int = 0) -> bytes:
    """Execute a command that has either succeeded or failed, and return its data.

    Up to `through_attention` unit attentions are passed by sending the command again; only a caller who rests on
    nothing older than this command may allow any. A tape's marks (filemark, wrong length) are errors here.
    """
    outcome = perform(transport, command, through_attention=through_attention)
    if outcome.sense and (outcome.sense.filemark or outcome.sense.ili or outcome.sense.eom):
        raise refusal(command, outcome.sense)
    return outcome.data


def perform(transport: Transport, command: Command, *, through_attention: int = 0) -> Outcome:
    """As `run`, for commands at which a tape says more than yes or no: READ, WRITE, SPACE, WRITE FILEMARKS."""
    attentions: list[str] = []
    while True:
        try:
            outcome = judge(command, transport.execute(command))
        except StateChanged as changed:
            if not changed.code.startswith("6/") or len(attentions) >= through_attention:
                raise
            attentions.append(changed.code)
        else:
            return Outcome(outcome.data, outcome.sense, tuple(attentions))


def judge(command: Command, reply: Reply) -> Outcome:
    """The meaning of one reply: an outcome, or an error raised."""
    status = Status(reply.status)
    if status == Status.GOOD:
        return Outcome(reply.data_in)
    if status != Status.CHECK_CONDITION:
        raise _by_status(command, status)
    sense = _sense(command, reply)
    if sense.deferred:
        raise refusal(command, sense)
    if sense.key in {SenseKey.NO_SENSE, SenseKey.RECOVERED_ERROR}:
        return Outcome(reply.data_in, sense)
    raise refusal(command, sense)


def notation(command: Command) -> str:
    """The command as operators and manuals write it: SPIN(20h[0020h]), READ ATTRIBUTE(0401h), REWIND."""
    opcode = Opcode(command.cdb[0])
    structure = NAMED.get(opcode)
    if structure is None:
        return opcode.name.removesuffix("_6").removesuffix("_10").removesuffix("_16").replace("_", " ")
    match decode(structure, command.cdb):
        case SecurityCdb() as cdb:
            name = "SPIN" if opcode == Opcode.SECURITY_PROTOCOL_IN else "SPOUT"
            return f"{name}({cdb.security_protocol:02X}h[{cdb.security_protocol_specific:04X}h])"
        case ModeSense6() | ModeSense10() as cdb:
            return f"MODE SENSE({cdb.page:02X}h[{cdb.subpage:02X}h])"
        case LogSense() as cdb:
            return f"LOG SENSE({cdb.page:02X}h[{cdb.subpage:02X}h])"
        case ReadAttribute() as cdb:
            return f"READ ATTRIBUTE({cdb.first:04X}h)"
        case Inquiry() as cdb:
            return f"INQUIRY({cdb.page:02X}h)" if cdb.vital else "INQUIRY"


def refusal(command: Command, sense: Sense) -> DeviceError:
    """The error for sense that is not success: what was asked, the meaning with its code, the field, the way out."""
    meaning = asc.explain(sense.key, sense.asc, sense.ascq)
    late = "an earlier command failed late: " if sense.deferred else ""
    field = f", at {_field(command, sense.field)}" if sense.field else ""
    why = f"{late}{meaning.text} ({sense.code}){field}"
    if meaning.cause:
        why = f"{why}; {meaning.cause}"
    return _type_of(sense)(f"{notation(command)} failed", why=why, mend=meaning.mend, code=sense.code)


def _sense(command: Command, reply: Reply) -> Sense:
    try:
        return decode_sense(reply.sense)
    except Malformed as error:
        raise DeviceError(
            f"{notation(command)} failed",
            why=f"the drive reported an error without usable sense data ({error})",
            mend="nothing is known of the cause; look at the drive and the host adapter",
        ) from error


def _by_status(command: Command, status: Status) -> DeviceError:
    kind, why, mend = STATUS.get(
        status, (DeviceError, f"the target answered with status {status:02X}h", "look at the drive and the bus")
    )
    return kind(f"{notation(command)} failed", why=why, mend=mend)


def _type_of(sense: Sense) -> type[DeviceError]:
    if sense.deferred:  # it was not this command that was refused, so nothing may be concluded about it
        return LATE.get(sense.key, DeviceError)
    exact = (sense.key, sense.asc, sense.ascq)
    return EXACT.get(exact) or FAMILY.get(exact[:2]) or KEYS.get(sense.key, DeviceError)


def _field(command: Command, pointer: FieldPointer) -> str:
    """The field in words where the structure is known, and its place."""
    bit = "" if pointer.bit is None else f" bit {pointer.bit}"
    place = f"byte {pointer.byte}{bit} of the {'CDB' if pointer.in_cdb else 'parameter list'}"
    if _sets_encryption(command):
        if not pointer.in_cdb and pointer.byte >= size_of(SetDataEncryption):
            return f"{place}, in the key or its associated data"  # where the key ends is not looked up in a secret
        return f"{set_encryption.field_name(pointer)} ({place})"
    if pointer.in_cdb and command.cdb[0] == Opcode.SECURITY_PROTOCOL_IN:
        return f"{security.field_name(pointer)} ({place})"
    return place


def _sets_encryption(command: Command) -> bool:
    if command.cdb[0] != Opcode.SECURITY_PROTOCOL_OUT:
        return False
    cdb = decode(SecurityCdb, command.cdb)
    page = (cdb.security_protocol, cdb.security_protocol_specific)
    return page == (SecurityProtocol.TAPE_DATA_ENCRYPTION, OutPage.SET_DATA_ENCRYPTION)


Named = SecurityCdb | ModeSense6 | ModeSense10 | LogSense | ReadAttribute | Inquiry

NAMED: Final[Mapping[int, type[Named]]] = {
    Opcode.SECURITY_PROTOCOL_IN: SecurityCdb,
    Opcode.SECURITY_PROTOCOL_OUT: SecurityCdb,
    Opcode.MODE_SENSE_6: ModeSense6,
    Opcode.MODE_SENSE_10: ModeSense10,
    Opcode.LOG_SENSE: LogSense,
    Opcode.READ_ATTRIBUTE: ReadAttribute,
    Opcode.INQUIRY: Inquiry,
}

_LATER = "ask again a little later"

STATUS: Final[Mapping[int, tuple[type[DeviceError], str, str]]] = {
    Status.BUSY: (DeviceBusy, "the drive is busy", _LATER),
    Status.TASK_SET_FULL: (DeviceBusy, "the drive's queue is full", _LATER),
    Status.RESERVATION_CONFLICT: (
        ReservationConflict,
        "another initiator has reserved the drive",
        "end the other host's use of the drive, or release its reservation",
    ),
    Status.TASK_ABORTED: (CommandAborted, "another initiator aborted the command", "try again"),
}

# fmt: off
EXACT: Final[Mapping[tuple[int, int, int], type[DeviceError]]] = {
    (0x3, 0x00, 0x02): EndOfMedium,          # end of partition while reading
    (0x4, 0xEE, 0x0E): KeyManagedElsewhere,  # IBM: key service of a library or system, LTO-5 and earlier
    (0x4, 0xEE, 0x0F): KeyManagedElsewhere,
    (0x5, 0x20, 0x00): OpcodeUnknown,
    (0x5, 0x53, 0x02): RemovalPrevented,
    (0x5, 0x74, 0x21): KeyManagedElsewhere,  # data encryption configuration prevented
    (0x7, 0x26, 0x10): KeyTriesExhausted,
    (0x7, 0x2A, 0x13): StateChanged,         # key instance counter moved under a lock: not an attention, but as stale
    (0x7, 0x30, 0x05): WriteProtected,       # cannot write: incompatible format
    (0x7, 0x30, 0x0C): WriteProtected,       # WORM medium: overwrite attempted
    (0x7, 0x5A, 0x02): WriteProtected,       # operator selected write protect, append-only mode
    (0x7, 0x74, 0x03): WrongKey,
    (0x7, 0x74, 0x61): KeyManagedElsewhere,  # 61h to 6Fh: the external key manager could not be used
    (0x7, 0x74, 0x62): KeyManagedElsewhere,
    (0x7, 0x74, 0x63): KeyManagedElsewhere,
    (0x7, 0x74, 0x64): KeyManagedElsewhere,
    (0x7, 0x74, 0x6E): KeyManagedElsewhere,
    (0x7, 0x74, 0x6F): KeyManagedElsewhere,
}

FAMILY: Final[Mapping[tuple[int, int], type[DeviceError]]] = {
    (0x2, 0x3A): NoCartridge,
    (0x5, 0xEE): KeyManagedElsewhere,        # the same, LTO-6 and later
    (0x7, 0x27): WriteProtected,
    (0x7, 0xEE): KeyManagedElsewhere,
    (0x7, 0xEF): KeyManagedElsewhere,
}

KEYS: Final[Mapping[int, type[DeviceError]]] = {
    SenseKey.NOT_READY:       NotReady,
    SenseKey.MEDIUM_ERROR:    MediumFailed,
    SenseKey.HARDWARE_ERROR:  HardwareFailed,
    SenseKey.ILLEGAL_REQUEST: RequestRefused,
    SenseKey.UNIT_ATTENTION:  StateChanged,
    SenseKey.DATA_PROTECT:    DataProtected,
    SenseKey.BLANK_CHECK:     EndOfData,
    SenseKey.ABORTED_COMMAND: CommandAborted,
    SenseKey.VOLUME_OVERFLOW: EndOfMedium,
}

LATE: Final[Mapping[int, type[DeviceError]]] = {
    SenseKey.MEDIUM_ERROR:    MediumFailed,
    SenseKey.HARDWARE_ERROR:  HardwareFailed,
    SenseKey.VOLUME_OVERFLOW: EndOfMedium,
}
# fmt: on
