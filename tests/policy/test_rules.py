"""Patterns and the choice among rules."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tapekey.errors import Usage
from tapekey.policy.facts import Rule, Stance, Subject
from tapekey.policy.rules import (
    BUILT_IN_DEFAULT,
    Subjects,
    check,
    check_pattern,
    find,
    kept_strict,
    matches,
    parse_range,
)


def rule(pattern: str, stance: Stance = Stance.REQUIRE, subject: Subject = Subject.VOLSER) -> Rule:
    return Rule(subject, pattern, stance)


COVERED = {
    "glob": ("ENC*", "ENC001L6", True),
    "glob of another prefix": ("ENC*", "CLN001L1", False),
    "glob is whole": ("ENC", "ENC001L6", False),
    "question mark": ("ENC00?L6", "ENC009L6", True),
    "bracket": ("ENC[0-4]*", "ENC501L6", False),
    "capitals do not matter": ("enc*", "Enc001l6", True),
    "range, low end": ("ENC001L6..ENC024L6", "ENC001L6", True),
    "range, high end": ("ENC001L6..ENC024L6", "ENC024L6", True),
    "range, above": ("ENC001L6..ENC024L6", "ENC025L6", False),
    "range, below": ("ENC001L6..ENC024L6", "ENC000L6", False),
    "range, carry into another digit": ("ENC009L6..ENC010L6", "ENC010L6", True),
    "range, ends that share their last digit": ("ENC001..ENC021", "ENC010", True),
    "range, letters between the digits": ("ENC009L6..ENC110L6", "ENC0A0L6", False),
    "range, other generation": ("ENC001L6..ENC024L6", "ENC010L7", False),
    "range, longer name": ("ENC001L6..ENC024L6", "ENC0010L6", False),
    "range, other prefix": ("ENC001L6..ENC024L6", "END010L6", False),
    "range of one": ("ENC007L6..ENC007L6", "ENC007L6", True),
    "range of one, another": ("ENC007L6..ENC007L6", "ENC008L6", False),
    "a digit of another script": ("ENC001..ENC009", "ENC00\u0665", False),
    "an unknown name": ("*", "", False),
}


@pytest.mark.parametrize(("pattern", "volser", "covered"), COVERED.values(), ids=COVERED)
def test_pattern_covers_what_it_says(pattern: str, volser: str, covered: bool) -> None:
    assert matches(rule(pattern), Subjects(volsers=(volser,))) is covered


BAD = {
    "empty": ("", "empty"),
    "blank around": (" ENC*", "blanks"),
    "open bracket": ("ENC[01", "bracket"),
    "no low end": ("..ENC024L6", "end is missing"),
    "no high end": ("ENC001L6..", "end is missing"),
    "lengths": ("ENC1..ENC24", "differ in length"),
    "backwards": ("ENC024L6..ENC001L6", "backwards"),
    "letters differ": ("ENA001L6..ENB024L6", "one run of digits"),
    "two runs of digits": ("E1C1..E2C2", "one run of digits"),
    "glob in a range": ("ENC*..ENC9", "plain names"),
    "three ends": ("E1..E2..E3", "differ in length"),
    "three dots": ("EN1...EN2", "differ in length"),
}


@pytest.mark.parametrize(("pattern", "why"), BAD.values(), ids=BAD)
def test_bad_pattern_says_why_and_mend(pattern: str, why: str) -> None:
    with pytest.raises(Usage) as caught:
        check_pattern(pattern)
    assert why in str(caught.value)
    assert "ENC001L6..ENC024L6" in caught.value.mend


@given(st.integers(0, 999), st.integers(0, 999), st.integers(0, 999))
def test_range_holds_exactly_the_numbers_between(one: int, two: int, name: int) -> None:
    low, high = sorted((one, two))
    assert (f"A{name:03d}B" in parse_range(f"A{low:03d}B..A{high:03d}B")) is (low <= name <= high)


@given(st.text(max_size=20), st.text(max_size=20))
def test_any_pattern_is_usable_or_refused(pattern: str, name: str) -> None:
    try:
        check_pattern(pattern)
    except Usage:
        return
    assert matches(rule(pattern), Subjects(volsers=(name,))) in (True, False)


def test_first_rule_that_matches_holds() -> None:
    rules = (rule("ENC001*", Stance.FORBID), rule("ENC*"), rule("*", Stance.ALLOW))
    assert find(rules, Subjects(volsers=("ENC001L6",))) is rules[0]
    assert find(rules, Subjects(volsers=("ENC002L6",))) is rules[1]
    assert find(rules, Subjects(volsers=("XYZ002L6",))) is rules[2]


@pytest.mark.parametrize(
    ("subject", "subjects"),
    [
        (Subject.POOL, Subjects(pool="offsite")),
        (Subject.DRIVE, Subjects(drive="offsite")),
        (Subject.LIBRARY, Subjects(library="offsite")),
        (Subject.DEFAULT, Subjects()),
    ],
)
def test_each_subject_is_compared_with_its_own_name(subject: Subject, subjects: Subjects) -> None:
    wanted = rule("" if subject is Subject.DEFAULT else "off*", subject=subject)
    assert find((wanted,), subjects) is wanted
    if subject is not Subject.DEFAULT:
        assert find((wanted,), Subjects(volsers=("offsite",))) is BUILT_IN_DEFAULT


def test_default_observes_until_somebody_sets_it() -> None:
    assert find((), Subjects(volsers=("ENC001L6",))).stance is Stance.OBSERVE


STRICT = [Stance.REQUIRE, Stance.ALLOW, Stance.FORBID, Stance.OBSERVE]


@pytest.mark.parametrize("one", STRICT)
@pytest.mark.parametrize("other", STRICT)
def test_strictest_vote_holds(one: Stance, other: Stance) -> None:
    rules = (rule("A*", one), rule("B*", other))
    held = find(rules, Subjects(volsers=("A1", "B1")))
    assert held.stance is STRICT[min(STRICT.index(one), STRICT.index(other))]


def test_a_vote_that_no_rule_knows_does_not_weaken_another() -> None:
    assert find((rule("ENC*"),), Subjects(volsers=("XXX", "ENC001L6"))).stance is Stance.REQUIRE


@pytest.mark.parametrize("stance", STRICT)
def test_once_required_stays_required(stance: Stance) -> None:
    assert kept_strict(rule("*", stance), once_required=True).stance is Stance.REQUIRE
    assert kept_strict(rule("*", stance), once_required=False).stance is stance


def test_rule_that_must_fit_a_stranger_is_refused() -> None:
    wrong = Rule(Subject.VOLSER, "ENC*", Stance.REQUIRE, recipients=("site",), must_fit=frozenset({"partner"}))
    with pytest.raises(Usage, match="partner"):
        check(wrong)


def test_default_rule_with_a_pattern_is_refused() -> None:
    with pytest.raises(Usage):
        check(rule("ENC*", subject=Subject.DEFAULT))
    check(rule("", subject=Subject.DEFAULT))
