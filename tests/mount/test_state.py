"""The table of a mount: every pair of phase and event, and the promises that its order makes."""

from itertools import product

import pytest

from tapekey.errors import Conflict
from tapekey.mount.state import NEXT, Course, Event, Phase


@pytest.mark.parametrize(("phase", "event"), list(product(Phase, Event)))
def test_every_pair_moves_on_or_is_refused_unchanged(phase: Phase, event: Event) -> None:
    course = Course(phase)
    following = NEXT.get((phase, event))
    if following is None:
        with pytest.raises(Conflict) as refused:
            course.take(event)
        assert event.value in str(refused.value)
        assert phase.value in str(refused.value)
        assert course.phase is phase
    else:
        course.take(event)
        assert course.phase is following


def test_every_phase_is_reached_and_every_event_is_used() -> None:
    assert {Phase.LOADED, *NEXT.values()} == set(Phase)
    assert {event for _, event in NEXT} == set(Event)


def paths_to(goal: Phase, done: tuple[Event, ...] = (), phase: Phase = Phase.LOADED) -> list[tuple[Event, ...]]:
    """Every way to a phase, by what happened on it."""
    if phase is goal:
        return [done]
    return [
        path
        for (before, event), after in NEXT.items()
        if before is phase and event not in done
        for path in paths_to(goal, (*done, event), after)
    ]


def test_a_key_is_sent_only_after_commit_carry_and_release_or_after_unwrapping() -> None:
    for path in paths_to(Phase.SENT):
        saving = (Event.COMMIT, Event.CARRY, Event.RELEASE, Event.SEND)
        assert path[-4:] == saving or path[-2:] == (Event.UNWRAP, Event.SEND)


def test_ready_with_a_key_only_after_it_was_verified() -> None:
    for goal in (Phase.READY_TO_WRITE, Phase.READY_TO_READ):
        for path in paths_to(goal):
            assert Event.SEND not in path or path[-2] is Event.VERIFY


def test_a_sent_key_is_never_unloaded_unaccounted() -> None:
    for path in paths_to(Phase.UNLOADED):
        assert Event.SEND not in path or Event.ACCOUNT in path
