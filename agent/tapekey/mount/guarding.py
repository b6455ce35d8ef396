"""The guards of a drive, and its own guard closed and opened without losing the page that stood there before us."""

from tapekey.drive import guard
from tapekey.drive.abilities import Abilities
from tapekey.drive.identity import DriveId
from tapekey.drive.qualification import Trial
from tapekey.exchange import Transport
from tapekey.keys import brief
from tapekey.manager.questions import GuardPage, KeyManager
from tapekey.mount.options import Options
from tapekey.policy import guards, rules
from tapekey.policy.facts import Guard, Rule, Stance
from tapekey.policy.guards import Basis, Tried
from tapekey.policy.rules import Subjects


def rule_at_rest(manager: KeyManager, drive: DriveId, options: Options) -> Rule:
    """The rule that holds while no cartridge says more: one for the drive, its library, or the default."""
    return rules.find(manager.rules(), Subjects(drive=drive.serial, library=options.library))


def basis(manager: KeyManager, drive: DriveId, able: Abilities, options: Options) -> Basis:
    """What the drive's guards follow from. `able` has the algorithm that a key would be parked for."""
    tried = manager.trials(drive.serial, drive.naa, drive.revision)
    return Basis(
        write_guard=able.write_guard,
        refuses=_answer(tried.get(Trial.GUARD_REFUSES.value)),
        saved=_answer(tried.get(Trial.GUARD_SAVED.value)),
        parks=_answer(tried.get(Trial.PARKS.value)),
        stays=_answer(tried.get(Trial.PARKED_STAYS.value)),
        encrypts=_answer(tried.get(Trial.PARKED_ENCRYPTS.value)),
        parkable=not why_not_parked(manager, drive, able, options),
        gate=Guard.GATE in options.guards,
        hook=Guard.HOOK in options.guards,
    )


def effective(manager: KeyManager, drive: DriveId, able: Abilities, options: Options) -> frozenset[Guard]:
    """The guards that count for the drive."""
    return guards.effective(basis(manager, drive, able, options))


def why_not_parked(manager: KeyManager, drive: DriveId, able: Abilities, options: Options) -> str:
    """Why no key may stand in the empty drive; empty: one may."""
    rule = rule_at_rest(manager, drive, options)
    if rule.stance not in (Stance.REQUIRE, Stance.ALLOW):
        return f"the rule for the empty drive is {rule.stance.value}"
    return manager.why_not_parked(rule, room(able))


def room(able: Abilities) -> brief.KadRoom:
    """What stands beside a block, as the manager takes it."""
    return brief.KadRoom(able.kad_room.authenticated, able.kad_room.unauthenticated)


def close(transport: Transport, manager: KeyManager | None, drive: DriveId) -> None:
    """Let no clear write pass. The page as it was is kept first, so that `release` can put it back."""
    _keep(transport, manager, drive)
    guard.close(transport)


def open(transport: Transport, manager: KeyManager | None, drive: DriveId) -> None:
    """Let clear writes pass."""
    _keep(transport, manager, drive)
    guard.open(transport)


def _keep(transport: Transport, manager: KeyManager | None, drive: DriveId) -> None:
    if manager is None or manager.guard_page(drive.serial) is not None:
        return
    found = guard.look(transport)
    manager.keep_guard_page(drive.serial, drive.naa, GuardPage(found.current, found.saved))


def _answer(word: str | None) -> Tried:
    return Tried.NOT_TRIED if word is None else Tried(word)
