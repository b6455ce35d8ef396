"""A tape against a plain list of objects, and the motions case by case."""

import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from tapekey.errors import MediumFull, OverwriteRefused
from tapekey.target.medium import Moved, Stop, is_filemark
from tapekey.target.medium_header import LOG_HEADER
from tapekey.target.medium_record import Block
from tests.target.tapes import MARK, Object, contents, held, made, put, put_sealed

SIZES = st.integers(1, 3000)


class AgainstAList(RuleBasedStateMachine):
    """Everything a drive does to a tape, done to a list as well; now and then the cartridge is taken anew."""

    def __init__(self) -> None:
        super().__init__()
        self.directory = Path(tempfile.mkdtemp())
        self.place = made(self.directory)
        self.held = held(self.place)
        self.model: list[Object] = []
        self.sealed: list[bool] = []
        self.at = 0
        self.serial = 0

    def teardown(self) -> None:
        self.held.close()
        shutil.rmtree(self.directory)

    @initialize(blocks=st.integers(0, 6))
    def begin(self, blocks: int) -> None:
        for _ in range(blocks):
            self.write(100, False)

    def _record(self, items: list[Object], sealed: bool) -> None:
        self.model[self.at :] = items
        self.sealed[self.at :] = [sealed and item != MARK for item in items]
        self.at += len(items)

    @rule(size=SIZES, sealed=st.booleans())
    def write(self, size: int, sealed: bool) -> None:
        self.serial += 1
        data = self.serial.to_bytes(4, "big") * size
        if sealed:
            put_sealed(self.held.tape, data)
        else:
            put(self.held.tape, data)
        self._record([data], sealed)

    @rule(count=st.integers(0, 3), sync=st.booleans())
    def write_filemarks(self, count: int, sync: bool) -> None:
        self.held.tape.write_filemarks(count)
        if sync:
            self.held.tape.sync()
        if count:
            self._record([MARK] * count, False)

    @rule()
    def erase(self) -> None:
        self.held.tape.erase()
        self._record([], False)

    @rule(number=st.integers(0, 40))
    def locate(self, number: int) -> None:
        assert self.held.tape.locate(number) == (number <= len(self.model))
        self.at = min(number, len(self.model))

    @rule(number=st.integers(0, 8))
    def locate_file(self, number: int) -> None:
        starts = [0, *(place + 1 for place, item in enumerate(self.model) if item == MARK)]
        assert self.held.tape.locate_file(number) == (number < len(starts))
        self.at = starts[number] if number < len(starts) else len(self.model)

    @rule(count=st.integers(-12, 12))
    def space_blocks(self, count: int) -> None:
        stop, done, step = Stop.DONE, 0, 1 if count > 0 else -1
        while done < abs(count) and stop is Stop.DONE:
            looked = self.at if count > 0 else self.at - 1
            if not 0 <= looked < len(self.model):
                stop = Stop.END_OF_DATA if count > 0 else Stop.BEGINNING
                break
            self.at += step
            if self.model[looked] == MARK:
                stop = Stop.FILEMARK
            else:
                done += 1
        assert self.held.tape.space_blocks(count) == Moved(done, stop)

    @rule(count=st.integers(-6, 6))
    def space_filemarks(self, count: int) -> None:
        stop, done, step = Stop.DONE, 0, 1 if count > 0 else -1
        while done < abs(count):
            looked = self.at if count > 0 else self.at - 1
            if not 0 <= looked < len(self.model):
                stop = Stop.END_OF_DATA if count > 0 else Stop.BEGINNING
                break
            self.at += step
            done += self.model[looked] == MARK
        assert self.held.tape.space_filemarks(count) == Moved(done, stop)

    @rule()
    def space_to_end(self) -> None:
        self.held.tape.space_to_end()
        self.at = len(self.model)

    @rule(orderly=st.booleans())
    def take_again(self, orderly: bool) -> None:
        if orderly:
            self.held.unload()
        self.held.close()
        self.held = held(self.place)
        self.at = 0

    @rule()
    def read_all(self) -> None:
        assert contents(self.held.tape) == self.model
        self.held.tape.locate(self.at)

    @invariant()
    def stands_where_the_list_says(self) -> None:
        tape = self.held.tape
        assert (tape.position, tape.objects) == (self.at, len(self.model))
        assert tape.file_number == self.model[: self.at].count(MARK)
        header = tape.next()
        assert (header is None) == (self.at == len(self.model))
        assert header is None or is_filemark(header) == (self.model[self.at] == MARK)

    @invariant()
    def knows_where_encryption_begins_and_stops(self) -> None:
        none = 0xFFFF_FFFF_FFFF_FFFF
        first = self.sealed.index(True) if True in self.sealed else none
        clear = [
            place for place, item in enumerate(self.model) if place > first and item != MARK and not self.sealed[place]
        ]
        assert self.held.tape.first_encrypted == first
        assert self.held.tape.first_clear_after_encrypted == (clear[0] if clear else none)


AgainstAList.TestCase.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
TestAgainstAList = AgainstAList.TestCase


SEQUENTIAL = {
    # objects on tape: b m b m m b m m m
    "forward to two": (0, 2, Moved(2, Stop.DONE), 5),
    "forward to three": (0, 3, Moved(3, Stop.DONE), 9),
    "from within a run": (4, 2, Moved(2, Stop.DONE), 8),
    "forward to four there are not": (0, 4, Moved(0, Stop.END_OF_DATA), 9),
    "backward to two": (9, -2, Moved(2, Stop.DONE), 7),
    "backward over the last run": (6, -2, Moved(2, Stop.DONE), 3),
    "backward to four there are not": (9, -4, Moved(0, Stop.BEGINNING), 0),
    "none": (4, 0, Moved(0, Stop.DONE), 4),
}


