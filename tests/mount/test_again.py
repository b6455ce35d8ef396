"""A second request in the same stay: the tape stays where it is, and whatever is not as it was goes the whole way."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tapekey.drive import guard
from tapekey.errors import Refused, TapekeyError
from tapekey.exchange import Command
from tapekey.mount.state import Phase
from tapekey.policy.facts import Guard, Stance
from tests.mount import resting, tampering
from tests.rig import PLAIN, Rig, rig

MOVING = {0x01, 0x0A, 0x10, 0x11, 0x19, 0x1B, 0x2B, 0x92, 0x91}  # rewind, write, space, erase, load, locate


def moves(commands: list[Command]) -> set[int]:
    return {command.cdb[0] for command in commands} & MOVING


def test_saving_again_moves_no_tape_and_begins_no_mount(tmp_path: Path) -> None:
    with rig(tmp_path) as agent:
        first = agent.save()
        agent.write()
        host = tampering.watched(agent.host)

        again = agent.save(host)

        assert (again.phase, again.key_id, again.mount) == (Phase.READY_TO_WRITE, first.key_id, first.mount)
        assert (again.in_memory, again.carried) == (first.in_memory, first.carried)
        assert not moves(host.seen)
        assert not tampering.changes(host.seen)


def test_restoring_again_moves_no_tape(tmp_path: Path) -> None:
    with rig(tmp_path) as agent:
        agent.save()
        agent.write()
        agent.reload()
        first = agent.restore()
        host = tampering.watched(agent.host)
        again = agent.restore(host)
        assert (again.phase, again.key_id, again.mount) == (Phase.READY_TO_READ, first.key_id, first.mount)
        assert not moves(host.seen)
        assert agent.read() == PLAIN


def test_a_guard_that_somebody_opened_meanwhile_is_closed_again(tmp_path: Path) -> None:
    with rig(tmp_path) as agent:
        agent.save()
        tampering.open_guard(agent)
        agent.save()
        assert guard.look(agent.settled).closed


def _foreign(agent: Rig) -> None:
    tampering.set_foreign_key(agent)


def _hands_off(agent: Rig) -> None:
    agent.approve(hands_off=True)


def _weaker(agent: Rig) -> None:
    agent.rule(Stance.FORBID)


def _scratch(agent: Rig) -> None:
    agent.scratch(resting.current(agent).medium_serial)


def _torn(agent: Rig) -> None:
    tampering.tear(agent)


def _reset(agent: Rig) -> None:
    agent.machine.drive.reset()


@pytest.mark.parametrize("meanwhile", [_foreign, _hands_off, _weaker, _scratch, _torn, _reset])
def test_what_is_not_as_it_was_goes_the_whole_way(meanwhile: Callable[[Rig], None], tmp_path: Path) -> None:
    """It is decided anew: the answer differs, or a new mount begins."""
    with rig(tmp_path) as agent:
        first = agent.save()
        meanwhile(agent)
        try:
            again = agent.save()
        except TapekeyError:
            return
        assert again.mount != first.mount


def test_a_rule_that_demands_a_guard_moves_no_tape_either(tmp_path: Path) -> None:
    with rig(tmp_path) as agent:
        agent.rule(Stance.REQUIRE, "ENC*", "site", guard=Guard.HOOK)
        first = agent.save(guards=frozenset({Guard.HOOK}))
        host = tampering.watched(agent.host)
        assert agent.save(host, guards=frozenset({Guard.HOOK})).mount == first.mount
        assert not moves(host.seen)


def test_a_demand_that_is_not_met_any_more_is_refused(tmp_path: Path) -> None:
    with rig(tmp_path, resting.PARKING) as agent:
        agent.save()
        agent.rule(Stance.REQUIRE, "ENC*", "site", guard=Guard.DRIVE)
        with pytest.raises(Refused):
            agent.save()
