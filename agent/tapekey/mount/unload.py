"""End a mount: take the drive's account, unload, see that the cartridge is out, and only then take the key out.

The key stays until the demount is confirmed, because software may still be writing when somebody asks. What is then
taken out is this mount's own; if another cartridge has come meanwhile, its key is not touched.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from tapekey.cartridge import identity as cartridge_identity
from tapekey.drive import abilities, load, modes, parameters
from tapekey.drive import identity as drive_identity
from tapekey.drive.abilities import Abilities, Management
from tapekey.drive.identity import DriveId
from tapekey.drive.load import PATIENT, Patience, Presence
from tapekey.drive.parameters import kads_of
from tapekey.errors import TapekeyError
from tapekey.exchange import Transport
from tapekey.manager.questions import Account, DriveRecord, KeyManager, Mount
from tapekey.mount import account, guarding, owner, superseded, unwritten, witness
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
    """Account, unload, confirm the demount, clear, close.

    The books are closed last: until the cartridge is out software may go on writing, and an accounted mount has left
    nothing in the drive.
    """
    drive = drive_identity.identify(transport)
    in_reach = _in_reach(manager.drive(drive.serial))
    mounted = load.presence(transport).presence is Presence.MOUNTED
    able = abilities.abilities(transport)
    mount = manager.current(drive.serial)
    course = Course()
    serial = cartridge_identity.identify(transport).serial if mounted else ""
    last = _Last()
    with ExitStack() as until_out:
        if mount is not None and mount.medium_serial == serial and not mount.accounted:
            last = _last_things(transport, manager, mount, until_out, in_reach=in_reach)
            course.take(Event.ACCOUNT)
        load.unload(transport, patience)
        course.take(Event.UNLOAD)
    cleared = in_reach and after_demount(transport, manager, drive, able, mount)
    if mount is not None and last.account is not None:
        manager.account(mount, last.account)
    if mount is not None and last.unwritten:
        unwritten.declare_again(manager, mount)
    return Unloaded(drive.serial, serial, last.account, last.removed, cleared)


@dataclass(frozen=True, slots=True)
class _Last:
    """What was found and done while the cartridge was still mounted."""

    account: Account | None = None
    removed: int = 0
    unwritten: bool = False


def _last_things(
    transport: Transport, manager: KeyManager, mount: Mount, until_out: ExitStack, *, in_reach: bool
) -> _Last:
    """Take the account; in a drive that is ours to touch, tidy the cartridge's memory too.

    That the memory cannot be tidied keeps no cartridge in the drive.
    """
    if not in_reach:
        return _Last(account.ask(transport, manager, mount))
    removed, unused = 0, False
    with _noting(manager, mount):
        removed = superseded.remove(transport, manager, mount)
    told = account.ask(transport, manager, mount)
    witness.closed(manager, mount, told.change_reference)
    with _noting(manager, mount):
        if unwritten.is_unwritten(transport, manager, mount, told):
            until_out.enter_context(unwritten.forgotten(transport, manager, mount))
            unused = True
    return _Last(told, removed, unused)


@contextmanager
def _noting(manager: KeyManager, mount: Mount) -> Iterator[None]:
    """Put an error down and go on."""
    try:
        yield
    except TapekeyError as error:
        manager.note("memory not tidied", drive=mount.drive_serial, cartridge=mount.medium_serial, why=str(error))


def after_demount(
    transport: Transport, manager: KeyManager, drive: DriveId, able: Abilities, mount: Mount | None
) -> bool:
    """Take the mount's key out if it is still there, and close the guard. Does nothing once a newer mount has begun.

    A key that is parked stays: it was there before the cartridge, and is there for the next one.
    """
    if mount is None or able.management is not Management.APPLICATION or not _still_newest(manager, mount):
        return False
    status = parameters.status(transport)
    standing = modes.in_force(status) != modes.OFF
    ours = (mount.kad, mount.key_instance_counter) == (kads_of(status.kads), status.key_instance_counter)
    parked = owner.of_status(manager, status) is not None
    if standing and not ours and not parked:
        manager.note("foreign owner", alarm=True, drive=mount.drive_serial, generation=mount.generation)
        return False
    if parked:
        standing = False
    elif standing:
        parameters.clear_key(transport, able)
    else:
        owner.release_stale_lock(transport, able, mount)
    if able.write_guard:
        guarding.close(transport, manager, drive)
    return standing


def _still_newest(manager: KeyManager, mount: Mount) -> bool:
    newest = manager.current(mount.drive_serial)
    if newest is not None and newest.generation == mount.generation:
        return True
    manager.note("late clear left out", drive=mount.drive_serial, generation=mount.generation)
    return False


def _in_reach(record: DriveRecord | None) -> bool:
    return record is not None and not record.hands_off
