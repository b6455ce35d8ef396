"""The tape driver looks before a command that could be told of a new cartridge, and is let rewind what was moved."""

import errno
import os
from pathlib import Path

import pytest

from tapekey.errors import TransportFailed
from tapekey.exchange import Command, Reply
from tapekey.scsi import inquiry, media
from tapekey.transport import tape_driver
from tapekey.transport.tape_driver import Considerate


class Device:
    """A device and its driver's node, in one order of events."""

    def __init__(self, *sees: bool) -> None:
        self.events: list[str] = []
        self.sees = list(sees)

    def execute(self, command: Command) -> Reply:
        self.events.append(f"{command.cdb[0]:02X}")
        return Reply(0)

    def look(self) -> bool:
        self.events.append("look")
        return self.sees.pop(0)


def send(device: Device, *commands: Command) -> Considerate:
    transport = Considerate(device, device.look)
    for command in commands:
        transport.execute(command)
    return transport


def test_driver_looks_before_the_first_command_that_takes_an_attention() -> None:
    device = Device(True)
    send(device, inquiry.inquire(), media.test_unit_ready(), media.test_unit_ready())
    assert device.events == ["12", "look", "00", "00"]


def test_driver_looks_again_until_it_sees_the_cartridge() -> None:
    device = Device(False, False, True)
    send(device, *[media.test_unit_ready()] * 4)
    assert device.events == ["look", "00", "look", "00", "look", "00", "00"]


@pytest.mark.parametrize("command", [media.load(), media.unload()], ids=["load", "unload"])
def test_driver_looks_again_when_a_cartridge_was_loaded_or_unloaded(command: Command) -> None:
    device = Device(True, True)
    send(device, media.test_unit_ready(), command, media.test_unit_ready())
    assert device.events == ["look", "00", "1B", "look", "00"]


def test_commands_that_move_tape_are_remembered() -> None:
    assert not send(Device(True), inquiry.inquire(), media.test_unit_ready()).moved
    for command in (media.rewind(), media.locate(5, partition=0), media.read_block(64), media.load()):
        assert send(Device(True), command).moved, command.cdb.hex()


def test_driver_is_let_rewind_only_what_was_moved(monkeypatch: pytest.MonkeyPatch) -> None:
    rewound: list[str] = []
    monkeypatch.setattr(tape_driver, "look", lambda path: True)
    monkeypatch.setattr(tape_driver, "rewind", rewound.append)
    with tape_driver.considerate(Device(), "/dev/nst0") as transport:
        transport.execute(media.test_unit_ready())
    assert rewound == []
    with tape_driver.considerate(Device(), "/dev/nst1") as transport:
        transport.execute(media.rewind())
    assert rewound == ["/dev/nst1"]


@pytest.mark.parametrize("number", [errno.EBUSY, errno.EIO, errno.ENOMEDIUM], ids=errno.errorcode.get)
def test_node_that_is_held_or_made_no_sense_of_has_been_looked_through(
    number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "open", refusing(number))
    assert tape_driver.look("/dev/nst0")


@pytest.mark.parametrize("number", [errno.EACCES, errno.ENOENT, errno.ENXIO], ids=errno.errorcode.get)
def test_nothing_is_sent_when_the_driver_cannot_look(number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    device = Device()
    monkeypatch.setattr(os, "open", refusing(number))
    with (
        pytest.raises(TransportFailed, match="cannot look first through /dev/nst0"),
        tape_driver.considerate(device, "/dev/nst0") as transport,
    ):
        transport.execute(media.test_unit_ready())
    assert device.events == []


def refusing(number: int) -> object:
    def refuse(*_: object) -> int:
        raise OSError(number, os.strerror(number))

    return refuse


def test_node_that_is_no_tape_has_seen_nothing(tmp_path: Path) -> None:
    (tmp_path / "node").touch()
    assert not tape_driver.look(str(tmp_path / "node"))
    tape_driver.rewind(str(tmp_path / "node"))
    tape_driver.rewind(str(tmp_path / "none"))
