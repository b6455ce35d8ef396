"""Refusals: what the operator reads, and that nothing was changed that should not be. Issue: the two flows."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tapekey.drive import guard, modes
from tapekey.errors import DriveUnknown, Refused
from tapekey.keys import envelope
from tapekey.mount.state import Phase
from tapekey.policy.decision import Leave
from tapekey.policy.facts import Stance
from tapekey.target.personality import Management
from tests.mount import tampering
from tests.mount.tampering import DRIVES
from tests.rig import PLAIN, Rig, rig

GUARDED = ("ibm-lto6", "ibm-lto9")


@pytest.fixture(params=DRIVES)
def agent(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Rig]:
    with rig(tmp_path, request.param) as built:
        yield built


PLACES = [(name, takes) for name in DRIVES for takes in (True, False)]


@pytest.fixture(params=PLACES, ids=[f"{name}, range {'taken' if takes else 'refused'}" for name, takes in PLACES])
def anywhere(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Rig]:
    """Every drive, with a cartridge memory that takes our envelope and with one that refuses it."""
    name, takes = request.param
    with rig(tmp_path, name, mam_vendor_range=takes, single_copy=not takes) as built:
        yield built


def refused(agent: Rig) -> Refused:
    """The refusal of a save that sets no key and writes nothing to the memory."""
    before = tampering.in_memory(agent)
    host = tampering.watched(agent.host)
    with pytest.raises(Refused) as caught:
        agent.save(host)
    assert "WRITE" not in tampering.changes(host.seen)
    assert "WRITE ATTRIBUTE" not in tampering.changes(host.seen)
    assert tampering.in_memory(agent) == before
    assert caught.value.why
    assert caught.value.mend
    return caught.value


def written(agent: Rig) -> None:
    """A cartridge that this store has keyed and that holds data, loaded anew."""
    agent.save()
    agent.write()
    agent.reload()


# --- never written under, and an alarm ---


def differing(agent: Rig) -> bytes:
    """Our own envelope, well-formed, with the partner's part of it taken out."""
    (value,) = tampering.in_memory(agent)
    whole = envelope.read(value)
    return envelope.encode(replace(whole, stanzas=whole.stanzas[:-1]))


def replayed(agent: Rig) -> bytes:
    """The envelope of an earlier load: the cartridge was declared scratch and keyed anew since."""
    (old,) = tampering.in_memory(agent)
    (mount,) = {agent.manager.current(agent.serial)}
    assert mount is not None
    agent.scratch(mount.medium_serial)
    agent.save()
    agent.write()
    agent.reload()
    assert tampering.in_memory(agent) != (old,)
    return old


def transplanted(agent: Rig) -> bytes:
    """The genuine envelope of another cartridge of this store."""
    here = agent.inside
    agent.unload()
    agent.eject()
    agent.insert(agent.cartridge("other", "ENC002L6"))
    agent.save()
    (value,) = tampering.in_memory(agent)
    agent.unload()
    agent.eject()
    agent.insert(here)
    return value


def forged(agent: Rig) -> bytes:
    """An envelope that somebody made for our public key and this very cartridge."""
    mount = agent.manager.current(agent.serial)
    assert mount is not None
    return tampering.forged(agent, mount.medium_serial)


PLANTED = {"differs": differing, "replayed": replayed, "transplanted": transplanted, "forged": forged}


@pytest.mark.parametrize("plant", PLANTED.values(), ids=PLANTED)
def test_planted_envelope_is_never_written_under_and_alarms(agent: Rig, plant: Callable[[Rig], bytes]) -> None:
    written(agent)
    tampering.plant(agent, plant(agent))
    host = tampering.watched(agent.host)
    with pytest.raises(Refused) as caught:
        agent.save(host)

    assert caught.value.alarm
    assert "SPOUT" not in tampering.changes(host.seen)
    assert modes.in_force(tampering.status(agent)) == modes.OFF
    assert agent.alarms()[-1].facts["rule"] in (13, "13")


def test_forged_envelope_on_a_blank_cartridge_is_an_alarm(agent: Rig) -> None:
    agent.save()
    agent.unload()
    agent.eject()
    agent.insert(agent.cartridge("fresh", "ENC003L6"))
    serial = agent.machine.drive.require_cartridge().identity.serial
    tampering.plant(agent, tampering.forged(agent, serial))
    assert refused(agent).alarm


def test_disagreeing_names_are_an_alarm(agent: Rig) -> None:
    with pytest.raises(Refused) as caught:
        agent.save(volsers=("ENC099L6",))
    assert caught.value.alarm
    assert "name different volumes" in caught.value.why


def test_six_characters_name_the_same_volume_as_its_barcode(agent: Rig) -> None:
    assert agent.save(volsers=("ENC001",)).encrypted


# --- what is on the tape ---


def test_foreign_encrypted_cartridge_is_left_readable_to_its_owner(anywhere: Rig) -> None:
    tampering.write_foreign(anywhere)
    answer = refused(anywhere)

    assert "someone else" in answer.why
    assert not answer.alarm
    tampering.set_foreign_key(anywhere)
    assert anywhere.read() == PLAIN


def test_foreign_data_where_ours_was_is_an_alarm(anywhere: Rig) -> None:
    written(anywhere)
    tampering.write_foreign(anywhere)
    assert refused(anywhere).alarm


def test_foreign_owner_is_an_alarm_and_nothing_is_touched(anywhere: Rig) -> None:
    tampering.set_foreign_key(anywhere)
    host = tampering.watched(anywhere.host)
    with pytest.raises(Refused) as caught:
        anywhere.save(host)

    assert caught.value.alarm
    assert tampering.changes(host.seen) == set()
    assert modes.in_force(tampering.status(anywhere)) == modes.WRITE


