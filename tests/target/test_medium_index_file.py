"""The kept index: used where it fits, and never believed where it does not."""

import shutil
from pathlib import Path

import pytest
from crc32c import crc32c
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tapekey.target import medium_index_file, medium_record, medium_scan
from tapekey.target.medium_header import LogHeader
from tapekey.target.medium_log import Log
from tests.target.tapes import DAMAGED, MARK, Object, held, made, put, put_sealed, recorded

LOG, INDEX = "partition-0.log", "partition-0.log.index"
ITEMS: list[Object] = [b"one", MARK, b"sealed", b"two" * 50, MARK, MARK, b"three"]


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(medium_index_file, "WORTH", 1)
    made_at = made(tmp_path)
    with held(made_at) as taken:
        for item in ITEMS:
            if item == b"sealed":
                put_sealed(taken.tape, b"sealed")
            else:
                put(taken.tape, item)
        taken.unload()
    return made_at


def records_read(place: Path, monkeypatch: pytest.MonkeyPatch) -> int:
    """How many records opening the log reads one by one."""
    count = 0

    def counted(*arguments: object) -> object:
        nonlocal count
        found = real(*arguments)  # type: ignore[arg-type]
        count += found is not None
        return found

    real = medium_record.glance
    with monkeypatch.context() as patch:
        patch.setattr(medium_scan, "glance", counted)
        Log.open(place / LOG, writable=False).close()
    return count


def test_no_record_is_read_where_the_index_tells_of_all(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert records_read(place, monkeypatch) == 0
    assert recorded(place) == ITEMS
    (place / INDEX).unlink()
    assert records_read(place, monkeypatch) == len(ITEMS)
    assert recorded(place) == ITEMS


def test_index_made_from_the_log_and_read_from_the_file_are_one(place: Path) -> None:
    kept = Log.open(place / LOG, writable=False)
    (place / INDEX).unlink()
    walked = Log.open(place / LOG, writable=False)

    assert (kept.index, kept.end) == (walked.index, walked.end)
    kept.close()
    walked.close()


def test_only_what_was_appended_since_is_read(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with held(place) as taken:
        taken.tape.space_to_end()
        put(taken.tape, b"more")
        taken.tape.sync()  # and no unload

    assert records_read(place, monkeypatch) == 1
    assert recorded(place) == [*ITEMS, b"more"]


def test_index_from_before_a_cut_is_not_used(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with held(place) as taken:
        taken.tape.locate(2)
        put(taken.tape, b"anew")
        taken.tape.sync()

    assert records_read(place, monkeypatch) == 3
    assert recorded(place) == [*ITEMS[:2], b"anew"]


def test_index_of_another_cartridge_is_not_used(place: Path, tmp_path: Path) -> None:
    other = made(tmp_path / "other")
    with held(other) as taken:
        put(taken.tape, b"else")
        taken.unload()
    shutil.copy(place / INDEX, other / INDEX)

    assert recorded(other) == [b"else"]


def test_index_that_tells_wrong_places_is_not_used(place: Path) -> None:
    image = bytearray((place / INDEX).read_bytes())
    image[84 + 7] ^= 1
    image[-4:] = crc32c(image[:-4]).to_bytes(4, "big")
    (place / INDEX).write_bytes(image)

    assert recorded(place) == ITEMS


def test_header_damaged_behind_the_index_is_a_damaged_object(place: Path) -> None:
    log = Log.open(place / LOG, writable=False)
    image, at = bytearray((place / LOG).read_bytes()), log.offset(3)
    log.close()
    image[at + 40] ^= 1
    (place / LOG).write_bytes(image)

    assert recorded(place) == [*ITEMS[:3], DAMAGED, *ITEMS[4:]]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=200)
@given(st.integers(0, 10_000), st.binary(max_size=24), st.booleans())
def test_changed_index_never_changes_the_tape(place: Path, at: int, data: bytes, sealed: bool) -> None:
    whole = medium_index_file.load(place / LOG, -1, LogHeader(0, bytes(16)))
    assert whole is None
    original = (place / INDEX).read_bytes()
    image = bytearray(original)
    at %= len(image)
    image[at : at + len(data)] = data
    if sealed:
        image[-4:] = crc32c(image[:-4]).to_bytes(4, "big")
    (place / INDEX).write_bytes(image)
    log = Log.open(place / LOG, writable=False)
    try:
        assert log.objects == len(ITEMS)
        assert [log.read_header(number).object_number for number in range(log.objects)] == list(range(len(ITEMS)))
    finally:
        log.close()
        (place / INDEX).write_bytes(original)
