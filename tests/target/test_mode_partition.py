"""Medium Partition page 11h as MODE SENSE tells it (reference 11.3); worked out by hand."""

from pathlib import Path

import pytest

from tapekey.exchange import Command
from tapekey.scsi import media, mode
from tapekey.scsi.mode import Control
from tapekey.scsi.mode_page import ModePage
from tests.bench import Bench, made, powered
from tests.octets import octets
from tests.target.initiator import code, sense_of

GB = 10**9


def page(bench: Bench, values: Control = Control.CURRENT) -> bytes:
    answer = bench.execute(mode.mode_sense(ModePage.MEDIUM_PARTITION, values=values))
    return mode.decode_answer_10(answer.data_in).pages[0].image


def loaded(directory: Path, name: str, generation: str, capacity: int = 400 * GB) -> Bench:
    bench = powered(directory, name, empty=True)
    bench.insert(made(directory, generation, "TAPE", capacity=capacity))
    return bench.settle()


# drive, medium: the page of a volume of 400 GB in one partition
PAGES = {
    "ibm-lto4": ("lto4", "11 08 00 00 3c 03 19 00 0190"),
    "ibm-lto5": ("lto5", "11 0a 01 00 3c 03 19 00 0190 0000"),
    "ibm-lto6": ("lto6", "11 0e 03 00 3c 03 19 00 0190 0000 0000 0000"),
    "ibm-lto7": ("lto5", "11 0e 01 00 3c 03 19 00 0190 0000 0000 0000"),
    "hpe-lto5": ("lto4", "11 0a 00 00 3c 03 19 00 0190 0000"),
}


@pytest.mark.parametrize(("name", "medium", "image"), [(name, *row) for name, row in PAGES.items()], ids=PAGES)
def test_page_tells_what_the_volume_can_be(tmp_path: Path, name: str, medium: str, image: str) -> None:
    assert page(loaded(tmp_path, name, medium)) == octets(image)


def test_page_tells_the_partitions_there_are(tmp_path: Path) -> None:
    bench = loaded(tmp_path, "ibm-lto6", "lto6")
    data = bytes(4) + octets("110e 0003 3c03 0900 0014 0028 ffff 0032")
    assert code(bench.execute(Command(octets("15 10 00 00 14 00"), data))) == "good"
    assert page(bench)[3] == 0
    assert code(bench.execute(media.format_medium(media.Format.PARTITION))) == "good"

    assert page(bench) == octets("11 0e 03 03 3c 03 19 00 0014 0028 0122 0032")


def test_page_is_not_saved(tmp_path: Path) -> None:
    bench = loaded(tmp_path, "ibm-lto6", "lto6")
    data = bytes(4) + octets("110a 0001 4c03 0000 0000 0000")

    assert code(bench.execute(Command(octets("15 11 00 00 10 00"), data))) == "good"

    assert bench.drive.modes.saved == {}
    assert page(bench, Control.CHANGEABLE) == octets("11 0e 00 ff fb 00 0f 00 ffff ffff ffff ffff")


LISTS = {
    "shorter than its fixed part": ("1106 0000 3c03 0900", "good", None),
    "an odd number of bytes": ("1109 0001 3c03 0900 0001 ff", "5/26/00", 5),
    "more sizes than the drive has": ("1110 0001 3c03 0900 0001 ffff 0000 0000 0000", "5/26/00", 5),
    "additional partitions beyond the medium": ("110a 0004 4c03 0900 0000 0000", "5/26/00", 7),
    "two ways at once": ("110a 0001 e403 0900 0000 0000", "5/26/00", 8),
}


@pytest.mark.parametrize(("image", "answer", "byte"), LISTS.values(), ids=LISTS)
def test_list_is_judged_field_by_field(tmp_path: Path, image: str, answer: str, byte: int | None) -> None:
    bench = loaded(tmp_path, "ibm-lto6", "lto6")
    data = bytes(4) + octets(image)

    reply = bench.execute(Command(bytes([0x15, 0x10, 0, 0, len(data), 0]), data))

    assert code(reply) == answer
    if byte is not None:
        field = sense_of(reply).field
        assert field is not None
        assert field.byte == byte


def test_without_a_volume_nothing_is_planned(tmp_path: Path) -> None:
    bench = powered(tmp_path, empty=True)
    data = bytes(4) + octets("110a 0001 4c03 0000 0000 0000")

    assert code(bench.execute(Command(octets("15 10 00 00 10 00"), data))) == "2/3A/00"
