"""Old envelopes: they open what is still on the tape, so they go only when it is gone."""

from pathlib import Path

import pytest

from tests.mount import tampering
from tests.rig import PLAIN, Rig, rig


def rekeyed(agent: Rig) -> bytes:
    """A written cartridge, declared scratch and given a new key; the envelope of the old one."""
    first = agent.save()
    agent.write()
    agent.reload()
    (old,) = tampering.in_memory(agent)
    agent.scratch(first.cartridge)
    agent.save()
    return old


@pytest.mark.parametrize("name", ["ibm-lto6", "hpe-lto6", "oracle-t10000c"])
def test_old_envelope_goes_when_position_0_was_rewritten(name: str, tmp_path: Path) -> None:
    with rig(tmp_path, name) as agent:
        old = rekeyed(agent)
        assert old in tampering.in_memory(agent)
        agent.write()
        gone = agent.unload()

        assert gone.removed == 1
        agent.eject()
        agent.insert(tmp_path / "cartridge")
        (new,) = tampering.in_memory(agent)
        assert new != old


def test_old_envelope_stays_while_its_data_are_on_the_tape(tmp_path: Path) -> None:
    with rig(tmp_path) as agent:
        old = rekeyed(agent)
        gone = agent.unload()

        assert gone.removed == 0
        agent.eject()
        agent.insert(tmp_path / "cartridge")
        assert old in tampering.in_memory(agent)
        agent.restore_alone("partner")
        assert agent.read() == PLAIN


def test_envelopes_of_others_are_never_removed(tmp_path: Path) -> None:
    with rig(tmp_path) as agent:
        saved = agent.save()
        agent.write()
        planted = tampering.forged(agent, saved.cartridge)
        tampering.add(agent, planted)
        assert agent.unload().removed == 0
