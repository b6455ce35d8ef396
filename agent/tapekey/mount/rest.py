"""A drive without a cartridge, brought to where it rests: closed to clear writes if its rule says so.

Which rule holds is asked for the drive, its library, or by default: no cartridge is there to say more. Under `observe`,
in a drive that is not approved or marked hands-off, and where somebody else's parameters stand, nothing is touched.
"""

from dataclasses import dataclass, replace
from enum import Enum

from tapekey.cartridge import identity as cartridge_identity
from tapekey.drive import abilities, guard, load, parameters, parking
from tapekey.drive import identity as drive_identity
from tapekey.drive.abilities import Abilities, Management
from tapekey.drive.guard import GuardState
from tapekey.drive.identity import DriveId
from tapekey.drive.load import Presence
from tapekey.errors import Conflict, NotSafe, Refused, RequestRefused
from tapekey.exchange import Transport
from tapekey.manager.questions import DriveRecord, Evidence, KeyManager, Parked
from tapekey.mount import guarding, owner, park
from tapekey.mount.options import Options
from tapekey.policy import guards as guard_table
from tapekey.policy.facts import Guard, KeyState, Parameters, Stance


class Rest(Enum):
    """How an empty drive was left."""

    CLOSED = "closed"  # the drive itself refuses clear writes
    PARKED = "a key is parked"  # what is written is encrypted
    OPEN = "open"  # it has neither
    UNTOUCHED = "not touched"


@dataclass(frozen=True, slots=True)
class Resting:
    """`why` says why it is not closed, or why it was not touched. `unproved`: what its guards rest on untried."""

    drive: str
    rest: Rest
    guards: frozenset[Guard]
    parked: str = ""  # key id
    why: str = ""
    unproved: tuple[str, ...] = ()


SEATED = frozenset({Presence.EMPTY, Presence.UNLOADED})


def rest(transport: Transport, manager: KeyManager, options: Options | None = None) -> Resting:
    """Close the drive, or park a key, as the rule for it says. Conflict: a cartridge is mounted."""
    chosen = options or Options()
    drive = drive_identity.identify(transport)
    _demand_empty(transport, drive)
    record = manager.drive(drive.serial)
    able = abilities.abilities(transport)
    why = _not_ours(manager, drive, record, able, chosen)
    if not why:
        able = parking.without_cartridge(transport, able)
    basis = guarding.basis(manager, drive, able, chosen)
    found = guard_table.effective(basis)
    if why:
        return Resting(drive.serial, Rest.UNTOUCHED, found - {Guard.DRIVE, Guard.PARKED}, why=why)
    return _bring(transport, manager, drive, record, able, chosen, found, guard_table.unproved(basis))


def _bring(
    transport: Transport,
    manager: KeyManager,
    drive: DriveId,
    record: DriveRecord | None,
    able: Abilities,
    options: Options,
    found: frozenset[Guard],
    unproved: tuple[str, ...],
) -> Resting:
    whose = owner.of_parameters(transport, able, manager, manager.current(drive.serial))
    if whose is Parameters.FOREIGN:
        manager.note("foreign owner", alarm=True, drive=drive.serial)
        why = "somebody else's encryption parameters stand in it"
        return Resting(drive.serial, Rest.UNTOUCHED, found - {Guard.DRIVE, Guard.PARKED}, why=why)
    if able.write_guard:
        guarding.close(transport, manager, drive)
    if Guard.DRIVE in found:
        if whose is not Parameters.NONE:  # with a key in it a closed drive would take writes
            parameters.clear_key(transport, able)
        return Resting(drive.serial, Rest.CLOSED, found, unproved=unproved)
    return _parked(transport, manager, drive, record, able, options, found, whose)


