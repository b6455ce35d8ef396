"""READ and VERIFY: what takes blocks from the tape (reference 1.5 and 6.5).

A block that cannot be decrypted leaves the tape before it, so that it can be read again under another key.
"""

from dataclasses import replace
from functools import lru_cache
from typing import Final

from tapekey.errors import MediumDamaged
from tapekey.exchange import Buffer, Command
from tapekey.scsi import media
from tapekey.scsi.sense import SenseKey
from tapekey.target import block_protection, crypt
from tapekey.target.medium import Tape, is_filemark
from tapekey.target.medium_record import Header
from tapekey.target.nexus import Nexus
from tapekey.target.refusal import Refusal, invalid_cdb, sense
from tapekey.target.state import Drive
from tapekey.wire.layout import decode

NOWHERE: Final = memoryview(b"")


def read(drive: Drive, nexus: Nexus, command: Command) -> Buffer:
    """READ(6) (08h)."""
    cdb = read_6(command.cdb)
    if cdb.fixed and (cdb.suppress_length_incorrect or not drive.modes.block_length):
        refusal = invalid_cdb(1, 1 if cdb.suppress_length_incorrect else 0)
        raise Refusal(replace(refusal.sense, information=cdb.length))
    drive.require_medium()
    drive.check_lock(nexus)
    if not cdb.length:
        return b""
    into = NOWHERE if command.into is None else command.into
    if cdb.fixed:
        data = _read_fixed(drive, nexus, cdb.length, into, command.data_in_max)
    else:
        data = _read_variable(drive, nexus, cdb.length, into, suppress=cdb.suppress_length_incorrect)
    if command.buffered:
        drive.owed.leave(drive.tape.look_ahead)
    return data


# As for WRITE: a stream repeats its CDB.
@lru_cache(maxsize=64)
def read_6(cdb: bytes) -> media.Read6:
    return decode(media.Read6, cdb)


def _read_variable(drive: Drive, nexus: Nexus, length: int, into: memoryview, *, suppress: bool) -> Buffer:
    data = _next_block(drive, nexus, length, into)
    drive.tape.skip()
    size = len(data)
    if size > length:
        data = data[:length]
    if not _lies_in(data, into):
        data = bytes(data)
    difference = length - size
    if difference and (not suppress or (difference < 0 and drive.modes.block_length != 0)):
        raise Refusal(sense(SenseKey.NO_SENSE, 0, 0, information=difference, ili=True), data)
    return data


def _lies_in(data: Buffer, into: memoryview) -> bool:
    """Whether the block is where it was asked to be; else it is lent, and gone with the next one."""
    return isinstance(data, memoryview) and data.obj is into.obj


def _read_fixed(drive: Drive, nexus: Nexus, count: int, into: memoryview, room: int) -> Buffer:
    size = drive.modes.block_length
    if len(into) < count * size:
        return _read_apart(drive, nexus, count, size, room)
    for done in range(count):
        here = into[done * size : (done + 1) * size]
        _read_one(drive, nexus, size, count - done, into[: done * size], here)
    return into[: count * size]


def _read_apart(drive: Drive, nexus: Nexus, count: int, size: int, room: int) -> bytes:
    """Several blocks for which there is no room in one place; no more is kept than the host takes."""
    whole = bytearray()
    for done in range(count):
        data = _read_one(drive, nexus, size, count - done, whole, NOWHERE)
        whole += memoryview(data)[: room - len(whole)]
    return bytes(whole)


def _read_one(drive: Drive, nexus: Nexus, size: int, left: int, before: Buffer, into: memoryview) -> Buffer:
    """One of several blocks, `before` being those that were read already: they go with what stops it."""
    try:
        data = _next_block(drive, nexus, left, into)
    except Refusal as refusal:
        raise Refusal(refusal.sense, _kept(before)) from refusal
    drive.tape.skip()
    if len(data) != size:
        raise Refusal(sense(SenseKey.NO_SENSE, 0, 0, information=left, ili=True), _kept(before))
    if len(into) and not _lies_in(data, into):
        into[:] = data
    return data


def _kept(before: Buffer) -> Buffer:
    return bytes(before) if isinstance(before, bytearray) else before


def _next_block(drive: Drive, nexus: Nexus, residual: int, into: memoryview) -> Buffer:
    """The next block as its reader gets it; `residual` goes with what stops it."""
    tape = drive.tape
    drive.looked_ahead = True
    header = _next_object(tape, residual)
    if header.block is None:
        tape.skip()
        raise Refusal(sense(SenseKey.NO_SENSE, 0x00, 0x01, information=residual, filemark=True))
    try:
        data = crypt.to_host(drive, drive.parameters.used_by(nexus), header, into)
    except MediumDamaged as error:
        raise damaged(residual) from error
    except Refusal as refusal:
        raise Refusal(replace(refusal.sense, information=residual)) from refusal
    tape.host_read += len(data)
    drive.activity.read(len(data), header.stored)
    protection = drive.modes.protection
    return block_protection.protected(protection.method, data, into) if protection.on_read else data


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
    drive.require_medium()
    drive.check_lock(nexus)
    if cdb.to_end_of_data:
        _verify_to_end(drive, nexus)
    elif cdb.by_filemarks:
        _verify_files(drive, nexus, cdb.length)
    elif cdb.fixed:
        _verify_fixed(drive, nexus, cdb.length)
    elif cdb.length:
        _verify_variable(drive, nexus, cdb.length)


def _verify_variable(drive: Drive, nexus: Nexus, length: int) -> None:
    try:
        _read_variable(drive, nexus, length, NOWHERE, suppress=False)
    except Refusal as refusal:  # a block of another length is told, not transferred
        raise Refusal(refusal.sense) from refusal


def _verify_fixed(drive: Drive, nexus: Nexus, count: int) -> None:
    for done in range(count):
        _read_one(drive, nexus, drive.modes.block_length, count - done, b"", NOWHERE)


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
        _next_block(drive, nexus, 0, NOWHERE)
    drive.tape.skip()
    return filemark
