"""Look at a drive that is not to be touched, and keep what was seen: under `observe`, hands-off, or left alone.

Only questions are asked, and none that moves the tape or clears what others want to read (TapeAlert). A drive that
nobody approved is asked its name alone; one that is hands-off, its name and its cartridge's.
"""

from dataclasses import dataclass, replace

from tapekey.cartridge import application, contents, envelopes
from tapekey.cartridge import identity as cartridge_identity
from tapekey.cartridge.contents import Recorded
from tapekey.cartridge.identity import CartridgeId, Kind
from tapekey.drive import abilities, foreign, load, parameters
from tapekey.drive import identity as drive_identity
from tapekey.drive.abilities import Abilities
from tapekey.drive.identity import DriveId
from tapekey.drive.load import Presence
from tapekey.errors import TapekeyError
from tapekey.exchange import Transport
from tapekey.manager.questions import DriveRecord, Evidence, KeyManager, Sighting
from tapekey.mount import guarding, owner, scene
from tapekey.mount.options import Options
from tapekey.mount.restore import Restored
from tapekey.mount.save import Saved
from tapekey.mount.state import Phase
from tapekey.policy import rules
from tapekey.policy.decision import Decision
from tapekey.policy.facts import (
    CartridgeFacts,
    CartridgeKind,
    Contents,
    DriveFacts,
    Guard,
    Management,
    Parameters,
    Rule,
)
from tapekey.policy.foresee import foresee
from tapekey.policy.rules import Subjects


@dataclass(frozen=True, slots=True)
class Survey:
    """What was seen, the rule that holds, and what that rule would decide if it were `require`."""

    drive: DriveId
    sighting: Sighting
    rule: Rule | None = None  # None: no cartridge
    foreseen: Decision | None = None

    @property
    def volser(self) -> str:
        """The label, by the first who names one."""
        return next(iter(self.sighting.volsers), "")


def survey(transport: Transport, manager: KeyManager, options: Options) -> Survey:
    """Look once, without waiting for a cartridge to become ready, and keep what was seen."""
    drive = drive_identity.identify(transport)
    record = manager.drive(drive.serial)
    if record is not None and record.naa != drive.naa:
        record = None
    found = Survey(drive, Sighting(drive.serial, library=options.library))
    if record is not None:
        there = load.presence(transport).presence is Presence.MOUNTED
        able = None if record.hands_off else abilities.abilities(transport)
        found = _drive(transport, manager, found, record, able, options)
        if there:
            found = _cartridge(transport, manager, found, able, options)
    manager.sighted(found.sighting)
    return found


def keep_what_was_left(
    transport: Transport, manager: KeyManager, options: Options, done: Saved | Restored
) -> Survey | None:
    """Look at a cartridge that was left alone. None: it was not."""
    return survey(transport, manager, options) if done.phase is Phase.LEFT else None


def _drive(
    transport: Transport,
    manager: KeyManager,
    found: Survey,
    record: DriveRecord,
    able: Abilities | None,
    options: Options,
) -> Survey:
    """The drive's facts, and whose key is in it; of one that is hands-off only that it is."""
    whose, by = Parameters.NONE, ""
    if able is not None:
        whose = owner.of_parameters(transport, able, manager, manager.current(found.drive.serial))
        by = _by(transport) if whose is Parameters.FOREIGN else ""
    own = guarding.effective(manager, found.drive, able, options) if able else frozenset[Guard]()
    facts = DriveFacts(
        approved=True,
        hands_off=record.hands_off,
        virtual=found.drive.virtual is not None,
        virtual_allowed=options.allow_virtual,
        exposed=options.way.exposes and not record.key,
        management=Management(able.management.value) if able else Management.APPLICATION,
        parameters=whose,
        guards=own | options.guards,
    )
    return replace(found, sighting=replace(found.sighting, drive=facts, owner=by))


def _by(transport: Transport) -> str:
    return foreign.owner(parameters.status(transport).kads)


def _cartridge(
    transport: Transport, manager: KeyManager, found: Survey, able: Abilities | None, options: Options
) -> Survey:
    """The cartridge's facts, what the store makes of it, and what `require` would."""
    cartridge = cartridge_identity.identify(transport)
    names = scene.votes(options, cartridge)
    rule = rules.find(manager.rules(), Subjects(names, options.pool, found.drive.serial, options.library))
    seen = able is not None and cartridge.kind in (Kind.DATA, Kind.WORM)
    carried = envelopes.read(transport) if seen else ()
    recorded = contents.told(transport) if seen else scene.UNSEEN
    known = manager.known(Evidence(cartridge.serial, names, tuple(one.value for one in carried)))
    facts = _facts(cartridge, recorded, names)
    sighting = replace(
        found.sighting,
        medium_serial=cartridge.serial,
        volsers=names,
        pool=options.pool,
        cartridge=facts,
        key=known.facts,
        application=_application(transport),
        memory_left=envelopes.left(transport) if seen else 0,
    )
    assert sighting.drive is not None
    held = rules.kept_strict(rule, known.facts.once_required)
    return Survey(found.drive, sighting, held, foresee(held, sighting.drive, facts, known.facts))


def _facts(cartridge: CartridgeId, recorded: Recorded, names: tuple[str, ...]) -> CartridgeFacts:
    return CartridgeFacts(
        kind=CartridgeKind(cartridge.kind.value),
        write_protected=cartridge.write_protected,
        contents=Contents(recorded.contents.value),
        votes_agree=scene.agree(names),
    )


def _application(transport: Transport) -> str:
    """A claim beside the facts: that it cannot be read stands in the way of nothing."""
    try:
        return application.application(transport)
    except TapekeyError:
        return ""
