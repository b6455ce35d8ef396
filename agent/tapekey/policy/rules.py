"""Which rule holds for a cartridge in a drive.

Rules are tried in their order and the first that matches decides. Every source of the cartridge's identity has
a vote: each vote finds its own rule, and of these the strictest holds (require, allow, forbid, observe). A cartridge
that was once under `require` stays so until it is released. Where no rule matches, the default is `observe`.

A pattern is a glob (`*`, `?`, `[...]`) or an inclusive range `LOW..HIGH`. Both ends of a range have the same length
and differ in one run of decimal digits only; what lies between is compared as a number, so `ENC009L6..ENC010L6` has two
members and `ENC0A0L6` is none of them. Volsers and pools are compared in capitals, as barcodes are printed.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from itertools import takewhile
from typing import Final

from tapekey.errors import Usage
from tapekey.policy.facts import Rule, Stance, Subject

BUILT_IN_DEFAULT: Final = Rule(Subject.DEFAULT, "", Stance.OBSERVE)
STRICTEST_FIRST: Final = (Stance.REQUIRE, Stance.ALLOW, Stance.FORBID, Stance.OBSERVE)
_DIGITS: Final = "0123456789"
_MEND: Final = "use a glob such as 'ENC*' or a range such as ENC001L6..ENC024L6"


@dataclass(frozen=True, slots=True)
class Subjects:
    """What rules are compared with. `volsers` has one entry per source of the cartridge's identity."""

    volsers: tuple[str, ...] = ()
    pool: str = ""
    drive: str = ""
    library: str = ""


@dataclass(frozen=True, slots=True)
class Range:
    """An inclusive range: what stands before and behind the digits, and the digits' bounds."""

    before: str
    behind: str
    width: int
    low: int
    high: int

    def __contains__(self, name: str) -> bool:
        if len(name) != len(self.before) + self.width + len(self.behind):
            return False
        digits = name[len(self.before) : len(self.before) + self.width]
        same = name.startswith(self.before) and name.endswith(self.behind)
        return same and (self.width == 0 or (_decimal(digits) and self.low <= int(digits) <= self.high))


def find(rules: Sequence[Rule], subjects: Subjects) -> Rule:
    """The rule that holds: the strictest of what each vote of identity finds first."""
    votes = subjects.volsers or ("",)
    found = [_first(rules, replace(subjects, volsers=(vote,))) for vote in votes]
    return min(found, key=lambda rule: STRICTEST_FIRST.index(rule.stance))


def kept_strict(rule: Rule, once_required: bool) -> Rule:
    """The rule with `require` kept for a cartridge that was under it before and was not released."""
    return replace(rule, stance=Stance.REQUIRE) if once_required else rule


def check(rule: Rule) -> None:
    """Refuse a rule that could never mean what its author meant."""
    if rule.subject is Subject.DEFAULT:
        if rule.pattern:
            raise Usage("the default rule has no pattern", why=f"this has {rule.pattern!r}")
    else:
        check_pattern(rule.pattern)
    strangers = rule.must_fit - set(rule.recipients)
    if strangers:
        raise Usage(
            "a recipient that must fit is not one of the rule's recipients",
            why=", ".join(sorted(strangers)),
            mend="name it with --recipient too",
        )


def check_pattern(pattern: str) -> None:
    """Refuse a pattern that is neither a glob nor a range."""
    if not pattern or pattern != pattern.strip():
        raise Usage("a rule needs a pattern", why="it is empty or has blanks around it", mend=_MEND)
    if ".." in pattern:
        parse_range(pattern)
    elif pattern.count("[") != pattern.count("]"):
        raise Usage(f"the pattern {pattern!r} is no glob", why="a bracket is not closed", mend=_MEND)


def parse_range(pattern: str) -> Range:
    """Read `LOW..HIGH`, or say what is wrong with it."""
    low, _, high = pattern.partition("..")
    wrong = _wrong_with(low, high)
    if wrong:
        raise Usage(f"the pattern {pattern!r} is no range", why=wrong, mend=_MEND)
    before, behind = _common(low, high)
    width = len(low) - len(before) - len(behind)
    middle = slice(len(before), len(before) + width)
    return Range(before, behind, width, int(low[middle] or "0"), int(high[middle] or "0"))


def _wrong_with(low: str, high: str) -> str:
    if not low or not high:
        return "an end is missing"
    if len(low) != len(high):
        return "its ends differ in length"
    if any(mark in low + high for mark in "*?[]") or "." in high:
        return "its ends must be plain names"
    before, behind = _common(low, high)
    ends = [end[len(before) : len(end) - len(behind)] for end in (low, high)]
    if low == high:
        return ""
    if not all(map(_decimal, ends)):
        return "its ends must differ in one run of digits only"
    return "it runs backwards" if int(ends[0]) > int(ends[1]) else ""


def _common(low: str, high: str) -> tuple[str, str]:
    """What both ends have before and behind the run of digits in which they differ; the run is taken whole."""
    before = _shared(low, high)
    behind = _shared(low[len(before) :][::-1], high[len(before) :][::-1])[::-1]
    return (before, behind) if low == high else (before.rstrip(_DIGITS), behind.lstrip(_DIGITS))


def _shared(one: str, other: str) -> str:
    """The beginning that two names of the same length share."""
    same = takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=True))
    return "".join(mark for mark, _ in same)


def _first(rules: Iterable[Rule], subjects: Subjects) -> Rule:
    return next((rule for rule in rules if matches(rule, subjects)), BUILT_IN_DEFAULT)


def matches(rule: Rule, subjects: Subjects) -> bool:
    """Whether the rule's pattern covers what its subject is here."""
    match rule.subject:
        case Subject.VOLSER:
            return any(_covers(rule.pattern.upper(), name.upper()) for name in subjects.volsers)
        case Subject.POOL:
            return _covers(rule.pattern.upper(), subjects.pool.upper())
        case Subject.DRIVE:
            return _covers(rule.pattern, subjects.drive)
        case Subject.LIBRARY:
            return _covers(rule.pattern, subjects.library)
        case Subject.DEFAULT:
            return True


def _covers(pattern: str, name: str) -> bool:
    """An unknown name (empty) is covered by nothing, not even by `*`."""
    if not name:
        return False
    return name in parse_range(pattern) if ".." in pattern else fnmatchcase(name, pattern)


def _decimal(digits: str) -> bool:
    return re.fullmatch(r"[0-9]+", digits) is not None
