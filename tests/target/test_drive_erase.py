"""ERASE, and what of it is not offered (reference 1.3)."""

from pathlib import Path

import pytest

from tapekey.exchange import Command
from tapekey.scsi import media
from tests.bench import made, powered
from tests.octets import octets
from tests.target.initiator import code, rewind, write


@pytest.mark.parametrize("long", [False, True])
def test_what_lies_behind_the_position_is_gone(tmp_path: Path, long: bool) -> None:
    bench = powered(tmp_path)
    for _ in range(3):
        assert write(bench, b"x") == "good"
    assert code(bench.execute(media.locate(1))) == "good"

    assert code(bench.execute(media.erase(long=long))) == "good"

    assert (bench.drive.tape.objects, bench.drive.tape.position) == (1, 1)
    assert code(bench.execute(media.read_block(10))) == "8/00/05"


REFUSED = {"a method": "19 00 10 00 00 00", "metadata": "19 00 02 00 00 00", "vendor control": "19 00 01 00 00 00"}


@pytest.mark.parametrize("cdb", REFUSED.values(), ids=REFUSED)
def test_sanitising_is_not_offered(tmp_path: Path, cdb: str) -> None:
    bench = powered(tmp_path)
    assert write(bench, b"x") == "good"
    rewind(bench)

    assert code(bench.execute(Command(octets(cdb)))) == "5/24/00"
    assert bench.drive.tape.objects == 1


def test_write_once_medium_is_not_erased(tmp_path: Path) -> None:
    bench = powered(tmp_path, empty=True)
    bench.insert(made(tmp_path, "lto6", "WORM", worm=True))
    assert write(bench, b"x") == "good"
    rewind(bench)

    assert code(bench.execute(media.erase())) == "7/30/0C"
