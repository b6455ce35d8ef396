"""Facts in, one decision out. The first rule that applies decides; its number is in the decision.

Touching nothing
 1. A drive marked hands-off is left alone; under `require` that is a refusal.
 2. Under `observe` nothing is ever touched.
 3. A drive that nobody approved gets no key.
 4. Under `require` a virtual drive gets no key, unless that is allowed.
 5. A cleaning or firmware cartridge needs no key.
 6. Parameters that somebody else set in the drive stay: alarm.

Writing: the drive and the rule
 7. Nothing can be written on a write-protected cartridge: no key is needed.
 8. A WORM cartridge with data is not written again: under `require` the guard is closed.
 9. A drive that takes no keys from us: refused under `require`; `allow` and `forbid` write in clear where they may.
10. `forbid`: no key, guard open.
11. `require` with a least guard: a drive that has only weaker ones is refused.

Writing: the cartridge (`SAVE`, one row for each situation)
12. Sources of its identity disagree.                           refuse, alarm
13. An envelope that the record does not explain.               refuse, alarm
14. Encrypted by someone else, or without a trace of a key.     leave it readable to its owner
15. Blocks under another key than the one on record.            refuse, alarm
16. Our form, but not on record here.                           refuse, alarm
17. Its key was destroyed.                                      refuse
18. Its key is read-only.                                       refuse writing; a restore may read
19. Clear data; clear behind encrypted; unknown.                refuse; `allow` writes on in clear
20. Blank or scratch.                                           new key
21. Nothing is written yet under the key on record.             that key
22. Ours, key active.                                           its key
In rows 14 and 19, what happened to a cartridge with a key on record is an alarm.

Reading
23. A drive that takes no keys from us: refused, unless nothing is encrypted.
24. Nothing is encrypted: no key.
25. Encrypted by someone else: left alone.
26. Nothing on the cartridge, or on record, tells which key: refused; keys are never tried.
27. Its key was destroyed.
28. A drive without a guard writes clear blocks while it reads: refused, unless named or the tab protects the tape.
29. Its key, for reading only; whatever does not fit the record is an alarm.

Any key
30. A key that would cross a network in clear to reach the drive: refused, unless that is allowed.
"""

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Final

from tapekey.policy import rules
from tapekey.policy.decision import (
    CloseDrive,
    Decision,
    Leave,
    MakeKey,
    Modes,
    Protect,
    ReadClear,
    ReadKey,
    Refuse,
    UseKey,
    WriteClear,
)
from tapekey.policy.facts import (
    CartridgeKind,
    Contents,
    Facts,
    Guard,
    Intent,
    KeyState,
    Management,
    Match,
    Parameters,
    Stance,
)
from tapekey.policy.situation import KEYED, NEVER_BY_US, Situation, situation, stranger
from tapekey.policy.table import ALARM_IF_KEYED, ALLOWED_IN_CLEAR, SAVE, TAKES_NO_KEY


def decide(facts: Facts) -> Decision:
    """Say what is to be done; every combination of facts has exactly one answer."""
    held = replace(facts, rule=rules.kept_strict(facts.rule, facts.key.once_required))
    steps = WRITING if facts.intent is Intent.SAVE else READING
    decision = next(decision for step in (*UNTOUCHED, *steps) if (decision := step(held)) is not None)
    gives_key = isinstance(decision, MakeKey | UseKey | ReadKey)
    return (_exposed(held) if gives_key else None) or decision


def objection(facts: Facts) -> Decision | None:
    """What stands against a key that an operator sets by hand for reading; None: nothing does."""
    steps = (*UNTOUCHED, _no_keys_to_read, _unguarded, _exposed)
    return next((decision for step in steps if (decision := step(facts)) is not None), None)


Step = Callable[[Facts], Decision | None]


def _hands_off(facts: Facts) -> Decision | None:
    if not facts.drive.hands_off:
        return None
    if facts.rule.stance is Stance.REQUIRE:
        return Refuse(1, "the drive is marked hands-off", "approve it without --hands-off, or use another drive")
    return Leave(1, "the drive is marked hands-off")


