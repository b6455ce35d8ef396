"""Who a cartridge is: attributes in the reference, 4.2; the stale copy that outlives a cartridge, 4.1 and trap 19."""

from pathlib import Path

import pytest

from tapekey import errors
from tapekey.cartridge.identity import CartridgeId, Kind, identify, same
from tapekey.policy import facts
from tapekey.scsi.attribute import read_attribute
from tapekey.scsi.media import unload
from tapekey.target import cartridge
from tests.bench import NAMES, made, powered
from tests.octets import octets
from tests.waist import Meddling, at_step, attribute_read, cut, good, refused, steps_of

SERIAL = attribute_read(0x0401)


@pytest.mark.parametrize("name", NAMES)
def test_a_cartridge_is_what_its_memory_says(name: str, tmp_path: Path) -> None:
    bench = powered(tmp_path, name)
    found = identify(bench)
    assert bench.drive.cartridge is not None
    assert found.serial == bench.drive.cartridge.identity.serial
    assert found.volsers == ("ENC001",)
    assert (found.kind, found.write_protected, found.loads) == (Kind.DATA, False, 1)
    assert len(found.change_reference) == (8 if name == "oracle-t10000c" else 4)
    assert str(found) == found.serial


def test_the_words_are_those_of_the_policy() -> None:
    assert {item.name: item.value for item in Kind} == {item.name: item.value for item in facts.CartridgeKind}


def test_what_is_told_beside_does_not_make_another_cartridge() -> None:
    assert CartridgeId("A", "TDK", ("X",), loads=1) == CartridgeId("A", "TDK", ("Y",), Kind.WORM, loads=2)
    assert CartridgeId("A", "TDK") != CartridgeId("B", "TDK")


def test_a_cartridge_without_barcode_has_no_volser(tmp_path: Path) -> None:
    bench = powered(tmp_path, empty=True)
    place = tmp_path / "bare"
    cartridge.create(place, "lto6", capacity=64 << 20, margin=1 << 20)
    bench.insert(place)
    assert identify(bench).volsers == ()


def test_write_protection_and_worm_are_told(tmp_path: Path) -> None:
    bench = powered(tmp_path, empty=True)
    place = made(tmp_path, "lto6", "WORM01", worm=True)
    cartridge.protect(place, True)
    bench.insert(place)
    found = identify(bench)
    assert (found.kind, found.write_protected) == (Kind.WORM, True)


def test_an_empty_drive_has_no_cartridge(tmp_path: Path) -> None:
    with pytest.raises(errors.NoCartridge):
        identify(powered(tmp_path, empty=True))


def test_a_cartridge_that_is_gone_is_not_identified_from_the_drives_copy(tmp_path: Path) -> None:
    bench = powered(tmp_path, "ibm-lto6")
    found = identify(bench)
    bench.execute(unload())
    assert not bench.execute(read_attribute(0x0401)).sense, "this drive must serve a copy, or the test tests nothing"
    with pytest.raises(errors.NoCartridge):
        identify(bench)
    with pytest.raises(errors.StateChanged):
        same(bench, found)


def test_another_cartridge_in_its_place_is_noticed(tmp_path: Path) -> None:
    bench = powered(tmp_path)
    found = identify(bench)
    bench.swap(made(tmp_path, "lto6", "ENC002"))
    bench.settle()
    with pytest.raises(errors.StateChanged, match="memory now says"):
        same(bench, found)


def test_a_cartridge_that_came_meanwhile_is_an_attention(tmp_path: Path) -> None:
    bench = powered(tmp_path)
    found = identify(bench)
    bench.swap(made(tmp_path, "lto6", "ENC002"))
    with pytest.raises(errors.StateChanged):
        same(bench, found)


def test_a_serial_number_that_changes_while_identifying_is_noticed(tmp_path: Path) -> None:
    bench = powered(tmp_path)
    other = good(octets("00 00 00 25  04 01 81 00 20") + b"ANOTHER".ljust(32))
    with pytest.raises(errors.StateChanged):
        identify(Meddling(bench, SERIAL, instead=other, after=1))


def serial_page(value: bytes) -> bytes:
    return octets("00 00 00 25  04 01 81 00 20") + value.ljust(32)


UNNAMED = {
    "absent": refused("5/24/00"),
    "spaces": good(serial_page(b"")),
    "zeros": good(serial_page(bytes(32))),
    "control characters": good(serial_page(b"AB\x1b[31m")),
    "not ASCII": good(serial_page(b"\xff\xfe")),
    "no length": good(octets("00 00 00 05  04 01 81 00 00")),
}


@pytest.mark.parametrize("answer", UNNAMED.values(), ids=UNNAMED)
def test_without_a_usable_serial_number_there_is_no_cartridge(answer: object, tmp_path: Path) -> None:
    with pytest.raises(errors.MediumFailed):
        identify(Meddling(powered(tmp_path), SERIAL, instead=answer))  # type: ignore[arg-type]


def test_an_unknown_kind_is_not_taken_for_data(tmp_path: Path) -> None:
    answer = good(octets("00 00 00 06  04 08 80 00 01  40"))
    with pytest.raises(errors.MediumFailed, match="40h"):
        identify(Meddling(powered(tmp_path), attribute_read(0x0408), instead=answer))


@pytest.mark.parametrize("code", ["4/44/00", "3/11/12", "6/28/00", "2/3A/00"])
def test_a_failure_at_any_step_is_no_identity(code: str, tmp_path: Path) -> None:
    bench = powered(tmp_path)
    for step in range(steps_of(bench, identify)):
        with pytest.raises(errors.DeviceError):
            identify(at_step(bench, step, instead=refused(code)))


def test_a_short_answer_at_any_step_is_no_identity(tmp_path: Path) -> None:
    bench = powered(tmp_path)
    before = len(bench.commands)
    identify(bench)
    for step, command in enumerate(bench.commands[before:]):
        if command.data_in_max:
            for size in (0, 3, 4, 6):
                with pytest.raises(errors.Malformed):
                    identify(at_step(bench, step, change=cut(size)))


def test_a_mode_page_that_did_not_come_does_not_say_that_it_is_no_worm(tmp_path: Path) -> None:
    with pytest.raises(errors.Malformed):
        identify(Meddling(powered(tmp_path), lambda command: command.cdb[:3] == b"\x5a\x08\x1d", change=cut(8)))
