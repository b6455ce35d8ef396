"""Whose parameters stand in a drive."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tapekey.drive.abilities import abilities
from tapekey.errors import HardwareFailed, TransportFailed
from tapekey.exchange import Command, Reply
from tapekey.mount import owner
from tapekey.policy.facts import Intent, Parameters, Stance
from tests.mount import tampering
from tests.rig import PLAIN, Rig, check_condition, faulty, opcode, page, rig


@pytest.fixture
def agent(tmp_path: Path) -> Iterator[Rig]:
    with rig(tmp_path) as built:
        yield built


def owned(agent: Rig) -> Parameters:
    able = abilities(agent.settled)
    return owner.of_parameters(agent.host, able, agent.manager, agent.manager.current(agent.serial))


def test_empty_parameters_are_nobodys(agent: Rig) -> None:
    assert owned(agent) is Parameters.NONE


def test_what_we_set_and_recorded_is_ours(agent: Rig) -> None:
    agent.save()
    assert owned(agent) is Parameters.OURS


def test_same_data_under_another_counter_is_foreign(agent: Rig) -> None:
    """Somebody who saw our key-associated data and sent them with his own key."""
    agent.save()
    mount = agent.manager.current(agent.serial)
    assert mount is not None
    tampering.set_foreign_key(agent, kad=mount.kad)
    assert owned(agent) is Parameters.FOREIGN


def test_without_any_mount_on_record_everything_is_foreign(agent: Rig) -> None:
    tampering.set_foreign_key(agent)
    assert owned(agent) is Parameters.FOREIGN


def test_key_of_a_save_that_died_before_it_was_recorded_is_known_by_its_data(agent: Rig) -> None:
    class Killed(BaseException):
        """The process is gone: nothing cleans up."""

    def die(command: Command, reply: Reply) -> Reply:
        dead.append(command)
        raise Killed

    dead: list[Command] = []
    dying = faulty(agent.host, when=page(0xB5, 0x10), reply=die)
    host = faulty(dying, when=lambda _: bool(dead), reply=OSError("the process is gone"), times=-1, deliver=False)
    with pytest.raises((Killed, OSError)):
        agent.save(host)

    assert owned(agent) is Parameters.OURS
    assert agent.save().encrypted


def test_key_without_our_data_is_foreign_to_a_mount_that_recorded_nothing(agent: Rig) -> None:
    agent.manager.begin(agent.serial, "ANY", "", Intent.SAVE)
    tampering.set_foreign_key(agent)
    assert owned(agent) is Parameters.FOREIGN


def test_without_a_keystore_whatever_stands_there_is_foreign(agent: Rig) -> None:
    able = abilities(agent.settled)
    assert owner.unrecorded(agent.host, able) is Parameters.NONE
    agent.save()
    assert owner.unrecorded(agent.host, able) is Parameters.FOREIGN


# --- a lock on nothing ---


@pytest.mark.parametrize("name", ["ibm-lto6", "hpe-lto6"])
def test_lock_does_not_outlive_the_mount(name: str, tmp_path: Path) -> None:
    with rig(tmp_path, name) as built:
        tampering.write_clear(built)
        clear = built.inside
        built.unload()
        built.eject()
        built.insert(built.cartridge("other", "ENC002L6"))
        built.save()
        built.unload()
        built.eject()
        built.insert(clear)
        assert built.read() == PLAIN


@pytest.mark.parametrize("name", ["ibm-lto6", "hpe-lto6", "oracle-t10000c"])
def test_lock_of_a_cartridge_taken_out_by_hand_hinders_nobody(name: str, tmp_path: Path) -> None:
    with rig(tmp_path, name, read_ahead_knows=False) as built:
        first = built.save()
        built.write()
        built.eject()
        built.insert(tmp_path / "cartridge")
        assert built.save().key_id == first.key_id
        assert built.read() == PLAIN
        built.eject()
        built.rule(Stance.FORBID, "CLR*")
        built.insert(built.cartridge("clear", "CLR001L6"))
        built.save()
        built.write()
        assert built.read() == PLAIN


def test_lock_left_by_an_unload_that_was_cut_off_hinders_nobody(tmp_path: Path) -> None:
    with rig(tmp_path, read_ahead_knows=False) as built:
        first = built.save()
        built.write()
        host = faulty(built.host, when=page(0xB5, 0x10), reply=TransportFailed("cut off"), deliver=False)
        with pytest.raises(TransportFailed):
            built.unload(host)
        built.eject()
        built.insert(tmp_path / "cartridge")
        assert built.save().key_id == first.key_id


def test_lock_of_a_key_that_was_sent_and_never_recorded_hinders_nobody(tmp_path: Path) -> None:
    with rig(tmp_path, read_ahead_knows=False) as built:
        first = built.save()
        built.write()
        built.manager.begin(built.serial, first.cartridge, "", Intent.SAVE)
        built.eject()
        built.insert(tmp_path / "cartridge")
        assert built.save().key_id == first.key_id


def test_lock_is_left_alone_while_what_it_locks_stands(agent: Rig) -> None:
    agent.save()
    able = abilities(agent.settled)
    host = tampering.watched(agent.host)
    owner.release_stale_lock(host, able, agent.manager.current(agent.serial))
    assert "SPOUT" not in tampering.changes(host.seen)


def test_keys_lost_with_the_power_are_set_again(agent: Rig) -> None:
    first = agent.save()
    agent.write()
    agent.machine.power_cycle()
    assert owned(agent) is Parameters.NONE
    assert agent.save().key_id == first.key_id
    assert agent.read() == PLAIN


def test_key_for_reading_is_not_taken_for_somebody_elses_after_a_save_that_failed(agent: Rig) -> None:
    """It has no data beside it: only the record of its own mount tells that it is ours."""
    first = agent.save()
    agent.write()
    agent.reload()
    agent.restore()
    tampering.plant(agent, b"")
    host = faulty(agent.host, when=opcode(0x8D), reply=check_condition(4, 0x44, 0x00), deliver=False)
    with pytest.raises(HardwareFailed):
        agent.save(host)

    assert owned(agent) is Parameters.NONE
    assert agent.save().key_id == first.key_id
