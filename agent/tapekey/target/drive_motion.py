"""REWIND, SPACE, LOCATE, READ POSITION: motions need no key (reference 1.3, 1.5, 1.6)."""

from collections.abc import Callable, Mapping
from typing import Final

from tapekey.exchange import Command
from tapekey.scsi import media, position
from tapekey.scsi.media import Destination, SpaceCode
from tapekey.scsi.sense import SenseKey
from tapekey.target import early_warning
from tapekey.target.medium import Moved, Stop, Tape
from tapekey.target.nexus import Nexus
from tapekey.target.refusal import Refusal, invalid_cdb, sense
from tapekey.target.state import Drive
from tapekey.wire.layout import decode, encode


def rewind(drive: Drive, nexus: Nexus, command: Command) -> None:
    """REWIND (01h)."""
    _leave(drive).rewind()


def _leave(drive: Drive) -> Tape:
    """The tape, about to move: what was buffered goes out first, and what was read ahead is forgotten."""
    tape = drive.require_medium().tape
    tape.sync()
    drive.looked_ahead, drive.permission = False, None
    return tape


def space_6(drive: Drive, nexus: Nexus, command: Command) -> None:
    """SPACE(6) (11h)."""
    cdb = decode(media.Space6, command.cdb)
    _space(drive, cdb.code, cdb.count)


def space_16(drive: Drive, nexus: Nexus, command: Command) -> None:
    """SPACE(16) (91h)."""
    cdb = decode(media.Space16, command.cdb)
    if cdb.parameter_length:
        raise invalid_cdb(12)
    _space(drive, cdb.code, cdb.count)


MOTIONS: Final[Mapping[SpaceCode, Callable[[Tape, int], Moved]]] = {
    SpaceCode.BLOCKS: Tape.space_blocks,
    SpaceCode.FILEMARKS: Tape.space_filemarks,
    SpaceCode.SEQUENTIAL_FILEMARKS: Tape.space_sequential_filemarks,
}


def _space(drive: Drive, code: SpaceCode, count: int) -> None:
    if code is SpaceCode.END_OF_DATA:
        _leave(drive).space_to_end()
        return
    motion = MOTIONS.get(code)
    if motion is None:
        raise invalid_cdb(1, 3)
    moved = motion(_leave(drive), count)
    left = abs(count) - moved.done
    if moved.stop is Stop.FILEMARK:
        raise Refusal(sense(SenseKey.NO_SENSE, 0x00, 0x01, information=left, filemark=True))
    if moved.stop is Stop.END_OF_DATA:
        raise Refusal(sense(SenseKey.BLANK_CHECK, 0x00, 0x05, information=left))
    if moved.stop is Stop.BEGINNING:
        raise Refusal(sense(SenseKey.NO_SENSE, 0x00, 0x04, information=left, eom=True))


def locate_10(drive: Drive, nexus: Nexus, command: Command) -> None:
    """LOCATE(10) (2Bh); BT is ignored, as `st` may set it."""
    cdb = decode(media.Locate10, command.cdb)
    _arrived(_enter(drive, cdb.partition if cdb.change_partition else None, 8).locate(cdb.object))


def _enter(drive: Drive, partition: int | None, byte: int) -> Tape:
    """The tape, about to move, with another partition under the head if one is named."""
    tape, cartridge = _leave(drive), drive.require_medium()
    if partition is None:
        return tape
    if partition >= len(cartridge.tapes):
        raise invalid_cdb(byte)
    return cartridge.switch(partition)


def locate_16(drive: Drive, nexus: Nexus, command: Command) -> None:
    """LOCATE(16) (92h)."""
    cdb = decode(media.Locate16, command.cdb)
    if cdb.destination not in (Destination.OBJECT, Destination.FILE, Destination.END_OF_DATA):
        raise invalid_cdb(1, 5)
    tape = _enter(drive, cdb.partition if cdb.change_partition else None, 3)
    if cdb.destination is Destination.OBJECT:
        _arrived(tape.locate(cdb.identifier))
    elif cdb.destination is Destination.FILE:
        _arrived(tape.locate_file(cdb.identifier))
    else:
        tape.space_to_end()


def _arrived(there: bool) -> None:
    if not there:
        raise Refusal(sense(SenseKey.BLANK_CHECK, 0x00, 0x05))


def read_position(drive: Drive, nexus: Nexus, command: Command) -> bytes:
    """READ POSITION (34h); the old form 01h, which `st` sends, is answered like 00h."""
    cdb = decode(position.ReadPosition, command.cdb)
    form = FORMS.get(cdb.form)
    if form is None:
        raise invalid_cdb(1, 4)
    drive.require_medium()
    image = encode(form(drive, drive.tape))
    return image[: cdb.room] if cdb.form is position.Form.EXTENDED else image


def _short(drive: Drive, tape: Tape) -> position.ShortPosition:
    wide = tape.position >= 1 << 32
    here = 0 if wide else tape.position
    return position.ShortPosition(
        beginning_of_partition=tape.position == 0,
        end_of_partition=tape.past_early_warning,
        overflow=wide,
        beyond_early_warning=early_warning.beyond_programmed(drive, tape),
        partition=drive.partition,
        first_object=here,
        last_object=here,
    )


def _long(drive: Drive, tape: Tape) -> position.LongPosition:
    return position.LongPosition(
        beginning_of_partition=tape.position == 0,
        end_of_partition=tape.past_early_warning,
        beyond_early_warning=early_warning.beyond_programmed(drive, tape),
        partition=drive.partition,
        object=tape.position,
        file=tape.file_number,
    )


def _extended(drive: Drive, tape: Tape) -> position.ExtendedPosition:
    return position.ExtendedPosition(
        beginning_of_partition=tape.position == 0,
        end_of_partition=tape.past_early_warning,
        beyond_early_warning=early_warning.beyond_programmed(drive, tape),
        partition=drive.partition,
        first_object=tape.position,
        last_object=tape.position,
    )


FORMS: Final[Mapping[position.Form, Callable[[Drive, Tape], object]]] = {
    position.Form.SHORT: _short,
    position.Form.SHORT_VENDOR: _short,
    position.Form.LONG: _long,
    position.Form.EXTENDED: _extended,
}
