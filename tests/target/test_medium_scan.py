"""Damage stays within its object."""

from pathlib import Path

import pytest

from tapekey.errors import MediumDamaged
from tapekey.target.medium import Moved, Stop
from tapekey.target.medium_header import LOG_HEADER, PAGE
from tapekey.target.medium_index import UNKNOWN
from tests.target.tapes import DAMAGED, MARK, Object, held, made, put, put_sealed, recorded

LOG = "partition-0.log"
ITEMS: list[Object] = [b"clear one", b"sealed" * 8, MARK, MARK, b"clear two"]


@pytest.fixture
def place(tmp_path: Path) -> Path:
    made_at = made(tmp_path)
    with held(made_at) as taken:
        put(taken.tape, ITEMS[0])
        put_sealed(taken.tape, bytes(ITEMS[1]), authenticated=b"A" * 12)  # type: ignore[arg-type]
        for item in ITEMS[2:]:
            put(taken.tape, item)
        taken.unload()
    return made_at


def starts(place: Path) -> list[int]:
    with held(place) as taken:
        return [taken.tape.log.offset(number) for number in range(len(ITEMS) + 1)]


def test_any_byte_damaged_harms_the_object_it_belongs_to_and_no_other(place: Path) -> None:
    image, offsets = (place / LOG).read_bytes(), starts(place)
    for at in (*range(130), *range(PAGE - 2, PAGE + 130), *range(LOG_HEADER - 2, len(image))):
        (place / LOG).write_bytes(image[:at] + bytes([image[at] ^ 0x10]) + image[at + 1 :])
        owner = [number for number, start in enumerate(offsets) if start <= at]
        expected = list(ITEMS)
        if at >= LOG_HEADER:
            expected[owner[-1]] = DAMAGED
        assert recorded(place) == expected, at


def test_zeroes_over_two_records_lose_these_two(place: Path) -> None:
    image, offsets = bytearray((place / LOG).read_bytes()), starts(place)
    image[offsets[1] : offsets[3]] = bytes(offsets[3] - offsets[1])
    (place / LOG).write_bytes(image)

    assert recorded(place) == [ITEMS[0], DAMAGED, DAMAGED, MARK, ITEMS[4]]


def test_motions_count_lost_objects(place: Path) -> None:
    image, offsets = bytearray((place / LOG).read_bytes()), starts(place)
    image[offsets[1] : offsets[3]] = bytes(offsets[3] - offsets[1])
    (place / LOG).write_bytes(image)
    with held(place) as taken:
        assert taken.tape.space_filemarks(2) == Moved(2, Stop.DONE)
        assert (taken.tape.position, taken.tape.file_number) == (4, 2)
        assert taken.tape.first_encrypted == UNKNOWN or taken.tape.first_encrypted > 4


def test_writing_over_a_lost_object_keeps_what_is_before_it(place: Path) -> None:
    image, offsets = bytearray((place / LOG).read_bytes()), starts(place)
    image[offsets[1] : offsets[3]] = bytes(offsets[3] - offsets[1])
    (place / LOG).write_bytes(image)
    with held(place) as taken:
        taken.tape.locate(2)
        put(taken.tape, b"new")
        taken.unload()

    assert recorded(place) == [ITEMS[0], DAMAGED, b"new"]


def test_host_data_that_looks_like_records_is_only_data(tmp_path: Path, place: Path) -> None:
    log = (place / LOG).read_bytes()
    other = made(tmp_path / "other")
    with held(other) as taken:
        put(taken.tape, log)
        put(taken.tape, b"behind")
        taken.unload()
    image = bytearray((other / LOG).read_bytes())
    image[LOG_HEADER + 30] ^= 1
    (other / LOG).write_bytes(image)

    assert recorded(other) == [DAMAGED, b"behind"]


def test_records_from_before_a_cut_never_come_back(tmp_path: Path) -> None:
    place = made(tmp_path / "epoch")
    with held(place) as taken:
        for item in (b"a", b"b" * 128, b"stale"):
            put(taken.tape, item)
        taken.unload()
    old = (place / LOG).read_bytes()
    with held(place) as taken:
        taken.tape.locate(1)
        put(taken.tape, MARK)
        end = taken.tape.log.end
        assert end == taken.tape.log.offset(1) + 128 == LOG_HEADER + 128 + 1 + 128
    assert (place / LOG).read_bytes()[end:] == old[end:]  # which is why it matters

    assert recorded(place) == [b"a", MARK]


def test_an_overwritten_tape_does_not_come_back_where_the_new_one_is_damaged(tmp_path: Path) -> None:
    place, old = made(tmp_path / "old"), [b"old" * 100] * 8
    with held(place) as taken:
        for item in old:
            put(taken.tape, item)
        taken.unload()
    with held(place) as taken:
        taken.tape.locate(2)
        put(taken.tape, b"new" * 100)
        end = taken.tape.log.end
    image = (place / LOG).read_bytes()
    for at in range(LOG_HEADER, end, 7):
        (place / LOG).write_bytes(image[:at] + bytes([image[at] ^ 0x10]) + image[at + 1 :])
        found = recorded(place)
        assert found[2:] in ([b"new" * 100], []), at
        assert [item for item in found[:2] if item != DAMAGED] == old[: 2 - found[:2].count(DAMAGED)]


def test_one_copy_of_the_header_is_enough_and_none_is_not(tmp_path: Path) -> None:
    place = made(tmp_path / "copies")
    with held(place) as taken:
        put(taken.tape, b"old")
        taken.unload()
    with held(place) as taken:
        put(taken.tape, b"new")
        taken.unload()
    image = (place / LOG).read_bytes()
    for page in (0, PAGE):
        (place / LOG).write_bytes(image[:page] + bytes(PAGE) + image[page + PAGE :])
        assert recorded(place) == [b"new"]
    (place / LOG).write_bytes(bytes(LOG_HEADER) + image[LOG_HEADER:])
    with pytest.raises(MediumDamaged):
        recorded(place)
