"""FORMAT MEDIUM, SET CAPACITY, and how `mt` of Linux partitions a tape (reference 11.2, 11.3, 11.5)."""

from pathlib import Path

import pytest

from tapekey.exchange import Command
from tapekey.scsi import media
from tapekey.scsi.capacity import set_capacity
from tapekey.scsi.media import Format
from tests.bench import Bench, made, powered
from tests.octets import octets
from tests.target.initiator import code, sense_of, write

WHOLE = 64 << 20
SMALL = WHOLE // 40


def select(bench: Bench, page: str) -> str:
    """MODE SELECT(6) of page 11h, without a block descriptor."""
    data = bytes(4) + octets(page)
    return code(bench.execute(Command(bytes([0x15, 0x10, 0, 0, len(data), 0]), data)))


def partitions(bench: Bench) -> list[int]:
    return [tape.capacity for tape in bench.drive.require_cartridge().tapes]


def test_nothing_changes_until_the_format(tmp_path: Path) -> None:
    bench = powered(tmp_path)
    assert write(bench, b"old") == "good"
    assert code(bench.execute(media.rewind())) == "good"
    assert select(bench, "110a 0001 3403 0000 0001 ffff") == "good"
    assert partitions(bench) == [WHOLE]

    assert code(bench.execute(media.format_medium(Format.PARTITION))) == "good"

    assert partitions(bench) == [SMALL, WHOLE - SMALL]
    assert code(bench.execute(media.read_block(10))) == "8/00/05"
    assert code(bench.execute(media.locate(0, 1))) == "good"
    assert write(bench, b"new") == "good"


