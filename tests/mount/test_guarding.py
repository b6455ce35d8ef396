"""Which guards a mount counts on, and the rule that demands one."""

from dataclasses import replace
from pathlib import Path

import pytest

from tapekey.drive.qualification import Trial
from tapekey.errors import Refused
from tapekey.keystore import qualifications
from tapekey.policy.facts import Guard, Stance
from tests.mount import resting
from tests.mount.resting import GUARDED, PARKING, drive
from tests.rig import Rig, rig

# fmt: off
MET: dict[str, tuple[str, Guard, frozenset[Guard]]] = {
    "drive, by its guard":              (GUARDED, Guard.DRIVE,   frozenset()),
    "parked, by a stronger one":        (GUARDED, Guard.PARKED,  frozenset()),
    "parked, by a qualified drive":     (PARKING, Guard.PARKED,  frozenset()),
    "gate, by a parked key":            (PARKING, Guard.GATE,    frozenset()),
    "gate, by whoever asks":            (PARKING, Guard.GATE,    frozenset({Guard.GATE})),
    "watched, always":                  (PARKING, Guard.WATCHED, frozenset()),
}
NOT_MET: dict[str, tuple[str, Guard, frozenset[Guard]]] = {
    "drive, by a parked key":           (PARKING, Guard.DRIVE,   frozenset({Guard.GATE, Guard.HOOK})),
    "parked, by a gate":                ("quantum-lto4", Guard.PARKED,  frozenset({Guard.GATE, Guard.HOOK})),
    "gate, by a hook":                  ("quantum-lto4", Guard.GATE,    frozenset({Guard.HOOK})),
    "hook, by nobody who waits":        ("quantum-lto4", Guard.HOOK,    frozenset()),
}
# fmt: on


def demanding(agent: Rig, least: Guard) -> None:
    agent.rule(Stance.REQUIRE, "ENC*", "site", guard=least)
    resting.rest(agent)
    agent.insert(agent.directory / "cartridge")


@pytest.mark.parametrize("case", MET)
def test_a_demand_is_met_by_that_guard_or_a_stronger_one(case: str, tmp_path: Path) -> None:
    personality, least, asker = MET[case]
    with drive(tmp_path, personality) as agent:
        demanding(agent, least)
        assert agent.save(guards=asker).encrypted


@pytest.mark.parametrize("case", NOT_MET)
def test_a_weaker_guard_does_not_do(case: str, tmp_path: Path) -> None:
    personality, least, asker = NOT_MET[case]
    with drive(tmp_path, personality) as agent:
        demanding(agent, least)
        with pytest.raises(Refused, match="none as strong"):
            agent.save(guards=asker)


def test_a_drive_that_let_a_clear_write_pass_does_not_count_as_guarded(tmp_path: Path) -> None:
    with rig(tmp_path, GUARDED, inserted=False) as agent:
        resting.default(agent, Stance.REQUIRE)
        resting.qualify(agent, {Trial.GUARD_REFUSES: "no"})
        demanding(agent, Guard.DRIVE)
        with pytest.raises(Refused, match="none as strong"):
            agent.save()


def test_what_was_tried_with_another_firmware_does_not_count(tmp_path: Path) -> None:
    with drive(tmp_path) as agent:
        with agent.manager.store.writing() as transaction:
            kept = qualifications.get(transaction, agent.serial)
            assert kept is not None
            qualifications.keep(transaction, replace(kept, firmware="OLD1"))
        demanding(agent, Guard.PARKED)
        with pytest.raises(Refused, match="none as strong"):
            agent.save()
