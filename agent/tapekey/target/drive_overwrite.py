"""ALLOW OVERWRITE (82h): a way through append-only mode for one write (reference 1.3)."""

from tapekey.exchange import Command
from tapekey.scsi import media
from tapekey.scsi.media import Overwrite
from tapekey.target import append_only
from tapekey.target.append_only import Permission
from tapekey.target.nexus import Nexus
from tapekey.target.refusal import illegal, invalid_cdb
from tapekey.target.state import Drive
from tapekey.wire.layout import decode


def allow_overwrite(drive: Drive, nexus: Nexus, command: Command) -> None:
    """ALLOW OVERWRITE (82h). Outside append-only mode it is a command out of sequence (UNV)."""
    cdb = decode(media.AllowOverwrite, command.cdb)
    if not cdb.overwrite.known:
        raise invalid_cdb(2, 3)
    cartridge = drive.require_medium()
    drive.permission = None
    if cdb.overwrite is Overwrite.DISABLED:
        return
    if not append_only.in_force(drive):
        raise illegal(0x2C, 0x00)
    if cdb.overwrite is Overwrite.FORMAT:
        drive.permission = Permission(cartridge)
        return
    if cdb.partition != drive.partition:
        raise invalid_cdb(3)
    if cdb.object != drive.tape.position:
        raise invalid_cdb(4)
    drive.permission = Permission(cartridge, cdb.partition, cdb.object)
