"""The table of where a drive stands: every pair, and what must never follow from what."""

from itertools import product

import pytest

from tapekey.errors import Conflict
from tapekey.service import stay
from tapekey.service.stay import MOUNTED, NEXT, READY, UNTOUCHED, Finding, step
from tapekey.service.view import State

PAIRS = tuple(product(State, Finding))
RESULTS = {
    Finding.WRITABLE: State.READY_TO_WRITE,
    Finding.READABLE: State.READY_TO_READ,
    Finding.LEFT: State.LEFT,
    Finding.REFUSED: State.REFUSED,
}


def wanted(state: State, finding: Finding) -> State | None:
    """The same in rules: None is refused."""
    if finding is Finding.WENT or (state is State.GONE and finding in (Finding.ERROR, Finding.DOUBTFUL)):
        return State.GONE
    if finding is Finding.ERROR:
        return State.FAILED
    if finding in RESULTS:
        return RESULTS[finding] if state is State.WORKING else None
    if finding is Finding.DOUBTFUL:
        return State.STALE if state in MOUNTED or state is State.WORKING else state
    if finding is Finding.TAKEN:
        return state if state in MOUNTED or state is State.FAILED else State.HELD
    if state is State.WORKING:
        return None
    settling = State.STALE if state in MOUNTED else State.SETTLING
    return {
        Finding.NOT_APPROVED: State.PENDING,
        Finding.HANDS_OFF: State.HANDS_OFF,
        Finding.EMPTY: State.EMPTY,
        Finding.SETTLING: settling,
        Finding.WORK: State.WORKING,
    }[finding]


@pytest.mark.parametrize(("state", "finding"), PAIRS, ids=lambda each: each.name)
def test_every_pair_leads_where_the_rules_say_or_is_refused(state: State, finding: Finding) -> None:
    expected = wanted(state, finding)
    if expected is None:
        with pytest.raises(Conflict, match=finding.value):
            step(state, finding)
    else:
        assert step(state, finding) is expected


def test_nothing_but_an_empty_drive_is_ever_found_empty() -> None:
    assert {finding for (_, finding), then in NEXT.items() if then is State.EMPTY} - {Finding.EMPTY} == {
        Finding.DOUBTFUL  # of one that was empty before
    }
    assert all(state is State.EMPTY for (state, finding), then in NEXT.items() if (finding, then) == _STILL_EMPTY)


_STILL_EMPTY = (Finding.DOUBTFUL, State.EMPTY)


def test_software_is_told_ready_behind_a_whole_operation_only() -> None:
    into = {(state, finding) for (state, finding), then in NEXT.items() if then in READY and state not in READY}
    assert into == {(State.WORKING, Finding.WRITABLE), (State.WORKING, Finding.READABLE)}


def test_a_doubt_ends_every_ready() -> None:
    assert {step(state, Finding.DOUBTFUL) for state in READY} == {State.STALE}


def test_what_is_not_to_be_touched_is_not_worked_on_by_mistake() -> None:
    assert {State.PENDING, State.HANDS_OFF} == UNTOUCHED
    assert stay.step(State.PENDING, Finding.NOT_APPROVED) is State.PENDING
