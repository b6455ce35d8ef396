"""What is done about a drive's guards at each moment of a stay: rest, start, load, verification, close, after an eject.

The flows are those of `mount`; here is which of them a worker takes when, and who is told of what they found.
"""

from dataclasses import dataclass, replace
from typing import Final

from tapekey.cartridge import identity as cartridge_identity
from tapekey.drive import abilities
from tapekey.drive import identity as drive_identity
from tapekey.errors import TapekeyError
from tapekey.exchange import Transport
from tapekey.manager.questions import Mount
from tapekey.mount import account, guarding, witness
from tapekey.mount.rest import rest as bring_to_rest
from tapekey.mount.resume import Foreign, Ours, Unexplained, Unkeyed
from tapekey.mount.resume import resume as look_who_it_is
from tapekey.mount.standing import Standing
from tapekey.mount.standing import standing as compare
from tapekey.mount.survey import survey
from tapekey.mount.witness import Moment
from tapekey.policy import guards, rules
from tapekey.policy.facts import Guard, Stance
from tapekey.policy.rules import Subjects
from tapekey.service import ledger, loads
from tapekey.service.duties import Hands
from tapekey.service.ledger import Upshot
from tapekey.service.stay import Finding

PREVENT: Final = frozenset({Guard.DRIVE, Guard.PARKED})
MEND_KEY: Final = "find out what was done to the drive; then tapekey save {drive} sets its key again"


@dataclass(frozen=True, slots=True)
class AtRest:
    """An empty drive at rest. `shut`: others are kept out of it by us."""

    guards: tuple[str, ...] = ()
    least: str = ""
    shut: bool = False
    prevents: bool = False  # a clear write cannot pass, even if it comes before us
    why: str = ""


def rest(transport: Transport, hands: Hands) -> AtRest:
    """Bring an empty drive to where it rests."""
    rule = rules.find(hands.manager.rules(), Subjects(drive=hands.serial, library=hands.options.library))
    shut = hands.gate and rule.stance is not Stance.OBSERVE
    gate = frozenset({Guard.GATE}) if shut else frozenset[Guard]()
    found = bring_to_rest(transport, hands.manager, replace(hands.options, guards=hands.options.guards | gate))
    told = tuple(each.value for each in guards.strongest_first(found.guards))
    least = rule.guard.value if rule.guard else ""
    return AtRest(told, least, shut, bool(PREVENT & found.guards), found.why)


def guards_of(transport: Transport, hands: Hands, upshot: Upshot) -> tuple[str, ...]:
    """The guards of a drive that was not seen at rest, strongest first. Only a mount with a key has closed it."""
    drive, able = drive_identity.identify(transport), abilities.abilities(transport)
    gate = frozenset({Guard.GATE}) if hands.gate else frozenset[Guard]()
    options = replace(hands.options, guards=hands.options.guards | gate)
    found = guarding.effective(hands.manager, drive, able, options)
    keyed = upshot.mount is not None and upshot.mount.key_id is not None
    return tuple(each.value for each in guards.strongest_first(found if keyed else found - PREVENT))


def only_gate(at_rest: AtRest | None) -> bool:
    """Whether nothing but our holding the node keeps clear writes off the tape."""
    return at_rest is not None and at_rest.shut and not at_rest.prevents


def resume(transport: Transport, hands: Hands, *, was_reset: bool) -> Upshot | None:
    """What stands in a drive that was mounted before we looked, by questions alone; None: it is as if just loaded.

    `was_reset`: we know why a key of ours would be gone, so it may be set again. So it may if the cartridge was loaded
    again while nobody looked.
    """
    found = look_who_it_is(transport, hands.manager, hands.options)
    match found:
        case Ours(mount=mount):
            hands.alarms.count("adopted")
            return ledger.of_mount(mount, "it was mounted already, under our key")
        case Foreign(cartridge=cartridge, why=why):
            hands.alarm("somebody else's key is in it", cartridge.serial, cause=why)
            return Upshot(Finding.LEFT, cartridge.serial, why=why, alarm=True)
        case Unexplained(cartridge=cartridge, mount=mount, why=why):
            same, mend = mount.medium_serial == cartridge.serial, MEND_KEY.format(drive=hands.serial)
            if same and loads.has_risen(hands.runtime, mount, cartridge.loads):
                return None
            hands.alarm("its key is not what it should be", cartridge.serial, cause=why, mend=mend)
            if was_reset and same:
                return None
            return Upshot(Finding.REFUSED, cartridge.serial, mount.volser, None, why, mend, alarm=True)
        case Unkeyed():
            return None


@dataclass(frozen=True, slots=True)
class Loaded:
    """A cartridge before its key. `known`: we came further with it before. `loads`: how often it was loaded."""

    known: bool
    loads: int | None


def on_load(transport: Transport, hands: Hands) -> Loaded:
    """Before the key: the cartridge's own count of changes."""
    cartridge = cartridge_identity.identify(transport)
    before = hands.manager.witness(cartridge.serial)
    known = before is not None and before.moment != Moment.LOADED.value  # that may be of a try that failed just now
    _witness(transport, hands, Moment.LOADED, cartridge.serial, None)
    return Loaded(known, cartridge.loads)


def on_verified(transport: Transport, hands: Hands, upshot: Upshot, loaded: Loaded) -> None:
    """After the key, or once it is known that there is none: whether anybody wrote before that."""
    if upshot.mount is not None:
        loads.keep(hands.runtime, upshot.mount, loaded.loads)
    if upshot.finding is Finding.LEFT:
        witness.left(transport, hands.manager, drive=hands.serial, cartridge=upshot.cartridge)
        survey(transport, hands.manager, hands.options)
    elif upshot.cartridge:
        _witness(transport, hands, Moment.VERIFIED, upshot.cartridge, upshot.mount)


def on_close(transport: Transport, hands: Hands, mount: Mount) -> str:
    """After software: what it did. Why the key does not stand; empty: it does."""
    _witness(transport, hands, Moment.CLOSED, mount.medium_serial, mount)
    wrong = account.contradiction(mount, account.interim(transport, hands.manager, mount))
    hands.alarms.count("accounts")
    if wrong:
        hands.ring("contradicted by the drive's account", mount.medium_serial, mount.volser, cause=wrong)
    return standing(transport, hands, mount)


def on_open(hands: Hands, mount: Mount) -> None:
    """Software has the drive again: what it writes is the mount's. The drive is asked nothing."""
    witness.reopened(hands.manager, mount.medium_serial)


def standing(transport: Transport, hands: Hands, mount: Mount) -> str:
    """Why the mount's key no longer stands as it was set; empty: it does."""
    found = compare(transport, hands.manager, mount)
    return "" if found is Standing.OURS else found.value


def after_eject(hands: Hands, mount: Mount) -> None:
    """The books of a mount whose cartridge was taken out."""
    account.after_eject(hands.manager, mount)


def names(hands: Hands) -> tuple[str, str]:
    """Serial and label of the mounted cartridge, for whoever reads of it; empty: it cannot be read now."""
    try:
        cartridge = cartridge_identity.identify(hands.transport)
    except TapekeyError:
        return "", ""
    return cartridge.serial, next(iter(cartridge.volsers), "")


def _witness(transport: Transport, hands: Hands, moment: Moment, cartridge: str, mount: Mount | None) -> None:
    found = witness.witness(
        transport, hands.manager, drive=hands.serial, cartridge=cartridge, moment=moment, mount=mount
    )
    if found in witness.EVENTS:
        hands.alarms.count("lost_races")
        hands.ring(witness.EVENTS[found], cartridge, mount.volser if mount else "")
