"""What is found before anything is decided: the drive, the cartridge, and what the manager knows of both.

No key is set here; only what the mount before left open is closed: its books, the write guard, and a lock on nothing.
The tape is moved only where something may be done with it: never under `observe`, in a drive that is marked hands-off
or not approved, or with somebody else's parameters in the drive.
"""

from dataclasses import dataclass, replace

from tapekey.cartridge import contents, envelopes
from tapekey.cartridge import identity as cartridge_identity
from tapekey.cartridge.contents import Recorded
from tapekey.cartridge.envelopes import Found
from tapekey.cartridge.identity import CartridgeId, Kind
from tapekey.drive import abilities, load, next_block
from tapekey.drive import identity as drive_identity
from tapekey.drive.abilities import Abilities
from tapekey.drive.identity import DriveId
from tapekey.drive.parameters import kads_of
from tapekey.drive.rewind import rewind
from tapekey.errors import DriveUnknown
from tapekey.exchange import Transport
from tapekey.manager.questions import DriveRecord, Evidence, KeyManager, Known, Mount, Parked
from tapekey.mount import account, guarding, owner, unwritten
from tapekey.mount.options import Options
from tapekey.policy import rules
from tapekey.policy.facts import (
    CartridgeFacts,
    CartridgeKind,
    Contents,
    DriveFacts,
    Facts,
    Guard,
    Intent,
    KeyFacts,
    KeyState,
    Management,
    Match,
    Parameters,
    Rule,
    Stance,
    Subject,
)
from tapekey.policy.rules import Subjects

NETWORK = ("iscsi:", "iscsi-")  # how a place behind iSCSI begins: the URI, or the host's lasting name of a node
UNSEEN = Recorded(contents.Contents.UNKNOWN, why="it was not looked at")
ON_YOUR_WORD = Rule(Subject.DEFAULT, "", Stance.REQUIRE)  # what a restore without a keystore is held to


@dataclass(frozen=True, slots=True)
class Scene:
    """Everything that was found, and the facts that follow from it."""

    drive: DriveId
    record: DriveRecord | None
    abilities: Abilities
    cartridge: CartridgeId
    volser: str
    recorded: Recorded
    envelopes: tuple[Found, ...]
    evidence: Evidence
    known: Known
    before: Mount | None  # the drive's newest mount on record
    facts: Facts
    parked: Parked | None = None  # the key of ours that stood in the drive before anything was decided


def observe(transport: Transport, manager: KeyManager, intent: Intent, options: Options) -> Scene:
    """Find out all that a decision needs, with a keystore at hand."""
    drive = drive_identity.identify(transport)
    record = _approved(drive, manager.drive(drive.serial), options)
    _await(transport, options)
    cartridge = cartridge_identity.identify(transport)
    able = abilities.abilities(transport)
    before = manager.current(drive.serial)
    names = votes(options, cartridge)
    rule = rules.find(manager.rules(), Subjects(names, options.pool, drive.serial, options.library))
    evidence = Evidence(cartridge.serial, names)
    rule = rules.kept_strict(rule, manager.known(evidence).facts.once_required)
    in_reach = record is not None and not record.hands_off and rule.stance is not Stance.OBSERVE
    parameters = owner.of_parameters(transport, able, manager, before)
    parked = owner.parked(transport, manager) if parameters is Parameters.PARKED else None
    seen = in_reach and parameters is not Parameters.FOREIGN
    if seen and parameters is Parameters.NONE and before is not None and not before.accounted:
        owner.release_stale_lock(transport, able, before)
    if seen and able.write_guard and _left_open(before, cartridge, rule):
        guarding.close(transport, manager, drive)
    told = account.late(transport, manager, before, cartridge)
    if seen and before is not None and told is not None and unwritten.is_unwritten(transport, manager, before, told):
        unwritten.end(transport, manager, able, before, keyed=parameters is Parameters.OURS)
        parameters = parameters if parked is not None else Parameters.NONE
    found = look(transport, evidence, cartridge, able, seen=seen)
    if found.evidence.kad:
        _claim(manager, drive, found.evidence, _volser(names))
    known = manager.known(found.evidence)
    facts = Facts(
        intent=intent,
        rule=rule,
        drive=_drive_facts(drive, record, able, parameters, options, guarding.effective(manager, drive, able, options)),
        cartridge=_cartridge_facts(cartridge, found.recorded, names),
        key=known.facts,
        clear_labels=options.clear_labels,
    )
    return Scene(
        drive,
        record,
        able,
        cartridge,
        _volser(names),
        found.recorded,
        found.envelopes,
        found.evidence,
        known,
        before,
        facts,
        parked,
    )


def _claim(manager: KeyManager, drive: DriveId, evidence: Evidence, volser: str) -> None:
    """A write that won the race stands under a parked key: from now on that key is on record for this cartridge."""
    found = manager.parked_under(evidence.kad)
    if found is not None and not found.medium_serial:
        proved = found.drive_serial == drive.serial
        manager.written_under_parked(found, evidence.medium_serial, volser, proved=proved)


def _left_open(before: Mount | None, cartridge: CartridgeId, rule: Rule) -> bool:
    """Whether the mount before may have left the write guard open, for another cartridge or under another rule."""
    if before is None or before.intent is not Intent.SAVE or before.key_id is not None:
        return False
    return before.medium_serial != cartridge.serial or rule.stance is Stance.REQUIRE


