"""The cartridge's own count of changes (MAM 0009h) as a witness: kept per cartridge, compared with the next one.

It changes with every write. A change between the load and the key is a lost race; a change since the last time is a
write without us. It is read at three moments only, and never polled: asking may disturb the drive's own bookkeeping.
What is not told is unknown, and proves nothing either way.
"""

from collections.abc import Mapping
from enum import Enum
from typing import Final

from tapekey.cartridge import change_reference
from tapekey.exchange import Transport
from tapekey.manager.questions import KeyManager, Mount, Witness
from tapekey.mount import owner
from tapekey.policy.facts import Intent


class Moment(Enum):
    """When it was asked."""

    LOADED = "loaded"  # before anything else is done to the cartridge
    VERIFIED = "verified"  # its key is in, or it was decided that it gets none
    CLOSED = "closed"  # software has closed the drive
    REOPENED = "reopened"  # software has the drive again: nothing is asked, what changes now is the mount's


class Finding(Enum):
    """What the comparison showed."""

    NOTHING = "nothing"
    UNKNOWN = "not told"
    LOST_RACE = "written before its key was verified"
    WITHOUT_US = "written without us"


def witness(
    transport: Transport,
    manager: KeyManager,
    *,
    drive: str,
    cartridge: str,
    moment: Moment,
    mount: Mount | None = None,
) -> Finding:
    """Ask once, compare with the witness before, put it down; what was found out is an alarm. `mount`: the open one.

    `drive` and `cartridge` are serial numbers.
    """
    now = Witness(cartridge, drive, moment.value, change_reference.read(transport), mount.generation if mount else 0)
    found = compare(manager.keep_witness(now), now, mount)
    if found in EVENTS:
        _tell(manager, now, found)
        _put_on_record(transport, manager, now)
    return found


def left(transport: Transport, manager: KeyManager, *, drive: str, cartridge: str) -> None:
    """The cartridge gets no key from us: whoever has it may be writing by now, and that is no news."""
    manager.keep_witness(Witness(cartridge, drive, Moment.VERIFIED.value, change_reference.read(transport), 0))


def reopened(manager: KeyManager, cartridge: str) -> None:
    """Software has the drive again, with the mount's key in it: what it writes from here on is no news."""
    before = manager.witness(cartridge)
    if before is not None and before.moment == Moment.CLOSED.value:
        manager.keep_witness(
            Witness(cartridge, before.drive_serial, Moment.REOPENED.value, before.reference, before.generation)
        )


def closed(manager: KeyManager, mount: Mount, reference: bytes) -> None:
    """Put down what the account of a mount has just told, so that it is not asked twice."""
    now = Witness(mount.medium_serial, mount.drive_serial, Moment.CLOSED.value, reference, mount.generation)
    manager.keep_witness(now)


def compare(before: Witness | None, now: Witness, mount: Mount | None) -> Finding:
    """What two witnesses of one cartridge say together."""
    if before is None:
        return Finding.NOTHING if now.reference else Finding.UNKNOWN
    if not before.reference or not now.reference:
        return Finding.UNKNOWN
    if before.reference == now.reference:
        return Finding.NOTHING
    return _changed(Moment(before.moment), Moment(now.moment), mount)


def _changed(before: Moment, now: Moment, mount: Mount | None) -> Finding:
    if now is Moment.VERIFIED:
        return Finding.LOST_RACE if before is Moment.LOADED else Finding.NOTHING
    if now is Moment.CLOSED:
        return Finding.NOTHING if mount is not None and mount.intent is Intent.SAVE else Finding.WITHOUT_US
    return Finding.WITHOUT_US if before in (Moment.LOADED, Moment.CLOSED) else Finding.NOTHING


def _put_on_record(transport: Transport, manager: KeyManager, now: Witness) -> None:
    """What was written may stand under the key that was parked in the drive: it is this cartridge's too, to read.

    Not at the load: there a block that is seen under it tells more.
    """
    if now.moment == Moment.LOADED.value:
        return
    parked = owner.parked(transport, manager) or manager.parked_in(now.drive_serial)
    if parked is not None:
        manager.written_under_parked(parked, now.medium_serial, "", proved=False)


def _tell(manager: KeyManager, now: Witness, found: Finding) -> None:
    manager.note(
        EVENTS[found],
        alarm=True,
        drive=now.drive_serial,
        cartridge=now.medium_serial,
        moment=now.moment,
        change_reference=now.reference.hex(),
    )


EVENTS: Final[Mapping[Finding, str]] = {
    Finding.LOST_RACE: "lost race: written before its key was verified",
    Finding.WITHOUT_US: "written without us",
}
