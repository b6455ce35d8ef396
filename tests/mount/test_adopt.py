"""Adoption: a cartridge of another site becomes ours on an operator's word, and not before."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tapekey.errors import Refused
from tapekey.keystore import recipients
from tapekey.mount.adopt import adopt
from tapekey.policy.decision import UseKey
from tests.mount import tampering
from tests.mount.tampering import DRIVES
from tests.rig import PLAIN, Rig, rig


@contextmanager
def two_sites(tmp_path: Path, name: str) -> Iterator[Rig]:
    """A cartridge written at one site for a partner, mounted at the partner's."""
    place = tmp_path / "one" / "cartridge"
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    with rig(tmp_path / "one", name) as sender:
        sender.save()
        sender.write()
        partner = sender.people["partner"]
        sender.unload()
        sender.eject()
    with rig(tmp_path / "two", name, inserted=False) as receiver:
        with receiver.manager.store.writing() as transaction:
            recipients.add(transaction, "ours", partner)
        receiver.insert(place)
        yield receiver


@pytest.mark.parametrize("name", DRIVES)
def test_cartridge_of_another_site_is_read_at_once_and_written_after_adoption(name: str, tmp_path: Path) -> None:
    with two_sites(tmp_path, name) as agent:
        with pytest.raises(Refused) as caught:
            agent.save()
        assert "adopt" in caught.value.mend
        assert agent.restore().foreign
        assert agent.read() == PLAIN
        agent.reload()

        key_id = adopt(agent.settled, agent.manager, "operator", agent.options())
        saved = agent.save()
        assert isinstance(saved.decision, UseKey)
        assert saved.key_id == key_id
        assert agent.read() == PLAIN
        agent.write(PLAIN[::-1])
        agent.reload()
        assert agent.save().key_id == key_id
        assert agent.read() == PLAIN[::-1]


@pytest.mark.parametrize("name", DRIVES)
def test_adopted_cartridge_that_was_not_written_yet_is_not_scratch(name: str, tmp_path: Path) -> None:
    with two_sites(tmp_path, name) as agent:
        key_id = adopt(agent.settled, agent.manager, "operator", agent.options())
        agent.save()
        agent.reload()
        again = agent.save()
        assert isinstance(again.decision, UseKey)
        assert again.key_id == key_id
        assert agent.read() == PLAIN


def test_adoption_changes_nothing_in_the_drive(tmp_path: Path) -> None:
    with two_sites(tmp_path, "ibm-lto6") as agent:
        host = tampering.watched(agent.host)
        adopt(host, agent.manager, "operator", agent.options())
        assert tampering.changes(host.seen) <= {"WRITE ATTRIBUTE"}
        (line,) = [line for line in agent.audit() if line.event == "key adopted"]
        assert line.facts["by"] == "operator"


def test_own_and_blank_cartridges_need_no_adoption(tmp_path: Path) -> None:
    with rig(tmp_path) as agent:
        with pytest.raises(Refused, match="cannot be adopted"):
            adopt(agent.host, agent.manager, "operator", agent.options())
        agent.save()
        agent.write()
        agent.reload()
        with pytest.raises(Refused, match="cannot be adopted"):
            adopt(agent.host, agent.manager, "operator", agent.options())


def test_unapproved_drive_adopts_nothing(tmp_path: Path) -> None:
    with rig(tmp_path, approved=False) as agent, pytest.raises(Refused, match="not approved"):
        adopt(agent.host, agent.manager, "operator", agent.options())
