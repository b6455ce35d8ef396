"""A parked key: what it becomes at the load, and what it saves when a write wins the race."""

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tapekey.drive import modes, parameters
from tapekey.drive.abilities import abilities
from tapekey.errors import DriveLied, NotSafe, Refused
from tapekey.exchange import Command, Reply
from tapekey.keys.brief import KadRoom
from tapekey.keys.data_key import KeyId
from tapekey.keystore import parked_keys
from tapekey.keystore.birth import set_unsafe_single_copy
from tapekey.keystore.check import check
from tapekey.keystore.records import KeyRecord, ParkedRecord, State
from tapekey.manager.questions import Parked
from tapekey.mount import owner
from tapekey.mount.rest import Rest
from tapekey.mount.state import Phase
from tapekey.policy.facts import Carry, Parameters, Stance
from tests.mount import resting, tampering
from tests.mount.resting import Killed, drive
from tests.rig import OFFLINE, PLAIN, Rig, faulty, page
from tests.told import PROPERTY
from tests.waist import patched


def parked(agent: Rig) -> Parked:
    found = owner.parked(agent.settled, agent.manager)
    assert found is not None
    return found


def loaded(agent: Rig) -> str:
    """Rest, and load the blank cartridge; the parked key's id."""
    told = resting.rest(agent)
    assert told.rest is Rest.PARKED
    agent.insert(agent.directory / "cartridge")
    return told.parked


def whose(agent: Rig) -> Parameters:
    able = abilities(agent.settled)
    return owner.of_parameters(agent.host, able, agent.manager, agent.manager.current(agent.serial))


def _envelope(agent: Rig, key_id: KeyId | None) -> bytes:
    assert key_id is not None
    return agent.manager.prepared(key_id).envelope


# --- what it becomes -------------------------------------------------------------------------------------------------


def test_it_becomes_the_key_of_a_blank_cartridge_and_the_drive_is_never_open(tmp_path: Path) -> None:
    with drive(tmp_path) as agent:
        key = loaded(agent)
        host = tampering.watched(agent.host)

        done = agent.save(host)

        assert (done.phase, str(done.key_id)) == (Phase.READY_TO_WRITE, key)
        assert resting.in_force(agent) == modes.WRITE
        assert resting.clear_settings(host.seen) == 0
        assert tampering.in_memory(agent) == (_envelope(agent, done.key_id),)
        assert "parked key became the cartridge's" in resting.events(agent)
        check(agent.manager.store)


def test_the_same_key_is_set_again_with_new_data_and_goes_with_the_cartridge(tmp_path: Path) -> None:
    with drive(tmp_path) as agent:
        loaded(agent)
        before = parked(agent)
        agent.save()
        mount = resting.current(agent)
        assert mount.kad != before.kad
        agent.unload()
        assert resting.in_force(agent) == modes.OFF


def test_it_is_replaced_by_the_key_of_a_cartridge_that_has_one(tmp_path: Path) -> None:
    with drive(tmp_path) as agent:
        loaded(agent)
        first = agent.save().key_id
        agent.write()
        agent.unload()
        second = resting.rest(agent).parked
        agent.eject()
        agent.insert(agent.directory / "cartridge")
        host = tampering.watched(agent.host)

        done = agent.save(host)

        assert done.key_id == first
        assert str(first) != second
        assert resting.clear_settings(host.seen) == 0
        agent.unload()
        assert resting.rest(agent).parked == second


def test_a_rule_that_carries_no_key_gets_one_that_was_never_wrapped(tmp_path: Path) -> None:
    with drive(tmp_path) as agent:
        agent.rule(Stance.REQUIRE, "ENC*", "site", carry=Carry.ID)
        with agent.manager.store.writing() as transaction:
            set_unsafe_single_copy(transaction, on=True)
        key = loaded(agent)
        done = agent.save()
        assert str(done.key_id) != key


def test_it_stays_in_over_a_refused_cartridge_and_is_not_used_again(tmp_path: Path) -> None:
    with drive(tmp_path) as agent:
        agent.insert(agent.directory / "cartridge")
        agent.write()  # in clear
        agent.eject()
        key = loaded(agent)

        with pytest.raises(Refused):
            agent.save()

        assert resting.in_force(agent) == modes.PARKED
        assert whose(agent) is Parameters.PARKED
        (line,) = [line for line in agent.alarms() if line.event == "parked key stays in"]
        assert line.facts["key"] == key
        agent.unload()
        assert resting.rest(agent).parked != key


def test_it_goes_for_a_cartridge_that_is_to_be_clear(tmp_path: Path) -> None:
    with drive(tmp_path) as agent:
        agent.rule(Stance.FORBID)
        loaded(agent)
        agent.save()
        assert resting.in_force(agent) == modes.OFF


