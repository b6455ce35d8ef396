"""ERASE (19h): end of data at the position. What lay behind it is gone for good, long or short (reference 1.3)."""

from tapekey.exchange import Command
from tapekey.scsi import media
from tapekey.target.drive_write import writable_tape
from tapekey.target.nexus import Nexus
from tapekey.target.refusal import invalid_cdb
from tapekey.target.state import Drive
from tapekey.wire.layout import decode


def erase(drive: Drive, nexus: Nexus, command: Command) -> None:
    """ERASE(6). Methods of sanitising, and erasing the chip's metadata, are not offered."""
    cdb = decode(media.Erase6, command.cdb)
    if cdb.method:
        raise invalid_cdb(2, 5)
    if cdb.security_metadata:
        raise invalid_cdb(2, 1)
    if cdb.vendor_control:
        raise invalid_cdb(2, 0)
    tape = writable_tape(drive, nexus)
    drive.looked_ahead = False
    tape.erase()
