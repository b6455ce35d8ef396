"""End a mount: take the drive's account, unload, see that the cartridge is out, and only then take the key out.

The key stays until the demount is confirmed, because software may still be writing when somebody asks. What is then
taken out is this mount's own; if another cartridge has come meanwhile, its key is not touched.
"""

from dataclasses import dataclass

from tapekey.cartridge import identity as cartridge_identity
from tapekey.drive import abilities, guard, load, modes, parameters
from tapekey.drive import identity as drive_identity
from tapekey.drive.abilities import Abilities, Management
from tapekey.drive.load import PATIENT, Patience, Presence
from tapekey.drive.parameters import kads_of
from tapekey.exchange import Transport
from tapekey.manager.questions import Account, DriveRecord, KeyManager, Mount
from tapekey.mount import account, owner, superseded
from tapekey.mount.state import Course, Event


@dataclass(frozen=True, slots=True)
class Unloaded:
    """`account` is None when there was nothing to account; `cleared`: a key of ours was still there and is out."""

    drive: str
    cartridge: str
    account: Account | None
    removed: int  # superseded envelopes taken out of the cartridge's memory
    cleared: bool


def unload(transport: Transport, manager: KeyManager, patience: Patience = PATIENT) -> Unloaded:
    """Account, unload, confirm the demount, clear, close."""
    drive = drive_identity.identify(transport)
    record = manager.drive(drive.serial)
    mounted = load.presence(transport).presence is Presence.MOUNTED
    able = abilities.abilities(transport)
    mount = manager.current(drive.serial)
    course = Course()
    serial, told, removed = "", None, 0
    if mounted:
        serial = cartridge_identity.identify(transport).serial
        if mount is not None and mount.medium_serial == serial and not mount.accounted:
            removed = superseded.remove(transport, manager, mount) if _in_reach(record) else 0
            told = account.account(transport, manager, mount)
            course.take(Event.ACCOUNT)
    load.unload(transport, patience)
    course.take(Event.UNLOAD)
    cleared = _in_reach(record) and after_demount(transport, manager, able, mount)
    return Unloaded(drive.serial, serial, told, removed, cleared)


def after_demount(transport: Transport, manager: KeyManager, able: Abilities, mount: Mount | None) -> bool:
    """Take the mount's key out if it is still there, and close the guard. Does nothing once a newer mount has begun."""
    if mount is None or able.management is not Management.APPLICATION or not _still_newest(manager, mount):
        return False
    status = parameters.status(transport)
    standing = modes.in_force(status) != modes.OFF
    ours = (mount.kad, mount.key_instance_counter) == (kads_of(status.kads), status.key_instance_counter)
    if standing and not ours:
        manager.note("foreign owner", alarm=True, drive=mount.drive_serial, generation=mount.generation)
        return False
    if standing:
        parameters.clear_key(transport, able)
    else:
        owner.release_stale_lock(transport, able, mount)
    if able.write_guard:
        guard.close(transport)
    return standing


def _still_newest(manager: KeyManager, mount: Mount) -> bool:
    newest = manager.current(mount.drive_serial)
    if newest is not None and newest.generation == mount.generation:
        return True
    manager.note("late clear left out", drive=mount.drive_serial, generation=mount.generation)
    return False


def _in_reach(record: DriveRecord | None) -> bool:
    return record is not None and not record.hands_off
