"""WRITE, WRITE FILEMARKS, ERASE: what puts something on the tape (reference 1.5 and 6.6)."""

from tapekey.errors import MediumFull
from tapekey.exchange import Buffer, Command
from tapekey.scsi import media
from tapekey.scsi.encryption import EncryptionMode
from tapekey.scsi.sense import SenseKey
from tapekey.target import crypt, modes
from tapekey.target.medium import Tape
from tapekey.target.medium_index import NONE
from tapekey.target.nexus import Nexus
from tapekey.target.refusal import Refusal, data_protect, invalid_cdb, sense
from tapekey.target.state import POLICY_VIOLATION, Drive
from tapekey.wire.layout import decode


def write(drive: Drive, nexus: Nexus, command: Command) -> None:
    """WRITE(6) (0Ah)."""
    cdb = decode(media.Write6, command.cdb)
    tape = writable_tape(drive, nexus, writing=True)
    size = drive.modes.block_length if cdb.fixed else cdb.length
    if cdb.fixed and not size:
        raise invalid_cdb(1, 0)
    if size > drive.personality.max_block:
        raise invalid_cdb(2)
    if not cdb.length:
        return
    data = memoryview(drive.plain_out(command, size * cdb.length if cdb.fixed else size))
    _check_policy(drive, nexus, tape)
    drive.looked_ahead = False
    for done, start in enumerate(range(0, len(data), size)):
        _write_block(drive, nexus, tape, data[start : start + size], cdb.length - done if cdb.fixed else size)
    _warn_early(tape)


def _write_block(drive: Drive, nexus: Nexus, tape: Tape, data: Buffer, left: int) -> None:
    block, stored = crypt.to_store(drive, drive.parameters.used_by(nexus), data)
    try:
        tape.write(block, stored)
    except MediumFull as error:
        raise _full(left) from error
    drive.activity.wrote(len(data), len(stored))


def _full(left: int) -> Refusal:
    return Refusal(sense(SenseKey.VOLUME_OVERFLOW, 0x00, 0x02, information=left, eom=True))


def _warn_early(tape: Tape) -> None:
    """NO SENSE with EOM: everything was written, and the end is near."""
    if tape.past_early_warning:
        raise Refusal(sense(SenseKey.NO_SENSE, 0x00, 0x02, information=0, eom=True))


def writable_tape(drive: Drive, nexus: Nexus, *, writing: bool = False) -> Tape:
    """The tape, if anything may be written on it by this nexus."""
    cartridge = drive.require_cartridge()
    drive.check_lock(nexus, writing=writing)
    if cartridge.identity.generation.name not in drive.personality.writes:
        raise data_protect(0x30, 0x05)
    if is_protected(drive):
        raise data_protect(0x27, 0x00)
    return drive.tape


def is_protected(drive: Drive) -> bool:
    """Write-protected by the tab, or by the mode page's soft write protect."""
    cartridge = drive.mounted_cartridge
    soft = drive.modes.bit(drive.personality, modes.CONFIGURATION, 10, modes.SOFT_WRITE_PROTECT)
    return soft or (cartridge is not None and cartridge.protected)


def _check_policy(drive: Drive, nexus: Nexus, tape: Tape) -> None:
    """Refuse a clear write where mode page 10h/01h demands encryption; TapeAlert 3Dh says so too.

    Which additional sense goes with it no manual seen tells: 74/00, security error, is ours (UNV).
    """
    if drive.parameters.used_by(nexus).encryption is not EncryptionMode.DISABLE:
        return
    always = drive.modes.bit(drive.personality, modes.EXTENSION, 8, modes.WRE)
    appends = drive.modes.bit(drive.personality, modes.EXTENSION, 8, modes.VCELBRE)
    if always or (appends and tape.position and tape.first_encrypted != NONE):
        drive.nexuses.raise_alert(POLICY_VIOLATION)
        raise data_protect(0x74, 0x00)


def write_filemarks(drive: Drive, nexus: Nexus, command: Command) -> None:
    """WRITE FILEMARKS(6) (10h): without IMMED everything written lasts when it is answered."""
    cdb = decode(media.WriteFilemarks6, command.cdb)
    if cdb.setmarks:
        raise invalid_cdb(1, 1)
    tape = writable_tape(drive, nexus) if cdb.count else _flushable_tape(drive)
    drive.looked_ahead = False
    try:
        tape.write_filemarks(cdb.count)
    except MediumFull as error:
        raise _full(cdb.count) from error
    if not cdb.immediate:
        tape.sync()
    if cdb.count:
        _warn_early(tape)


def _flushable_tape(drive: Drive) -> Tape:
    drive.require_cartridge()
    return drive.tape


def erase(drive: Drive, nexus: Nexus, command: Command) -> None:
    """ERASE(6) (19h): end of data here, short or long."""
    decode(media.Erase6, command.cdb)
    tape = writable_tape(drive, nexus)
    drive.looked_ahead = False
    tape.erase()
