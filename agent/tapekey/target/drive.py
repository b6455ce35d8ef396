"""The device server: which command goes where, and what stands before every command (reference 5.2, 6).

Whatever it is given it answers: nothing a client sends raises here.
"""

from collections.abc import Mapping
from functools import cache
from typing import Final

from tapekey.errors import MediumDamaged, OverwriteRefused
from tapekey.exchange import Buffer, Command, Reply
from tapekey.scsi import (
    attribute,
    buffer,
    capacity,
    density,
    diagnostic,
    inquiry,
    log,
    media,
    mode,
    opcodes,
    position,
    reserve,
    security,
    sense,
    timestamp,
)
from tapekey.scsi.codes import Opcode, Status
from tapekey.scsi.sense import Sense, SenseKey
from tapekey.target import (
    alerts,
    drive_attribute,
    drive_buffer,
    drive_diagnostic,
    drive_erase,
    drive_format,
    drive_inquiry,
    drive_load,
    drive_log,
    drive_mode,
    drive_motion,
    drive_opcodes,
    drive_overwrite,
    drive_read,
    drive_register,
    drive_report,
    drive_reserve,
    drive_security,
    drive_set_encryption,
    drive_write,
    modes,
)
from tapekey.target.drive_opcodes import Handler, Row, row
from tapekey.target.nexus import Nexus
from tapekey.target.personality import Management
from tapekey.target.refusal import Refusal, ReservedByAnother, data_protect, illegal, invalid_cdb
from tapekey.target.state import Drive
from tapekey.target.tray import Place
from tapekey.target.unit import Answer


def report_opcodes(drive: Drive, nexus: Nexus, command: Command) -> Buffer:
    """REPORT SUPPORTED OPERATION CODES (A3h/0Ch)."""
    return drive_opcodes.report({Opcode(code): row for code, row in _rows(drive).items()}, command)


def _maintenance_in(drive: Drive, nexus: Nexus, command: Command) -> Buffer | None:
    return _by_action(REPORTS, drive, nexus, command)


def _maintenance_out(drive: Drive, nexus: Nexus, command: Command) -> Buffer | None:
    return _by_action(ORDERS, drive, nexus, command)


def _by_action(actions: Mapping[int, Handler], drive: Drive, nexus: Nexus, command: Command) -> Buffer | None:
    handler = actions.get(command.cdb[1] & 0x1F)
    if handler is None:
        raise invalid_cdb(1, 4)
    return handler(drive, nexus, command)


# fmt: off
REPORTS: Final[Mapping[int, Handler]] = {0x0C: report_opcodes, 0x0F: drive_report.report_timestamp}
ORDERS: Final[Mapping[int, Handler]] = {0x0F: drive_report.set_timestamp}

