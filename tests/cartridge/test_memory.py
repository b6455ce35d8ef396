"""One attribute of cartridge memory; conditions are in the reference, 4.1."""

from pathlib import Path

import pytest

from tapekey import errors
from tapekey.cartridge import memory
from tests.bench import powered
from tests.octets import octets
from tests.waist import attribute_read, good, refused, scripted

SERIAL = 0x0401


def test_an_attribute_is_read() -> None:
    answer = good(octets("00 00 00 0d  00 03 80 00 08  00 00 00 00 00 00 00 2a"))
    assert memory.number(scripted(answer), 0x0003) == 42


def test_no_such_attribute_is_the_drives_word() -> None:
    assert memory.read(scripted(refused("5/24/00")), SERIAL) is None


def test_another_attribute_in_its_place_means_that_it_is_not_there() -> None:
    answer = good(octets("00 00 00 06  04 05 80 00 01  5a"))
    assert memory.read(scripted(answer), 0x0404) is None


@pytest.mark.parametrize("code", ["2/3A/00", "3/04/10", "3/11/12", "4/44/00", "5/20/00", "5/26/00", "6/28/00"])
def test_any_other_refusal_is_not_absence(code: str) -> None:
    with pytest.raises(errors.DeviceError) as caught:
        memory.read(scripted(refused(code)), SERIAL)
    assert caught.value.code == code


@pytest.mark.parametrize(
    "image", ["", "00 00", "00 00 00 0d", "00 00 00 0d 00 03 80", "00 00 00 0d 00 03 80 00 08 00 00"]
)
def test_a_short_answer_is_not_absence(image: str) -> None:
    with pytest.raises(errors.Malformed):
        memory.read(scripted(good(octets(image))), 0x0003)


def test_a_drive_that_announces_the_room_is_read_as_far_as_it_came() -> None:
    answer = good(octets("00 00 00 11  00 03 80 00 08  00 00 00 00 00 00 00 2a"))
    assert memory.number(scripted(answer), 0x0003) == 42


def test_text_is_shown_without_padding_and_without_control_characters() -> None:
    answer = good(octets("00 00 00 0f  08 06 01 00 0a  20 41 1b 42 c3 a9 20 20 00 00"))
    assert memory.words(scripted(answer), 0x0806) == "A?B?"


def test_nothing_is_read_from_a_copy_of_the_last_cartridge(tmp_path: Path) -> None:
    bench = powered(tmp_path)
    memory.read(bench, SERIAL)
    (command,) = [command for command in bench.commands if attribute_read(SERIAL)(command)]
    assert command.cdb[14] == 0
