"""A new key under which nothing was written."""

from pathlib import Path

from tests.mount import tampering
from tests.rig import rig


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
