"""Whether what a mount installed still stands in the drive. Asks, and changes nothing: it may be done at any time that
no other program holds the drive.
"""

from enum import Enum

from tapekey.cartridge import identity as cartridge_identity
from tapekey.drive import modes, parameters
from tapekey.drive.parameters import kads_of
from tapekey.exchange import Transport
from tapekey.manager.questions import KeyManager, Mount


class Standing(Enum):
    """What the drive says of a mount's parameters."""

    OURS = "as it was set"
    GONE = "no parameters stand in the drive"
    CHANGED = "other parameters stand in the drive, or another cartridge is mounted"


def standing(transport: Transport, manager: KeyManager, mount: Mount) -> Standing:
    """Compare parameters, key instance counter and cartridge with the mount's record.

    StateChanged: something happened that nobody has looked at yet, such as a reset.
    """
    status = parameters.status(transport)
    off = modes.in_force(status) == modes.OFF
    if cartridge_identity.serial_number(transport) != mount.medium_serial:
        return Standing.CHANGED
    if mount.key_instance_counter is None:  # in clear: nothing was set
        return Standing.OURS if off else Standing.CHANGED
    if off:
        return Standing.GONE
    newest = manager.current(mount.drive_serial)
    if newest is None or newest.generation != mount.generation:
        return Standing.CHANGED
    same = (mount.kad, mount.key_instance_counter) == (kads_of(status.kads), status.key_instance_counter)
    return Standing.OURS if same else Standing.CHANGED
