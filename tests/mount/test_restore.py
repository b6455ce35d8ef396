"""The restore on every kind of drive: from memory, from the blocks' own data, with a keystore and with none."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tapekey.cartridge import envelopes
from tapekey.drive import guard, modes
from tapekey.errors import DataProtected, KeyUnavailable, NotThisKey, Refused
from tapekey.keys import identity
from tapekey.keys.identity import Kind
from tapekey.keystore import data_keys
from tapekey.keystore.records import State
from tapekey.manager.bare import BareManager
from tapekey.mount.restore import restore
from tapekey.mount.state import Phase
from tapekey.policy.decision import Leave, ReadClear, ReadKey
from tapekey.policy.facts import Carry, Stance
from tapekey.target.personality import Management
from tests.mount import tampering
from tests.mount.tampering import DRIVES
from tests.rig import PLAIN, Rig, rig

PLACES = [(name, takes) for name in DRIVES for takes in (True, False)]
WITH_BRIEF = ("ibm-lto6", "ibm-lto9", "hpe-lto6")  # room for a partner's brief envelope beside each block


@pytest.fixture(params=PLACES, ids=[f"{name}, range {'taken' if takes else 'refused'}" for name, takes in PLACES])
def agent(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Rig]:
    """A cartridge written by a save, unloaded and put back in."""
    name, takes = request.param
    with rig(tmp_path, name, mam_vendor_range=takes, single_copy=not takes, names=("partner", "site")) as built:
        built.save()
        built.write()
        built.reload()
        yield built


@pytest.fixture(params=WITH_BRIEF)
def partners(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Rig]:
    """A written cartridge whose blocks carry the key for the partner."""
    with rig(tmp_path, request.param, names=("partner", "site")) as built:
        built.save()
        built.write()
        built.reload()
        yield built


def test_cartridge_reads_back_with_the_key_on_record(agent: Rig) -> None:
    restored = agent.restore()

    assert restored.phase is Phase.READY_TO_READ
    assert isinstance(restored.decision, ReadKey)
    assert not restored.foreign
    assert agent.read() == PLAIN
    assert agent.alarms() == []


def test_key_is_set_for_reading_only(agent: Rig) -> None:
    agent.restore()
    assert modes.in_force(tampering.status(agent)) == modes.READ


@pytest.mark.parametrize("name", ["ibm-lto6", "ibm-lto9"])
def test_reading_drive_lets_no_clear_write_pass(name: str, tmp_path: Path) -> None:
    with rig(tmp_path, name) as agent:
        agent.save()
        agent.write()
        agent.reload()
        agent.restore()
        assert guard.look(agent.host).closed
        with pytest.raises(DataProtected):
            tampering.try_clear_write(agent)
        assert agent.read() == PLAIN


@pytest.mark.parametrize("name", ["ibm-lto4", "hpe-lto6", "oracle-t10000c"])
def test_drive_without_a_guard_is_refused_unless_named(name: str, tmp_path: Path) -> None:
    with rig(tmp_path, name) as agent:
        agent.save()
        agent.write()
        agent.reload()
        host = tampering.watched(agent.host)
        with pytest.raises(Refused) as caught:
            agent.restore(host, unguarded=frozenset())
        assert "--unguarded" in caught.value.mend
        assert tampering.changes(host.seen) == set()


@pytest.mark.parametrize("name", ["ibm-lto4", "hpe-lto6", "oracle-t10000c"])
def test_write_protect_tab_is_guard_enough(name: str, tmp_path: Path) -> None:
    with rig(tmp_path, name) as agent:
        agent.save()
        agent.write()
        agent.unload()
        agent.eject()
        agent.machine.write_protect(tmp_path / "cartridge", on=True)
        agent.insert(tmp_path / "cartridge")
        agent.restore(unguarded=frozenset())
        assert agent.read() == PLAIN


# --- without a keystore ---


@pytest.mark.parametrize("name", DRIVES)
def test_cartridge_and_one_private_key_are_enough(name: str, tmp_path: Path) -> None:
    with rig(tmp_path, name) as agent:
        agent.save()
        agent.write()
        agent.reload()
        restored = agent.restore_alone("partner")

        assert restored.foreign
        assert restored.mount is None
        assert modes.in_force(tampering.status(agent)) == modes.READ
        assert agent.read() == PLAIN


def test_blocks_carry_the_key_when_the_memory_is_torn(partners: Rig) -> None:
    tampering.tear(partners)
    assert partners.restore_alone("partner").foreign
    assert partners.read() == PLAIN


def test_blocks_carry_the_key_when_the_memory_is_empty(partners: Rig) -> None:
    tampering.plant(partners, b"")
    assert partners.restore_alone("partner").foreign
    assert partners.read() == PLAIN


@pytest.mark.parametrize("name", WITH_BRIEF)
def test_blocks_carry_the_key_where_the_memory_takes_none(name: str, tmp_path: Path) -> None:
    with rig(tmp_path, name, mam_vendor_range=False, single_copy=True, names=("partner", "site")) as agent:
        agent.save()
        agent.write()
        agent.reload()
        assert tampering.in_memory(agent) == ()
        agent.restore_alone("partner")
        assert agent.read() == PLAIN


def test_wrong_private_key_sets_nothing(partners: Rig) -> None:
    host = tampering.watched(partners.host)
    with pytest.raises((KeyUnavailable, NotThisKey)):
        restore(host, BareManager((identity.generate(Kind.X25519),)), partners.options())
    assert "SPOUT" not in tampering.changes(host.seen)


@pytest.mark.parametrize("name", DRIVES)
def test_torn_memory_is_no_hindrance_with_the_keystore(name: str, tmp_path: Path) -> None:
    with rig(tmp_path, name) as agent:
        agent.save()
        agent.write()
        agent.reload()
        tampering.tear(agent)
        agent.restore()
        assert agent.read() == PLAIN


# --- what is odd, and what is not ours ---


def transplant(agent: Rig) -> None:
    """Put the envelope of another cartridge into this one's memory."""
    written = agent.inside
    agent.unload()
    agent.eject()
    agent.insert(agent.cartridge("other", "ENC002L6"))
    agent.save()
    (planted,) = tampering.in_memory(agent)
    agent.unload()
    agent.eject()
    agent.insert(written)
    tampering.plant(agent, planted)