COMMANDS: Final[Mapping[Opcode, Row]] = {
    Opcode.TEST_UNIT_READY:        row(media.TestUnitReady, drive_load.test_unit_ready),
    Opcode.REWIND:                 row(media.Rewind, drive_motion.rewind, media.REWIND),
    Opcode.REQUEST_SENSE:          row(media.RequestSense, drive_inquiry.request_sense),
    Opcode.FORMAT_MEDIUM:          row(media.FormatMedium, drive_format.format_medium, media.FORMAT),
    Opcode.READ_BLOCK_LIMITS:      row(media.ReadBlockLimits, drive_report.read_block_limits),
    Opcode.READ_6:                 row(media.Read6, drive_read.read, media.DATA),
    Opcode.WRITE_6:                row(media.Write6, drive_write.write, media.DATA),
    Opcode.SET_CAPACITY:           row(capacity.SetCapacity, drive_format.set_capacity, media.FORMAT),
    Opcode.WRITE_FILEMARKS_6:      row(media.WriteFilemarks6, drive_write.write_filemarks, media.DATA),
    Opcode.SPACE_6:                row(media.Space6, drive_motion.space_6, media.MOTION),
    Opcode.INQUIRY:                row(inquiry.Inquiry, drive_inquiry.answer_inquiry),
    Opcode.VERIFY_6:               row(media.Verify6, drive_read.verify, media.VERIFY),
    Opcode.MODE_SELECT_6:          row(mode.ModeSelect6, drive_mode.mode_select, mode.TIMEOUT),
    Opcode.RESERVE_6:              row(reserve.Reserve6, drive_reserve.reserve_unit),
    Opcode.RELEASE_6:              row(reserve.Release6, drive_reserve.release_unit),
    Opcode.ERASE_6:                row(media.Erase6, drive_erase.erase, media.ERASE_LONG),
    Opcode.MODE_SENSE_6:           row(mode.ModeSense6, drive_mode.mode_sense),
    Opcode.LOAD_UNLOAD:            row(media.LoadUnload, drive_load.load_unload, media.LOAD, unread=("retension",)),
    Opcode.RECEIVE_DIAGNOSTIC:     row(diagnostic.ReceiveDiagnostic, drive_diagnostic.receive_diagnostic),
    Opcode.SEND_DIAGNOSTIC:        row(diagnostic.SendDiagnostic, drive_diagnostic.send_diagnostic),
    Opcode.PREVENT_ALLOW_MEDIUM_REMOVAL: row(media.PreventAllow, drive_load.prevent_allow),
    Opcode.LOCATE_10:              row(media.Locate10, drive_motion.locate_10, media.MOTION, unread=("block_type",)),
    Opcode.READ_POSITION:          row(
        position.ReadPosition, drive_motion.read_position, position.QUICK,
        actions=dict.fromkeys(drive_motion.FORMS, position.ReadPosition),
    ),
    Opcode.WRITE_BUFFER:           row(buffer.WriteBuffer, drive_buffer.write_buffer),
    Opcode.READ_BUFFER:            row(buffer.ReadBuffer, drive_buffer.read_buffer),
    Opcode.REPORT_DENSITY_SUPPORT: row(density.ReportDensity, drive_report.report_density),
    Opcode.LOG_SELECT:             row(log.LogSelect, drive_log.log_select),
    Opcode.LOG_SENSE:              row(log.LogSense, drive_log.log_sense),
    Opcode.MODE_SELECT_10:         row(mode.ModeSelect10, drive_mode.mode_select, mode.TIMEOUT),
    Opcode.RESERVE_10:             row(reserve.Reserve10, drive_reserve.reserve_unit),
    Opcode.RELEASE_10:             row(reserve.Release10, drive_reserve.release_unit),
    Opcode.MODE_SENSE_10:          row(mode.ModeSense10, drive_mode.mode_sense, unread=("long_descriptor",)),
    Opcode.PERSISTENT_RESERVE_IN:  row(
        reserve.PersistentIn, drive_reserve.persistent_in,
        actions=dict.fromkeys(drive_reserve.VIEWS, reserve.PersistentIn),
    ),
    Opcode.PERSISTENT_RESERVE_OUT: row(
        reserve.PersistentOut, drive_register.persistent_out,
        actions=dict.fromkeys(reserve.OutAction, reserve.PersistentOut),
    ),
    Opcode.ALLOW_OVERWRITE:        row(media.AllowOverwrite, drive_overwrite.allow_overwrite),
    Opcode.READ_ATTRIBUTE:         row(
        attribute.ReadAttribute, drive_attribute.read_attribute, attribute.TIMEOUT,
        actions=dict.fromkeys(drive_attribute.ACTIONS, attribute.ReadAttribute),
    ),
    Opcode.WRITE_ATTRIBUTE:        row(attribute.WriteAttribute, drive_attribute.write_attribute, attribute.TIMEOUT),
    Opcode.SPACE_16:               row(media.Space16, drive_motion.space_16, media.MOTION),
    Opcode.LOCATE_16:              row(media.Locate16, drive_motion.locate_16, media.MOTION, unread=("address_mode",)),
    Opcode.REPORT_LUNS:            row(inquiry.ReportLuns, drive_inquiry.report_luns),
    Opcode.SECURITY_PROTOCOL_IN:   row(security.SecurityCdb, drive_security.security_protocol_in),
    Opcode.MAINTENANCE_IN:         row(
        opcodes.ReportOpcodes, _maintenance_in,
        actions={0x0C: opcodes.ReportOpcodes, 0x0F: timestamp.ReportTimestamp},
    ),
    Opcode.MAINTENANCE_OUT:        row(
        timestamp.SetTimestamp, _maintenance_out, actions={0x0F: timestamp.SetTimestamp}
    ),
    Opcode.SECURITY_PROTOCOL_OUT:  row(security.SecurityCdb, drive_set_encryption.security_protocol_out),
}
# fmt: on

