"""Debian's mtx and sg3-utils at the virtual changer: what they print, and what the library says has happened."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tapekey.scsi import changer
from tapekey.target import server
from tapekey.target.library_front import Library
from tests.octets import octets
from tests.real.bench import BRIDGE, Ran, run
from tests.target.libraries import DRIVE, SERIAL, SLOT, ask, made, where

pytestmark = pytest.mark.real

START = """\
  Storage Changer /dev/sg0:2 Drives, 8 Slots ( 2 Import/Export )
Data Transfer Element 0:Empty
Data Transfer Element 1:Empty
      Storage Element 1:Full :VolumeTag=ENC001L8
      Storage Element 2:Full :VolumeTag=ENC002L8
      Storage Element 3:Full :VolumeTag=ENC003L8
      Storage Element 4:Full :VolumeTag=CLN001L8
      Storage Element 5:Empty
      Storage Element 6:Empty
      Storage Element 7 IMPORT/EXPORT:Empty
      Storage Element 8 IMPORT/EXPORT:Empty
"""


@dataclass(frozen=True, slots=True)
class Arm:
    """The served library, and programs that take its changer for /dev/sg0."""

    library: Library

    def __call__(self, program: str, *words: object) -> Ran:
        return run(*BRIDGE, self.library.directory / "socket", program, *words)

    def mtx(self, *words: object) -> str:
        """What mtx printed, without the spaces that fill its lines."""
        ran = self("mtx", "-f", "/dev/sg0", *words)
        return re.sub(r" +$", "", ran.text, flags=re.MULTILINE) + f"[{ran.status}]" * bool(ran.status)


@pytest.fixture
def arm(tmp_path: Path) -> Iterator[Arm]:
    with server.powered_library(made(tmp_path)) as opened:
        ask(opened, changer.read_status())
        yield Arm(opened)


def test_mtx_shows_every_element_with_its_barcode(arm: Arm) -> None:
    assert arm.mtx("status") == START


def test_mtx_sees_the_power_on_and_goes_on(tmp_path: Path) -> None:
    with server.powered_library(made(tmp_path)) as opened:
        said = Arm(opened).mtx("status")

    assert "Storage Element 1:Full :VolumeTag=ENC001L8" in said


def test_mtx_loads_and_unloads(arm: Arm) -> None:
    assert arm.mtx("load", 2, 1) == "Loading media from Storage Element 2 into drive 1...done\n"
    assert where(arm.library)[DRIVE + 1] == "ENC002L8"
    assert "Data Transfer Element 1:Full (Storage Element 2 Loaded):VolumeTag = ENC002L8\n" in arm.mtx("status")

    assert arm.mtx("unload", 2, 1) == "Unloading drive 1 into Storage Element 2...done\n"
    assert arm.mtx("status") == START


def test_mtx_transfers_through_the_mail_slot_and_back(arm: Arm) -> None:
    assert arm.mtx("transfer", 1, 7) == ""
    assert "Storage Element 7 IMPORT/EXPORT:Full :VolumeTag=ENC001L8\n" in arm.mtx("status")
    assert arm.mtx("transfer", 7, 1) == ""
    assert arm.mtx("status") == START


def test_mtx_exchanges_a_loaded_cartridge(arm: Arm) -> None:
    arm.mtx("load", 1, 0)
    assert arm.mtx("exchange", 2, 3) == ""
    assert where(arm.library) == {DRIVE: "ENC001L8", SLOT + 1: "ENC003L8", SLOT + 2: "ENC002L8", SLOT + 3: "CLN001L8"}


def test_mtx_inventories(arm: Arm) -> None:
    (arm.library.directory / "cartridges" / "ENC001L8").rename(arm.library.directory / "elsewhere")
    assert arm.mtx("inventory") == ""
    assert arm.library.inventory()[2]["fault"] == "its directory is gone"


def test_mtx_changes_the_drives_cartridge_by_name_of_the_next(arm: Arm) -> None:
    assert arm.mtx("first", 0).startswith("Loading media from Storage Element 1 into drive 0")
    arm.mtx("next", 0)
    assert where(arm.library)[DRIVE] == "ENC002L8"


@pytest.mark.parametrize("words", [("load", 5, 0), ("transfer", 1, 2), ("load", 9, 0), ("unload", 1, 0)])
def test_mtx_is_refused_what_cannot_be(arm: Arm, words: tuple[object, ...]) -> None:
    assert arm.mtx(*words).endswith("[1]")
    assert arm.mtx("status") == START


def test_sg_inq_and_sg_vpd_know_a_changer_and_its_names(arm: Arm) -> None:
    standard = arm("sg_inq", "/dev/sg0").text
    assert "Peripheral device type: medium changer" in standard
    assert f"Unit serial number: {SERIAL}" in standard
    names = arm("sg_vpd", "-p", "0x83", "/dev/sg0").text
    assert f"vendor specific: VIRTUAL LIBRARY {SERIAL}" in names
    assert f"0x{arm.library.robot.description.naa.hex()}" in names


def test_sg_modes_names_the_changers_pages(arm: Arm) -> None:
    said = arm("sg_modes", "-a", "/dev/sg0").text

    for name in ("Element address assignment", "Transport geometry parameters", "Device capabilities"):
        assert name.lower() in said.lower(), said


def test_sg_opcodes_lists_what_the_changer_knows(arm: Arm) -> None:
    said = arm("sg_opcodes", "-R", "/dev/sg0").text

    for name in ("Move medium", "Exchange medium", "Read element status", "Position to element"):
        assert name in said


def test_sg_raw_reads_the_bytes_that_we_read(arm: Arm) -> None:
    arm.mtx("load", 3, 0)
    command = changer.read_status(drive_names=True, room=4096)
    cdb = [f"{byte:02x}" for byte in command.cdb]

    ran = arm("sg_raw", "-b", "-r", 4096, "/dev/sg0", *cdb)

    assert ran.out == bytes(ask(arm.library, command).data)
    assert ran.out[:8] == octets("00 01 00 0b") + (len(ran.out) - 8).to_bytes(4, "big")
