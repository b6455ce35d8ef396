"""A new key under which nothing was written."""

from pathlib import Path

import pytest

from tapekey.drive.load import Presence, presence
from tapekey.errors import DataProtected, HardwareFailed, Refused, RemovalPrevented
from tapekey.scsi import media
from tapekey.scsi.run import run
from tests.mount import tampering
from tests.rig import Rig, check_condition, faulty, opcode, rig


def test_cartridge_is_scratch_still_when_nothing_was_written_under_its_new_key(tmp_path: Path) -> None:
    with rig(tmp_path) as agent:
        first = agent.save()
        agent.write()
        agent.reload()
        agent.scratch(first.cartridge)
        second = agent.save()
        envelopes = tampering.in_memory(agent)
        agent.reload()
        third = agent.save()
        agent.write()
        agent.reload()

        assert len(envelopes) == 2
        assert len({first.key_id, second.key_id, third.key_id}) == 3
        assert agent.save().key_id == third.key_id


def test_cartridge_that_was_written_is_not_scratch_again(tmp_path: Path) -> None:
    with rig(tmp_path) as agent:
        first = agent.save()
        agent.write()
        agent.reload()
        agent.scratch(first.cartridge)
        second = agent.save()
        agent.write()
        agent.reload()
        assert agent.save().key_id == second.key_id
        agent.reload()
        assert agent.save().key_id == second.key_id


def test_clear_scratch_that_was_not_written_stays_scratch(tmp_path: Path) -> None:
    with rig(tmp_path) as agent:
        tampering.write_clear(agent)
        serial = agent.machine.drive.require_cartridge().identity.serial
        agent.scratch(serial)
        agent.save()
        agent.reload()
        assert agent.save().encrypted
        assert agent.alarms() == []


def scratch_with_clear_data(agent: Rig) -> str:
    tampering.write_clear(agent)
    serial = agent.machine.drive.require_cartridge().identity.serial
    agent.scratch(serial)
    return serial


def test_unload_that_was_refused_makes_nothing_scratch(tmp_path: Path) -> None:
    """Whoever keeps the cartridge in the drive may be about to write: what he writes is kept."""
    with rig(tmp_path) as agent:
        scratch_with_clear_data(agent)
        saved = agent.save()
        envelopes = tampering.in_memory(agent)
        run(agent.host, media.prevent_removal())
        with pytest.raises(RemovalPrevented):
            agent.unload()
        assert tampering.in_memory(agent) == envelopes
        agent.write()
        run(agent.host, media.allow_removal())
        agent.reload()

        assert agent.save().key_id == saved.key_id
        (account, *_) = [line.facts for line in agent.audit() if line.event == "mount accounted"]
        assert account["first_encrypted"] == 0


def test_save_that_fails_leaves_no_key_under_which_a_scratch_cartridge_is_written(tmp_path: Path) -> None:
    with rig(tmp_path) as agent:
        scratch_with_clear_data(agent)
        agent.save()
        host = faulty(agent.host, when=opcode(0x8D), reply=check_condition(4, 0x44, 0), after=1, deliver=False)
        with pytest.raises(HardwareFailed):
            agent.save(host, volsers=("ENC001",))  # by another of its names, so that all is done anew
        with pytest.raises(DataProtected):
            agent.write()
        assert agent.save().encrypted


def test_hands_off_drive_is_not_tidied(tmp_path: Path) -> None:
    with rig(tmp_path) as agent:
        scratch_with_clear_data(agent)
        agent.save()
        agent.approve(hands_off=True)
        host = tampering.watched(agent.host)
        agent.unload(host)
        assert tampering.changes(host.seen) == set()


def test_tape_stays_where_it_is_under_parameters_of_somebody_else(tmp_path: Path) -> None:
    with rig(tmp_path) as agent:
        scratch_with_clear_data(agent)
        agent.save()
        tampering.set_foreign_key(agent)
        host = tampering.watched(agent.host)
        with pytest.raises(Refused):
            agent.save(host)
        assert not {command.cdb[0] for command in host.seen} & {0x01, 0x08, 0x11, 0x2B, 0x91, 0x92}


def test_memory_that_cannot_be_tidied_keeps_no_cartridge_in_the_drive(tmp_path: Path) -> None:
    with rig(tmp_path) as agent:
        scratch_with_clear_data(agent)
        agent.save()
        host = faulty(agent.host, when=opcode(0x11), reply=check_condition(3, 0x11, 0), times=-1)
        gone = agent.unload(host)
        assert gone.account is not None
        assert presence(agent.host).presence is not Presence.MOUNTED
        assert "memory not tidied" in [line.event for line in agent.audit()]