@pytest.mark.parametrize("form", [Format.PARTITION, Format.DEFAULT_THEN_PARTITION])
def test_format_without_a_plan_keeps_the_partitions(tmp_path: Path, form: Format) -> None:
    bench = powered(tmp_path)
    assert select(bench, "110a 0001 4c03 0000 0000 0000") == "good"
    assert code(bench.execute(media.format_medium(form))) == "good"
    assert write(bench, b"x") == "good"
    assert code(bench.execute(media.rewind())) == "good"

    assert code(bench.execute(media.format_medium(form))) == "good"

    assert partitions(bench) == [WHOLE // 2, WHOLE // 2]
    assert bench.drive.tape.objects == 0


def test_default_format_makes_one_partition(tmp_path: Path) -> None:
    bench = powered(tmp_path)
    assert select(bench, "110a 0001 4c03 0000 0000 0000") == "good"
    assert code(bench.execute(media.format_medium(Format.PARTITION))) == "good"

    assert code(bench.execute(media.format_medium())) == "good"

    assert partitions(bench) == [WHOLE]


def test_plan_is_for_the_volume_it_was_made_for(tmp_path: Path) -> None:
    bench = powered(tmp_path)
    assert select(bench, "110a 0001 4c03 0000 0000 0000") == "good"
    bench.swap(made(tmp_path, "lto6", "NEXT"))
    bench.settle()

    assert code(bench.execute(media.format_medium(Format.PARTITION))) == "good"

    assert partitions(bench) == [WHOLE]


REFUSED = {
    "verify": ("04 02 00 0000 00", "5/24/00"),
    "a format that is none": ("04 00 03 0000 00", "5/24/00"),
    "a list": ("04 00 00 0004 00", "5/24/00"),
}


@pytest.mark.parametrize(("cdb", "answer"), REFUSED.values(), ids=REFUSED)
def test_format_refuses_what_it_does_not_know(tmp_path: Path, cdb: str, answer: str) -> None:
    assert code(powered(tmp_path).execute(Command(octets(cdb)))) == answer


@pytest.mark.parametrize("command", [media.format_medium(), set_capacity()], ids=["format", "set capacity"])
def test_position_must_be_the_very_beginning(tmp_path: Path, command: Command) -> None:
    bench = powered(tmp_path)
    assert write(bench, b"x") == "good"

    assert code(bench.execute(command)) == "5/3B/0C"
    assert bench.drive.tape.objects == 1


@pytest.mark.parametrize("command", [media.format_medium(), set_capacity()], ids=["format", "set capacity"])
def test_write_once_medium_is_not_formatted(tmp_path: Path, command: Command) -> None:
    bench = powered(tmp_path, empty=True)
    bench.insert(made(tmp_path, "lto6", "WORM", worm=True))

    assert code(bench.execute(command)) == "7/30/0C"


def test_lto_4_has_one_partition_only(tmp_path: Path) -> None:
    bench = powered(tmp_path, "ibm-lto4")

    assert select(bench, "1108 0001 3c03 0900 0001") == "5/26/00"
    assert code(bench.execute(media.format_medium(Format.PARTITION))) == "5/24/00"
    assert code(bench.execute(media.format_medium())) == "good"


def test_empty_drive_formats_nothing(tmp_path: Path) -> None:
    bench = powered(tmp_path, empty=True)

    assert code(bench.execute(media.format_medium())) == "2/3A/00"
    assert code(bench.execute(set_capacity())) == "2/3A/00"


def test_set_capacity_takes_a_share_and_gives_it_back(tmp_path: Path) -> None:
    bench = powered(tmp_path)
    other = bench.as_other()
    assert code(bench.execute(set_capacity(0x8000))) == "good"
    assert partitions(bench) == [WHOLE * 0x8000 // 0xFFFF]
    assert code(other.execute(media.test_unit_ready())) == "6/2A/01"
    assert code(bench.execute(media.test_unit_ready())) == "6/2A/01"
    assert code(bench.execute(media.format_medium())) == "good"
    assert partitions(bench) == [WHOLE * 0x8000 // 0xFFFF]

    assert code(bench.execute(set_capacity())) == "good"

    assert partitions(bench) == [WHOLE]


def test_format_is_counted_in_the_chip(tmp_path: Path) -> None:
    bench = powered(tmp_path)
    before = bench.drive.require_cartridge().memory.account.initializations

    assert code(bench.execute(media.format_medium())) == "good"

    assert bench.drive.require_cartridge().memory.account.initializations == before + 1


# --- mt mkpartition: MODE SENSE(6) of page 11h with descriptor, edited, MODE SELECT(6), FORMAT MEDIUM ---------------


def mt_partition(bench: Bench, megabytes: int) -> str:
    """As Linux `st` does it for a SCSI-3 drive with POFM: sizes for two, 11b and 9 for whole gigabytes, else 10b."""
    data = bytearray(bench.execute(Command(octets("1a 00 11 00 ff 00"), data_in_max=255)).data_in)
    at = 4 + data[3]
    assert data[at] & 0x3F == 0x11
    assert data[at + 4] & 0x04  # POFM
    if not megabytes:
        return code(bench.execute(media.format_medium()))
    whole = data[at + 4] & 0x18 == 0x18 and not megabytes % 1000
    size = megabytes // 1000 if whole else megabytes
    data[at + 6] = 9 if whole else 0
    data[at + 4] = 0x20 | (0x18 if whole else 0x10) | data[at + 4] & 0x07
    data[at + 3], data[at + 1] = 1, 6 + 2 * 2
    data[at + 8 : at + 12] = b"\xff\xff" + size.to_bytes(2, "big")
    data[0] = 0
    data[2] &= 0x7F
    data[at] &= 0x7F
    image = bytes(data[: at + 12])
    answer = code(bench.execute(Command(bytes([0x15, 0x10, 0, 0, len(image), 0]), image)))
    return answer if answer != "good" else code(bench.execute(media.format_medium(Format.PARTITION)))


MT = {
    "megabytes": (20, [WHOLE - 20 * 10**6, 20 * 10**6]),
    "the least": (1, [WHOLE - SMALL, SMALL]),
    "none": (0, [WHOLE]),
}


@pytest.mark.parametrize("name", ["ibm-lto5", "ibm-lto6", "ibm-lto9", "hpe-lto6"])
@pytest.mark.parametrize(("megabytes", "sizes"), MT.values(), ids=MT)
def test_mt_partitions_a_tape(tmp_path: Path, name: str, megabytes: int, sizes: list[int]) -> None:
    bench = powered(tmp_path, name)

    assert mt_partition(bench, megabytes) == "good"

    assert partitions(bench) == sizes


def test_mt_partitions_a_large_tape_in_gigabytes(tmp_path: Path) -> None:
    bench = powered(tmp_path, empty=True)
    bench.insert(made(tmp_path, "lto6", "LARGE", capacity=2500 * 10**9))

    assert mt_partition(bench, 500_000) == "good"

    assert partitions(bench) == [2000 * 10**9, 500 * 10**9]


def test_field_that_cannot_be_followed_is_pointed_at(tmp_path: Path) -> None:
    bench = powered(tmp_path)
    data = bytes(4) + octets("110a 0001 3c03 0900 ffff ffff")

    sense = sense_of(bench.execute(Command(bytes([0x15, 0x10, 0, 0, len(data), 0]), data)))

    assert sense.code == "5/26/00"
    assert sense.field is not None
    assert (sense.field.byte, sense.field.in_cdb) == (4 + 10, False)
