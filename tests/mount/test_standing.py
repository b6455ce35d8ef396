"""Whether a mount's parameters still stand, asked without touching anything."""

from dataclasses import replace
from pathlib import Path

import pytest

from tapekey.errors import HardwareFailed, StateChanged
from tapekey.mount.standing import Standing, standing
from tapekey.policy.facts import Stance
from tests.mount import resting, tampering
from tests.rig import Rig, check_condition, faulty, page, rig

QUESTIONS = {0xA2, 0x8C}  # SECURITY PROTOCOL IN, READ ATTRIBUTE


def stands(agent: Rig) -> Standing:
    return standing(agent.settled, agent.manager, resting.current(agent))


def test_key_that_was_set_stands(tmp_path: Path) -> None:
    with rig(tmp_path) as agent:
        agent.save()
        assert stands(agent) is Standing.OURS


def test_nothing_but_questions_is_sent(tmp_path: Path) -> None:
    with rig(tmp_path) as agent:
        agent.save()
        host = tampering.watched(agent.host)
        standing(host, agent.manager, resting.current(agent))
        assert {command.cdb[0] for command in host.seen} == QUESTIONS
        assert len(host.seen) == 2


def test_key_that_is_gone_is_gone(tmp_path: Path) -> None:
    with rig(tmp_path) as agent:
        agent.save()
        tampering.clear_key(agent)
        assert stands(agent) is Standing.GONE


def test_other_parameters_another_cartridge_and_another_mount_are_a_change(tmp_path: Path) -> None:
    with rig(tmp_path) as agent:
        agent.save()
        mount = resting.current(agent)
        assert standing(agent.host, agent.manager, replace(mount, medium_serial="OTHER")) is Standing.CHANGED
        assert standing(agent.host, agent.manager, replace(mount, generation=9)) is Standing.CHANGED
        tampering.set_foreign_key(agent, kad=mount.kad)
        assert stands(agent) is Standing.CHANGED


def test_mount_in_clear_stands_while_no_key_does(tmp_path: Path) -> None:
    with rig(tmp_path, stance=Stance.FORBID) as agent:
        agent.save()
        assert stands(agent) is Standing.OURS
        tampering.set_foreign_key(agent)
        assert stands(agent) is Standing.CHANGED


def test_an_error_is_neither_ours_nor_gone(tmp_path: Path) -> None:
    with rig(tmp_path) as agent:
        agent.save()
        broken = faulty(agent.host, when=page(0xA2, 0x20), reply=check_condition(4, 0x44, 0))
        with pytest.raises(HardwareFailed):
            standing(broken, agent.manager, resting.current(agent))


def test_a_reset_that_nobody_looked_at_is_told_of(tmp_path: Path) -> None:
    with rig(tmp_path) as agent:
        agent.save()
        mount = resting.current(agent)
        agent.machine.drive.reset()
        with pytest.raises(StateChanged):
            standing(agent.host, agent.manager, mount)