def _parked(
    transport: Transport,
    manager: KeyManager,
    drive: DriveId,
    record: DriveRecord | None,
    able: Abilities,
    options: Options,
    found: frozenset[Guard],
    whose: Parameters,
) -> Resting:
    why = guarding.why_not_parked(manager, drive, able, options) or "it was not qualified to keep a parked key"
    if Guard.PARKED in found:
        standing = owner.parked(transport, manager) if whose is Parameters.PARKED else None
        rule = guarding.rule_at_rest(manager, drive, options)
        try:
            parked = _usable(standing) or park.stand(transport, manager, drive, record, able, rule)
        except (NotSafe, RequestRefused) as error:
            why = str(error)
        else:
            return Resting(drive.serial, Rest.PARKED, found, parked=str(parked.key_id))
    if whose is not Parameters.NONE:
        parameters.clear_key(transport, able)
    return Resting(drive.serial, Rest.OPEN, found - {Guard.DRIVE, Guard.PARKED}, why=why)


def _usable(standing: Parked | None) -> Parked | None:
    """The key that stands in the drive already, if it was read back and no cartridge has had it."""
    good = standing is not None and standing.waiting and standing.key_instance_counter is not None
    return standing if good else None


def _not_ours(
    manager: KeyManager, drive: DriveId, record: DriveRecord | None, able: Abilities, options: Options
) -> str:
    """Why nothing may be done to the drive; empty: the rule for it wants it closed."""
    if record is None or record.naa != drive.naa:
        return "it is not approved"
    if record.hands_off:
        return "it is marked hands-off"
    stance = guarding.rule_at_rest(manager, drive, options).stance
    if stance is Stance.OBSERVE:
        return "the rule for the empty drive is observe"
    if able.management is not Management.APPLICATION:
        return f"it takes no keys from us: {able.management.value}"
    return ""


def _demand_empty(transport: Transport, drive: DriveId) -> None:
    found = load.presence(transport).presence
    if found not in SEATED:
        raise Conflict(
            f"drive {drive} is not brought to rest", why=f"a cartridge is in it: {found.value}", mend="unload it first"
        )


def unpark(transport: Transport, manager: KeyManager) -> bool:
    """Take a parked key out, for whoever has to try the drive as it is. Whether one was there."""
    load.presence(transport)
    able = abilities.abilities(transport)
    if able.management is not Management.APPLICATION or owner.parked(transport, manager) is None:
        return False
    parameters.clear_key(transport, able)
    return True


def release(transport: Transport, manager: KeyManager) -> bool:
    """Give the drive back as it was before us: our keys out, its own mode page in, read back. Whether anything was.

    It is marked hands-off first, so that nobody closes it again: approving it anew undoes that. What is cut off is
    finished by the next `release`: the page is forgotten only once it stands in the drive.
    """
    drive = drive_identity.identify(transport)
    record = manager.drive(drive.serial)
    if record is None or record.naa != drive.naa:
        raise Refused(f"drive {drive} is not released", why="it is not approved", mend="nothing of ours is in it")
    _demand_none_of_ours(transport, manager, drive)
    if not record.hands_off:
        manager.approve(replace(record, hands_off=True))
    able = abilities.abilities(transport)
    whose = owner.of_parameters(transport, able, manager, manager.current(drive.serial))
    if whose in (Parameters.OURS, Parameters.PARKED):
        parameters.clear_key(transport, able)
    page = manager.guard_page(drive.serial)
    if page is not None:
        guard.put_back(transport, GuardState(page.current, page.saved))
        manager.forget_guard_page(drive.serial)
    return page is not None or whose in (Parameters.OURS, Parameters.PARKED)


def _demand_none_of_ours(transport: Transport, manager: KeyManager, drive: DriveId) -> None:
    """Neither a cartridge with a key on record, nor one whose mount is not accounted."""
    found = load.presence(transport).presence
    if found in SEATED:
        return
    what, mend = f"drive {drive} is not released", "unload the cartridge first: tapekey unload"
    if found is not Presence.MOUNTED:
        raise Conflict(what, why=f"it is not known which cartridge is in it: {found.value}", mend=mend)
    cartridge = cartridge_identity.identify(transport)
    mount = manager.current(drive.serial)
    open_mount = mount is not None and not mount.accounted and mount.medium_serial == cartridge.serial
    known = manager.known(Evidence(cartridge.serial)).facts
    if open_mount or known.once_required or known.state is not KeyState.NONE:
        raise Conflict(what, why=f"cartridge {cartridge} is in it, which is ours", mend=mend)
