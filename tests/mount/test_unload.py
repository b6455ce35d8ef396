"""The end of a mount: account, unload, confirmed demount, and only then our own key out."""

from dataclasses import replace
from pathlib import Path

import pytest

from tapekey.drive import guard, modes
from tapekey.drive.abilities import abilities
from tapekey.drive.identity import identify
from tapekey.drive.load import Presence, presence
from tapekey.errors import RemovalPrevented
from tapekey.manager.questions import Mount
from tapekey.mount.unload import after_demount
from tapekey.policy.facts import Intent, Stance
from tests.mount import tampering
from tests.mount.tampering import DRIVES
from tests.rig import PLAIN, Rig, check_condition, faulty, opcode, rig

UNLOAD = opcode(0x1B)


def current(agent: Rig) -> Mount:
    mount = agent.manager.current(agent.serial)
    assert mount is not None
    return mount


@pytest.mark.parametrize("name", DRIVES)
def test_unloaded_cartridge_is_accounted_and_leaves_no_key(name: str, tmp_path: Path) -> None:
    with rig(tmp_path, name) as agent:
        saved = agent.save()
        agent.write()
        gone = agent.unload()

        assert gone.cartridge == saved.cartridge
        assert gone.account is not None
        assert gone.account.first_encrypted == 0
        assert gone.account.first_clear_after == -1
        assert current(agent).accounted
        assert presence(agent.host).presence is not Presence.MOUNTED
        assert modes.in_force(tampering.status(agent)) == modes.OFF


def test_key_that_outlives_the_demount_is_cleared(tmp_path: Path) -> None:
    with rig(tmp_path) as agent:
        agent.save()
        keep_through_demount(agent)
        gone = agent.unload()

        assert gone.cleared
        assert modes.in_force(tampering.status(agent)) == modes.OFF


def keep_through_demount(agent: Rig) -> None:
    """As drives do that do not honour CKOD."""
    parameters = agent.machine.drive.parameters
    parameters.shared = replace(parameters.shared, ckod=False)


def test_key_stays_until_the_demount_is_confirmed(tmp_path: Path) -> None:
    with rig(tmp_path) as agent:
        agent.save()
        host = faulty(agent.host, when=UNLOAD, reply=check_condition(5, 0x53, 0x02), deliver=False)
        with pytest.raises(RemovalPrevented):
            agent.unload(host)

        assert "SPOUT" not in tampering.changes(host.seen)
        assert modes.in_force(tampering.status(agent)) == modes.WRITE


def test_late_clear_does_not_hit_the_next_cartridge(tmp_path: Path) -> None:
    with rig(tmp_path) as agent:
        agent.save()
        late = current(agent)
        able = abilities(agent.host)
        agent.unload()
        agent.eject()
        agent.insert(agent.cartridge("other", "ENC002L6"))
        following = agent.save()
        host = tampering.watched(agent.host)

        assert not after_demount(host, agent.manager, identify(agent.host), able, late)
        assert host.seen == []
        agent.write()
        assert agent.read() == PLAIN
        assert current(agent).key_id == following.key_id


def test_key_of_somebody_else_is_not_cleared(tmp_path: Path) -> None:
    with rig(tmp_path) as agent:
        agent.save()
        tampering.set_foreign_key(agent, nexus="another host")
        gone = agent.unload()

        assert not gone.cleared
        assert modes.in_force(tampering.status(agent)) == modes.WRITE
        assert "foreign owner" in [line.event for line in agent.alarms()]


def test_guard_is_closed_again_behind_a_forbidden_cartridge(tmp_path: Path) -> None:
    with rig(tmp_path, stance=Stance.FORBID) as agent:
        agent.save()
        assert not guard.look(agent.host).closed
        agent.unload()
        assert guard.look(agent.settled).closed


def test_hands_off_drive_is_unloaded_and_nothing_else(tmp_path: Path) -> None:
    with rig(tmp_path, approved=False) as agent:
        agent.approve(hands_off=True)
        host = tampering.watched(agent.host)
        agent.unload(host)
        assert tampering.changes(host.seen) == set()


def test_empty_drive_is_left_empty(tmp_path: Path) -> None:
    with rig(tmp_path, inserted=False) as agent:
        gone = agent.unload()
        assert gone.cartridge == ""
        assert gone.account is None


def test_clear_data_behind_ours_is_an_alarm(tmp_path: Path) -> None:
    with rig(tmp_path) as agent:
        agent.save()
        agent.write()
        tampering.append_clear(agent)
        agent.unload()
        (alarm,) = agent.alarms()
        assert "clear block" in str(alarm.facts["why"])


def test_writing_while_mounted_for_reading_is_an_alarm(tmp_path: Path) -> None:
    with rig(tmp_path) as agent:
        agent.save()
        agent.write()
        agent.reload()
        agent.restore()
        tampering.append_clear(agent)
        agent.unload()
        (alarm,) = agent.alarms()
        assert "mounted for reading" in str(alarm.facts["why"])
        assert current(agent).intent is Intent.RESTORE


def test_drive_that_gives_no_account_lets_the_cartridge_go(tmp_path: Path) -> None:
    with rig(tmp_path) as agent:
        agent.save()
        agent.write()
        host = faulty(agent.host, when=opcode(0x4D), reply=check_condition(4, 0x44, 0x00), times=-1)
        gone = agent.unload(host)
        assert gone.account is not None
        assert "no account" in gone.account.remarks[0]
        assert presence(agent.host).presence is not Presence.MOUNTED
