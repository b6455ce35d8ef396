"""The decision table, cell by cell; the first number of a case is that of the rule in `decide`."""

import re
from dataclasses import replace
from itertools import product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tapekey.policy import decide as module
from tapekey.policy.decide import decide, has_guard, objection
from tapekey.policy.decision import (
    CloseDrive,
    Decision,
    GuardMove,
    Leave,
    MakeKey,
    Modes,
    Protect,
    ReadClear,
    ReadKey,
    Refusal,
    Refuse,
    UseKey,
    WriteClear,
)
from tapekey.policy.facts import (
    Carry,
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
from tapekey.policy.situation import Situation, situation
from tapekey.policy.table import SAVE, TAKES_NO_KEY

RULE = Rule(Subject.VOLSER, "ENC*", Stance.REQUIRE, recipients=("site",))
DRIVE = DriveFacts(
    approved=True,
    hands_off=False,
    virtual=False,
    virtual_allowed=False,
    management=Management.APPLICATION,
    parameters=Parameters.NONE,
    guards=frozenset({Guard.DRIVE}),
)
CARTRIDGE = CartridgeFacts(CartridgeKind.DATA, write_protected=False, contents=Contents.BLANK, votes_agree=True)
KEY = KeyFacts(KeyState.NONE, envelope=Match.ABSENT, kad=Match.ABSENT)
BLANK = Facts(Intent.SAVE, RULE, DRIVE, CARTRIDGE, KEY)
OURS = replace(
    BLANK,
    cartridge=replace(CARTRIDGE, contents=Contents.ENCRYPTED),
    key=KeyFacts(KeyState.ACTIVE, envelope=Match.CURRENT, kad=Match.CURRENT),
)


def but(facts: Facts, **changes: Any) -> Facts:
    """The facts with fields changed, wherever in them they are."""
    parts: dict[str, Any] = {name: getattr(facts, name) for name in ("rule", "drive", "cartridge", "key")}
    parts.update({name: changes.pop(name) for name in tuple(changes) if name in parts})
    whole: dict[str, Any] = {}
    for name, value in changes.items():
        part = next((part for part, had in parts.items() if hasattr(had, name)), None)
        if part is None:
            whole[name] = value
        else:
            parts[part] = replace(parts[part], **{name: value})
    return replace(facts, **parts, **whole)


def read(facts: Facts, **changes: Any) -> Facts:
    return but(facts, intent=Intent.RESTORE, **changes)


def allow(facts: Facts, **changes: Any) -> Facts:
    return but(facts, stance=Stance.ALLOW, **changes)


def forbid(facts: Facts, **changes: Any) -> Facts:
    return but(facts, stance=Stance.FORBID, **changes)


WORM = replace(OURS, cartridge=replace(OURS.cartridge, kind=CartridgeKind.WORM))
TAB = {"write_protected": True}

CASES: dict[str, tuple[int, Facts, type, bool]] = {
    "hands-off, require": (1, but(BLANK, hands_off=True), Refuse, False),
    "hands-off, allow": (1, allow(BLANK, hands_off=True), Leave, False),
    "hands-off, even with a foreign owner": (
        1,
        allow(OURS, hands_off=True, parameters=Parameters.FOREIGN),
        Leave,
        False,
    ),
    "observe, blank": (2, but(BLANK, stance=Stance.OBSERVE), Leave, False),
    "observe, restore": (2, read(OURS, stance=Stance.OBSERVE), Leave, False),
    "observe, foreign owner": (2, but(OURS, stance=Stance.OBSERVE, parameters=Parameters.FOREIGN), Leave, False),
    "once required, observe now": (20, but(BLANK, stance=Stance.OBSERVE, once_required=True), MakeKey, False),
    "once required, forbid now": (22, forbid(OURS, once_required=True), UseKey, False),
    "not approved": (3, but(BLANK, approved=False), Refuse, False),
    "not approved, forbid": (3, forbid(BLANK, approved=False), Refuse, False),
    "not approved, restore": (3, read(OURS, approved=False), Refuse, False),
    "virtual": (4, but(BLANK, virtual=True), Refuse, False),
    "virtual, restore": (4, read(OURS, virtual=True), Refuse, False),
    "virtual, allowed": (20, but(BLANK, virtual=True, virtual_allowed=True), MakeKey, False),
    "virtual, allow": (20, allow(BLANK, virtual=True), MakeKey, False),
    "exposed, blank": (30, but(BLANK, exposed=True), CloseDrive, False),
    "exposed, ours": (30, but(OURS, exposed=True), CloseDrive, False),
    "exposed, allow": (30, allow(BLANK, exposed=True), CloseDrive, False),
    "exposed, restore": (30, read(OURS, exposed=True), CloseDrive, False),
    "exposed, nothing to read with a key": (24, read(BLANK, exposed=True), ReadClear, False),
    "exposed, no key wanted": (10, forbid(BLANK, exposed=True), WriteClear, False),
    "exposed, not approved": (3, but(BLANK, exposed=True, approved=False), Refuse, False),
    "cleaning": (5, but(BLANK, kind=CartridgeKind.CLEANING), Leave, False),
    "firmware": (5, but(BLANK, kind=CartridgeKind.FIRMWARE), Leave, False),
    "foreign owner, ours": (6, but(OURS, parameters=Parameters.FOREIGN), Refuse, True),
    "foreign owner, allow": (6, allow(BLANK, parameters=Parameters.FOREIGN), Refuse, True),
    "foreign owner, forbid": (6, forbid(BLANK, parameters=Parameters.FOREIGN), Refuse, True),
    "foreign owner, restore": (6, read(OURS, parameters=Parameters.FOREIGN), Refuse, True),
    "our parameters": (22, but(OURS, parameters=Parameters.OURS), UseKey, False),
    "write-protected, ours": (7, but(OURS, **TAB), Leave, False),
    "write-protected, clear": (7, but(OURS, contents=Contents.CLEAR, **TAB), Leave, False),
    "write-protected, blank, forbid": (7, forbid(BLANK, **TAB), Leave, False),
    "WORM, blank": (20, but(BLANK, kind=CartridgeKind.WORM), MakeKey, False),
    "WORM, with data": (8, WORM, Protect, False),
    "WORM, with data, scratch": (8, but(WORM, scratch=True), Protect, False),
    "WORM, unknown": (8, but(WORM, contents=Contents.UNKNOWN), Protect, False),
    "WORM, with data, allow": (8, allow(WORM), Leave, False),
    "no encryption": (9, but(BLANK, management=Management.NONE), Protect, False),
    "encryption disabled": (9, but(BLANK, management=Management.DISABLED), Protect, False),
    "managed elsewhere": (9, but(BLANK, management=Management.ELSEWHERE), Refuse, False),
    "broken": (9, but(BLANK, management=Management.BROKEN), Refuse, True),
    "no encryption, allow": (9, allow(BLANK, management=Management.NONE), WriteClear, False),
    "no encryption, allow, encrypted": (9, allow(OURS, management=Management.NONE), Protect, False),
    "encryption disabled, forbid": (9, forbid(BLANK, management=Management.DISABLED), WriteClear, False),
    "managed elsewhere, allow": (9, allow(BLANK, management=Management.ELSEWHERE), Leave, False),
    "managed elsewhere, forbid": (9, forbid(BLANK, management=Management.ELSEWHERE), Leave, False),
    "broken, allow": (9, allow(BLANK, management=Management.BROKEN), Refuse, True),
    "forbid, blank": (10, forbid(BLANK), WriteClear, False),
    "forbid, ours": (10, forbid(OURS), WriteClear, False),
    "guard too weak": (11, but(BLANK, guard=Guard.PARKED, guards=frozenset({Guard.GATE})), CloseDrive, False),
    "guard as demanded": (20, but(BLANK, guard=Guard.GATE, guards=frozenset({Guard.GATE})), MakeKey, False),
    "guard stronger than demanded": (20, but(BLANK, guard=Guard.WATCHED), MakeKey, False),
    "no guard, none demanded": (20, but(BLANK, guards=frozenset()), MakeKey, False),
    "votes disagree": (12, but(OURS, votes_agree=False), CloseDrive, True),
    "votes disagree, blank": (12, but(BLANK, votes_agree=False), CloseDrive, True),
    "votes disagree, scratch": (12, but(OURS, votes_agree=False, scratch=True), CloseDrive, True),
    "votes disagree, allow": (12, allow(OURS, votes_agree=False), CloseDrive, True),
    "envelope differs": (13, but(OURS, envelope=Match.DIFFERS), CloseDrive, True),
    "envelope replayed": (13, but(OURS, envelope=Match.OLDER), CloseDrive, True),
    "envelope transplanted": (13, but(OURS, envelope=Match.OTHER_MEDIUM), CloseDrive, True),
    "envelope forged, ours": (13, but(OURS, envelope=Match.STRANGER), CloseDrive, True),
    "envelope forged, blank": (13, but(BLANK, envelope=Match.STRANGER), CloseDrive, True),
    "envelope transplanted, blank": (13, but(BLANK, envelope=Match.OTHER_MEDIUM), CloseDrive, True),
    "envelope differs, allow": (13, allow(OURS, envelope=Match.DIFFERS), CloseDrive, True),
    "envelope forged, clear, allow": (
        13,
        allow(BLANK, contents=Contents.CLEAR, envelope=Match.STRANGER),
        CloseDrive,
        True,
    ),
    "encrypted by someone else": (14, but(OURS, key=replace(KEY, kad=Match.FOREIGN)), Protect, False),
    "encrypted by someone else, was ours": (14, but(OURS, kad=Match.FOREIGN), Protect, True),
    "encrypted by someone else, allow": (14, allow(OURS, key=replace(KEY, kad=Match.FOREIGN)), Protect, False),
    "encrypted without a KAD": (14, but(OURS, key=KEY), Protect, False),
    "encrypted without a KAD, was ours": (14, but(OURS, kad=Match.ABSENT), Protect, True),
    "blocks under the key before": (15, but(OURS, kad=Match.OLDER), CloseDrive, True),
    "blocks under another cartridge's key": (15, but(OURS, kad=Match.OTHER_MEDIUM), CloseDrive, True),
    "blocks under a torn KAD": (15, but(OURS, kad=Match.TORN), CloseDrive, True),
    "blocks under a key that was never released": (15, but(OURS, state=KeyState.PREPARED), CloseDrive, True),
    "blocks under a stranger's key": (15, but(OURS, kad=Match.STRANGER), CloseDrive, True),
    "stranger": (
        16,
        but(OURS, key=KeyFacts(KeyState.NONE, Match.STRANGER, Match.STRANGER)),
        CloseDrive,
        True,
    ),
    "stranger, KAD without a form": (
        16,
        but(OURS, key=KeyFacts(KeyState.NONE, Match.STRANGER, Match.FOREIGN)),
        CloseDrive,
        True,
    ),
    "stranger, KAD only": (16, but(OURS, key=replace(KEY, kad=Match.STRANGER)), CloseDrive, True),
    "key destroyed": (17, but(OURS, state=KeyState.GONE), CloseDrive, False),
    "key read-only": (18, but(OURS, state=KeyState.READ_ONLY), CloseDrive, False),
    "key read-only, allow": (18, allow(OURS, state=KeyState.READ_ONLY), CloseDrive, False),
    "clear data": (19, but(BLANK, contents=Contents.CLEAR), CloseDrive, False),
    "mixed": (19, but(BLANK, contents=Contents.MIXED), CloseDrive, False),
    "unknown": (19, but(BLANK, contents=Contents.UNKNOWN), CloseDrive, False),
    "unknown, with our envelope": (19, but(OURS, contents=Contents.UNKNOWN), CloseDrive, True),
    "clear data where ours was": (19, but(OURS, contents=Contents.CLEAR), CloseDrive, True),
    "mixed where ours was": (19, but(OURS, contents=Contents.MIXED), CloseDrive, True),
    "clear data, allow": (19, allow(BLANK, contents=Contents.CLEAR), WriteClear, False),
    "mixed, allow": (19, allow(BLANK, contents=Contents.MIXED), WriteClear, False),
    "unknown, allow": (19, allow(BLANK, contents=Contents.UNKNOWN), WriteClear, False),
    "clear data where ours was, allow": (19, allow(OURS, contents=Contents.CLEAR), CloseDrive, True),
    "blank": (20, BLANK, MakeKey, False),
    "blank, allow": (20, allow(BLANK), MakeKey, False),
    "blank, torn envelope of an unfinished save": (20, but(BLANK, envelope=Match.TORN), MakeKey, False),
    "blank, its key read-only": (20, but(BLANK, state=KeyState.READ_ONLY), MakeKey, False),
    "blank, its key destroyed": (20, but(BLANK, state=KeyState.GONE), MakeKey, False),
    "scratch, ours": (20, but(OURS, scratch=True), MakeKey, False),
    "scratch, clear data": (20, but(BLANK, contents=Contents.CLEAR, scratch=True), MakeKey, False),
    "scratch, mixed": (20, but(BLANK, contents=Contents.MIXED, scratch=True), MakeKey, False),
    "scratch, unknown": (20, but(BLANK, contents=Contents.UNKNOWN, scratch=True), MakeKey, False),
    "scratch, encrypted by someone else": (20, but(OURS, kad=Match.FOREIGN, scratch=True), MakeKey, False),
    "scratch, forged envelope": (20, but(OURS, envelope=Match.STRANGER, scratch=True), MakeKey, False),
    "blank, key prepared": (21, but(BLANK, state=KeyState.PREPARED), UseKey, False),
    "blank, key prepared, older envelope": (
        21,
        but(BLANK, state=KeyState.PREPARED, envelope=Match.OLDER),
        UseKey,
        False,
    ),
    "blank, key active": (21, but(BLANK, state=KeyState.ACTIVE, envelope=Match.CURRENT), UseKey, False),
    "scratch, key prepared": (21, but(OURS, state=KeyState.PREPARED, scratch=True), UseKey, False),
    "ours": (22, OURS, UseKey, False),
    "ours, allow": (22, allow(OURS), UseKey, False),
    "ours, memory torn": (22, but(OURS, envelope=Match.TORN), UseKey, False),
    "ours, memory without envelope": (22, but(OURS, envelope=Match.ABSENT), UseKey, False),
    "restore, no encryption": (23, read(OURS, management=Management.NONE), Refuse, False),
    "restore, encryption disabled": (23, read(OURS, management=Management.DISABLED), Refuse, False),
    "restore, managed elsewhere": (23, read(OURS, management=Management.ELSEWHERE), Refuse, False),
    "restore, managed elsewhere, allow": (
        23,
        read(OURS, stance=Stance.ALLOW, management=Management.ELSEWHERE),
        Leave,
        False,
    ),
    "restore, broken": (23, read(OURS, management=Management.BROKEN), Refuse, True),
    "restore, no encryption, clear": (
        24,
        read(BLANK, contents=Contents.CLEAR, management=Management.NONE),
        ReadClear,
        False,
    ),
    "restore, blank": (24, read(BLANK), ReadClear, False),
    "restore, clear": (24, read(BLANK, contents=Contents.CLEAR), ReadClear, False),
    "restore, someone else's": (25, read(OURS, key=replace(KEY, kad=Match.FOREIGN)), Protect, False),
    "restore, someone else's, was ours": (25, read(OURS, kad=Match.FOREIGN), Protect, True),
    "restore, no trace": (26, read(OURS, key=KEY), CloseDrive, False),
    "restore, unknown, no trace": (26, read(BLANK, contents=Contents.UNKNOWN), CloseDrive, False),
    "restore, envelope transplanted, no KAD": (
        26,
        read(OURS, key=KeyFacts(KeyState.NONE, Match.OTHER_MEDIUM, Match.ABSENT)),
        CloseDrive,
        True,
    ),
    "restore, envelope differs, no KAD": (
        26,
        read(OURS, contents=Contents.UNKNOWN, envelope=Match.DIFFERS, kad=Match.ABSENT),
        CloseDrive,
        True,
    ),
    "restore, KAD differs": (26, read(OURS, kad=Match.DIFFERS), CloseDrive, True),
    "restore, key destroyed": (27, read(OURS, state=KeyState.GONE), CloseDrive, False),
    "restore, no guard": (28, read(OURS, guards=frozenset()), CloseDrive, False),
    "restore, a gate is no guard for reading": (28, read(OURS, guards=frozenset({Guard.GATE})), CloseDrive, False),
    "restore, no guard but the tab": (29, read(OURS, guards=frozenset(), **TAB), ReadKey, False),
    "restore, no guard but named": (29, read(OURS, guards=frozenset(), unguarded_reading=True), ReadKey, False),
    "restore, ours": (29, read(OURS), ReadKey, False),
    "restore, ours, read-only": (29, read(OURS, state=KeyState.READ_ONLY), ReadKey, False),
    "restore, ours, write-protected": (29, read(OURS, **TAB), ReadKey, False),
    "restore, ours, WORM": (29, read(WORM), ReadKey, False),
    "restore, ours, forbid": (29, read(OURS, stance=Stance.FORBID), ReadKey, False),
    "restore, ours, mixed": (29, read(OURS, contents=Contents.MIXED), ReadKey, False),
    "restore, ours, scratch": (29, read(OURS, scratch=True), ReadKey, False),
    "restore, not looked at, key on record": (
        29,
        read(OURS, contents=Contents.UNKNOWN, envelope=Match.ABSENT, kad=Match.ABSENT),
        ReadKey,
        False,
    ),
    "restore, memory torn": (29, read(OURS, envelope=Match.TORN), ReadKey, False),
    "restore, envelope differs, KAD as recorded": (29, read(OURS, envelope=Match.DIFFERS), ReadKey, True),
    "restore, under the key before": (29, read(OURS, kad=Match.OLDER), ReadKey, True),
    "restore, votes disagree": (29, read(OURS, votes_agree=False), ReadKey, True),
    "restore, not on record": (
        29,
        read(OURS, key=KeyFacts(KeyState.NONE, Match.STRANGER, Match.STRANGER)),
        ReadKey,
        False,
    ),
    "restore, not on record, KAD without a form": (
        29,
        read(OURS, key=KeyFacts(KeyState.NONE, Match.STRANGER, Match.FOREIGN)),
        ReadKey,
        False,
    ),
    "restore, not on record, memory torn": (
        29,
        read(OURS, key=KeyFacts(KeyState.NONE, Match.TORN, Match.STRANGER)),
        ReadKey,
        False,
    ),
}


@pytest.mark.parametrize(("number", "facts", "kind", "alarm"), CASES.values(), ids=CASES)
def test_cell(number: int, facts: Facts, kind: type, alarm: bool) -> None:
    decision = decide(facts)
    assert (decision.number, type(decision), getattr(decision, "alarm", False)) == (number, kind, alarm)


def test_every_numbered_rule_has_a_case_and_every_case_a_rule() -> None:
    told = {int(number) for number in re.findall(r"^ ?(\d+)\. ", module.__doc__ or "", re.MULTILINE)}
    assert {number for number, *_ in CASES.values()} == told == set(range(1, 31))


def test_every_situation_has_a_row() -> None:
    assert set(SAVE) == set(Situation)


def test_each_drive_that_takes_no_key_is_told_apart() -> None:
    told = {decide(but(BLANK, management=management)) for management in TAKES_NO_KEY}
    told.add(decide(but(BLANK, parameters=Parameters.FOREIGN)))
    assert len({decision.why for decision in told}) == 5
    assert len({decision.mend for decision in told if isinstance(decision, Refusal)}) == 5


def test_unapproved_and_virtual_name_the_command_that_mends_it() -> None:
    unapproved, virtual = decide(but(BLANK, approved=False)), decide(but(BLANK, virtual=True))
    assert isinstance(unapproved, Refuse)
    assert isinstance(virtual, Refuse)
    assert "tapekey drive approve" in unapproved.mend
    assert "--allow-virtual" in virtual.mend


@pytest.mark.parametrize("envelope", list(Match))
def test_memory_is_repaired_whenever_it_has_not_the_current_envelope(envelope: Match) -> None:
    decision = decide(but(OURS, envelope=envelope))
    if isinstance(decision, UseKey):
        assert decision.repair_memory is (envelope is not Match.CURRENT)


def test_the_records_own_words_reach_the_operator() -> None:
    assert "compromised" in decide(but(OURS, state=KeyState.READ_ONLY, why="compromised")).why


def test_clear_labels_are_read_only_when_asked_for() -> None:
    assert decide(read(OURS)).modes is Modes.READ
    assert decide(replace(read(OURS), clear_labels=True)).modes is Modes.READ_WITH_CLEAR_LABELS
    assert decide(replace(OURS, clear_labels=True)).modes is Modes.WRITE


OBJECTIONS: dict[str, tuple[Facts, int | None]] = {
    "nothing stands against it": (read(OURS), None),
    "hands-off": (read(OURS, hands_off=True), 1),
    "not approved": (read(OURS, approved=False), 3),
    "foreign owner": (read(OURS, parameters=Parameters.FOREIGN), 6),
    "takes no keys": (read(OURS, management=Management.DISABLED), 23),
    "no guard": (read(OURS, guards=frozenset()), 28),
    "exposed": (read(OURS, exposed=True), 30),
}


@pytest.mark.parametrize(("facts", "number"), OBJECTIONS.values(), ids=OBJECTIONS)
def test_key_set_by_hand_meets_the_same_objections(facts: Facts, number: int | None) -> None:
    found = objection(facts)
    assert (found.number if found else None) == number


def test_guards_are_ordered_strongest_first() -> None:
    assert has_guard({Guard.DRIVE}, Guard.WATCHED)
    assert has_guard({Guard.GATE}, Guard.GATE)
    assert not has_guard({Guard.WATCHED, Guard.HOOK}, Guard.GATE)
    assert not has_guard((), Guard.WATCHED)


flags = st.booleans()
ANY_FACTS = st.builds(
    Facts,
    intent=st.sampled_from(Intent),
    rule=st.builds(
        Rule,
        subject=st.sampled_from(Subject),
        pattern=st.just("ENC*"),
        stance=st.sampled_from(Stance),
        carry=st.sampled_from(Carry),
        guard=st.none() | st.sampled_from(Guard),
    ),
    drive=st.builds(
        DriveFacts,
        approved=flags,
        hands_off=flags,
        virtual=flags,
        virtual_allowed=flags,
        management=st.sampled_from(Management),
        parameters=st.sampled_from(Parameters),
        guards=st.frozensets(st.sampled_from(Guard)),
        exposed=flags,
        unguarded_reading=flags,
    ),
    cartridge=st.builds(
        CartridgeFacts,
        kind=st.sampled_from(CartridgeKind),
        write_protected=flags,
        contents=st.sampled_from(Contents),
        votes_agree=flags,
    ),
    key=st.builds(
        KeyFacts,
        state=st.sampled_from(KeyState),
        envelope=st.sampled_from(Match),
        kad=st.sampled_from(Match),
        scratch=flags,
        once_required=flags,
    ),
    clear_labels=flags,
)

# Under `require`, these rules leave a drive as it is: we may not touch it, or the cartridge cannot be written.
NOT_OURS_TO_CLOSE = {1, 3, 4, 5, 6, 7, 9, 23}


def check_laws(facts: Facts) -> Decision:
    """What holds for every combination of facts, whatever the table says."""
    decision = decide(facts)
    key, drive, cartridge = facts.key, facts.drive, facts.cartridge
    stance = Stance.REQUIRE if key.once_required else facts.rule.stance
    if decision.modes is Modes.WRITE:
        assert facts.intent is Intent.SAVE
        assert stance in (Stance.REQUIRE, Stance.ALLOW)
        assert drive.approved
        assert drive.management is Management.APPLICATION
        assert cartridge.votes_agree
        assert drive.parameters is not Parameters.FOREIGN
    if isinstance(decision, UseKey):
        assert key.state in (KeyState.ACTIVE, KeyState.PREPARED)
        fresh = key.state is KeyState.PREPARED
        known = {Match.CURRENT, Match.ABSENT, Match.TORN, Match.FOREIGN}
        assert key.envelope in known or (fresh and (key.envelope is Match.OLDER or key.scratch))
        assert key.kad is Match.CURRENT or cartridge.contents is Contents.BLANK or (fresh and key.scratch)
    if isinstance(decision, MakeKey):
        assert key.scratch or cartridge.contents is Contents.BLANK
    if facts.intent is Intent.RESTORE and decision.modes is Modes.READ_WITH_CLEAR_LABELS:
        assert facts.clear_labels
    if stance is Stance.REQUIRE and decision.number not in NOT_OURS_TO_CLOSE:
        assert decision.guard is GuardMove.CLOSE
    if stance is Stance.REQUIRE:
        assert not isinstance(decision, WriteClear)
        assert decision.guard is not GuardMove.OPEN
    if cartridge.contents is Contents.UNKNOWN and not key.scratch:
        assert decision.modes is not Modes.WRITE
    if stance is Stance.OBSERVE or drive.hands_off or drive.parameters is Parameters.FOREIGN or not drive.approved:
        assert decision.modes is Modes.UNTOUCHED
        assert decision.guard is GuardMove.KEEP
    if decision.modes in (Modes.READ, Modes.READ_WITH_CLEAR_LABELS):
        assert Guard.DRIVE in drive.guards or cartridge.write_protected or drive.unguarded_reading
    if isinstance(decision, Refusal):
        assert decision.why
        assert decision.mend
    return decision


@given(ANY_FACTS)
@settings(max_examples=1500, deadline=None)
def test_laws_hold_for_any_facts(facts: Facts) -> None:
    check_laws(facts)


def test_laws_hold_over_the_whole_product_of_cartridge_and_key() -> None:
    seen = set()
    for stance, contents, state, envelope, kad, scratch, votes, intent in product(
        (Stance.REQUIRE, Stance.ALLOW),
        Contents,
        KeyState,
        Match,
        Match,
        (False, True),
        (False, True),
        Intent,
    ):
        facts = Facts(
            intent,
            replace(RULE, stance=stance),
            DRIVE,
            replace(CARTRIDGE, contents=contents, votes_agree=votes),
            KeyFacts(state, envelope, kad, scratch),
        )
        seen.add(check_laws(facts).number)
    assert seen == {*range(12, 23), *range(24, 28), 29}


def test_laws_hold_over_the_whole_product_of_drive_and_rule() -> None:
    drives = [
        DriveFacts(approved, hands_off, virtual, allowed, management, parameters, guards)
        for (approved, hands_off, virtual, allowed), management, parameters, guards in product(
            product((False, True), repeat=4), Management, Parameters, (frozenset[Guard](), frozenset({Guard.DRIVE}))
        )
    ]
    for facts, stance, kind, tab in product((BLANK, OURS, read(OURS)), Stance, CartridgeKind, (False, True)):
        cartridge = replace(facts.cartridge, kind=kind, write_protected=tab)
        held = replace(facts, rule=replace(RULE, stance=stance), cartridge=cartridge)
        for drive in drives:
            check_laws(replace(held, drive=drive))


@given(ANY_FACTS)
def test_every_combination_has_one_situation(facts: Facts) -> None:
    assert situation(facts.cartridge, facts.key) in Situation