def _observe(facts: Facts) -> Decision | None:
    return Leave(2, "the rule is observe") if facts.rule.stance is Stance.OBSERVE else None


def _unapproved(facts: Facts) -> Decision | None:
    return None if facts.drive.approved else Refuse(3, "the drive is not approved", "tapekey drive approve DRIVE")


def _virtual(facts: Facts) -> Decision | None:
    drive = facts.drive
    if drive.virtual and not drive.virtual_allowed and facts.rule.stance is Stance.REQUIRE:
        return Refuse(4, "the drive is a virtual one", "if that is meant: tapekey with --allow-virtual")
    return None


def _no_data(facts: Facts) -> Decision | None:
    kind = facts.cartridge.kind
    return Leave(5, f"it is a {kind.value} cartridge") if kind in _NO_DATA else None


_NO_DATA: Final = (CartridgeKind.CLEANING, CartridgeKind.FIRMWARE)


def _foreign_owner(facts: Facts) -> Decision | None:
    if facts.drive.parameters is not Parameters.FOREIGN:
        return None
    why = "the encryption parameters in the drive were set by somebody else"
    return Refuse(6, why, "let their owner clear them, or unload and power the drive off and on", alarm=True)


def _write_protected(facts: Facts) -> Decision | None:
    return Leave(7, "it is write-protected") if facts.cartridge.write_protected else None


def _worm(facts: Facts) -> Decision | None:
    cartridge = facts.cartridge
    if cartridge.kind is not CartridgeKind.WORM or cartridge.contents is Contents.BLANK:
        return None
    why = "it is a WORM cartridge with data"
    if facts.rule.stance is Stance.REQUIRE:
        return Protect(8, why, "save to another cartridge")
    return Leave(8, why)


def _no_keys(facts: Facts) -> Decision | None:
    management = facts.drive.management
    if management is Management.APPLICATION:
        return None
    why, mend = TAKES_NO_KEY[management]
    if management is Management.BROKEN:
        return Refuse(9, why, mend, alarm=True)
    if management is Management.ELSEWHERE:
        return Refuse(9, why, mend) if facts.rule.stance is Stance.REQUIRE else Leave(9, why)
    encrypted = facts.rule.stance is Stance.ALLOW and facts.cartridge.contents is Contents.ENCRYPTED
    if facts.rule.stance is Stance.REQUIRE or encrypted:
        return Protect(9, why, mend)
    return WriteClear(9, why)


def _forbid(facts: Facts) -> Decision | None:
    return WriteClear(10, "the rule is forbid") if facts.rule.stance is Stance.FORBID else None


def _weak_guard(facts: Facts) -> Decision | None:
    least = facts.rule.guard
    if facts.rule.stance is not Stance.REQUIRE or least is None or has_guard(facts.drive.guards, least):
        return None
    why = f"the rule demands the guard {least.value!r}, and the drive has none as strong"
    return CloseDrive(11, why, "use a drive that has it, or change the rule's --guard")


def has_guard(guards: Iterable[Guard], least: Guard) -> bool:
    """Whether one of the guards is at least as strong; they are declared strongest first."""
    order = list(Guard)
    return any(order.index(guard) <= order.index(least) for guard in guards)


def _save(facts: Facts) -> Decision:
    row = situation(facts.cartridge, facts.key)
    decision = SAVE[row]
    if isinstance(decision, UseKey):
        return replace(decision, repair_memory=facts.key.envelope is not Match.CURRENT)
    keyed = facts.key.state in KEYED
    if row in ALLOWED_IN_CLEAR and facts.rule.stance is Stance.ALLOW and not keyed:
        return WriteClear(decision.number, f"{decision.why}, and the rule allows clear data")
    if isinstance(decision, CloseDrive | Protect):
        told = f"{decision.why}: {facts.key.why}" if facts.key.why and row in _TOLD else decision.why
        return replace(decision, why=told, alarm=decision.alarm or (keyed and row in ALARM_IF_KEYED))
    return decision


_TOLD: Final = frozenset(
    {Situation.OURS_READ_ONLY, Situation.PLANTED, Situation.OTHER_KEY, Situation.STRANGER, Situation.DESTROYED}
)