@pytest.mark.parametrize(("start", "count", "moved", "end"), SEQUENTIAL.values(), ids=SEQUENTIAL)
def test_sequential_filemarks_are_found(tmp_path: Path, start: int, count: int, moved: Moved, end: int) -> None:
    with held(made(tmp_path)) as taken:
        for item in (b"1", MARK, b"2", MARK, MARK, b"3", MARK, MARK, MARK):
            put(taken.tape, item)
        taken.tape.locate(start)

        assert taken.tape.space_sequential_filemarks(count) == moved
        assert taken.tape.position == end


def test_early_warning_comes_before_the_end_and_the_end_takes_nothing(tmp_path: Path) -> None:
    with held(made(tmp_path, capacity=10_000, margin=4_000)) as taken:
        tape, data, warned = taken.tape, bytes(1000), []
        for _ in range(8):
            put(tape, data)
            warned.append(tape.past_early_warning)
        with pytest.raises(MediumFull):
            put(tape, data)

        assert warned == [False] * 5 + [True] * 3
        assert (tape.position, tape.objects) == (8, 8)


def test_what_is_behind_the_full_point_survives_a_refused_overwrite(tmp_path: Path) -> None:
    with held(made(tmp_path, capacity=10_000, margin=0)) as taken:
        put(taken.tape, b"old")
        taken.tape.rewind()
        with pytest.raises(MediumFull):
            taken.tape.write(Block(20_000), bytes(20_000))

        assert contents(taken.tape) == [b"old"]


def test_filemarks_stop_at_the_end_too(tmp_path: Path) -> None:
    with held(made(tmp_path, capacity=10_000, margin=0)) as taken:
        with pytest.raises(MediumFull):
            taken.tape.write_filemarks(0xFF_FFFF)
        assert taken.tape.objects == 0


def test_write_once_medium_is_appended_to_and_nothing_else(tmp_path: Path) -> None:
    with held(made(tmp_path, worm=True)) as taken:
        put(taken.tape, b"first")
        put(taken.tape, b"second")
        taken.tape.locate(1)
        with pytest.raises(OverwriteRefused):
            put(taken.tape, b"other")
        with pytest.raises(OverwriteRefused):
            taken.tape.erase()

        assert contents(taken.tape) == [b"first", b"second"]


def test_filemarks_that_end_a_write_once_medium_may_be_overwritten(tmp_path: Path) -> None:
    with held(made(tmp_path, worm=True)) as taken:
        for item in (MARK, b"label", MARK, MARK):
            put(taken.tape, item)
        taken.tape.locate(3)
        put(taken.tape, b"goes on")
        taken.tape.locate(2)
        with pytest.raises(OverwriteRefused):
            put(taken.tape, b"other")

        assert contents(taken.tape) == [MARK, b"label", MARK, b"goes on"]


@pytest.mark.parametrize("size", [1, 8 << 20, (1 << 24) - 1])
def test_blocks_of_every_legal_size_come_back(tmp_path: Path, size: int) -> None:
    with held(made(tmp_path)) as taken:
        data = (b"tape" * (size // 4 + 1))[:size]
        put(taken.tape, data)
        put_sealed(taken.tape, data[: 8 << 20])

        assert contents(taken.tape) == [data, data[: 8 << 20]]


# --- reading ahead -------------------------------------------------------------------------------------------------


def test_blocks_read_ahead_are_the_blocks_whatever_their_sizes(tmp_path: Path) -> None:
    sizes = (100, 5000, 1, 70_000, 300)
    with held(made(tmp_path)) as taken:
        tape, lent = taken.tape, []
        for size in sizes:
            put(tape, bytes([size % 251]) * size)
        tape.rewind()
        for size in sizes:
            tape.look_ahead()
            header = tape.next()
            assert header is not None
            lent.append(tape.stored(header))  # somebody still holds it when more room is needed
            assert lent[-1] == bytes([size % 251]) * size
            tape.skip()
        tape.look_ahead()
        assert tape.next() is None


def test_what_was_read_ahead_is_forgotten_when_it_is_overwritten(tmp_path: Path) -> None:
    with held(made(tmp_path)) as taken:
        tape = taken.tape
        for item in (b"first", b"old"):
            put(tape, item)
        tape.locate(1)
        tape.look_ahead()
        put(tape, b"new")
        tape.locate(1)
        header = tape.next()
        assert header is not None
        assert bytes(tape.stored(header)) == b"new"


@pytest.mark.parametrize("what", [MARK, "damaged", "lost", "nothing"])
def test_what_is_no_block_is_not_read_ahead(tmp_path: Path, what: str) -> None:
    place = made(tmp_path)
    with held(place) as taken:
        put(taken.tape, MARK if what == MARK else b"block" * 9)
        put(taken.tape, b"behind")
        taken.unload()
    log = place / "partition-0.log"
    image = bytearray(log.read_bytes())
    if what in ("damaged", "lost"):
        image[LOG_HEADER + (130 if what == "damaged" else 30)] ^= 1
        log.write_bytes(image)
    with held(place) as taken:
        if what == "nothing":
            taken.tape.space_to_end()
        taken.tape.look_ahead()
        assert taken.tape._ahead is None
        assert contents(taken.tape)[1] == b"behind"