def test_transplanted_envelope_does_not_stop_a_restore_without_a_keystore(partners: Rig) -> None:
    transplant(partners)
    partners.restore_alone("partner")
    assert partners.read() == PLAIN


def test_transplanted_envelope_does_not_stop_a_restore_and_alarms(partners: Rig) -> None:
    transplant(partners)
    restored = partners.restore()

    assert isinstance(restored.decision, ReadKey)
    assert restored.decision.alarm
    assert len(partners.alarms()) == 1
    assert partners.read() == PLAIN


def test_foreign_encrypted_cartridge_is_left_to_its_owner(tmp_path: Path) -> None:
    with rig(tmp_path) as agent:
        tampering.write_foreign(agent)
        host = tampering.watched(agent.host)
        with pytest.raises(Refused) as caught:
            agent.restore(host)
        assert "someone else" in caught.value.why
        assert "SPOUT" not in tampering.changes(host.seen)


def test_foreign_owner_is_not_touched(agent: Rig) -> None:
    tampering.set_foreign_key(agent)
    host = tampering.watched(agent.host)
    with pytest.raises(Refused) as caught:
        agent.restore(host)
    assert caught.value.alarm
    assert tampering.changes(host.seen) == set()


@pytest.mark.parametrize("name", DRIVES)
def test_nobody_is_asked_for_a_key_of_clear_data(name: str, tmp_path: Path) -> None:
    with rig(tmp_path, name) as agent:
        tampering.write_clear(agent)
        restored = agent.restore()
        assert isinstance(restored.decision, ReadClear)
        assert agent.read() == PLAIN


def test_observed_cartridge_is_not_touched(agent: Rig) -> None:
    agent.manager.release_cartridge("ENC001L6", by="operator")
    agent.rule(Stance.OBSERVE)
    host = tampering.watched(agent.host)
    assert isinstance(agent.restore(host).decision, Leave)
    assert tampering.changes(host.seen) == set()


@pytest.mark.parametrize("management", [Management.LIBRARY, Management.DISABLED])
def test_drive_that_takes_no_key_is_refused(agent: Rig, management: Management) -> None:
    agent.machine.set(management=management)
    host = tampering.watched(agent.host)
    with pytest.raises(Refused):
        agent.restore(host)
    assert "SPOUT" not in tampering.changes(host.seen)


def test_deactivated_key_reads_and_never_writes(agent: Rig) -> None:
    mount = agent.manager.current(agent.serial)
    assert mount is not None
    assert mount.key_id is not None
    with agent.manager.store.writing() as transaction:
        data_keys.move(transaction, mount.key_id, State.DEACTIVATED, why="retired by the operator")
    with pytest.raises(Refused, match="retired by the operator"):
        agent.save()
    agent.restore()
    assert agent.read() == PLAIN


def test_destroyed_key_is_not_tried(agent: Rig) -> None:
    mount = agent.manager.current(agent.serial)
    assert mount is not None
    assert mount.key_id is not None
    with agent.manager.store.writing() as transaction:
        data_keys.move(transaction, mount.key_id, State.DEACTIVATED)
        data_keys.move(transaction, mount.key_id, State.DESTROYED, why="by order")
    with pytest.raises(Refused, match="destroyed"):
        agent.restore()


@pytest.mark.parametrize("name", DRIVES)
def test_clear_labels_are_read_only_when_asked_for(name: str, tmp_path: Path) -> None:
    with rig(tmp_path, name) as agent:
        agent.save()
        agent.write()
        tampering.append_clear(agent)
        agent.reload()
        agent.restore()
        assert modes.in_force(tampering.status(agent)) == modes.READ
        agent.restore(clear_labels=True)
        assert modes.in_force(tampering.status(agent)) == modes.READ_WITH_CLEAR_LABELS


def test_one_key_is_set_at_most(partners: Rig) -> None:
    for found in envelopes.read(partners.settled):
        envelopes.remove(partners.host, found.attribute)
    envelopes.write(
        partners.host, tampering.forged(partners, partners.machine.drive.require_cartridge().identity.serial)
    )
    host = tampering.watched(partners.host)
    partners.restore(host)
    assert [command.cdb[0] for command in host.seen].count(0xB5) == 1
    assert partners.read() == PLAIN


@pytest.mark.parametrize("name", ["ibm-lto9", "hpe-lto6"])
def test_reading_key_travels_wrapped_to_a_drive_whose_key_was_pinned(name: str, tmp_path: Path) -> None:
    with rig(tmp_path, name, approved=False) as agent:
        agent.approve(pinned=True)
        agent.save()
        agent.write()
        agent.reload()
        host = tampering.watched(agent.host)
        agent.restore(host)
        (sent,) = [command for command in host.seen if command.cdb[0] == 0xB5]
        assert len(sent.data_out) > 256
        assert agent.read() == PLAIN


def test_key_that_is_named_only_reads_with_the_keystore_and_not_without(tmp_path: Path) -> None:
    with rig(tmp_path, carry=Carry.ID, single_copy=True) as agent:
        agent.save()
        agent.write()
        agent.reload()
        with pytest.raises(KeyUnavailable):
            agent.restore_alone("partner")
        agent.restore()
        assert agent.read() == PLAIN
