"""The device server: which command goes where, and what stands before every command (reference 5.2, 6).

Whatever it is given it answers: nothing a client sends raises here.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from tapekey.errors import MediumDamaged, OverwriteRefused
from tapekey.exchange import Buffer, Command, Reply
from tapekey.scsi import media, opcodes, sense
from tapekey.scsi.codes import Opcode, Status
from tapekey.scsi.sense import Sense, SenseKey
from tapekey.target import (
    drive_attribute,
    drive_inquiry,
    drive_load,
    drive_log,
    drive_mode,
    drive_motion,
    drive_read,
    drive_register,
    drive_report,
    drive_reserve,
    drive_security,
    drive_set_encryption,
    drive_write,
    modes,
)
from tapekey.target.nexus import Nexus
from tapekey.target.personality import Management
from tapekey.target.refusal import Refusal, ReservedByAnother, data_protect, illegal, invalid_cdb
from tapekey.target.state import Drive
from tapekey.target.unit import Answer
from tapekey.wire.layout import decode

Handler = Callable[[Drive, Nexus, Command], Buffer | None]


@dataclass(frozen=True, slots=True)
class Row:
    """A command: its CDB's length, what carries it out, the seconds it may take."""

    length: int
    handler: Handler
    timeout: float = media.QUICK
    actions: Mapping[int, Handler] | None = None


def report_opcodes(drive: Drive, nexus: Nexus, command: Command) -> bytes:
    """REPORT SUPPORTED OPERATION CODES (A3h/0Ch)."""
    cdb = decode(opcodes.ReportOpcodes, command.cdb)
    if cdb.options is opcodes.Options.ALL:
        return opcodes.encode_all(_entries(drive, timeouts=cdb.timeouts))[: cdb.room]
    if cdb.options not in (opcodes.Options.OPCODE, opcodes.Options.SERVICE_ACTION):
        raise invalid_cdb(2, 2)
    row = _rows(drive).get(cdb.requested)
    by_action = cdb.options is opcodes.Options.SERVICE_ACTION
    if row is not None and by_action is (row.actions is None):
        raise invalid_cdb(2, 2)
    if row is None or (row.actions is not None and cdb.requested_action not in row.actions):
        return opcodes.encode_one(opcodes.One(opcodes.Support.NOT_SUPPORTED))[: cdb.room]
    usage = bytes([cdb.requested, cdb.requested_action if by_action else 0xFF]).ljust(row.length - 1, b"\xff") + b"\0"
    timeouts = _timeouts(row) if cdb.timeouts else None
    return opcodes.encode_one(opcodes.One(opcodes.Support.STANDARD, usage, timeouts))[: cdb.room]


def _entries(drive: Drive, *, timeouts: bool) -> list[opcodes.Entry]:
    found = []
    for opcode, row in sorted(_rows(drive).items()):
        actions: list[int | None] = [None] if row.actions is None else list(row.actions)
        found += [opcodes.Entry(opcode, row.length, action, _timeouts(row) if timeouts else None) for action in actions]
    return found