def _no_keys_to_read(facts: Facts) -> Decision | None:
    management = facts.drive.management
    if management is Management.APPLICATION or facts.cartridge.contents in _NOTHING_ENCRYPTED:
        return None
    why, mend = TAKES_NO_KEY[management]
    if management is Management.ELSEWHERE and facts.rule.stance is not Stance.REQUIRE:
        return Leave(23, why)
    return Refuse(23, why, mend, alarm=management is Management.BROKEN)


_NOTHING_ENCRYPTED: Final = (Contents.BLANK, Contents.CLEAR)


def _nothing_encrypted(facts: Facts) -> Decision | None:
    contents = facts.cartridge.contents
    return ReadClear(24, f"nothing on it is encrypted ({contents.value})") if contents in _NOTHING_ENCRYPTED else None


def _someone_elses(facts: Facts) -> Decision | None:
    if facts.key.kad is not Match.FOREIGN or stranger(facts.key):
        return None
    alarm = facts.key.state in KEYED
    return Protect(25, "it is encrypted by someone else", "restore it with the software that wrote it", alarm=alarm)


def _no_trace(facts: Facts) -> Decision | None:
    if _traced(facts):
        return None
    alarm = facts.key.state in KEYED or facts.key.envelope in NEVER_BY_US or facts.key.kad in NEVER_BY_US
    mend = "look at tapekey cartridge show; a drive that reads its memory or its blocks may tell more"
    return CloseDrive(26, "nothing on the cartridge tells reliably which key opens it", mend, alarm=alarm)


def _traced(facts: Facts) -> bool:
    """Whether the blocks, the memory chip or, where neither could be looked at, the record names one key."""
    key = facts.key
    if key.kad in (Match.CURRENT, Match.OLDER, Match.OTHER_MEDIUM, Match.STRANGER):
        return True
    if key.kad is Match.DIFFERS:
        return False
    if key.envelope in (Match.CURRENT, Match.OLDER, Match.STRANGER):
        return True
    unseen = facts.cartridge.contents is Contents.UNKNOWN and key.envelope not in NEVER_BY_US
    return unseen and key.state in KEYED


def _destroyed(facts: Facts) -> Decision | None:
    gone = facts.key.state is KeyState.GONE and facts.key.kad in (Match.CURRENT, Match.ABSENT, Match.TORN)
    mend = "if a recipient's private key is left: tapekey restore --identity"
    return CloseDrive(27, "its key was destroyed", mend) if gone else None


def _unguarded(facts: Facts) -> Decision | None:
    guarded = Guard.DRIVE in facts.drive.guards or facts.cartridge.write_protected or facts.drive.unguarded_reading
    why = "the drive would write clear blocks while it reads, and has no guard against that"
    return None if guarded else CloseDrive(28, why, "slide the write-protect tab, or name the drive: --unguarded")


def _read(facts: Facts) -> Decision:
    modes = Modes.READ_WITH_CLEAR_LABELS if facts.clear_labels else Modes.READ
    odd = [match for match in (facts.key.envelope, facts.key.kad) if match in NEVER_BY_US | {Match.OLDER}]
    recorded = facts.key.state is not KeyState.NONE
    alarm = not facts.cartridge.votes_agree or (recorded and bool(odd))
    return ReadKey(29, "it has a key on record" if recorded else "its envelope may open here", modes, alarm=alarm)


def _exposed(facts: Facts) -> Decision | None:
    why = "the key would cross the network in clear: the drive is reached by iSCSI, and takes no key wrapped for it"
    mend = "if the network is yours alone: --allow-clear-key iscsi, or allow_clear_key in tapekey.toml"
    return CloseDrive(30, why, mend) if facts.drive.exposed else None


UNTOUCHED: Final[tuple[Step, ...]] = (_hands_off, _observe, _unapproved, _virtual, _no_data, _foreign_owner)
WRITING: Final[tuple[Step, ...]] = (_write_protected, _worm, _no_keys, _forbid, _weak_guard, _save)
READING: Final[tuple[Step, ...]] = (
    _no_keys_to_read,
    _nothing_encrypted,
    _someone_elses,
    _no_trace,
    _destroyed,
    _unguarded,
    _read,
)