def test_it_gives_way_to_a_key_for_reading(tmp_path: Path) -> None:
    with drive(tmp_path) as agent:
        loaded(agent)
        agent.save()
        agent.write()
        agent.unload()
        resting.rest(agent)
        agent.eject()
        agent.insert(agent.directory / "cartridge")
        agent.restore()
        assert resting.in_force(agent) == modes.READ
        assert agent.read() == PLAIN


# --- the race --------------------------------------------------------------------------------------------------------


def test_a_write_that_won_the_race_is_encrypted_and_goes_on_under_its_key(tmp_path: Path) -> None:
    with drive(tmp_path) as agent:
        key = loaded(agent)
        agent.write()
        assert PLAIN not in agent.medium_bytes()

        done = agent.save()

        assert str(done.key_id) == key
        assert "written under a parked key" in resting.alarms(agent)
        assert _envelope(agent, done.key_id) in tampering.in_memory(agent)
        assert agent.read() == PLAIN
        check(agent.manager.store)


def test_what_won_the_race_is_restored_from_the_record(tmp_path: Path) -> None:
    with drive(tmp_path) as agent:
        key = loaded(agent)
        agent.write()
        agent.eject()
        agent.insert(agent.directory / "cartridge")
        assert str(agent.restore().key_id) == key
        assert agent.read() == PLAIN


def test_what_won_the_race_is_restored_with_the_recipients_private_key_alone(tmp_path: Path) -> None:
    with drive(tmp_path) as agent:
        loaded(agent)
        agent.write()
        agent.eject()
        tampering.clear_key(agent)
        agent.insert(agent.directory / "cartridge")
        assert agent.restore_alone(OFFLINE).foreign
        assert agent.read() == PLAIN


def test_overwriting_our_own_cartridge_in_the_race_is_refused_and_can_be_read(tmp_path: Path) -> None:
    with drive(tmp_path) as agent:
        loaded(agent)
        agent.save()
        agent.write(b"first")
        agent.unload()
        key = resting.rest(agent).parked
        agent.eject()
        agent.insert(agent.directory / "cartridge")
        agent.write()

        with pytest.raises(Refused):
            agent.save()

        assert str(agent.restore().key_id) == key
        assert agent.read() == PLAIN
        agent.unload()
        assert resting.rest(agent).parked != key


def test_a_block_under_the_key_of_another_drive_can_be_read_and_not_appended_to(tmp_path: Path) -> None:
    with drive(tmp_path) as agent:
        key = loaded(agent)
        agent.write()
        agent.eject()
        with agent.manager.store.writing() as transaction:
            (record,) = transaction.every(ParkedRecord)
            transaction.replace(replace(record, drive_serial="ELSEWHERE", key_instance_counter=-1))
        tampering.clear_key(agent)
        agent.insert(agent.directory / "cartridge")
        with pytest.raises(Refused):
            agent.save()
        assert str(agent.restore().key_id) == key
        with agent.manager.store.reading() as transaction:
            (kept,) = transaction.every(KeyRecord)
        assert kept.state is State.DEACTIVATED


# --- whose it is -----------------------------------------------------------------------------------------------------


def test_a_parked_key_is_ours_before_any_mount_and_after_a_restart(tmp_path: Path) -> None:
    with drive(tmp_path) as agent:
        assert agent.manager.current(agent.serial) is None
        resting.rest(agent)
        assert whose(agent) is Parameters.PARKED


def test_the_same_data_under_another_counter_are_foreign(tmp_path: Path) -> None:
    with drive(tmp_path) as agent:
        loaded(agent)
        kad = parked(agent).kad
        tampering.set_foreign_key(agent, kad=kad)
        assert whose(agent) is Parameters.FOREIGN


# --- safe before it is sent ------------------------------------------------------------------------------------------


def test_key_is_on_record_before_it_leaves_the_store(tmp_path: Path) -> None:
    with drive(tmp_path) as agent:
        recorded: list[ParkedRecord] = []

        def look(_: Command, reply: Reply) -> Reply:
            with agent.manager.store.reading() as transaction:
                recorded.extend(parked_keys.waiting(transaction, agent.serial))
            return reply

        resting.rest(agent, faulty(agent.host, when=page(0xB5, 0x10), reply=look))
        (record,) = recorded
        assert record.sealed
        assert record.kad == parked(agent).kad
        assert "parked key released" in resting.events(agent)


