"""A drive behind the two links to its library: it takes, gives and refuses as a drive in the same process does."""

import errno
import shutil
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tapekey.errors import Conflict, Malformed, Usage
from tapekey.scsi import changer, media
from tapekey.target import library, library_bay, machine, remote_robot
from tapekey.target.description import Description
from tapekey.target.library_front import Library
from tapekey.target.machine import Machine, NotGiven
from tapekey.target.remote_drive import Gone, Link, RemoteDrive
from tests.target import libraries
from tests.target.initiator import code
from tests.target.libraries import ask, told

PORT = 4711
FIRST, SECOND = "drive-1", "drive-2"


@contextmanager
def apart(place: Path, near: dict[str, Machine]) -> Iterator[RemoteDrive]:
    """As the process of a drive, but in a thread of this one: `near` are the machines."""
    with ExitStack() as stack:
        here, there = zip(*(socket.socketpair() for _ in range(2)), strict=True)
        bay = library_bay.of(place.parent, Description.load(place).element or 0)
        near[place.name] = stack.enter_context(machine.open(place, bay=bay))
        closed = [threading.Event() for _ in there]
        for link, event in zip(there, closed, strict=True):
            remote_robot.answer(near[place.name], [link.detach()], PORT, event)
        moves, looks = (Link(each, place) for each in here)
        yield RemoteDrive(place, moves, looks, Description.load(place))
        for each, event in zip(here, closed, strict=True):
            each.close()
            assert event.wait(5)


@pytest.fixture
def near() -> dict[str, Machine]:
    return {}


@pytest.fixture
def opened(tmp_path: Path, near: dict[str, Machine]) -> Iterator[Library]:
    with library.open(libraries.made(tmp_path), apart=lambda place: apart(place, near)) as found:
        yield found


def test_robot_carries_into_remote_drives_and_out_again(opened: Library, near: dict[str, Machine]) -> None:
    assert opened.move("ENC001L8", FIRST) == FIRST
    assert near[FIRST].status()["barcode"] == "ENC001L8"
    assert opened.inventory()[0]["place"] == "mounted"
    assert opened.move("ENC001L8", SECOND) == SECOND
    assert (near[FIRST].status()["barcode"], near[SECOND].status()["barcode"]) == (None, "ENC001L8")


def test_changer_is_alone_among_the_units_and_names_the_drives(opened: Library, near: dict[str, Machine]) -> None:
    assert list(opened.rack.units) == [0]
    assert opened.status()["powered"] is True
    wanted = changer.read_status(changer.ElementType.DRIVE, drive_names=True)
    assert near[FIRST].description.serial.encode() in bytes(ask(opened, wanted).data)


def test_prevented_removal_is_told_as_such(opened: Library, near: dict[str, Machine]) -> None:
    opened.move("ENC001L8", FIRST)
    transport = near[FIRST].transport()
    while code(transport.execute(media.prevent_removal())) != "good":
        pass
    assert told(ask(opened, changer.move(libraries.DRIVE, libraries.SLOT))) == "5/53/02"
    with pytest.raises(NotGiven) as caught:
        opened.robot.machines[libraries.DRIVE].hand_out(unloads=True)
    assert caught.value.prevented


def test_cartridge_that_cannot_be_taken_stays(opened: Library, tmp_path: Path) -> None:
    shutil.rmtree(tmp_path / "lib" / "cartridges" / "ENC001L8")
    with pytest.raises(Malformed):
        opened.robot.machines[libraries.DRIVE].insert(tmp_path / "lib" / "cartridges" / "ENC001L8")
    assert told(ask(opened, changer.move(libraries.SLOT, libraries.DRIVE))) == "4/53/00"
    assert libraries.SLOT in opened.robot.inventory.elements


def test_failed_motion_is_undone_in_a_remote_drive(
    opened: Library, near: dict[str, Machine], monkeypatch: pytest.MonkeyPatch
) -> None:
    opened.move("ENC001L8", FIRST)

    def fails(_: object, __: Path) -> None:
        raise OSError(errno.ENOSPC, "no space left")

    monkeypatch.setattr("tapekey.target.library_inventory.Inventory.save", fails)
    with pytest.raises(Conflict):
        opened.move("ENC001L8", SECOND)
    assert near[FIRST].status()["place"] == "ejected"
    assert near[SECOND].status()["place"] == "empty"


def test_disk_that_fails_in_the_drive_fails_the_robot(
    opened: Library, near: dict[str, Machine], monkeypatch: pytest.MonkeyPatch
) -> None:
    opened.move("ENC001L8", FIRST)

    def fails(_: object) -> None:
        raise OSError(errno.EIO, "input/output error")

    monkeypatch.setattr("tapekey.target.cartridge.Cartridge.unload", fails)
    with pytest.raises(OSError, match="input/output") as caught:
        opened.robot.machines[libraries.DRIVE].hand_out(unloads=True)
    assert caught.value.errno == errno.EIO


def test_knobs_and_resets_reach_remote_drives(opened: Library, near: dict[str, Machine]) -> None:
    opened.set(load_time=0.5)
    assert [each.description.personality.load_time for each in near.values()] == [0.5, 0.5]
    assert opened.robot.machines[libraries.DRIVE].description.personality.load_time == 0.5
    with pytest.raises(Usage):
        opened.set(load_time=-1)
    transport = near[SECOND].transport()
    while code(transport.execute(media.test_unit_ready())).startswith("6/"):
        pass
    opened.reset()
    assert code(transport.execute(media.test_unit_ready())) == "6/29/03"


def test_drive_whose_process_has_ended_has_no_power_and_the_others_go_on(
    opened: Library, near: dict[str, Machine]
) -> None:
    opened.move("ENC001L8", FIRST)
    ended = opened.robot.machines[libraries.DRIVE]
    assert isinstance(ended, RemoteDrive)
    assert ended.started() == PORT
    ended.let_go()
    assert (ended.lets_go, ended.status()["place"]) == (False, "off")
    assert told(ask(opened, changer.move(libraries.DRIVE, libraries.SLOT))) == "5/53/03"
    assert told(ask(opened, changer.move(libraries.SLOT + 1, libraries.DRIVE + 1))) == "good"
    assert near[SECOND].status()["barcode"] == "ENC002L8"
    with pytest.raises(Gone):
        ended.insert(Path("anywhere"))
    ended.lay_back(Path("anywhere"))
    ended.give_up()
    ended.reset()


def test_library_waits_for_a_drive_that_is_still_starting() -> None:
    here, there = socket.socketpair()
    with here, there:
        link = Link(here, Path("drive-1"))
        later = threading.Timer(0.05, lambda: there.sendall(b'{"port": 7}\n{"ok": true}\n'))
        later.start()
        assert link.ask({"do": "reset"}) == {"ok": True}
        assert link.greeted() == 7
        later.join()


def test_process_that_never_started_is_told() -> None:
    here, there = socket.socketpair()
    with here:
        there.close()
        with pytest.raises(Gone):
            Link(here, Path("drive-1")).greeted()
