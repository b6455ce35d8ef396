"""Loading and unloading: what TEST UNIT READY says, who is told, who may prevent it (reference 1.3, 5.2)."""

from pathlib import Path

import pytest

from tapekey.scsi import media
from tapekey.target.cartridge import Kind
from tapekey.target.refusal import Refusal
from tapekey.target.tray import NEXT, Move, Place
from tests.bench import made, powered
from tests.target.initiator import code, write


def test_unloaded_cartridge_is_gone_until_loaded_again(tmp_path: Path) -> None:
    bench = powered(tmp_path)
    steps = (media.unload(), media.test_unit_ready(), media.load(), media.test_unit_ready())

    assert [code(bench.execute(step)) for step in steps] == ["good", "2/3A/00", "good", "good"]


def test_seated_cartridge_is_not_ready_but_its_memory_is_readable(tmp_path: Path) -> None:
    bench = powered(tmp_path)
    assert code(bench.execute(media.unload())) == "good"
    assert code(bench.execute(media.seat())) == "good"

    assert code(bench.execute(media.test_unit_ready())) == "2/04/02"
    assert bench.drive.place is Place.HELD


def test_load_tells_the_others_and_not_the_loader(tmp_path: Path) -> None:
    bench = powered(tmp_path)
    other = bench.as_other()
    assert code(bench.execute(media.unload())) == "good"
    assert code(bench.execute(media.load())) == "good"

    assert code(bench.execute(media.test_unit_ready())) == "good"
    assert code(other.execute(media.test_unit_ready())) == "6/28/00"


def test_inserted_cartridge_is_told_to_everybody(tmp_path: Path) -> None:
    bench = powered(tmp_path, empty=True)
    other = bench.as_other()
    bench.swap(made(tmp_path, "lto6"))

    assert code(bench.execute(media.test_unit_ready())) == "6/28/00"
    assert code(other.execute(media.test_unit_ready())) == "6/28/00"


def test_load_of_a_loaded_tape_only_rewinds(tmp_path: Path) -> None:
    bench = powered(tmp_path)
    other = bench.as_other()
    assert write(bench, b"x") == "good"

    assert code(bench.execute(media.load())) == "good"

    assert bench.drive.tape.position == 0
    assert code(other.execute(media.test_unit_ready())) == "good"


def test_load_without_cartridge_is_refused_and_unload_is_not(tmp_path: Path) -> None:
    bench = powered(tmp_path, empty=True)

    assert code(bench.execute(media.load())) == "2/3A/00"
    assert code(bench.execute(media.unload())) == "good"


def test_load_takes_the_time_it_takes(tmp_path: Path) -> None:
    bench = powered(tmp_path, empty=True, load_time=30.0)
    now = 100.0
    bench.drive.clock = lambda: now
    bench.swap(made(tmp_path, "lto6"))
    assert code(bench.execute(media.test_unit_ready())) == "2/04/01"
    now = 129.9
    assert code(bench.execute(media.test_unit_ready())) == "2/04/01"

    now = 130.0

    assert code(bench.execute(media.test_unit_ready())) == "6/28/00"
    assert code(bench.execute(media.test_unit_ready())) == "good"


def test_load_that_waits_ends_the_loading(tmp_path: Path) -> None:
    bench = powered(tmp_path, empty=True, load_time=30.0)
    bench.swap(made(tmp_path, "lto6"))
    assert code(bench.execute(media.load(immediate=True))) == "good"
    assert code(bench.execute(media.test_unit_ready())) == "2/04/01"

    assert code(bench.execute(media.load())) == "good"

    assert bench.settle().drive.mounted


def test_prevented_removal_refuses_the_unload_for_everybody(tmp_path: Path) -> None:
    bench = powered(tmp_path)
    other = bench.as_other()
    assert code(other.execute(media.prevent_removal())) == "good"

    assert code(bench.execute(media.unload())) == "5/53/02"
    assert code(bench.execute(media.allow_removal())) == "good"
    assert code(bench.execute(media.unload())) == "5/53/02"
    assert code(other.execute(media.allow_removal())) == "good"
    assert code(bench.execute(media.unload())) == "good"


def test_cleaning_cartridge_is_never_ready(tmp_path: Path) -> None:
    bench = powered(tmp_path, empty=True)
    bench.insert(made(tmp_path, "lto6", "CLN001", kind=Kind.CLEANING))

    assert code(bench.execute(media.test_unit_ready())) == "2/30/03"


def test_unload_settles_the_tape(tmp_path: Path) -> None:
    bench = powered(tmp_path)
    assert write(bench, b"kept") == "good"
    assert code(bench.execute(media.unload())) == "good"
    assert code(bench.execute(media.load())) == "good"

    assert bench.execute(media.read_block(4)).data_in == b"kept"


@pytest.mark.parametrize("place", Place)
@pytest.mark.parametrize("move", Move)
def test_move_that_the_table_lacks_is_refused_and_changes_nothing(tmp_path: Path, place: Place, move: Move) -> None:
    bench = powered(tmp_path, empty=True)
    bench.drive.place = place
    if (place, move) in NEXT:
        bench.drive.move(move)
        assert bench.drive.place is NEXT[place, move]
    else:
        with pytest.raises(Refusal):
            bench.drive.move(move)
        assert bench.drive.place is place
