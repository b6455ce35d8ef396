"""The logical units behind one target: which is where, REPORT LUNS, and what a LUN answers that is not there.

A library has its changer at LUN 0 and its drives from LUN 1; a lone drive is LUN 0 (SPC-4 6.33, SAM-5 4.7).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from tapekey.exchange import Command
from tapekey.scsi import inquiry, sense
from tapekey.scsi.codes import DeviceType, Opcode, Status
from tapekey.scsi.sense import FieldPointer, Sense, SenseKey
from tapekey.target.stream import Stream
from tapekey.target.unit import Answer, Unit
from tapekey.wire.layout import decode

NO_SUCH_UNIT: Final = Sense(SenseKey.ILLEGAL_REQUEST, 0x25, 0x00)
NOT_SUPPORTED: Final = 0b011  # PERIPHERAL QUALIFIER
DESCRIPTOR: Final = 0x01  # byte 1 of REQUEST SENSE
WELL_KNOWN: Final = 1  # SELECT REPORT: well-known logical units only, of which there are none


@dataclass(frozen=True, slots=True)
class Rack:
    """The units of a target by LUN. `name` is what the target calls itself: a serial number, for logs and names."""

    units: Mapping[int, Unit]
    name: str

    def serve(self, nexus: str, lun: int, command: Command) -> Answer:
        """Hand a command to the unit at `lun`; any LUN may be asked what there is."""
        unit = self.units.get(lun)
        if command.cdb[:1] == REPORT_LUNS:
            return self._report_luns(command)
        if unit is not None:
            return unit.serve(nexus, command)
        found = ABSENT.get(command.cdb[0]) if command.cdb else None
        return found(command) if found is not None else _check(NO_SUCH_UNIT)

    def stream(self, nexus: str, lun: int, cdb: bytes, size: int) -> Stream | None:
        """As `Unit.stream`."""
        unit = self.units.get(lun)
        return unit.stream(nexus, cdb, size) if unit is not None else None

    def reset(self, lun: int) -> bool:
        """Reset one unit; False if there is none."""
        unit = self.units.get(lun)
        if unit is None:
            return False
        unit.reset()
        return True

    def reset_all(self) -> None:
        """Reset every unit, as TARGET RESET does."""
        for unit in self.units.values():
            unit.reset()

    def nexus_lost(self, nexus: str) -> None:
        """Tell every unit that a session has ended."""
        for unit in self.units.values():
            unit.nexus_lost(nexus)

    def _report_luns(self, command: Command) -> Answer:
        if len(command.cdb) < 12:
            return _invalid(len(command.cdb))
        cdb = decode(inquiry.ReportLuns, command.cdb)
        if cdb.select_report > 2:
            return _invalid(2)
        luns = () if cdb.select_report == WELL_KNOWN else tuple(sorted(self.units))
        return _good(command, inquiry.encode_luns(luns)[: cdb.room])


REPORT_LUNS: Final = bytes([Opcode.REPORT_LUNS])


def _absent_inquiry(command: Command) -> Answer:
    """Qualifier 011b, type 1Fh: this LUN is not supported (SPC-4 table 175)."""
    if len(command.cdb) < 6:
        return _invalid(len(command.cdb))
    cdb = decode(inquiry.Inquiry, command.cdb)
    if cdb.vital or cdb.page:
        return _invalid(2)
    nothing = inquiry.Standard(qualifier=NOT_SUPPORTED, device_type=DeviceType.NONE, removable=False)
    return _good(command, inquiry.encode_standard(nothing)[: cdb.room])


def _absent_sense(command: Command) -> Answer:
    """The refusal comes as data, with status GOOD (SPC-4 6.39)."""
    if len(command.cdb) < 6:
        return _invalid(len(command.cdb))
    descriptor = command.cdb[1] & DESCRIPTOR
    image = sense.encode_descriptor(NO_SUCH_UNIT) if descriptor else sense.encode_fixed(NO_SUCH_UNIT)
    return _good(command, image[: command.cdb[4]])


ABSENT: Final[Mapping[int, Callable[[Command], Answer]]] = {
    Opcode.INQUIRY: _absent_inquiry,
    Opcode.REQUEST_SENSE: _absent_sense,
}


def _good(command: Command, data: bytes) -> Answer:
    return Answer(Status.GOOD, data[: command.data_in_max])


def _invalid(byte: int) -> Answer:
    return _check(Sense(SenseKey.ILLEGAL_REQUEST, 0x24, 0x00, field=FieldPointer(byte, None, in_cdb=True)))


def _check(found: Sense) -> Answer:
    return Answer(Status.CHECK_CONDITION, b"", sense.encode_fixed(found))
