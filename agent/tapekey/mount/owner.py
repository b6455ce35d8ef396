"""Whose encryption parameters stand in a drive: nobody's, ours, or somebody else's.

Ours are those whose key-associated data and key instance counter are the ones that we recorded when we set them. After
a crash between setting and recording there is no counter; then the key-associated data must be what the manager issued
for that mount's cartridge, which nobody else can have. A key that we parked in the empty drive is ours too, whatever
mount came before or after it.
"""

from tapekey.drive import modes, parameters
from tapekey.drive.abilities import Abilities, Management
from tapekey.drive.parameters import kads_of
from tapekey.exchange import Transport
from tapekey.manager.questions import Evidence, KeyManager, Mount, Parked
from tapekey.policy.facts import Match, Parameters


def of_parameters(transport: Transport, able: Abilities, manager: KeyManager, mount: Mount | None) -> Parameters:
    """Whose they are, by the drive's newest mount on record."""
    if able.management is not Management.APPLICATION:
        return Parameters.NONE
    status = parameters.status(transport)
    if modes.in_force(status) == modes.OFF:
        return Parameters.NONE
    if of_status(manager, status) is not None:
        return Parameters.PARKED
    kad = kads_of(status.kads)
    if mount is None:
        return Parameters.FOREIGN
    if mount.key_instance_counter is None:
        return Parameters.OURS if kad and _issued(manager, mount, kad) else Parameters.FOREIGN
    ours = (mount.kad, mount.key_instance_counter) == (kad, status.key_instance_counter)
    return Parameters.OURS if ours else Parameters.FOREIGN


def parked(transport: Transport, manager: KeyManager) -> Parked | None:
    """The key of ours that stands parked in the drive, or None."""
    return of_status(manager, parameters.status(transport))


def of_status(manager: KeyManager, status: modes.Status) -> Parked | None:
    """The parked key by the drive's account of it; before it was read back, only its key-associated data tell."""
    kad = kads_of(status.kads)
    if modes.in_force(status) != modes.PARKED or not kad:
        return None
    found = manager.parked_under(kad)
    seen = found is not None and found.key_instance_counter in (None, status.key_instance_counter)
    return found if seen else None


def release_stale_lock(transport: Transport, able: Abilities, mount: Mount | None) -> None:
    """Take back the LOCK of a mount of ours whose parameters have gone without us.

    A lock outlives what it locked (CKOD, SSC-4): until the next Set Data Encryption every read and write of this nexus
    would fail with 7/2A/13. Only the empty set is put in place of the empty set.
    """
    if not able.locks or able.management is not Management.APPLICATION:
        return
    if mount is None:
        return
    status = parameters.status(transport)
    gone = modes.in_force(status) == modes.OFF and status.key_instance_counter != mount.key_instance_counter
    if gone:
        parameters.clear_key(transport, able)


def unrecorded(transport: Transport, able: Abilities) -> Parameters:
    """Whose they are when nothing is on record: nobody's, or somebody's."""
    if able.management is not Management.APPLICATION:
        return Parameters.NONE
    off = modes.in_force(parameters.status(transport)) == modes.OFF
    return Parameters.NONE if off else Parameters.FOREIGN


def _issued(manager: KeyManager, mount: Mount, kad: bytes) -> bool:
    return manager.known(Evidence(mount.medium_serial, kad=kad)).facts.kad is Match.CURRENT
