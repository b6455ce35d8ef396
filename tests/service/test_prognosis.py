"""Every state, and every guard beside every demand."""

from dataclasses import replace

import pytest

from tapekey.service.prognosis import BY_STATE, GUARDS, prognosis, weaker
from tapekey.service.view import DriveView, State

DRIVE = DriveView("HU1", "/dev/sg3", state=State.EMPTY, guards=("drive", "watched"))
FAILING = {
    State.HELD: "another program had it open before its key was verified",
    State.REFUSED: "its cartridge is refused: it holds clear data",
    State.FAILED: "it holds clear data",
    State.GONE: "it is gone",
}


def test_every_state_is_judged() -> None:
    assert set(BY_STATE) == set(State)


@pytest.mark.parametrize("state", State)
def test_a_state_fails_the_next_job_or_does_not(state: State) -> None:
    told = prognosis(replace(DRIVE, state=state, why="it holds clear data"))
    assert told == ((FAILING[state],) if state in FAILING else ())


@pytest.mark.parametrize("state", State)
def test_without_the_keystore_no_drive_that_is_served_gets_a_key(state: State) -> None:
    told = prognosis(replace(DRIVE, state=state), "it is locked")
    assert any("it is locked" in reason for reason in told) is (
        state not in {State.PENDING, State.HANDS_OFF, State.GONE}
    )


@pytest.mark.parametrize("least", GUARDS)
@pytest.mark.parametrize("guard", GUARDS)
def test_a_guard_suffices_if_it_is_as_strong(least: str, guard: str) -> None:
    assert weaker((guard,), least) is (GUARDS.index(guard) > GUARDS.index(least))


def test_a_demand_that_is_not_met_is_told_with_what_stands() -> None:
    weak = replace(DRIVE, guards=("gate", "watched"), least="parked")
    assert prognosis(weak) == ("its rule demands guard parked, it has gate, watched",)
    assert prognosis(replace(DRIVE, guards=(), least="watched")) == ("its rule demands guard watched, it has none",)
    assert prognosis(replace(DRIVE, least="moat")) == ("its rule demands guard moat, it has drive, watched",)
