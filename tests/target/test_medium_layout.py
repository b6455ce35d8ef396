"""Partitions, and their replacement: whatever ends a format, there are all of the old ones or all of the new."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tapekey.errors import Malformed, MediumDamaged, OverwriteRefused
from tapekey.target import medium_layout, medium_log, memory
from tapekey.target.medium_layout import Layout
from tests.target.power import PowerLost
from tests.target.tapes import contents, held, made, put

SIZES = (1 << 20, 2 << 20, 4 << 20, 8 << 20)
CHANGES = ("open", "write", "fsync", "rename", "close")


def test_a_new_cartridge_has_one_partition(tmp_path: Path) -> None:
    with held(made(tmp_path)) as taken:
        assert (len(taken.tapes), taken.partition, taken.tape.capacity) == (1, 0, 64 << 20)


@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_formatted_partitions_are_tapes_of_their_own(tmp_path: Path, count: int) -> None:
    place = made(tmp_path)
    with held(place) as taken:
        put(taken.tape, b"old")
        taken.format(SIZES[:count])
        for number in range(count):
            put(taken.switch(number), bytes([number]))
        assert [tape.position for tape in taken.tapes] == [1] * count
        taken.unload()
    with held(place) as taken:
        assert taken.partition == 0
        assert [tape.capacity for tape in taken.tapes] == list(SIZES[:count])
        assert [contents(tape) for tape in taken.tapes] == [[bytes([number])] for number in range(count)]
        with pytest.raises(IndexError):
            taken.switch(count)
    assert len(list(place.glob("partition-*.log"))) == count


def test_margins_are_a_share_of_each_partition(tmp_path: Path) -> None:
    with held(made(tmp_path, capacity=64 << 20, margin=1 << 20)) as taken:
        taken.format(SIZES)
        assert [tape.margin for tape in taken.tapes] == [size // 32 for size in SIZES]
        taken.format([64 << 20])
        assert [tape.margin for tape in taken.tapes] == [1 << 20]


@pytest.mark.parametrize("sizes", [[], [1] * 5, [0], [65 << 20], [32 << 20, 33 << 20]])
def test_sizes_that_cannot_be_are_refused(tmp_path: Path, sizes: list[int]) -> None:
    with held(made(tmp_path)) as taken:
        put(taken.tape, b"kept")
        with pytest.raises(ValueError, match="partitions"):
            taken.format(sizes)
        assert contents(taken.tape) == [b"kept"]


def test_write_protected_and_recorded_worm_cartridges_are_not_formatted(tmp_path: Path) -> None:
    with held(made(tmp_path, worm=True)) as taken:
        taken.format([1 << 20])
        put(taken.tape, b"for good")
        with pytest.raises(OverwriteRefused):
            taken.format([1 << 20])
        assert contents(taken.tape) == [b"for good"]


def test_what_was_written_before_a_format_counts_in_the_mount(tmp_path: Path) -> None:
    with held(made(tmp_path)) as taken:
        put(taken.tape, bytes(2 << 20))
        taken.format(SIZES[:2])
        put(taken.switch(1), bytes(1 << 20))
        assert taken.account().written == 3 << 20


def _interrupted(change: Callable[..., Any], left: list[int]) -> Callable[..., Any]:
    def counted(*arguments: Any, **named: Any) -> Any:
        left[0] -= 1
        if left[0] < 0:
            raise PowerLost
        return change(*arguments, **named)

    return counted


def test_format_interrupted_anywhere_leaves_the_old_or_the_new(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    blank = made(tmp_path / "blank")
    with held(blank) as taken:
        taken.format(SIZES[:2])
        for tape in taken.tapes:
            put(tape, b"old")
        taken.unload()
    outcomes = []
    for calls in range(200):
        place = tmp_path / f"at{calls}"
        shutil.copytree(blank, place)
        taken = held(place)
        left = [calls]
        with monkeypatch.context() as patch:
            names = {name: getattr(os, name) for name in dir(os) if not name.startswith("_")}
            mine = {name: _interrupted(getattr(os, name), left) for name in CHANGES}
            for module in (memory, medium_log):
                patch.setattr(module, "os", SimpleNamespace(**names | mine))
            patch.setattr(Path, "unlink", _interrupted(Path.unlink, left))
            try:
                taken.format(SIZES[:3])
                done = True
            except PowerLost:
                done = False
        taken.close()
        with held(place) as again:
            outcomes.append([contents(tape) for tape in again.tapes])
            again.format(SIZES[:1])
            assert contents(again.tape) == []
        assert len(list(place.glob("partition-*.log"))) == 1
        shutil.rmtree(place)
        if done:
            break

    assert done
    assert outcomes[-1] == [[], [], []]
    assert all(outcome in ([[b"old"], [b"old"]], [[], [], []]) for outcome in outcomes)
    switched = outcomes.index([[], [], []])
    assert all(outcome == [[], [], []] for outcome in outcomes[switched:])
    print(f"format interrupted at {len(outcomes) - 1} places, {switched} of them with the old partitions after it")


@pytest.mark.parametrize(
    "name", ["../partition-0.log", "/etc/passwd", "partition-4.log", "partition-0.log.new", "memory"]
)
def test_layout_with_other_files_is_refused(tmp_path: Path, name: str) -> None:
    place = made(tmp_path)
    row = {"file": name, "capacity": 1000, "margin": 10}
    memory.replace_checked(place / "layout", "layout", {"formats": 0, "partitions": [row]})
    with pytest.raises(Malformed):
        Layout.load(place)
    with pytest.raises(MediumDamaged):
        held(place)


def test_cartridge_of_the_first_format_is_refused_with_a_mend(tmp_path: Path) -> None:
    place = made(tmp_path)
    (place / "layout").unlink()
    with pytest.raises(Malformed) as refused:
        Layout.load(place)
    assert refused.value.mend


def test_remains_of_a_format_are_told_from_what_is_named(tmp_path: Path) -> None:
    place = made(tmp_path)
    for name in (
        "partition-1-7.log",
        "partition-1-7.log.index",
        "partition-0.log.index.new",
        "partition-9.log",
        "note",
    ):
        (place / name).touch()
    found = {path.name for path in medium_layout.remains(place, Layout.load(place))}
    assert found == {"partition-1-7.log", "partition-1-7.log.index"}
