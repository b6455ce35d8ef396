"""A drive that is reached over a network: which keys go there, and whether it is the one that was approved."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tapekey.drive import guard, modes
from tapekey.errors import DriveUnknown, Refused
from tapekey.exchange import Command
from tapekey.keys.data_key import KEY_ID_SIZE, KeyId
from tapekey.keystore import drives
from tapekey.manager.questions import KeyMaterial
from tapekey.mount import by_hand
from tapekey.mount.options import Way
from tapekey.secret import Secret
from tests.mount import tampering
from tests.rig import PLAIN, Faulty, Rig, rig

PLACES = ("iscsi://127.0.0.1:3260/iqn.2026-11.example:library/1", "iscsi-iqn.2026-11.example:library-lun-1")
BY_ISCSI, IN_CLEAR = Way(network=True), Way(network=True, clear_key=True)


def keys_sent(commands: list[Command]) -> list[Command]:
    """Set Data Encryption pages that hold a key."""
    return [one for one in commands if one.cdb[:4] == b"\xb5\x20\x00\x10" and isinstance(one.data_out, Secret)]


def placed(agent: Rig, where: str, **what: bool) -> None:
    """Approve the drive anew, at that place."""
    with agent.manager.store.writing() as transaction:
        drives.forget(transaction, agent.serial)
    agent.approve(where=where, **what)


def save(agent: Rig, host: Faulty, way: Way) -> None:
    agent.save(host, way=way)


def restore(agent: Rig, host: Faulty, way: Way) -> None:
    agent.restore(host, way=way)


def set_by_hand(agent: Rig, host: Faulty, way: Way) -> None:
    material = KeyMaterial(KeyId(bytes(KEY_ID_SIZE)), plain=Secret(tampering.FOREIGN_KEY))
    by_hand.set_key(host, agent.manager, material, agent.options(way=way))


def written(agent: Rig) -> None:
    agent.save()
    agent.write()
    agent.reload()


ERRANDS = {"save": save, "restore": restore, "set-key": set_by_hand}


@pytest.mark.parametrize("errand", ERRANDS.values(), ids=ERRANDS)
def test_no_key_crosses_the_network_in_clear(errand: Callable[[Rig, Faulty, Way], None], tmp_path: Path) -> None:
    with rig(tmp_path) as agent:
        if errand is not save:
            written(agent)
        placed(agent, PLACES[0])
        host = tampering.watched(agent.host)
        with pytest.raises(Refused, match="in clear") as refused:
            errand(agent, host, BY_ISCSI)
        assert "--allow-clear-key iscsi" in refused.value.mend
        assert not keys_sent(host.seen)
        assert modes.in_force(tampering.status(agent)) == modes.OFF


def test_the_guard_is_closed_where_no_key_may_go(tmp_path: Path) -> None:
    with rig(tmp_path) as agent:
        placed(agent, PLACES[0])
        with pytest.raises(Refused):
            agent.save(way=BY_ISCSI)
        assert guard.look(agent.host).closed


@pytest.mark.parametrize("place", PLACES)
def test_where_it_is_allowed_a_key_crosses_and_works(place: str, tmp_path: Path) -> None:
    with rig(tmp_path) as agent:
        placed(agent, place)
        agent.save(way=IN_CLEAR)
        agent.write()
        assert agent.read() == PLAIN


def test_a_key_wrapped_for_the_drive_needs_no_word(tmp_path: Path) -> None:
    with rig(tmp_path, "hpe-lto6") as agent:
        placed(agent, PLACES[0], pinned=True)
        host = tampering.watched(agent.host)
        agent.save(host, way=BY_ISCSI)
        assert keys_sent(host.seen)


@pytest.mark.parametrize("errand", ERRANDS.values(), ids=ERRANDS)
def test_a_drive_that_was_approved_elsewhere_is_not_approved_on_the_network(
    errand: Callable[[Rig, Faulty, Way], None], tmp_path: Path
) -> None:
    with rig(tmp_path) as agent:
        written(agent)
        placed(agent, "pci-0000:03:00.0-sas-0x5000e11100000001-lun-0")
        host = tampering.watched(agent.host)
        with pytest.raises(DriveUnknown, match="sas") as refused:
            errand(agent, host, IN_CLEAR)
        assert "--allow iscsi" in refused.value.mend
        assert not keys_sent(host.seen)
