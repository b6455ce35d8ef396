"""TEST UNIT READY, LOAD UNLOAD, PREVENT ALLOW MEDIUM REMOVAL: is a volume there, and may it go."""

from tapekey.exchange import Command
from tapekey.scsi import media
from tapekey.scsi.media import Removal
from tapekey.target.nexus import Nexus
from tapekey.target.refusal import illegal, invalid_cdb, not_ready
from tapekey.target.state import Drive
from tapekey.target.tray import Move, Place
from tapekey.wire.layout import decode


def test_unit_ready(drive: Drive, nexus: Nexus, command: Command) -> None:
    """TEST UNIT READY (00h)."""
    drive.require_medium()


def load_unload(drive: Drive, nexus: Nexus, command: Command) -> None:
    """LOAD UNLOAD (1Bh)."""
    cdb = decode(media.LoadUnload, command.cdb)
    if cdb.end_of_tape:
        raise invalid_cdb(4, 2)
    if drive.place is Place.EMPTY:
        if cdb.load:
            raise not_ready(0x3A, 0x00)
        return
    if cdb.load:
        _load(drive, nexus, hold=cdb.hold, immediate=cdb.immediate)
    else:
        _unload(drive, hold=cdb.hold, immediate=cdb.immediate)


def _load(drive: Drive, nexus: Nexus, *, hold: bool, immediate: bool) -> None:
    if drive.place is Place.LOADING:
        _await(drive, immediate=immediate)
    elif hold:
        drive.demount(Move.SEAT)
    elif drive.place is Place.MOUNTED:
        drive.move(Move.LOAD)
        drive.tape.sync()
        drive.require_cartridge().switch(0).rewind()
    else:
        drive.move(Move.LOAD)
        drive.start_loading(nexus.name)
        _await(drive, immediate=immediate)


def _await(drive: Drive, *, immediate: bool) -> None:
    """The end of a load is in the answer, unless the host did not want to wait for it."""
    if not immediate:
        drive.pause(drive.ready_at)
        drive.wake(now=True)
        drive.require_threaded()


def _unload(drive: Drive, *, hold: bool, immediate: bool) -> None:
    if any(other.prevents_removal for other in drive.nexuses.all()):
        raise illegal(0x53, 0x02)
    drive.wake(now=True)
    if hold:
        if drive.place is Place.MOUNTED:
            drive.demount(Move.SEAT)
        return
    moves = drive.place is not Place.MOUTH
    drive.demount(Move.UNLOAD)
    if moves:
        drive.ready_at = drive.clock() + drive.personality.unload_time
    if not immediate:
        drive.pause(drive.ready_at)


def prevent_allow(drive: Drive, nexus: Nexus, command: Command) -> None:
    """PREVENT ALLOW MEDIUM REMOVAL (1Eh), per nexus."""
    cdb = decode(media.PreventAllow, command.cdb)
    if not cdb.removal.known:
        raise invalid_cdb(4, 1)
    nexus.prevents_removal = cdb.removal is Removal.PREVENT
