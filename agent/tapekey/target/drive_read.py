"""READ and VERIFY: what takes blocks from the tape (reference 1.5 and 6.5).

A block that cannot be decrypted leaves the tape before it, so that it can be read again under another key.
"""

from dataclasses import replace

from tapekey.errors import MediumDamaged
from tapekey.exchange import Buffer, Command
from tapekey.scsi import media
from tapekey.scsi.sense import SenseKey
from tapekey.target import crypt
from tapekey.target.medium import Tape, is_filemark
from tapekey.target.medium_record import Header
from tapekey.target.nexus import Nexus
from tapekey.target.refusal import Refusal, invalid_cdb, sense
from tapekey.target.state import Drive
from tapekey.wire.layout import decode


def read(drive: Drive, nexus: Nexus, command: Command) -> bytes:
    """READ(6) (08h)."""
    cdb = decode(media.Read6, command.cdb)
    if cdb.fixed and (cdb.suppress_length_incorrect or not drive.modes.block_length):
        refusal = invalid_cdb(1, 1 if cdb.suppress_length_incorrect else 0)
        raise Refusal(replace(refusal.sense, information=cdb.length))
    drive.require_cartridge()
    drive.check_lock(nexus)
    if not cdb.length:
        return b""
    if cdb.fixed:
        return _read_fixed(drive, nexus, cdb.length)
    return _read_variable(drive, nexus, cdb.length, suppress=cdb.suppress_length_incorrect)


def _read_variable(drive: Drive, nexus: Nexus, length: int, *, suppress: bool) -> bytes:
    data = bytes(_next_block(drive, nexus, length))
    drive.tape.skip()
    drive.activity.read(min(len(data), length))
    difference = length - len(data)
    longer_matters = difference < 0 and drive.modes.block_length != 0
    if difference and (not suppress or longer_matters):
        raise Refusal(sense(SenseKey.NO_SENSE, 0, 0, information=difference, ili=True), data[:length])
    return data[:length]


def _read_fixed(drive: Drive, nexus: Nexus, count: int) -> bytes:
    size, whole = drive.modes.block_length, bytearray()
    for done in range(count):
        left = count - done
        try:
            data = _next_block(drive, nexus, left)
        except Refusal as refusal:
            raise Refusal(refusal.sense, bytes(whole)) from refusal
        drive.tape.skip()
        if len(data) != size:
            raise Refusal(sense(SenseKey.NO_SENSE, 0, 0, information=left, ili=True), bytes(whole))
        whole += data
        drive.activity.read(size)
    return bytes(whole)


def _next_block(drive: Drive, nexus: Nexus, residual: int) -> Buffer:
    """The next block as its reader gets it; `residual` goes with what stops it."""
    tape = drive.tape
    drive.looked_ahead = True
    header = _next_object(tape, residual)
    if header.block is None:
        tape.skip()
        raise Refusal(sense(SenseKey.NO_SENSE, 0x00, 0x01, information=residual, filemark=True))
    try:
        return crypt.to_host(drive, drive.parameters.used_by(nexus), header.block, tape.stored(header))
    except MediumDamaged as error:
        raise damaged(residual) from error
    except Refusal as refusal:
        raise Refusal(replace(refusal.sense, information=residual)) from refusal


def _next_object(tape: Tape, residual: int) -> Header:
    try:
        header = tape.next()
    except MediumDamaged as error:
        raise damaged(residual) from error
    if header is None:
        eom = tape.past_early_warning
        raise Refusal(sense(SenseKey.BLANK_CHECK, 0x00, 0x05, information=residual, eom=eom))
    return header


def damaged(residual: int) -> Refusal:
    """3/11/00, unrecovered read error."""
    return Refusal(sense(SenseKey.MEDIUM_ERROR, 0x11, 0x00, information=residual))


def verify(drive: Drive, nexus: Nexus, command: Command) -> None:
    """VERIFY(6) (13h): as READ, but nothing is transferred."""
    cdb = decode(media.Verify6, command.cdb)
    if cdb.byte_compare:
        raise invalid_cdb(1, 1)
    if cdb.protection:
        raise invalid_cdb(1, 4)
    if cdb.fixed and not drive.modes.block_length:
        raise invalid_cdb(1, 0)
    drive.require_cartridge()
    drive.check_lock(nexus)
    if cdb.to_end_of_data:
        _verify_to_end(drive, nexus)
    elif cdb.by_filemarks:
        _verify_files(drive, nexus, cdb.length)
    elif cdb.fixed:
        _read_fixed(drive, nexus, cdb.length)
    elif cdb.length:
        _read_variable(drive, nexus, cdb.length, suppress=False)


def _verify_to_end(drive: Drive, nexus: Nexus) -> None:
    while not drive.tape.at_end_of_data:
        _verify_object(drive, nexus)


def _verify_files(drive: Drive, nexus: Nexus, count: int) -> None:
    while count and not drive.tape.at_end_of_data:
        count -= _verify_object(drive, nexus)
    if count:
        raise Refusal(sense(SenseKey.BLANK_CHECK, 0x00, 0x05, information=count))


def _verify_object(drive: Drive, nexus: Nexus) -> bool:
    """Check one object; whether it was a filemark."""
    filemark = is_filemark(_next_object(drive.tape, 0))
    if not filemark:
        _next_block(drive, nexus, 0)
    drive.tape.skip()
    return filemark