SECURITY: Final = frozenset({Opcode.SECURITY_PROTOCOL_IN, Opcode.SECURITY_PROTOCOL_OUT})
NEVER_ATTENTION: Final = frozenset({Opcode.INQUIRY, Opcode.REPORT_LUNS, Opcode.REQUEST_SENSE})


def _rows(drive: Drive) -> Mapping[int, Row]:
    """The commands that this drive knows as it is managed now."""
    facts = drive.personality
    hidden = facts.management is Management.NONE or (
        facts.management is not Management.APPLICATION and facts.external_hides_security
    )
    return _known(hidden=hidden, append_only=facts.append_only)


@cache
def _known(*, hidden: bool, append_only: bool) -> Mapping[int, Row]:
    absent = (SECURITY if hidden else frozenset()) | (frozenset() if append_only else {Opcode.ALLOW_OVERWRITE})
    return {int(opcode): found for opcode, found in COMMANDS.items() if opcode not in absent}


def execute(drive: Drive, name: str, command: Command) -> Reply:
    """Carry out one command of the nexus of that name; the reply is a copy of its own."""
    answer = serve(drive, name, command)
    return Reply(answer.status, bytes(answer.data), answer.sense)


def serve(drive: Drive, name: str, command: Command) -> Answer:
    """Carry out one command of the nexus of that name. Data of a READ lie in `command.into` if that has the room."""
    nexus = drive.nexuses.get(name)
    if drive.place is Place.LOADING:
        drive.wake()
    drive.taken = 0
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
    if len(data) > command.data_in_max:
        data = data[: command.data_in_max]
    return Answer(Status.GOOD, data, b"", drive.taken)


def _check(drive: Drive, command: Command, found: Sense, data: Buffer = b"") -> Answer:
    alerts.observe(drive, found)
    descriptor = drive.modes.bit(drive.personality, modes.CONTROL, 2, modes.D_SENSE)
    image = sense.encode_descriptor(found) if descriptor else sense.encode_fixed(found)
    return Answer(Status.CHECK_CONDITION, data[: command.data_in_max], image, drive.taken)


def _admitted(drive: Drive, nexus: Nexus, command: Command) -> Handler:
    """What comes before any command: is it known, is something to be told first, does somebody hold the drive."""
    cdb = command.cdb
    opcode = cdb[0] if cdb else None
    known = None if opcode is None else _rows(drive).get(opcode)
    if known is None or opcode is None:
        raise _unknown(drive, opcode)
    if len(cdb) < known.length:
        raise invalid_cdb(len(cdb))
    if nexus.pending and not _exempt(drive, opcode) and (attention := nexus.take_attention()) is not None:
        raise Refusal(Sense(SenseKey.UNIT_ATTENTION, *attention.value))
    if nexus.deferred is not None and not _exempt(drive, opcode):
        found, nexus.deferred = nexus.deferred, None
        raise Refusal(found)
    if drive.reservations.stop(nexus.name, opcode, cdb):
        raise ReservedByAnother
    return known.handler


def _exempt(drive: Drive, opcode: int) -> bool:
    """Whether a command is carried out before an attention is reported."""
    if opcode == Opcode.LOG_SENSE:
        return not drive.personality.log_sense_reports_attention
    return opcode in NEVER_ATTENTION


def _unknown(drive: Drive, opcode: int | None) -> Refusal:
    """5/20/00, save that a library-managed drive names its reason to who would set a key."""
    if opcode == Opcode.SECURITY_PROTOCOL_OUT and drive.personality.management is Management.LIBRARY:
        return illegal(0x74, 0x21)
    return illegal(0x20, 0x00)
