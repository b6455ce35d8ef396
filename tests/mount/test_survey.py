"""Looking without touching: what is asked, what is kept, and what `require` would say to it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from tapekey.errors import NoCartridge, Refused
from tapekey.mount.survey import Survey, keep_what_was_left, survey
from tapekey.policy.decision import MakeKey, Refusal, UseKey
from tapekey.policy.facts import Contents, Parameters, Stance
from tapekey.scsi.codes import Opcode
from tests.mount import rivals, tampering
from tests.rig import PLAIN, Faulty, Rig, rig

QUESTIONS = {
    Opcode.TEST_UNIT_READY,
    Opcode.INQUIRY,
    Opcode.MODE_SENSE_6,
    Opcode.MODE_SENSE_10,
    Opcode.LOG_SENSE,
    Opcode.READ_ATTRIBUTE,
    Opcode.SECURITY_PROTOCOL_IN,
}
TAPE_ALERT, DEVICE_STATUS = 0x2E, 0x11


@contextmanager
def observing(directory: Path, personality: str = "hpe-lto6", **more: object) -> Iterator[Rig]:
    with rig(directory, personality, stance=Stance.OBSERVE, **more) as built:  # type: ignore[arg-type]
        yield built


@pytest.fixture
def agent(tmp_path: Path) -> Iterator[Rig]:
    with observing(tmp_path) as built:
        yield built


def looked(agent: Rig) -> tuple[Survey, Faulty]:
    over = tampering.watched(agent.host)
    return survey(over, agent.manager, agent.options()), over


def ours(agent: Rig) -> None:
    agent.rule(Stance.REQUIRE)
    agent.save()
    agent.write()
    agent.unload()
    place = agent.inside
    agent.eject()
    agent.insert(place)
    agent.manager.release_cartridge(agent.manager.current(agent.serial).medium_serial, by="test")  # type: ignore[union-attr]
    agent.rule(Stance.OBSERVE)


def clear(agent: Rig) -> None:
    agent.write(PLAIN * 50)  # enough for the chip to count


def nothing(agent: Rig) -> None:
    del agent


def keyed_by(name: str) -> Callable[[Rig], None]:
    return lambda agent: rivals.sends(agent, rivals.FRAMES[name])


def written_by(name: str) -> Callable[[Rig], None]:
    def write(agent: Rig) -> None:
        rivals.sends(agent, rivals.FRAMES[name])
        agent.write()
        rivals.sends(agent, rivals.BAREOS_OFF)

    return write


def hands_off(agent: Rig) -> None:
    agent.approve(hands_off=True)
    rivals.sends(agent, rivals.FRAMES["stenc"])


def empty(agent: Rig) -> None:
    agent.eject()


SCENES = {
    "a blank cartridge": nothing,
    "a cartridge of ours": ours,
    "a clear one": clear,
    "a key of stenc": keyed_by("stenc"),
    "blocks of Bareos": written_by("Bareos scsicrypto"),
    "a drive that is hands-off": hands_off,
    "an empty drive": empty,
}


@pytest.mark.parametrize("scene", SCENES.values(), ids=SCENES)
def test_only_questions_are_asked_and_nothing_changes(agent: Rig, scene: Callable[[Rig], None]) -> None:
    scene(agent)
    before = standing(agent)
    _, over = looked(agent)
    assert {command.cdb[0] for command in over.seen} <= QUESTIONS
    assert not any(command.cdb[0] == Opcode.LOG_SENSE and command.cdb[2] & 0x3F == TAPE_ALERT for command in over.seen)
    assert not any(len(command.data_out or b"") for command in over.seen)
    assert standing(agent) == before


def standing(agent: Rig) -> tuple[object, ...]:
    """What a command of ours could have changed: parameters, pages, chip, and where the tape stands."""
    drive = agent.machine.drive
    held = drive.mounted_cartridge
    place = (held.memory.host, held.partition, [each.position for each in held.tapes]) if held else ()
    return drive.parameters.shared, repr(drive.modes), repr(place)


FORESEEN = {
    "a blank cartridge": (nothing, MakeKey, 20, Contents.BLANK),
    "a cartridge of ours": (ours, UseKey, 22, Contents.ENCRYPTED),
    "a clear one": (clear, Refusal, 19, Contents.CLEAR),
    "blocks of Bareos": (written_by("Bareos scsicrypto"), Refusal, 14, Contents.ENCRYPTED),
    "a key of stenc": (keyed_by("stenc"), Refusal, 6, Contents.BLANK),
    "a drive that is hands-off": (hands_off, Refusal, 1, Contents.UNKNOWN),
}


@pytest.mark.parametrize(("scene", "kind", "number", "held"), FORESEEN.values(), ids=FORESEEN)
def test_what_require_would_do_is_foreseen_and_kept(
    agent: Rig, scene: Callable[[Rig], None], kind: type, number: int, held: Contents
) -> None:
    scene(agent)
    found, _ = looked(agent)
    assert isinstance(found.foreseen, kind)
    assert found.foreseen.number == number  # type: ignore[union-attr]
    assert found.sighting.cartridge is not None
    assert found.sighting.cartridge.contents is held
    (kept,) = agent.manager.sightings()
    assert kept == replace(found.sighting, seen=kept.seen)


def test_drive_that_nobody_approved_is_asked_its_name_alone(tmp_path: Path) -> None:
    with observing(tmp_path, approved=False) as agent:
        _, over = looked(agent)
        assert {command.cdb[0] for command in over.seen} == {Opcode.INQUIRY}
        (kept,) = agent.manager.sightings()
        assert (kept.drive_serial, kept.drive, kept.medium_serial) == (agent.serial, None, "")


def test_drive_that_is_hands_off_is_not_asked_about_its_keys(agent: Rig) -> None:
    hands_off(agent)
    found, over = looked(agent)
    asked = {command.cdb[0] for command in over.seen}
    assert not asked & {Opcode.SECURITY_PROTOCOL_IN, Opcode.LOG_SENSE}
    assert found.sighting.medium_serial


def test_second_look_takes_the_place_of_the_first(agent: Rig) -> None:
    looked(agent)
    agent.clock.move(60)
    clear(agent)
    looked(agent)
    (kept,) = agent.manager.sightings()
    assert kept.cartridge is not None
    assert kept.cartridge.contents is Contents.CLEAR


def test_cartridge_that_was_left_is_looked_at_and_no_other(agent: Rig) -> None:
    left = agent.save()
    assert keep_what_was_left(agent.host, agent.manager, agent.options(), left) is not None
    agent.rule(Stance.REQUIRE)
    taken = agent.save()
    assert keep_what_was_left(agent.host, agent.manager, agent.options(), taken) is None
    assert len(agent.manager.sightings()) == 1


# --- coexistence: keys of other software, as it sets them ---

NAMED = {
    "Bareos scsicrypto": "not told: Bareos' scsicrypto plugin, Proxmox Backup Server",
    "Proxmox Backup Server": "not told: Bareos' scsicrypto plugin, Proxmox Backup Server",
    "stenc": "probably stenc",
    "LTFS": "probably LTFS",
}


@pytest.mark.parametrize("name", rivals.FRAMES)
def test_key_of_other_software_is_seen_and_named_as_far_as_its_form_goes(agent: Rig, name: str) -> None:
    rivals.sends(agent, rivals.FRAMES[name])
    found, _ = looked(agent)
    assert found.sighting.drive is not None
    assert found.sighting.drive.parameters is Parameters.FOREIGN
    assert found.sighting.owner.startswith(NAMED[name])


@pytest.mark.parametrize("name", rivals.FRAMES)
def test_key_of_other_software_is_left_by_every_flow(tmp_path: Path, name: str) -> None:
    with rig(tmp_path, "hpe-lto6") as agent:
        rivals.sends(agent, rivals.FRAMES[name])
        before = agent.machine.drive.parameters.shared
        over = tampering.watched(agent.host)
        with pytest.raises(Refused) as refused:
            agent.save(over)
        with pytest.raises(Refused):
            agent.restore(over)
        assert refused.value.alarm
        assert not tampering.changes(over.seen)
        assert agent.machine.drive.parameters.shared == before


@pytest.mark.parametrize("name", rivals.FRAMES)
def test_hands_off_drive_serves_other_software_as_if_we_were_not_there(tmp_path: Path, name: str) -> None:
    """Set, write, unload, load, read: the other program's whole job, ours asking in between."""
    with observing(tmp_path) as agent:
        agent.approve(hands_off=True)
        rivals.sends(agent, rivals.FRAMES[name])
        over = tampering.watched(agent.host)
        agent.save(over)
        survey(over, agent.manager, agent.options())
        agent.write()
        survey(over, agent.manager, agent.options())
        assert agent.read() == PLAIN
        agent.unload(over)
        assert not tampering.changes(over.seen)
        assert len({command.cdb[0] for command in over.seen} & QUESTIONS) > 3


def test_empty_drive_is_an_error_to_a_save_and_none_to_a_look(agent: Rig) -> None:
    agent.eject()
    with pytest.raises(NoCartridge):
        agent.save()
    found, _ = looked(agent)
    assert found.rule is None
