"""WRITE and WRITE FILEMARKS: what puts something on the tape (reference 1.5 and 6.6)."""

from collections.abc import Iterator
from functools import lru_cache, partial

from tapekey.errors import MediumFull
from tapekey.exchange import Buffer, Command
from tapekey.scsi import media
from tapekey.scsi.encryption import EncryptionMode
from tapekey.scsi.sense import SenseKey
from tapekey.target import append_only, block_protection, cipher, crypt, early_warning, modes, owed, write_protection
from tapekey.target.medium import Tape
from tapekey.target.medium_index import NONE
from tapekey.target.medium_record import LONGEST_HEADER
from tapekey.target.nexus import Nexus
from tapekey.target.parameters import ParameterSet
from tapekey.target.refusal import Refusal, data_protect, invalid_cdb, sense
from tapekey.target.state import POLICY_VIOLATION, Drive
from tapekey.wire.layout import decode


def write(drive: Drive, nexus: Nexus, command: Command) -> None:
    """WRITE(6) (0Ah)."""
    cdb = write_6(command.cdb)
    tape = writable_tape(drive, nexus, writing=True)
    size = drive.modes.block_length if cdb.fixed else cdb.length
    if cdb.fixed and not size:
        raise invalid_cdb(1, 0)
    if size > drive.personality.max_block:
        raise invalid_cdb(2)
    if not cdb.length:
        return
    data = memoryview(drive.plain_out(command, size * cdb.length if cdb.fixed else size))
    used = drive.parameters.used_by(nexus)
    if used.encryption is EncryptionMode.DISABLE:
        _check_policy(drive, tape)
    drive.looked_ahead = False
    before = tape.passed
    if command.buffered and len(data) == size and certain(drive, used, tape, before, size):
        drive.owed.leave(owed.storing(nexus, partial(_write_block, drive, used, tape, data, size)))
        return
    for done, block in enumerate(_blocks(drive, data, size)):
        _write_block(drive, used, tape, block, cdb.length - done if cdb.fixed else size)
    early_warning.tell(drive, tape, before)


# Two commands of a stream rarely differ in their CDB, and decoding one takes as long as encrypting 16 KiB.
@lru_cache(maxsize=64)
def write_6(cdb: bytes) -> media.Write6:
    return decode(media.Write6, cdb)


def certain(drive: Drive, used: ParameterSet, tape: Tape, before: int, size: int) -> bool:
    """Whether a block behind the last one can only be stored, or fail with the disk: then the answer need not wait."""
    how = drive.storing
    return (
        how is not None
        and how.holds(used, drive.cartridge, drive.personality, drive.modes.current.get(modes.COMPRESSION))
        and tape.at_end_of_data
        and not tape.log.torn
        and not drive.modes.protection.on_write
        and before < far_from_end(drive, tape, size)
    )


def far_from_end(drive: Drive, tape: Tape, size: int) -> int:
    """Bytes from the beginning before which a block may begin that comes near neither early warning."""
    limits = drive.modes.early_warning(drive.personality)
    return tape.capacity - tape.margin - limits - size - LONGEST_HEADER - cipher.TAG


def _blocks(drive: Drive, data: memoryview, size: int) -> Iterator[memoryview]:
    """The blocks as they were before the host put its protection behind each."""
    protection = drive.modes.protection
    for start in range(0, len(data), size):
        block = data[start : start + size]
        yield block_protection.checked(protection.method, block) if protection.on_write else block


def _write_block(drive: Drive, used: ParameterSet, tape: Tape, data: Buffer, left: int) -> None:
    block, stored = crypt.to_store(drive, used, data)
    try:
        tape.write(block, stored)
    except MediumFull as error:
        raise _full(left) from error
    drive.activity.wrote(len(data), len(stored))


def _full(left: int) -> Refusal:
    return Refusal(sense(SenseKey.VOLUME_OVERFLOW, 0x00, 0x02, information=left, eom=True))


def writable_tape(drive: Drive, nexus: Nexus, *, writing: bool = False) -> Tape:
    """The tape, if anything may be written on it by this nexus."""
    cartridge = drive.require_medium()
    drive.check_lock(nexus, writing=writing)
    write_protection.check_on(drive, cartridge)
    append_only.check_write(drive)
    return cartridge.tape


def _check_policy(drive: Drive, tape: Tape) -> None:
    """Refuse a clear write where mode page 10h/01h demands encryption; TapeAlert 3Dh says so too.

    Which additional sense goes with it no manual seen tells: 74/00, security error, is ours (UNV).
    """
    if demands_encryption(drive, tape):
        drive.nexuses.raise_alert(POLICY_VIOLATION)
        raise data_protect(0x74, 0x00)


def demands_encryption(drive: Drive, tape: Tape) -> bool:
    """Whether the page has clear writes refused here."""
    always = drive.modes.bit(drive.personality, modes.EXTENSION, 8, modes.WRE)
    appends = drive.modes.bit(drive.personality, modes.EXTENSION, 8, modes.VCELBRE)
    return always or (appends and tape.position > 0 and tape.first_encrypted != NONE)


def write_filemarks(drive: Drive, nexus: Nexus, command: Command) -> None:
    """WRITE FILEMARKS(6) (10h): without IMMED everything written lasts when it is answered."""
    cdb = decode(media.WriteFilemarks6, command.cdb)
    if cdb.setmarks:
        raise invalid_cdb(1, 1)
    tape = writable_tape(drive, nexus) if cdb.count else _flushable_tape(drive)
    drive.looked_ahead = False
    before = tape.passed
    try:
        tape.write_filemarks(cdb.count)
    except MediumFull as error:
        raise _full(cdb.count) from error
    if not cdb.immediate:
        tape.sync()
    if cdb.count:
        early_warning.tell(drive, tape, before)


def _flushable_tape(drive: Drive) -> Tape:
    drive.require_cartridge()
    return drive.tape