def _timeouts(row: Row) -> opcodes.Timeouts:
    return opcodes.Timeouts(nominal=int(row.timeout) // 2, recommended=int(row.timeout))


def _maintenance_in(drive: Drive, nexus: Nexus, command: Command) -> Buffer | None:
    return _by_action(REPORTS, drive, nexus, command)


def _maintenance_out(drive: Drive, nexus: Nexus, command: Command) -> Buffer | None:
    return _by_action(ORDERS, drive, nexus, command)


def _by_action(actions: Mapping[int, Handler], drive: Drive, nexus: Nexus, command: Command) -> Buffer | None:
    handler = actions.get(command.cdb[1] & 0x1F)
    if handler is None:
        raise invalid_cdb(1, 4)
    return handler(drive, nexus, command)


REPORTS: Final[Mapping[int, Handler]] = {0x0C: report_opcodes, 0x0F: drive_report.report_timestamp}
ORDERS: Final[Mapping[int, Handler]] = {0x0F: drive_report.set_timestamp}

# fmt: off
COMMANDS: Final[Mapping[Opcode, Row]] = {
    Opcode.TEST_UNIT_READY:              Row( 6, drive_load.test_unit_ready),
    Opcode.REWIND:                       Row( 6, drive_motion.rewind, media.REWIND),
    Opcode.REQUEST_SENSE:                Row( 6, drive_inquiry.request_sense),
    Opcode.READ_BLOCK_LIMITS:            Row( 6, drive_report.read_block_limits),
    Opcode.READ_6:                       Row( 6, drive_read.read, media.DATA),
    Opcode.WRITE_6:                      Row( 6, drive_write.write, media.DATA),
    Opcode.WRITE_FILEMARKS_6:            Row( 6, drive_write.write_filemarks, media.DATA),
    Opcode.SPACE_6:                      Row( 6, drive_motion.space_6, media.MOTION),
    Opcode.INQUIRY:                      Row( 6, drive_inquiry.answer_inquiry),
    Opcode.VERIFY_6:                     Row( 6, drive_read.verify, media.VERIFY),
    Opcode.MODE_SELECT_6:                Row( 6, drive_mode.mode_select),
    Opcode.RESERVE_6:                    Row( 6, drive_reserve.reserve_unit),
    Opcode.RELEASE_6:                    Row( 6, drive_reserve.release_unit),
    Opcode.ERASE_6:                      Row( 6, drive_write.erase, media.ERASE_SHORT),
    Opcode.MODE_SENSE_6:                 Row( 6, drive_mode.mode_sense),
    Opcode.LOAD_UNLOAD:                  Row( 6, drive_load.load_unload, media.LOAD),
    Opcode.SEND_DIAGNOSTIC:              Row( 6, drive_report.send_diagnostic),
    Opcode.PREVENT_ALLOW_MEDIUM_REMOVAL: Row( 6, drive_load.prevent_allow),
    Opcode.LOCATE_10:                    Row(10, drive_motion.locate_10, media.MOTION),
    Opcode.READ_POSITION:                Row(10, drive_motion.read_position),
    Opcode.REPORT_DENSITY_SUPPORT:       Row(10, drive_report.report_density),
    Opcode.LOG_SELECT:                   Row(10, drive_log.log_select),
    Opcode.LOG_SENSE:                    Row(10, drive_log.log_sense),
    Opcode.MODE_SELECT_10:               Row(10, drive_mode.mode_select),
    Opcode.RESERVE_10:                   Row(10, drive_reserve.reserve_unit),
    Opcode.RELEASE_10:                   Row(10, drive_reserve.release_unit),
    Opcode.MODE_SENSE_10:                Row(10, drive_mode.mode_sense),
    Opcode.PERSISTENT_RESERVE_IN:        Row(10, drive_reserve.persistent_in),
    Opcode.PERSISTENT_RESERVE_OUT:       Row(10, drive_register.persistent_out),
    Opcode.READ_ATTRIBUTE:               Row(16, drive_attribute.read_attribute),
    Opcode.WRITE_ATTRIBUTE:              Row(16, drive_attribute.write_attribute),
    Opcode.SPACE_16:                     Row(16, drive_motion.space_16, media.MOTION),
    Opcode.LOCATE_16:                    Row(16, drive_motion.locate_16, media.MOTION),
    Opcode.REPORT_LUNS:                  Row(12, drive_inquiry.report_luns),
    Opcode.SECURITY_PROTOCOL_IN:         Row(12, drive_security.security_protocol_in),
    Opcode.MAINTENANCE_IN:               Row(12, _maintenance_in, actions=REPORTS),
    Opcode.MAINTENANCE_OUT:              Row(12, _maintenance_out, actions=ORDERS),
    Opcode.SECURITY_PROTOCOL_OUT:        Row(12, drive_set_encryption.security_protocol_out),
}
# fmt: on

SECURITY: Final = frozenset({Opcode.SECURITY_PROTOCOL_IN, Opcode.SECURITY_PROTOCOL_OUT})
NEVER_ATTENTION: Final = frozenset({Opcode.INQUIRY, Opcode.REPORT_LUNS, Opcode.REQUEST_SENSE})


def _rows(drive: Drive) -> dict[Opcode, Row]:
    """The commands that this drive knows as it is managed now."""
    facts = drive.personality
    hidden = facts.management is Management.NONE or (
        facts.management is not Management.APPLICATION and facts.external_hides_security
    )
    return {opcode: row for opcode, row in COMMANDS.items() if not (hidden and opcode in SECURITY)}


def execute(drive: Drive, name: str, command: Command) -> Reply:
    """Carry out one command of the nexus of that name; the reply is a copy of its own."""
    answer = serve(drive, name, command)
    return Reply(answer.status, bytes(answer.data), answer.sense)


def serve(drive: Drive, name: str, command: Command) -> Answer:
    """Carry out one command of the nexus of that name. Data of a READ lie in `command.into` if that has the room."""
    nexus = drive.nexuses.get(name)
    drive.wake()
    try:
        data = _admitted(drive, nexus, command)(drive, nexus, command) or b""
    except Refusal as refusal:
        return _check(drive, command, refusal.sense, refusal.data)
    except ReservedByAnother:
        return Answer(Status.RESERVATION_CONFLICT)
    except OverwriteRefused:
        return _check(drive, command, data_protect(0x30, 0x0C).sense)
    except (MediumDamaged, OSError):
        return _check(drive, command, Sense(SenseKey.MEDIUM_ERROR, 0x0C, 0x00))
    return Answer(Status.GOOD, data if len(data) <= command.data_in_max else data[: command.data_in_max])


def _check(drive: Drive, command: Command, found: Sense, data: Buffer = b"") -> Answer:
    descriptor = drive.modes.bit(drive.personality, modes.CONTROL, 2, modes.D_SENSE)
    image = sense.encode_descriptor(found) if descriptor else sense.encode_fixed(found)
    return Answer(Status.CHECK_CONDITION, data[: command.data_in_max], image)


def _admitted(drive: Drive, nexus: Nexus, command: Command) -> Handler:
    """What comes before any command: is it known, is something to be told first, does somebody hold the drive."""
    opcode = Opcode(command.cdb[0]) if command.cdb else None
    row = None if opcode is None else _rows(drive).get(opcode)
    if row is None or opcode is None:
        raise _unknown(drive, opcode)
    if len(command.cdb) < row.length:
        raise invalid_cdb(len(command.cdb))
    exempt = NEVER_ATTENTION if drive.personality.log_sense_reports_attention else NEVER_ATTENTION | {Opcode.LOG_SENSE}
    if opcode not in exempt and (attention := nexus.take_attention()) is not None:
        raise Refusal(Sense(SenseKey.UNIT_ATTENTION, *attention.value))
    if drive.reservations.stop(nexus.name, opcode):
        raise ReservedByAnother
    return row.handler


def _unknown(drive: Drive, opcode: Opcode | None) -> Refusal:
    """5/20/00, save that a library-managed drive names its reason to who would set a key."""
    if opcode is Opcode.SECURITY_PROTOCOL_OUT and drive.personality.management is Management.LIBRARY:
        return illegal(0x74, 0x21)
    return illegal(0x20, 0x00)
