"""Asked once more in the same stay: what was made ready and still stands is not made ready again.

Software may have the tape in the middle of a job, so nothing here moves it. Anything out of the ordinary is left to
the whole operation.
"""

from tapekey.cartridge import envelopes
from tapekey.drive import abilities, guard, load, modes, parameters
from tapekey.drive import identity as drive_identity
from tapekey.drive.identity import DriveId
from tapekey.drive.load import Presence
from tapekey.exchange import Transport
from tapekey.manager.questions import Evidence, KeyManager, Mount, Prepared
from tapekey.mount import guarding
from tapekey.mount.options import Options
from tapekey.mount.standing import Standing, standing
from tapekey.policy import rules
from tapekey.policy.decide import has_guard
from tapekey.policy.facts import Intent, KeyState, Rule, Stance
from tapekey.policy.rules import Subjects


def for_writing(transport: Transport, manager: KeyManager, options: Options) -> tuple[Mount, Prepared] | None:
    """The mount that is ready to be written as it stands, and what the cartridge carries; None: not for certain."""
    mount = _mount(transport, manager, options, Intent.SAVE)
    if mount is None or mount.key_id is None:
        return None
    known = manager.known(Evidence(mount.medium_serial))
    if known.key_id != mount.key_id or known.facts.state is not KeyState.ACTIVE or known.facts.scratch:
        return None
    prepared = manager.prepared(mount.key_id)
    carried = [one.value for one in envelopes.read(transport)]
    return (mount, prepared) if prepared.envelope in (b"", *carried) else None


def for_reading(transport: Transport, manager: KeyManager, options: Options) -> Mount | None:
    """The mount that is ready to be read as it stands; None: not for certain."""
    mount = _mount(transport, manager, options, Intent.RESTORE)
    wanted = modes.READ_WITH_CLEAR_LABELS if options.clear_labels else modes.READ
    stands = mount is not None and modes.in_force(parameters.status(transport)) == wanted
    return mount if stands and mount is not None and mount.key_id is not None else None


def _mount(transport: Transport, manager: KeyManager, options: Options, intent: Intent) -> Mount | None:
    drive = drive_identity.identify(transport)
    mount = manager.current(drive.serial)
    if mount is None or mount.accounted or mount.intent is not intent or mount.key_instance_counter is None:
        return None
    rule = _rule(manager, drive, mount, options)
    if rule is None:
        return None
    seen = load.presence(transport)
    if seen.presence is not Presence.MOUNTED or seen.attentions:
        return None
    if standing(transport, manager, mount) is not Standing.OURS:
        return None
    if not _guarded(transport, manager, drive, rule, options):
        return None
    if guard.available(transport):
        guarding.close(transport, manager, drive)
    return mount


def _guarded(transport: Transport, manager: KeyManager, drive: DriveId, rule: Rule, options: Options) -> bool:
    if rule.guard is None:
        return True
    able = abilities.abilities(transport)
    return has_guard(guarding.effective(manager, drive, able, options), rule.guard)


def _rule(manager: KeyManager, drive: DriveId, mount: Mount, options: Options) -> Rule | None:
    """The rule, if it and the drive are such that the key may be given now; None: the whole operation has to say."""
    record = manager.drive(drive.serial)
    if record is None or record.naa != drive.naa or record.hands_off or options.way.network:
        return None
    if drive.virtual is not None and not options.allow_virtual:
        return None
    if any(name != mount.volser for name in options.volsers):
        return None
    rule = rules.find(manager.rules(), Subjects((mount.volser,), options.pool, drive.serial, options.library))
    return rule if rule.stance in (Stance.REQUIRE, Stance.ALLOW) else None
