"""What is found out, and what is not touched on the way."""

from pathlib import Path

import pytest

from tapekey.drive import guard
from tapekey.errors import MediumFailed
from tapekey.exchange import Command
from tapekey.mount.scene import agree, observe, observe_alone
from tapekey.policy.facts import Contents, Guard, Intent, KeyState, Match, Parameters, Stance
from tests.mount import tampering
from tests.mount.tampering import DRIVES
from tests.rig import check_condition, faulty, opcode, rig

MOTION = {0x01, 0x08, 0x11, 0x2B, 0x91, 0x92}  # REWIND, READ, SPACE, LOCATE

NAMES = {
    "one": (("ENC001L6",), True),
    "none": ((), True),
    "the same twice": (("ENC001L6", "ENC001L6"), True),
    "small letters": (("ENC001L6", "enc001l6"), True),
    "without the media identifier": (("ENC001L6", "ENC001"), True),
    "another volume": (("ENC001L6", "ENC002L6"), False),
    "another generation": (("ENC001L6", "ENC001L7"), False),
    "another volume without the media identifier": (("ENC001L6", "ENC002"), False),
    "a beginning only": (("ENC001L6", "ENC0"), False),
    "a longer name": (("ENC001L600", "ENC001"), False),
    "one of three": (("ENC001L6", "ENC001", "ENC009"), False),
}


@pytest.mark.parametrize(("names", "same"), NAMES.values(), ids=NAMES)
def test_names_agree_when_they_name_one_volume(names: tuple[str, ...], same: bool) -> None:
    assert agree(names) is same


def moves(commands: list[Command]) -> bool:
    return any(command.cdb[0] in MOTION for command in commands)


@pytest.mark.parametrize("name", DRIVES)
def test_written_cartridge_shows_what_it_is(name: str, tmp_path: Path) -> None:
    with rig(tmp_path, name) as agent:
        agent.save()
        agent.write()
        agent.reload()
        facts = observe(agent.host, agent.manager, Intent.SAVE, agent.options()).facts

        assert facts.cartridge.contents is Contents.ENCRYPTED
        assert facts.cartridge.votes_agree
        assert (facts.key.state, facts.key.envelope, facts.key.kad) == (KeyState.ACTIVE, Match.CURRENT, Match.CURRENT)
        assert facts.drive.parameters is Parameters.NONE
        assert (Guard.DRIVE in facts.drive.guards) is (name in ("ibm-lto6", "ibm-lto9"))


@pytest.mark.parametrize("name", DRIVES)
def test_without_a_keystore_form_is_all_there_is(name: str, tmp_path: Path) -> None:
    with rig(tmp_path, name) as agent:
        agent.save()
        agent.write()
        agent.reload()
        facts = observe_alone(agent.host, agent.options()).facts
        assert (facts.key.state, facts.key.envelope, facts.key.kad) == (KeyState.NONE, Match.STRANGER, Match.STRANGER)
        agent.reload()
        tampering.tear(agent)
        assert observe_alone(agent.host, agent.options()).facts.key.envelope is Match.TORN


def test_tape_is_not_moved_under_observe(tmp_path: Path) -> None:
    with rig(tmp_path, stance=Stance.OBSERVE) as agent:
        host = tampering.watched(agent.host)
        scene = observe(host, agent.manager, Intent.SAVE, agent.options())
        assert not moves(host.seen)
        assert scene.facts.cartridge.contents is Contents.UNKNOWN


def test_tape_is_not_moved_in_a_drive_that_is_not_approved_or_not_ours_to_touch(tmp_path: Path) -> None:
    with rig(tmp_path, approved=False) as agent:
        host = tampering.watched(agent.host)
        observe(host, agent.manager, Intent.SAVE, agent.options())
        agent.approve(hands_off=True)
        observe(host, agent.manager, Intent.SAVE, agent.options())
        assert not moves(host.seen)


def test_tape_is_not_moved_under_somebody_elses_key(tmp_path: Path) -> None:
    with rig(tmp_path) as agent:
        tampering.set_foreign_key(agent)
        host = tampering.watched(agent.host)
        scene = observe(host, agent.manager, Intent.SAVE, agent.options())
        assert not moves(host.seen)
        assert scene.facts.drive.parameters is Parameters.FOREIGN


def test_rule_is_found_by_every_name_and_the_strictest_holds(tmp_path: Path) -> None:
    with rig(tmp_path, stance=Stance.ALLOW) as agent:
        agent.rule(Stance.REQUIRE, "SEC*", "site")
        scene = observe(agent.host, agent.manager, Intent.SAVE, agent.options(volsers=("SEC001L6",)))
        assert scene.facts.rule.stance is Stance.REQUIRE
        assert not scene.facts.cartridge.votes_agree


def test_guard_left_open_for_another_cartridge_is_closed_before_anything_can_go_wrong(tmp_path: Path) -> None:
    with rig(tmp_path, inserted=False) as agent:
        agent.rule(Stance.FORBID, "CLR*")
        agent.insert(agent.cartridge("clear", "CLR001L6"))
        agent.save()
        agent.eject()
        agent.insert(tmp_path / "cartridge")
        host = faulty(agent.host, when=opcode(0x11), reply=check_condition(3, 0x11, 0x00), times=-1)
        with pytest.raises(MediumFailed):
            agent.save(host)
        assert guard.look(agent.settled).closed


def test_guard_stays_open_for_the_cartridge_that_may_be_written_in_clear(tmp_path: Path) -> None:
    with rig(tmp_path, stance=Stance.FORBID) as agent:
        agent.save()
        host = tampering.watched(agent.host)
        observe(host, agent.manager, Intent.SAVE, agent.options())
        assert "MODE SELECT" not in tampering.changes(host.seen)
