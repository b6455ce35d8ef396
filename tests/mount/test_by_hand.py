"""A key that an operator sets by hand, for reading only."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tapekey.drive import guard, modes
from tapekey.errors import DriveLied, Refused
from tapekey.exchange import Command, Reply
from tapekey.keys.data_key import KEY_ID_SIZE, KeyId
from tapekey.manager.questions import KeyMaterial
from tapekey.mount import by_hand
from tapekey.policy.facts import Stance
from tapekey.secret import Secret
from tests.mount import tampering
from tests.rig import Rig, faulty, page, rig


def key() -> KeyMaterial:
    return KeyMaterial(KeyId(bytes(KEY_ID_SIZE)), plain=Secret(tampering.FOREIGN_KEY))


def test_key_by_hand_reads_and_does_not_write(tmp_path: Path) -> None:
    with rig(tmp_path) as agent:
        tampering.write_foreign(agent)
        mount = by_hand.set_key(agent.host, agent.manager, key(), agent.options())
        assert modes.in_force(tampering.status(agent)) == modes.READ
        assert guard.look(agent.host).closed
        assert mount.key_id is None
        assert by_hand.clear_key(agent.host, agent.manager)
        assert modes.in_force(tampering.status(agent)) == modes.OFF


def test_key_by_hand_that_reads_back_differently_does_not_stay_unnoticed(tmp_path: Path) -> None:
    def other_scope(command: Command, reply: Reply) -> Reply:
        return Reply(reply.status, reply.data_in[:4] + b"\x41" + reply.data_in[5:], reply.sense)

    with rig(tmp_path) as agent:
        host = faulty(agent.host, when=page(0xA2, 0x20), reply=other_scope, after=3)
        with pytest.raises(DriveLied):
            by_hand.set_key(host, agent.manager, key(), agent.options())
        assert guard.look(agent.host).closed
        assert "key left in the drive" in [line.event for line in agent.alarms()]


def hands_off(agent: Rig) -> None:
    agent.approve(hands_off=True)


def observed(agent: Rig) -> None:
    agent.rule(Stance.OBSERVE)


@pytest.mark.parametrize("forbid", [hands_off, observed, tampering.set_foreign_key])
def test_key_by_hand_is_refused_where_nothing_is_touched(forbid: Callable[[Rig], None], tmp_path: Path) -> None:
    with rig(tmp_path) as agent:
        forbid(agent)
        host = tampering.watched(agent.host)
        with pytest.raises(Refused):
            by_hand.set_key(host, agent.manager, key(), agent.options())
        assert tampering.changes(host.seen) == set()


def test_key_of_somebody_else_is_not_cleared_by_hand(tmp_path: Path) -> None:
    with rig(tmp_path) as agent:
        tampering.set_foreign_key(agent)
        with pytest.raises(Refused):
            by_hand.clear_key(agent.host, agent.manager)
        assert modes.in_force(tampering.status(agent)) == modes.WRITE
