"""What an agent finds in a drive that was mounted before the agent started. Asks, and changes nothing.

What cannot be found out is an error: it is never taken for an empty set of parameters.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from tapekey.cartridge import identity as cartridge_identity
from tapekey.cartridge.identity import CartridgeId
from tapekey.drive import abilities
from tapekey.drive import identity as drive_identity
from tapekey.exchange import Transport
from tapekey.manager.questions import KeyManager, Mount
from tapekey.mount import owner
from tapekey.mount.options import Options
from tapekey.policy.facts import Parameters


@dataclass(frozen=True, slots=True)
class Ours:
    """The mount on record goes on as it stands."""

    mount: Mount


@dataclass(frozen=True, slots=True)
class Unkeyed:
    """No mount of ours goes on: to be made ready like a new load. `parked`: a parked key stands in the drive."""

    cartridge: CartridgeId
    why: str
    parked: bool = False


@dataclass(frozen=True, slots=True)
class Foreign:
    """Somebody else's parameters stand in the drive: they stay."""

    cartridge: CartridgeId
    why: str


@dataclass(frozen=True, slots=True)
class Unexplained:
    """The record says one thing and the drive another: somebody has to look."""

    cartridge: CartridgeId
    mount: Mount
    why: str


Resumed = Ours | Unkeyed | Foreign | Unexplained


def resume(transport: Transport, manager: KeyManager, options: Options | None = None) -> Resumed:
    """Compare a mounted drive with the record. NotReady, StateChanged: ask again; any other error is one."""
    drive = drive_identity.identify(transport)
    cartridge = cartridge_identity.identify(transport)
    able = abilities.abilities(transport)
    mount = manager.current(drive.serial)
    whose = owner.of_parameters(transport, able, manager, mount)
    return FOUND[whose](cartridge, mount)


def _none(cartridge: CartridgeId, mount: Mount | None) -> Resumed:
    if not _goes_on(cartridge, mount):
        return Unkeyed(cartridge, "no mount of this cartridge is open")
    assert mount is not None
    if mount.key_instance_counter is None:  # in clear, or cut off before a key was sent
        return Unkeyed(cartridge, f"mount {mount.generation} has no key")
    return Unexplained(cartridge, mount, f"the key of mount {mount.generation} is gone from the drive")


def _ours(cartridge: CartridgeId, mount: Mount | None) -> Resumed:
    assert mount is not None
    if mount.medium_serial != cartridge.serial:
        return Unexplained(cartridge, mount, f"the key of mount {mount.generation} was set for {mount.medium_serial}")
    if mount.key_instance_counter is None:
        return Unkeyed(cartridge, f"the key of mount {mount.generation} was never verified")
    return Ours(mount) if _goes_on(cartridge, mount) else Unkeyed(cartridge, "the books of its mount are closed")


def _parked(cartridge: CartridgeId, mount: Mount | None) -> Resumed:
    return Unkeyed(cartridge, "a parked key stands in the drive", parked=True)


def _foreign(cartridge: CartridgeId, mount: Mount | None) -> Resumed:
    return Foreign(cartridge, "the encryption parameters in the drive were set by somebody else")


FOUND: Final[Mapping[Parameters, Callable[[CartridgeId, Mount | None], Resumed]]] = {
    Parameters.NONE: _none,
    Parameters.OURS: _ours,
    Parameters.PARKED: _parked,
    Parameters.FOREIGN: _foreign,
}


def _goes_on(cartridge: CartridgeId, mount: Mount | None) -> bool:
    return mount is not None and not mount.accounted and mount.medium_serial == cartridge.serial
