"""The save request on every kind of drive, with the memory's vendor range accepted and refused."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tapekey.cartridge import contents
from tapekey.drive import guard, modes
from tapekey.drive.parameters import kads_of
from tapekey.errors import DataProtected, DoesNotFit, NotSafe, Refused
from tapekey.mount.state import Phase
from tapekey.policy.decision import MakeKey, UseKey, WriteClear
from tapekey.policy.facts import Carry, Guard, Stance
from tapekey.scsi import media
from tapekey.scsi.run import run
from tests.mount import tampering
from tests.mount.tampering import DRIVES
from tests.rig import PLAIN, Rig, rig

PLACES = [(name, takes) for name in DRIVES for takes in (True, False)]


@pytest.fixture(params=PLACES, ids=[f"{name}, range {'taken' if takes else 'refused'}" for name, takes in PLACES])
def agent(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Rig]:
    """A rig for each drive; where no envelope goes into the memory, single copies are accepted."""
    name, takes = request.param
    with rig(tmp_path, name, mam_vendor_range=takes, single_copy=not takes, names=("partner", "site")) as built:
        yield built


def takes_envelopes(agent: Rig) -> bool:
    return agent.machine.description.personality.mam_vendor_range


def test_blank_cartridge_gets_a_new_key_and_is_written_under_it(agent: Rig) -> None:
    saved = agent.save()
    agent.write()

    assert saved.phase is Phase.READY_TO_WRITE
    assert isinstance(saved.decision, MakeKey)
    assert agent.read() == PLAIN
    assert PLAIN[:64] not in agent.medium_bytes()
    assert contents.look(agent.host).contents is contents.Contents.ENCRYPTED


def test_drive_reports_what_was_promised(agent: Rig) -> None:
    saved = agent.save()

    status = tampering.status(agent)
    assert saved.key_id is not None
    assert modes.in_force(status) == modes.WRITE
    assert kads_of(status.kads) == agent.manager.prepared(saved.key_id).kad != b""
    assert saved.mount is not None
    assert agent.manager.current(agent.serial) == saved.mount
    assert saved.mount.key_instance_counter == status.key_instance_counter


def test_envelope_is_in_memory_or_said_not_to_be(agent: Rig) -> None:
    saved = agent.save()

    assert saved.key_id is not None
    expected = (agent.manager.prepared(saved.key_id).envelope,) if takes_envelopes(agent) else ()
    assert tampering.in_memory(agent) == expected
    assert saved.in_memory is takes_envelopes(agent)
    assert ("partner" in saved.carried) is takes_envelopes(agent)
    assert ("partner" in saved.left_out) is not takes_envelopes(agent)


def test_second_load_keeps_the_key(agent: Rig) -> None:
    first = agent.save()
    agent.write()
    agent.reload()
    second = agent.save()

    assert isinstance(second.decision, UseKey)
    assert second.key_id == first.key_id
    assert agent.read() == PLAIN
    assert agent.alarms() == []


def test_second_load_before_anything_was_written_keeps_the_key(agent: Rig) -> None:
    first = agent.save()
    agent.reload()
    assert agent.save().key_id == first.key_id


def test_declared_scratch_gets_a_new_key(agent: Rig) -> None:
    first = agent.save()
    agent.write()
    agent.reload()
    agent.scratch(first.cartridge)
    second = agent.save()
    agent.write(PLAIN[::-1])

    assert isinstance(second.decision, MakeKey)
    assert second.key_id != first.key_id
    assert agent.read() == PLAIN[::-1]
    agent.reload()
    third = agent.save()
    assert third.key_id == second.key_id
    assert agent.alarms() == []


def test_declared_scratch_stays_usable_when_nothing_was_written_yet(agent: Rig) -> None:
    first = agent.save()
    agent.write()
    agent.reload()
    agent.scratch(first.cartridge)
    agent.save()
    agent.reload()
    third = agent.save()
    agent.write()

    assert third.key_id != first.key_id
    assert agent.read() == PLAIN
    assert agent.alarms() == []


def test_saving_twice_in_one_stay_keeps_the_key(agent: Rig) -> None:
    first = agent.save()
    agent.write()
    second = agent.save()
    assert second.key_id == first.key_id
    assert agent.read() == PLAIN


def test_torn_memory_is_repaired(tmp_path: Path) -> None:
    with rig(tmp_path) as agent:
        first = agent.save()
        agent.write()
        agent.reload()
        whole = tampering.in_memory(agent)
        tampering.tear(agent)
        second = agent.save()

        assert second.key_id == first.key_id
        assert whole[0] in tampering.in_memory(agent)
        assert second.in_memory


def test_new_key_is_made_once_after_an_interrupted_save(tmp_path: Path) -> None:
    """A key that was committed and never released is taken up again."""
    with rig(tmp_path, mam_vendor_range=False) as agent:
        with pytest.raises(NotSafe):
            agent.save()
        agent.machine.set(mam_vendor_range=True)
        saved = agent.save()
        prepared = [line for line in agent.audit() if line.event == "key prepared"]

        assert isinstance(saved.decision, UseKey)
        assert len(prepared) == 1


@pytest.mark.parametrize("name", DRIVES)
def test_key_that_exists_once_is_not_released(name: str, tmp_path: Path) -> None:
    with rig(tmp_path, name, mam_vendor_range=False) as agent:
        host = tampering.watched(agent.host)
        with pytest.raises(NotSafe):
            agent.save(host)

        assert "SPOUT" not in tampering.changes(host.seen)
        assert modes.in_force(tampering.status(agent)) == modes.OFF


@pytest.mark.parametrize("name", ["ibm-lto6", "ibm-lto9"])
def test_guard_is_closed_before_the_key_is_made(name: str, tmp_path: Path) -> None:
    with rig(tmp_path, name) as agent:
        host = tampering.watched(agent.host)
        agent.save(host)
        codes = [command.cdb[0] for command in host.seen]

        assert guard.look(agent.host).closed
        assert guard.look(agent.host).saved_closed
        assert codes.index(0x55) < codes.index(0x8D) < codes.index(0xB5)


@pytest.mark.parametrize("name", ["ibm-lto6", "ibm-lto9"])
def test_no_clear_block_passes_the_guard_once_the_key_is_gone(name: str, tmp_path: Path) -> None:
    with rig(tmp_path, name) as agent:
        agent.save()
        tampering.clear_key(agent)
        with pytest.raises(DataProtected):
            tampering.try_clear_write(agent)


@pytest.mark.parametrize("name", ["ibm-lto9", "hpe-lto6"])
def test_key_travels_wrapped_to_a_drive_whose_key_was_pinned(name: str, tmp_path: Path) -> None:
    with rig(tmp_path, name, approved=False) as agent:
        agent.approve(pinned=True)
        agent.save()
        agent.write()

        assert agent.read() == PLAIN
        (released,) = [line for line in agent.audit() if line.event == "key released"]
        assert released.facts["form"] == "wrapped"


def test_key_that_is_named_only_is_not_carried(tmp_path: Path) -> None:
    with rig(tmp_path, carry=Carry.ID, single_copy=True) as agent:
        saved = agent.save()
        agent.write()

        assert saved.key_id is not None
        assert agent.read() == PLAIN
        assert agent.manager.prepared(saved.key_id).carried == ()


@pytest.mark.parametrize("name", ["ibm-lto6", "hpe-lto6"])
def test_forbidden_cartridge_is_written_in_clear(name: str, tmp_path: Path) -> None:
    with rig(tmp_path, name, stance=Stance.FORBID) as agent:
        saved = agent.save()
        agent.write()

        assert isinstance(saved.decision, WriteClear)
        assert saved.key_id is None
        assert not saved.encrypted
        assert PLAIN[:64] in agent.medium_bytes()
        assert agent.read() == PLAIN


def test_allowed_cartridge_with_clear_data_goes_on_in_clear(tmp_path: Path) -> None:
    with rig(tmp_path, stance=Stance.ALLOW) as agent:
        tampering.write_clear(agent)
        saved = agent.save()
        assert isinstance(saved.decision, WriteClear)
        assert agent.read() == PLAIN


def test_allowed_blank_cartridge_gets_a_key(tmp_path: Path) -> None:
    with rig(tmp_path, stance=Stance.ALLOW) as agent:
        assert agent.save().encrypted


def test_cartridge_that_was_made_new_by_a_filemark_gets_a_key_and_is_written_under_it(tmp_path: Path) -> None:
    with rig(tmp_path, "hpe-lto6") as agent:  # no guard of its own: whoever wrote in clear before came through
        agent.write(over=agent.settled)
        run(agent.settled, media.rewind())
        run(agent.settled, media.write_filemarks())
        assert isinstance(agent.save().decision, MakeKey)
        agent.write()
        assert agent.read() == PLAIN
        assert PLAIN not in agent.medium_bytes()


def test_slow_load_is_waited_for(tmp_path: Path) -> None:
    with rig(tmp_path, load_time=300.0, inserted=False) as agent:
        agent.insert(tmp_path / "cartridge")
        assert agent.save().phase is Phase.READY_TO_WRITE
        assert agent.clock.seconds >= 300.0


def test_unloaded_cartridge_is_loaded(tmp_path: Path) -> None:
    with rig(tmp_path) as agent:
        agent.unload()
        assert agent.save().phase is Phase.READY_TO_WRITE


def test_cartridge_taken_out_by_hand_is_keyed_again_at_its_next_load(tmp_path: Path) -> None:
    with rig(tmp_path) as agent:
        first = agent.save()
        agent.write()
        agent.eject()
        agent.insert(tmp_path / "cartridge")
        assert agent.save().key_id == first.key_id
        assert agent.read() == PLAIN


def test_recipient_that_must_fit_and_does_not_refuses_the_save(tmp_path: Path) -> None:
    with rig(tmp_path, mam_vendor_range=False, single_copy=True) as agent:
        agent.rule(Stance.REQUIRE, "ENC*", "site", "partner", must_fit=frozenset({"partner"}))
        host = tampering.watched(agent.host)
        with pytest.raises(DoesNotFit):
            agent.save(host)
        assert "SPOUT" not in tampering.changes(host.seen)


def test_rule_that_demands_a_guard_refuses_a_drive_without_it(tmp_path: Path) -> None:
    with rig(tmp_path, "hpe-lto6") as agent:
        agent.rule(Stance.REQUIRE, "ENC*", "site", "partner", guard=Guard.HOOK)
        with pytest.raises(Refused, match="'hook'"):
            agent.save()
        assert agent.save(guards=frozenset({Guard.HOOK})).encrypted
