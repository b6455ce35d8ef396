"""READ and VERIFY outcomes: the reference's 1.5, row by row."""

from pathlib import Path

import pytest

from tapekey.exchange import Command
from tapekey.scsi import media, mode
from tapekey.target.medium_header import LOG_HEADER
from tests.bench import Bench, powered
from tests.target.initiator import code, rewind, sense_of, write

# What stands on the tape, the CDB, the mode's block length: sense, information, flags, bytes, position after.
CASES = {
    "fixed with SILI": (["10"], "08 03 000001 00", 10, ("5/24/00", 1, "", 0, 0)),
    "fixed with block length 0": (["10"], "08 01 000001 00", 0, ("5/24/00", 1, "", 0, 0)),
    "length 0": (["10"], "08 00 000000 00", 0, ("good", None, "", 0, 0)),
    "exact": (["10"], "08 00 00000a 00", 0, ("good", None, "", 10, 1)),
    "shorter": (["10"], "08 00 000010 00", 0, ("0/00/00", 6, "ili", 10, 1)),
    "shorter, SILI": (["10"], "08 02 000010 00", 0, ("good", None, "", 10, 1)),
    "longer": (["10"], "08 00 000004 00", 0, ("0/00/00", -6, "ili", 4, 1)),
    "longer, SILI, variable mode": (["10"], "08 02 000004 00", 0, ("good", None, "", 4, 1)),
    "longer, SILI, fixed mode": (["10"], "08 02 000004 00", 10, ("0/00/00", -6, "ili", 4, 1)),
    "fixed, all": (["10", "10", "10"], "08 01 000003 00", 10, ("good", None, "", 30, 3)),
    "fixed, wrong length in the middle": (["10", "7", "10"], "08 01 000003 00", 10, ("0/00/00", 2, "ili", 10, 2)),
    "filemark": (["mark"], "08 00 00000a 00", 0, ("0/00/01", 10, "filemark", 0, 1)),
    "filemark with SILI": (["mark"], "08 02 00000a 00", 0, ("0/00/01", 10, "filemark", 0, 1)),
    "fixed, filemark in the middle": (["10", "mark"], "08 01 000003 00", 10, ("0/00/01", 2, "filemark", 10, 2)),
    "end of data": ([], "08 00 00000a 00", 0, ("8/00/05", 10, "", 0, 0)),
    "fixed, end of data": (["10"], "08 01 000003 00", 10, ("8/00/05", 2, "", 10, 1)),
    "verify": (["10"], "13 00 00000a 00", 0, ("good", None, "", 0, 1)),
    "verify fixed": (["10", "10"], "13 01 000002 00", 10, ("good", None, "", 0, 2)),
    "verify a filemark": (["mark"], "13 00 00000a 00", 0, ("0/00/01", 10, "filemark", 0, 1)),
    "verify to end of data": (["10", "mark", "10"], "13 20 000000 00", 0, ("good", None, "", 0, 3)),
    "verify by filemarks": (["10", "mark", "10"], "13 08 000001 00", 0, ("good", None, "", 0, 2)),
    "verify by more filemarks than there are": (["10"], "13 08 000001 00", 0, ("8/00/05", 1, "", 0, 1)),
    "verify with byte compare": (["10"], "13 02 00000a 00", 0, ("5/24/00", None, "", 0, 0)),
}


def recorded(bench: Bench, objects: list[str]) -> None:
    for what in objects:
        if what == "mark":
            assert code(bench.execute(media.write_filemarks(1))) == "good"
        else:
            assert write(bench, b"x" * int(what)) == "good"
    rewind(bench)


def set_block_length(bench: Bench, length: int) -> None:
    answer = mode.Answer(descriptor=mode.BlockDescriptor(block_length=length))
    assert code(bench.execute(mode.mode_select(answer))) == "good"


@pytest.mark.parametrize(("objects", "cdb", "length", "wanted"), CASES.values(), ids=CASES)
def test_outcome(
    tmp_path: Path, objects: list[str], cdb: str, length: int, wanted: tuple[str, int | None, str, int, int]
) -> None:
    bench = powered(tmp_path)
    recorded(bench, objects)
    set_block_length(bench, length)

    reply = bench.execute(Command(bytes.fromhex(cdb), data_in_max=100))

    sense = sense_of(reply) if reply.sense else None
    flags = " ".join(flag for flag in ("filemark", "eom", "ili") if sense and getattr(sense, flag))
    information = sense.information if sense else None
    assert (code(reply), information, flags, len(reply.data_in), bench.drive.tape.position) == wanted


def test_damaged_block_is_a_medium_error_and_stays_next(tmp_path: Path) -> None:
    bench = powered(tmp_path)
    recorded(bench, ["1000"])
    log = next(tmp_path.rglob("partition-0.log"))
    image = bytearray(log.read_bytes())
    image[LOG_HEADER + 130] ^= 0xFF
    log.write_bytes(image)

    assert code(bench.execute(media.read_block(1000))) == "3/11/00"
    assert bench.drive.tape.position == 0


@pytest.mark.parametrize("size", [1, 4096, 0x80_0000])
def test_block_of_any_size_comes_back(tmp_path: Path, size: int) -> None:
    bench = powered(tmp_path)
    data = bytes(range(251)) * (size // 251 + 1)
    assert write(bench, data[:size]) == "good"
    rewind(bench)

    assert bench.execute(media.read_block(size)).data_in == data[:size]


def test_block_larger_than_the_limit_is_refused(tmp_path: Path) -> None:
    bench = powered(tmp_path)

    assert write(bench, bytes(0x80_0001)) == "5/24/00"