def test_without_anybody_outside_nothing_is_parked(tmp_path: Path) -> None:
    with drive(tmp_path, single_copy=True) as agent:
        with agent.manager.store.writing() as transaction:
            set_unsafe_single_copy(transaction, on=False)
        resting.default(agent, Stance.REQUIRE, "site")
        found = resting.rest(agent)
        assert found.rest is Rest.OPEN
        assert "private half" in found.why
        with pytest.raises(NotSafe):
            agent.manager.park(agent.serial, agent.manager.rules()[-1], KadRoom(60, 32), None)


def test_where_single_copies_are_accepted_one_may_be_parked(tmp_path: Path) -> None:
    with drive(tmp_path, single_copy=True) as agent:
        resting.default(agent, Stance.REQUIRE, "site")
        assert resting.rest(agent).rest is Rest.PARKED


def test_no_key_is_parked_where_no_envelope_fits_beside_a_block(tmp_path: Path) -> None:
    with drive(tmp_path, "quantum-lto4") as agent:
        found = resting.rest(agent)
        assert found.rest is Rest.OPEN
        assert "44 bytes" in found.why


def test_a_key_that_the_drive_shows_otherwise_is_taken_out_again(tmp_path: Path) -> None:
    def lie(_: Command, reply: Reply) -> Reply:
        """Decryption mode MIXED, where DISABLE was set; while no key stands nothing else is shown."""
        return patched(6, b"\x03")(reply) if reply.data_in[4] else reply

    with drive(tmp_path) as agent:
        with pytest.raises(DriveLied):
            resting.rest(agent, faulty(agent.host, when=page(0xA2, 0x20), reply=lie, times=-1))
        assert resting.in_force(agent) == modes.OFF


# --- killed between any two steps ------------------------------------------------------------------------------------


def test_killed_after_any_command_of_parking_it_is_ours_and_found_again(
    tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    with drive(tmp_path) as agent:
        kills = 0
        while True:
            tampering.clear_key(agent)
            try:
                resting.rest(agent, resting.killed_after(agent.host, kills))
                break
            except Killed:
                kills += 1
            assert whose(agent) in (Parameters.NONE, Parameters.PARKED)
            assert resting.rest(agent).rest is Rest.PARKED
        with agent.manager.store.reading() as transaction:
            assert len(transaction.every(ParkedRecord)) == 1
    assert kills > 10
    record_property(PROPERTY, f"parking: killed after each of {kills} commands, never foreign, one key")


def test_killed_after_any_command_of_the_save_the_drive_is_not_open_and_what_was_written_is_read(
    tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    kills = 0
    while _killed_saving(tmp_path / str(kills), kills):
        kills += STRIDE
    assert kills > 40
    record_property(PROPERTY, f"parked key to cartridge's key: killed after {kills // STRIDE} of its commands, 0 open")


STRIDE = 1 if os.environ.get("TAPEKEY_SOAK") else 9  # every ninth command


def _killed_saving(place: Path, nth: int) -> bool:
    place.mkdir()
    with drive(place) as agent:
        loaded(agent)
        try:
            agent.save(resting.killed_after(agent.host, nth))
        except Killed:
            pass
        else:
            return False
        assert resting.in_force(agent)[0] is modes.WRITE[0]
        agent.write()
        assert PLAIN not in agent.medium_bytes()
        agent.save()
        assert agent.read() == PLAIN
        check(agent.manager.store)
    return True


def test_failed_save_leaves_another_key_parked_and_not_an_open_drive(tmp_path: Path) -> None:
    """The cartridge's key is set, and the drive then tells of another counter when it is asked once more."""

    def count(_: Command, reply: Reply) -> Reply:
        keyed = reply.data_in[6] == modes.WRITE[1]
        asked.append(keyed)
        return patched(8, b"\x00\x00\x00\x63")(reply) if keyed and sum(asked) == 2 else reply

    asked: list[bool] = []
    with drive(tmp_path) as agent:
        key = loaded(agent)
        host = faulty(agent.host, when=page(0xA2, 0x20), reply=count, times=-1)

        with pytest.raises(DriveLied):
            agent.save(host)

        assert resting.clear_settings(host.seen) == 0
        assert resting.in_force(agent) == modes.PARKED
        assert str(parked(agent).key_id) != key


def test_nothing_is_parked_while_a_foreign_key_stands(tmp_path: Path) -> None:
    with drive(tmp_path) as agent:
        agent.insert(agent.directory / "cartridge")
        tampering.set_foreign_key(agent)
        agent.eject()
        before = parameters.status(agent.settled).key_instance_counter
        resting.rest(agent)
        assert parameters.status(agent.settled).key_instance_counter == before
        assert "foreign owner" in resting.alarms(agent)
