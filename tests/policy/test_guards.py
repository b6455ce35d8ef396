"""Which guards count: one row for each thing that may be known of a drive."""

from dataclasses import replace
from itertools import product
from typing import Any

import pytest

from tapekey.policy import guards
from tapekey.policy.facts import Guard
from tapekey.policy.guards import Basis, Tried

YES, NO, NOT_TRIED, ERROR = Tried.YES, Tried.NO, Tried.NOT_TRIED, Tried.ERROR
PROVED = Basis(write_guard=True, refuses=YES, saved=YES, parks=YES, stays=YES, encrypts=YES, parkable=True)
NOTHING = Basis()

# fmt: off
CASES: dict[str, tuple[Basis, str]] = {
    "nothing":                       (NOTHING,                                        "watched"),
    "all that a drive can have":     (PROVED,                                         "drive parked watched"),
    "with the agent and a hook":     (replace(PROVED, gate=True, hook=True),          "drive parked gate hook watched"),
    "the drive's word, untried":     (Basis(write_guard=True),                        "drive watched"),
    "a clear write passed":          (replace(PROVED, refuses=NO),                    "parked watched"),
    "the trial of it failed":        (replace(PROVED, refuses=ERROR),                 "parked watched"),
    "gone after power off":          (replace(PROVED, saved=NO),                      "parked watched"),
    "without power not tried":       (replace(PROVED, saved=NOT_TRIED),               "drive parked watched"),
    "no bit, whatever was tried":    (replace(PROVED, write_guard=False),             "parked watched"),
    "takes no key while empty":      (replace(PROVED, parks=NO),                      "drive watched"),
    "drops it at the load":          (replace(PROVED, stays=NO),                      "drive watched"),
    "keeps it and writes in clear":  (replace(PROVED, encrypts=NO),                   "drive watched"),
    "parking was not tried":         (replace(PROVED, parks=NOT_TRIED),               "drive watched"),
    "staying was not tried":         (replace(PROVED, stays=NOT_TRIED),               "drive watched"),
    "encrypting was not tried":      (replace(PROVED, encrypts=NOT_TRIED),            "drive watched"),
    "no safe key for it":            (replace(PROVED, parkable=False),                "drive watched"),
    "gate alone":                    (Basis(gate=True),                               "gate watched"),
    "hook alone":                    (Basis(hook=True),                               "hook watched"),
}
# fmt: on


def words(found: Any) -> str:
    return " ".join(guard.value for guard in guards.strongest_first(found))


@pytest.mark.parametrize(("basis", "expected"), CASES.values(), ids=CASES)
def test_guards_follow_from_what_is_known(basis: Basis, expected: str) -> None:
    assert words(guards.effective(basis)) == expected


def test_watched_is_always_there_and_no_guard_comes_from_a_trial_alone() -> None:
    for answers in product(Tried, repeat=5):
        refuses, saved, parks, stays, encrypts = answers
        found = guards.effective(Basis(False, refuses, saved, parks, stays, encrypts))
        assert found == {Guard.WATCHED}


def test_what_nobody_tried_is_said_of_a_guard_that_counts() -> None:
    assert guards.unproved(Basis(write_guard=True)) == ("refusing clear writes", "keeping its guard without power")
    assert guards.unproved(replace(PROVED, saved=NOT_TRIED)) == ("keeping its guard without power",)
    assert guards.unproved(PROVED) == ()
    assert guards.unproved(NOTHING) == ()
