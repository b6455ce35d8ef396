"""What time and accidents do to a cartridge, and what a drive says of it then."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tapekey.errors import Conflict, Malformed, NotFound, Usage
from tapekey.scsi import attribute, media
from tapekey.scsi.attribute_table import AttributeId
from tapekey.target import cartridge_wear, medium_layout
from tapekey.target.cartridge import Cartridge
from tests.bench import Bench, made, powered
from tests.target.initiator import code, read, rewind, write


@pytest.fixture
def tape(tmp_path: Path) -> Path:
    return made(tmp_path, "lto6", "ENC001L6")


def recorded(directory: Path, tape: Path) -> Bench:
    """A drive, and the tape with four blocks on it lying beside it."""
    bench = powered(directory / "bench", empty=True)
    bench.insert(tape)
    bench.settle()
    for _ in range(4):
        assert write(bench, os.urandom(10_000)) == "good"
    bench.drive.take_out()
    return bench


def back(bench: Bench, tape: Path) -> list[str]:
    bench.insert(tape)
    bench.settle()
    rewind(bench)
    return [code(read(bench)) for _ in range(4)]


def value_of(bench: Bench, identifier: AttributeId) -> int:
    reply = bench.execute(attribute.read_attribute(identifier))
    found = attribute.decode_attributes(reply.data_in)
    return int.from_bytes(next(item.value for item in found if item.id == identifier), "big")


def test_old_cartridge_tells_of_its_life(tmp_path: Path, tape: Path) -> None:
    cartridge_wear.age(tape, loads=19_999, written=5 << 20, read=7 << 20)

    bench = powered(tmp_path / "bench", empty=True)
    bench.insert(tape)
    bench.settle()

    assert value_of(bench, AttributeId.LOAD_COUNT) == 20_000
    assert value_of(bench, AttributeId.WRITTEN_IN_LIFE) == 5
    assert value_of(bench, AttributeId.READ_IN_LIFE) == 7


def test_what_is_not_said_does_not_age(tape: Path) -> None:
    cartridge_wear.age(tape, loads=3)
    cartridge_wear.age(tape, written=4)

    with Cartridge.open(tape) as held:
        assert (held.memory.account.loads, held.memory.account.written, held.memory.account.read) == (3, 4, 0)


def test_nearly_full_tape_warns_early_and_ends(tmp_path: Path, tape: Path) -> None:
    bench = recorded(tmp_path, tape)
    cartridge_wear.shorten(tape, 60_000)
    bench.insert(tape)
    bench.settle()
    assert code(bench.execute(media.space(media.SpaceCode.END_OF_DATA))) == "good"

    answers = [write(bench, os.urandom(10_000)) for _ in range(4)]

    assert answers[-1] == "D/00/02"
    assert medium_layout.Layout.load(tape).partitions[0].capacity == 60_000


def test_damaged_block_is_lost_and_its_neighbours_are_not(tmp_path: Path, tape: Path) -> None:
    bench = recorded(tmp_path, tape)
    cartridge_wear.damage_block(tape, 2)

    answers = back(bench, tape)

    assert answers[:2] == ["good", "good"]
    assert answers[2] == "3/11/00"


def test_damage_twice_over_is_none(tmp_path: Path, tape: Path) -> None:
    bench = recorded(tmp_path, tape)
    path = tape / medium_layout.Layout.load(tape).partitions[0].file
    before = path.read_bytes()
    start = len(before) // 2
    cartridge_wear.damage_range(tape, start, 30)
    spoilt = path.read_bytes()
    cartridge_wear.damage_range(tape, start, 30)

    assert [at for at in range(len(before)) if before[at] != spoilt[at]] == list(range(start, start + 30))
    assert back(bench, tape) == ["good"] * 4


def test_cartridge_in_a_drive_cannot_be_reached(tmp_path: Path, tape: Path) -> None:
    bench = powered(tmp_path / "bench", empty=True)
    bench.insert(tape)

    acts: tuple[Callable[[], None], ...] = (
        lambda: cartridge_wear.age(tape, loads=1),
        lambda: cartridge_wear.shorten(tape, 1000),
        lambda: cartridge_wear.damage_block(tape, 0),
        lambda: cartridge_wear.damage_range(tape, 0, 1),
    )
    for act in acts:
        with pytest.raises(Conflict):
            act()


REFUSED: dict[str, tuple[Callable[[Path], None], type[Exception]]] = {
    "a block behind the last": (lambda tape: cartridge_wear.damage_block(tape, 4), NotFound),
    "a block before the first": (lambda tape: cartridge_wear.damage_block(tape, -1), NotFound),
    "another partition": (lambda tape: cartridge_wear.damage_block(tape, 0, partition=1), NotFound),
    "bytes behind the end": (lambda tape: cartridge_wear.damage_range(tape, 0, 1 << 30), Usage),
    "no bytes": (lambda tape: cartridge_wear.damage_range(tape, 5, 0), Usage),
    "less than no loads": (lambda tape: cartridge_wear.age(tape, loads=-1), Usage),
    "no tape": (lambda tape: cartridge_wear.shorten(tape, 0), Usage),
    "no cartridge": (lambda tape: cartridge_wear.age(tape.parent, loads=1), Malformed),
}


@pytest.mark.parametrize(("act", "error"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_is_refused(
    tmp_path: Path, tape: Path, act: Callable[[Path], None], error: type[Exception]
) -> None:
    recorded(tmp_path, tape)
    before = {path.name: path.read_bytes() for path in tape.iterdir()}

    with pytest.raises(error):
        act(tape)

    assert {path.name: path.read_bytes() for path in tape.iterdir()} == before