def test_foreign_key_of_another_initiator_is_an_alarm(anywhere: Rig) -> None:
    anywhere.save()
    tampering.set_foreign_key(anywhere, nexus="another host")
    with pytest.raises(Refused) as caught:
        anywhere.save()
    assert caught.value.alarm


def test_clear_data_is_not_written_over(anywhere: Rig) -> None:
    tampering.write_clear(anywhere)
    assert "clear data" in refused(anywhere).why
    assert anywhere.read() == PLAIN


def test_clear_behind_encrypted_is_an_alarm_where_a_key_is_on_record(anywhere: Rig) -> None:
    anywhere.save()
    anywhere.write()
    tampering.append_clear(anywhere)
    anywhere.reload()
    assert refused(anywhere).alarm


def test_unknown_contents_are_never_scratch(anywhere: Rig) -> None:
    tampering.write_clear(anywhere)
    host = tampering.blind(anywhere)
    with pytest.raises(Refused) as caught:
        anywhere.save(host)
    assert "could not be found out" in caught.value.why


# --- the drive ---


@pytest.mark.parametrize("management", [Management.LIBRARY, Management.DISABLED, Management.NONE])
@pytest.mark.parametrize("name", DRIVES)
def test_drive_that_takes_no_key_is_refused_under_require(name: str, management: Management, tmp_path: Path) -> None:
    with rig(tmp_path, name) as agent:
        agent.machine.set(management=management)
        host = tampering.watched(agent.host)
        with pytest.raises(Refused) as caught:
            agent.save(host)

        assert caught.value.why
        assert caught.value.mend
        assert tampering.changes(host.seen) <= {"MODE SELECT"}  # the guard, where the drive has one
        assert not [line for line in agent.audit() if line.event == "key prepared"]


@pytest.mark.parametrize("name", [name for name in DRIVES if name != "oracle-t10000c"])  # it gives 5/24/00 for both
def test_each_drive_that_takes_no_key_is_told_apart(name: str, tmp_path: Path) -> None:
    with rig(tmp_path, name) as agent:
        told = set()
        for management in (Management.LIBRARY, Management.DISABLED):
            agent.machine.set(management=management)
            with pytest.raises(Refused) as caught:
                agent.save()
            told.add(caught.value.why)
    assert len(told) == 2


@pytest.mark.parametrize("name", DRIVES)
def test_unapproved_drive_is_refused_and_left_alone(name: str, tmp_path: Path) -> None:
    with rig(tmp_path, name, approved=False) as agent:
        host = tampering.watched(agent.host)
        with pytest.raises(Refused) as caught:
            agent.save(host)
        assert "drive approve" in caught.value.mend
        assert tampering.changes(host.seen) == set()


@pytest.mark.parametrize("name", DRIVES)
def test_virtual_drive_is_refused_unless_allowed(name: str, tmp_path: Path) -> None:
    with rig(tmp_path, name) as agent, pytest.raises(Refused) as caught:
        agent.save(allow_virtual=False)
    assert "--allow-virtual" in caught.value.mend


@pytest.mark.parametrize("name", DRIVES)
def test_drive_with_a_known_serial_and_another_naa_is_refused(name: str, tmp_path: Path) -> None:
    with rig(tmp_path, name) as agent:
        agent.machine.drive.naa = bytes(8)
        with pytest.raises(DriveUnknown):
            agent.save()


@pytest.mark.parametrize("name", DRIVES)
@pytest.mark.parametrize("stance", [Stance.OBSERVE, None])
def test_observed_drive_is_never_touched(stance: Stance | None, name: str, tmp_path: Path) -> None:
    with rig(tmp_path, name, stance=stance) as agent:
        host = tampering.watched(agent.host)
        saved = agent.save(host)
        assert isinstance(saved.decision, Leave)
        assert saved.phase is Phase.LEFT
        assert tampering.changes(host.seen) == set()


@pytest.mark.parametrize("name", DRIVES)
def test_hands_off_drive_is_never_touched(name: str, tmp_path: Path) -> None:
    with rig(tmp_path, name, approved=False) as agent:
        agent.approve(hands_off=True)
        host = tampering.watched(agent.host)
        with pytest.raises(Refused):
            agent.save(host)
        assert tampering.changes(host.seen) == set()


@pytest.mark.parametrize("name", DRIVES)
def test_write_protected_cartridge_needs_no_key(name: str, tmp_path: Path) -> None:
    with rig(tmp_path, name, inserted=False) as agent:
        agent.machine.write_protect(tmp_path / "cartridge", on=True)
        agent.insert(tmp_path / "cartridge")
        host = tampering.watched(agent.host)
        assert agent.save(host).phase is Phase.LEFT
        assert tampering.changes(host.seen) == set()


@pytest.mark.parametrize("name", DRIVES)
def test_once_required_cartridge_stays_so_when_the_rule_is_gone(name: str, tmp_path: Path) -> None:
    with rig(tmp_path, name) as agent:
        agent.save()
        agent.write()
        agent.reload()
        agent.rule(Stance.OBSERVE)
        assert agent.save().encrypted
        agent.reload()
        agent.rule(Stance.FORBID)
        assert agent.save().encrypted
        agent.reload()
        agent.manager.release_cartridge("ENC001L6", by="operator")
        assert not agent.save().encrypted


@pytest.mark.parametrize("name", GUARDED)
def test_refusal_closes_the_guard(name: str, tmp_path: Path) -> None:
    with rig(tmp_path, name) as agent:
        tampering.write_clear(agent)
        refused(agent)
        assert guard.look(agent.host).closed