def observe_alone(transport: Transport, options: Options) -> Scene:
    """Find out what a restore needs when there is no keystore: the operator's word stands for rule and approval."""
    drive = drive_identity.identify(transport)
    _await(transport, options)
    cartridge = cartridge_identity.identify(transport)
    able = abilities.abilities(transport)
    names = votes(options, cartridge)
    parameters = owner.unrecorded(transport, able)
    seen = parameters is Parameters.NONE
    found = look(transport, Evidence(cartridge.serial, names), cartridge, able, seen=seen)
    known = Known(by_form(found))
    record = DriveRecord(drive.serial, drive.naa, drive.vendor, drive.product, "", virtual=drive.virtual is not None)
    facts = Facts(
        intent=Intent.RESTORE,
        rule=ON_YOUR_WORD,
        drive=_drive_facts(drive, record, able, parameters, options, _by_its_word(able)),
        cartridge=_cartridge_facts(cartridge, found.recorded, names),
        key=known.facts,
        clear_labels=options.clear_labels,
    )
    return Scene(
        drive,
        record,
        able,
        cartridge,
        _volser(names),
        found.recorded,
        found.envelopes,
        found.evidence,
        known,
        None,
        facts,
    )


@dataclass(frozen=True, slots=True)
class Look:
    """What the cartridge shows."""

    recorded: Recorded
    envelopes: tuple[Found, ...]
    evidence: Evidence


def look(transport: Transport, evidence: Evidence, cartridge: CartridgeId, able: Abilities, *, seen: bool) -> Look:
    """Look at memory and tape. `seen`: the tape may be moved."""
    if cartridge.kind not in (Kind.DATA, Kind.WORM):
        return Look(UNSEEN, (), evidence)
    found = envelopes.read(transport)
    recorded = contents.look(transport) if seen else UNSEEN
    kad = _kad(transport, recorded, able) if seen else b""
    return Look(recorded, found, replace(evidence, envelopes=tuple(one.value for one in found), kad=kad))


def _kad(transport: Transport, recorded: Recorded, able: Abilities) -> bytes:
    """What stands beside the first encrypted block; the tape is at its beginning again afterwards."""
    if recorded.first_encrypted is None or able.management is not abilities.Management.APPLICATION:
        return b""
    block = next_block.kad_at(transport, recorded.first_encrypted)
    rewind(transport)
    return kads_of(block.kads)


def by_form(found: Look) -> KeyFacts:
    """What can be said of a cartridge without a record: whether its things have our form."""
    whole = any(not one.torn for one in found.envelopes)
    envelope = Match.STRANGER if whole else Match.TORN if found.envelopes else Match.ABSENT
    return KeyFacts(KeyState.NONE, envelope, Match.STRANGER if found.evidence.kad else Match.ABSENT)


def votes(options: Options, cartridge: CartridgeId) -> tuple[str, ...]:
    """Every source's word for the volume, the changer's first."""
    return tuple(name for name in (*options.volsers, *cartridge.volsers) if name)


def agree(names: tuple[str, ...]) -> bool:
    """Whether all words name one volume. A six-character volser stands for its barcode with media identifier."""
    capitals = {name.strip().upper() for name in names}
    longest = max(capitals, key=len, default="")
    return all(name == longest or (len(longest) == _BARCODE and name == longest[:_VOLSER]) for name in capitals)


_VOLSER, _BARCODE = 6, 8


def _volser(names: tuple[str, ...]) -> str:
    return names[0] if names else ""


def _approved(drive: DriveId, record: DriveRecord | None, options: Options) -> DriveRecord | None:
    """The record, if it is of this very drive and not of one that only has its serial number.

    Whoever is on a network can answer in a drive's name: one that is reached so was approved so, or is not approved.
    """
    if record is not None and options.way.network and not record.where.startswith(NETWORK):
        raise DriveUnknown(
            f"drive {drive.serial} is not approved as one that is reached by iSCSI",
            why=f"it was approved at {record.where}",
            mend=f"if it is the same drive: tapekey drive forget {drive.serial}, then approve it --allow iscsi",
        )
    if record is None or record.naa == drive.naa:
        return record
    raise DriveUnknown(
        f"drive {drive.serial} is not the one that was approved",
        why=f"it gives NAA {drive.naa.hex() or 'none'}, and {record.naa.hex() or 'none'} was approved",
        mend="find out what answers under this serial number; then tapekey drive approve",
    )


def _await(transport: Transport, options: Options) -> None:
    (load.load if options.load else load.ready)(transport, options.patience)


def _by_its_word(able: Abilities) -> frozenset[Guard]:
    """Without a keystore there is no qualification: the drive's own word is all there is."""
    return frozenset({Guard.DRIVE} if able.write_guard else set())


def _drive_facts(
    drive: DriveId,
    record: DriveRecord | None,
    able: Abilities,
    parameters: Parameters,
    options: Options,
    guards: frozenset[Guard],
) -> DriveFacts:
    return DriveFacts(
        approved=record is not None,
        hands_off=record is not None and record.hands_off,
        virtual=drive.virtual is not None,
        virtual_allowed=options.allow_virtual,
        exposed=options.way.exposes and not (record and record.key),
        management=Management(able.management.value),
        parameters=parameters,
        guards=guards | options.guards,
        unguarded_reading=drive.serial in options.unguarded,
    )


def _cartridge_facts(cartridge: CartridgeId, recorded: Recorded, names: tuple[str, ...]) -> CartridgeFacts:
    return CartridgeFacts(
        kind=CartridgeKind(cartridge.kind.value),
        write_protected=cartridge.write_protected,
        contents=Contents(recorded.contents.value),
        votes_agree=agree(names),
    )
