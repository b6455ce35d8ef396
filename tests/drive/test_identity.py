"""Who a drive is: INQUIRY and VPD layouts are in the reference, 1.7."""

from pathlib import Path

import pytest

from tapekey import errors
from tapekey.drive.identity import DriveId, identify
from tapekey.scsi.codes import Opcode
from tests.bench import NAA, NAMES, SERIAL, powered
from tests.octets import octets
from tests.waist import at_step, cut, good, patched, refused, scripted, steps_of

# Worked out by hand from the reference, 1.7.
STANDARD = octets("""
    01 80 06 02 1f 00 00 02                          # tape, removable, SPC-4
    49 42 4d 20 20 20 20 20                          # IBM
    55 4c 54 33 35 38 30 2d 54 44 36 20 20 20 20 20  # ULT3580-TD6
    47 33 35 30                                      # G350
""")
SUPPORTED = octets("01 00 00 04  00 80 83 b1")
SERIAL_PAGE = octets("01 80 00 0a  30 30 30 37 38 41 43 30 44 45")
DESIGNATORS = octets("""
    01 83 00 18
    01 93 00 08  21 00 00 11 22 33 44 55  # NAA of the port: not ours
    01 03 00 08  50 05 07 63 00 12 34 56  # NAA of the logical unit
""")
MANUFACTURER = octets("01 b1 00 0c  20 20 31 30 31 33 30 30 41 42 43 44")


def test_a_drive_is_what_its_pages_say() -> None:
    drive = identify(scripted(*(good(page) for page in (STANDARD, SUPPORTED, SERIAL_PAGE, DESIGNATORS, MANUFACTURER))))
    assert drive == DriveId("IBM", "ULT3580-TD6", "00078AC0DE", bytes.fromhex("5005076300123456"))
    assert drive.revision == "G350"
    assert drive.manufacturer_serial == "101300ABCD"
    assert str(drive) == "00078AC0DE"


def test_firmware_does_not_make_another_drive() -> None:
    old, new = DriveId("IBM", "X", "1", revision="A"), DriveId("IBM", "X", "1", revision="B")
    assert old == new
    assert len({old, new}) == 1


def test_a_real_drive_is_not_virtual() -> None:
    pages = good(octets("01 00 00 03  00 80 d0"))
    vendors = good(octets("01 d0 00 04  41 42 43 44"))
    assert identify(scripted(good(STANDARD), pages, good(SERIAL_PAGE), vendors)).virtual is None


@pytest.mark.parametrize("name", NAMES)
def test_a_virtual_drive_says_so(name: str, tmp_path: Path) -> None:
    drive = identify(powered(tmp_path, name))
    assert (drive.serial, drive.naa) == (SERIAL, NAA)
    assert drive.virtual is not None
    assert drive.virtual.startswith("TAPEKEY VIRTUAL")


def test_identifying_takes_no_attention_from_anybody(tmp_path: Path) -> None:
    bench = powered(tmp_path)
    bench.initiator = "newcomer"
    before = len(bench.commands)
    identify(bench)
    assert bench.drive.nexuses.get("newcomer").pending
    assert {command.cdb[0] for command in bench.commands[before:]} == {Opcode.INQUIRY}


UNNAMED = {
    "refused": refused("5/24/00"),
    "empty": good(octets("01 80 00 00")),
    "spaces": good(octets("01 80 00 04  20 20 20 20")),
    "zeros": good(octets("01 80 00 04  00 00 00 00")),
    "control characters": good(octets("01 80 00 04  31 32 1b 5b")),
    "not ASCII": good(octets("01 80 00 04  31 32 e9 33")),
}


@pytest.mark.parametrize("page", UNNAMED.values(), ids=UNNAMED)
def test_a_drive_without_a_usable_serial_number_is_unknown(page: object) -> None:
    with pytest.raises(errors.DriveUnknown):
        identify(scripted(good(STANDARD), good(SUPPORTED), page))  # type: ignore[arg-type]


def test_a_changer_is_no_drive() -> None:
    with pytest.raises(errors.DriveUnknown, match="no tape drive"):
        identify(scripted(good(patched(0, b"\x08")(good(STANDARD)).data_in)))


def test_a_failure_at_any_step_is_that_failure(tmp_path: Path) -> None:
    bench = powered(tmp_path)
    for step in range(steps_of(bench, identify)):
        with pytest.raises(errors.HardwareFailed):
            identify(at_step(bench, step, instead=refused("4/44/00")))


@pytest.mark.parametrize("size", [0, 3])
def test_a_short_answer_at_any_step_is_refused(tmp_path: Path, size: int) -> None:
    bench = powered(tmp_path)
    for step in range(steps_of(bench, identify)):
        with pytest.raises(errors.Malformed):
            identify(at_step(bench, step, change=cut(size)))
