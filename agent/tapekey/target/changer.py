"""The medium changer's device server: which command goes where, and what stands before every command.

Nothing that a client sends raises here. A row that is `slow` is carried out beside the changer's turn, so that a
motion stops nobody from asking.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from tapekey.exchange import Command
from tapekey.scsi import changer as commands
from tapekey.scsi import codes, diagnostic, inquiry, log, media, mode, opcodes, reserve, sense
from tapekey.scsi.changer import Opcode
from tapekey.scsi.codes import Status
from tapekey.scsi.sense import Sense, SenseKey
from tapekey.target import changer_move, changer_report, drive_opcodes, drive_register, drive_reserve
from tapekey.target.changer_state import Changer
from tapekey.target.nexus import Nexus
from tapekey.target.refusal import Refusal, ReservedByAnother, illegal, invalid_cdb
from tapekey.target.unit import Answer
from tapekey.wire.layout import decode, size_of

Handler = Callable[[Changer, Nexus, Command], bytes | None]
NEVER_ATTENTION: Final = frozenset({Opcode.INQUIRY, Opcode.REQUEST_SENSE})


@dataclass(frozen=True, slots=True)
class Row:
    """A command: the structure of its CDB, what carries it out, the seconds it may take, its service actions."""

    structure: type
    handler: Handler
    timeout: float = media.QUICK
    slow: bool = False
    actions: Mapping[int, type] | None = None
    unread: frozenset[str] = frozenset()

    @property
    def length(self) -> int:
        return size_of(self.structure)


def _report_opcodes(changer: Changer, nexus: Nexus, command: Command) -> bytes:
    """REPORT SUPPORTED OPERATION CODES (A3h/0Ch)."""
    if command.cdb[1] & 0x1F != opcodes.SERVICE_ACTION:
        raise invalid_cdb(1, 4)
    told = {codes.Opcode(opcode): row for opcode, row in COMMANDS.items()}  # the report has the numbers only
    return drive_opcodes.report(told, command)


LOOKS, MOVES = commands.INVENTORY, commands.MOVING
REPORTS: Final = {opcodes.SERVICE_ACTION: opcodes.ReportOpcodes}

# fmt: off
COMMANDS: Final[Mapping[int, Row]] = {
    Opcode.TEST_UNIT_READY:              Row(media.TestUnitReady, changer_report.test_unit_ready),
    Opcode.REQUEST_SENSE:                Row(media.RequestSense, changer_report.request_sense),
    Opcode.INITIALIZE_ELEMENT_STATUS:    Row(commands.Initialize, changer_move.initialize, LOOKS, slow=True),
    Opcode.INQUIRY:                      Row(inquiry.Inquiry, changer_report.answer_inquiry),
    Opcode.MODE_SELECT_6:                Row(mode.ModeSelect6, changer_report.mode_select),
    Opcode.RESERVE_6:                    Row(reserve.Reserve6, drive_reserve.reserve_unit),
    Opcode.RELEASE_6:                    Row(reserve.Release6, drive_reserve.release_unit),
    Opcode.MODE_SENSE_6:                 Row(mode.ModeSense6, changer_report.mode_sense),
    Opcode.SEND_DIAGNOSTIC:              Row(diagnostic.SendDiagnostic, changer_report.send_diagnostic),
    Opcode.PREVENT_ALLOW_MEDIUM_REMOVAL: Row(media.PreventAllow, changer_report.prevent_allow),
    Opcode.POSITION_TO_ELEMENT:          Row(commands.PositionToElement, changer_move.position, MOVES, slow=True),
    Opcode.INITIALIZE_WITH_RANGE:        Row(commands.InitializeRange, changer_move.initialize_range, LOOKS, slow=True),
    Opcode.LOG_SENSE:                    Row(log.LogSense, changer_report.log_sense),
    Opcode.MODE_SELECT_10:               Row(mode.ModeSelect10, changer_report.mode_select),
    Opcode.RESERVE_10:                   Row(reserve.Reserve10, drive_reserve.reserve_unit),
    Opcode.RELEASE_10:                   Row(reserve.Release10, drive_reserve.release_unit),
    Opcode.MODE_SENSE_10:                Row(mode.ModeSense10, changer_report.mode_sense),
    Opcode.PERSISTENT_RESERVE_IN:        Row(reserve.PersistentIn, drive_reserve.persistent_in),
    Opcode.PERSISTENT_RESERVE_OUT:       Row(reserve.PersistentOut, drive_register.persistent_out),
    Opcode.REPORT_LUNS:                  Row(inquiry.ReportLuns, changer_report.report_luns),
    Opcode.MAINTENANCE_IN:               Row(opcodes.ReportOpcodes, _report_opcodes, actions=REPORTS),
    Opcode.MOVE_MEDIUM:                  Row(commands.MoveMedium, changer_move.move_medium, MOVES, slow=True),
    Opcode.EXCHANGE_MEDIUM:              Row(commands.ExchangeMedium, changer_move.exchange_medium, MOVES, slow=True),
    Opcode.READ_ELEMENT_STATUS:          Row(commands.ReadElementStatus, changer_move.read_element_status),
    Opcode.INITIALIZE_WITH_RANGE_E7:     Row(commands.InitializeRange, changer_move.initialize_range, LOOKS, slow=True),
}
# fmt: on


def serve(changer: Changer, name: str, command: Command) -> Answer:
    """Carry out one command of the nexus of that name."""
    try:
        with changer.turn:
            nexus = changer.nexuses.get(name)
            row = _admitted(changer, nexus, command)
            data = None if row.slow else row.handler(changer, nexus, command)
        if row.slow:
            data = row.handler(changer, nexus, command)
    except Refusal as refusal:
        return Answer(Status.CHECK_CONDITION, b"", sense.encode_fixed(refusal.sense))
    except ReservedByAnother:
        return Answer(Status.RESERVATION_CONFLICT)
    return Answer(Status.GOOD, (data or b"")[: command.data_in_max])


def _admitted(changer: Changer, nexus: Nexus, command: Command) -> Row:
    """What comes before any command: is it known, is something to be told first, does somebody hold the changer."""
    opcode = command.cdb[0] if command.cdb else None
    row = None if opcode is None else COMMANDS.get(opcode)
    if row is None or opcode is None:
        raise illegal(0x20, 0x00)
    if len(command.cdb) < row.length:
        raise invalid_cdb(len(command.cdb))
    if opcode not in NEVER_ATTENTION and (attention := nexus.take_attention()) is not None:
        raise Refusal(Sense(SenseKey.UNIT_ATTENTION, *attention.value))
    if changer.reservations.stop(nexus.name, opcode) and not _only_looks(opcode, command.cdb):
        raise ReservedByAnother
    return row


def _only_looks(opcode: int, cdb: bytes) -> bool:
    """READ ELEMENT STATUS with CURDATA is let through every reservation (SMC-3)."""
    return opcode == Opcode.READ_ELEMENT_STATUS and decode(commands.ReadElementStatus, cdb).current


@dataclass(slots=True)
class ChangerUnit:
    """The changer as a logical unit."""

    changer: Changer

    def serve(self, nexus: str, command: Command) -> Answer:
        """Carry out one command."""
        return serve(self.changer, nexus, command)

    def stream(self, nexus: str, cdb: bytes, size: int) -> None:
        """There is nothing here to stream."""

    def reset(self) -> None:
        """Forget what hosts have set, and tell them; cartridges stay where they are."""
        with self.changer.turn:
            self.changer.reservations.simple = ""
            self.changer.nexuses.reset()

    def nexus_lost(self, nexus: str) -> None:
        """A session has ended: its RESERVE and its PREVENT go with it."""
        with self.changer.turn:
            if self.changer.reservations.simple == nexus:
                self.changer.reservations.simple = ""
            self.changer.nexuses.lose(nexus)
