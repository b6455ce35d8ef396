"""SPACE, LOCATE, REWIND and READ POSITION on a tape of two files, with and without a key (reference 1.5, 1.6)."""

from pathlib import Path

import pytest

from tapekey.exchange import Command
from tapekey.scsi import media, position
from tapekey.scsi.encryption import DecryptionMode, EncryptionMode
from tapekey.scsi.media import Destination, SpaceCode
from tests.bench import Bench, made, powered
from tests.target.initiator import code, install, off, sense_of, write

B, F, S, E = SpaceCode.BLOCKS, SpaceCode.FILEMARKS, SpaceCode.SEQUENTIAL_FILEMARKS, SpaceCode.END_OF_DATA


def two_files(directory: Path) -> Bench:
    """Objects 0, 1 block, 2 filemark, 3 block, 4 and 5 filemarks; end of data is 6. The blocks are encrypted."""
    bench = powered(directory)
    install(bench, EncryptionMode.ENCRYPT, DecryptionMode.DECRYPT)
    for what in "bbmbmm":
        if what == "b":
            assert write(bench, b"block") == "good"
        else:
            assert code(bench.execute(media.write_filemarks(1))) == "good"
    off(bench)
    return bench


# start, code, count: sense, information, position after
SPACES = {
    "blocks forward": (0, B, 2, "good", None, 2),
    "blocks onto a filemark": (0, B, 5, "0/00/01", 3, 3),
    "blocks to end of data": (6, B, 2, "8/00/05", 2, 6),
    "blocks back": (2, B, -1, "good", None, 1),
    "blocks back to the beginning": (1, B, -3, "0/00/04", 2, 0),
    "blocks back onto a filemark": (4, B, -2, "0/00/01", 1, 2),
    "filemarks forward": (0, F, 1, "good", None, 3),
    "filemarks beyond the end": (0, F, 9, "8/00/05", 6, 6),
    "filemarks back": (6, F, -2, "good", None, 4),
    "filemarks back to the beginning": (6, F, -9, "0/00/04", 6, 0),
    "sequential filemarks": (0, S, 2, "good", None, 6),
    "none": (3, F, 0, "good", None, 3),
    "end of data": (0, E, 0, "good", None, 6),
    "reserved code": (0, SpaceCode(7), 1, "5/24/00", None, 0),
}


@pytest.mark.parametrize("wide", [False, True], ids=["SPACE(6)", "SPACE(16)"])
@pytest.mark.parametrize(("start", "what", "count", "answer", "information", "end"), SPACES.values(), ids=SPACES)
def test_space(
    tmp_path: Path,
    wide: bool,
    start: int,
    what: SpaceCode,
    count: int,
    answer: str,
    information: int | None,
    end: int,
) -> None:
    bench = two_files(tmp_path)
    assert code(bench.execute(media.locate(start))) == "good"

    reply = bench.execute((media.space_far if wide else media.space)(what, count))

    assert (code(reply), bench.drive.tape.position) == (answer, end)
    if information is not None:
        assert sense_of(reply).information == information


LOCATES = {
    "object": (media.locate(4), "good", 4),
    "object, LOCATE(10)": (media.locate_near(4), "good", 4),
    "LOCATE(10) with BT": (Command(bytes.fromhex("2b040000000004000000")), "good", 4),
    "end of data by number": (media.locate(6), "good", 6),
    "beyond end of data": (media.locate(7), "8/00/05", 6),
    "file": (media.locate(1, destination=Destination.FILE), "good", 3),
    "no such file": (media.locate(9, destination=Destination.FILE), "8/00/05", 6),
    "end of data": (media.locate(0, destination=Destination.END_OF_DATA), "good", 6),
    "another partition": (media.locate(0, partition=1), "5/24/00", 2),
    "its own partition": (media.locate(1, partition=0), "good", 1),
}


@pytest.mark.parametrize(("command", "answer", "end"), LOCATES.values(), ids=LOCATES)
def test_locate(tmp_path: Path, command: Command, answer: str, end: int) -> None:
    bench = two_files(tmp_path)
    assert code(bench.execute(media.locate(2))) == "good"

    assert (code(bench.execute(command)), bench.drive.tape.position) == (answer, end)


def test_position_is_told_in_three_forms_and_the_old_one(tmp_path: Path) -> None:
    bench = two_files(tmp_path)
    assert code(bench.execute(media.locate(4))) == "good"

    short = position.decode_short_position(bench.execute(position.read_short_position()).data_in)
    long = position.decode_long_position(bench.execute(position.read_long_position()).data_in)
    extended = position.decode_extended_position(bench.execute(position.read_extended_position()).data_in)
    old = bench.execute(Command(bytes.fromhex("34010000000000000000"), data_in_max=20)).data_in

    assert (short.first_object, short.last_object, short.beginning_of_partition) == (4, 4, False)
    assert (long.object, long.file) == (4, 1)
    assert extended.first_object == 4
    assert position.decode_short_position(old) == short


def test_unknown_form_is_refused(tmp_path: Path) -> None:
    reply = two_files(tmp_path).execute(Command(bytes.fromhex("34030000000000000000"), data_in_max=20))

    assert code(reply) == "5/24/00"


def test_beginning_is_marked(tmp_path: Path) -> None:
    bench = two_files(tmp_path)
    assert code(bench.execute(media.rewind())) == "good"

    here = position.decode_long_position(bench.execute(position.read_long_position()).data_in)

    assert (here.beginning_of_partition, here.object, here.file) == (True, 0, 0)


def test_motion_flushes_what_was_written(tmp_path: Path) -> None:
    bench = powered(tmp_path)
    assert write(bench, b"x") == "good"

    assert code(bench.execute(media.rewind())) == "good"

    assert not bench.drive.tape.log.dirty


# --- partitions ---------------------------------------------------------------------------------------------------


def halves(directory: Path) -> Bench:
    """Two partitions: three blocks in the first, one in the second; at the beginning of the first."""
    bench = powered(directory)
    data = bytes(4) + bytes.fromhex("110a00015c03000000000000")
    assert code(bench.execute(Command(bytes.fromhex("151000001000"), data))) == "good"
    assert code(bench.execute(media.format_medium(media.Format.PARTITION))) == "good"
    for block in (b"a", b"b", b"c"):
        assert write(bench, block) == "good"
    assert code(bench.execute(media.locate(0, 1))) == "good"
    assert write(bench, b"z") == "good"
    assert code(bench.execute(media.locate(0, 0))) == "good"
    return bench


def place(bench: Bench) -> tuple[int, int]:
    """Partition and object, which must be alike in the three forms."""
    short = position.decode_short_position(bench.execute(position.read_short_position()).data_in)
    long = position.decode_long_position(bench.execute(position.read_long_position()).data_in)
    wide = position.decode_extended_position(bench.execute(position.read_extended_position()).data_in)
    found = {(short.partition, short.first_object), (long.partition, long.object), (wide.partition, wide.first_object)}
    assert len(found) == 1
    return found.pop()


INTO = {
    "LOCATE(10)": (media.locate_near(1, 1), (1, 1), "good"),
    "LOCATE(16)": (media.locate(1, 1), (1, 1), "good"),
    "LOCATE(16) to a file": (media.locate(0, 1, media.Destination.FILE), (1, 0), "good"),
    "LOCATE(16) to end-of-data": (media.locate(0, 1, media.Destination.END_OF_DATA), (1, 1), "good"),
    "beyond end-of-data": (media.locate(5, 1), (1, 1), "8/00/05"),
    "without CP the partition does not matter": (Command(bytes.fromhex("2b0000000000020001 00")), (0, 2), "good"),
    "LOCATE(10), no such partition": (media.locate_near(0, 2), (0, 0), "5/24/00"),
    "LOCATE(16), no such partition": (media.locate(0, 2), (0, 0), "5/24/00"),
}


@pytest.mark.parametrize(("command", "there", "answer"), INTO.values(), ids=INTO)
def test_locate_changes_partition(tmp_path: Path, command: Command, there: tuple[int, int], answer: str) -> None:
    bench = halves(tmp_path)

    assert code(bench.execute(command)) == answer

    assert place(bench) == there


def test_rewind_stays_in_the_partition_and_load_goes_to_the_first(tmp_path: Path) -> None:
    bench = halves(tmp_path)
    assert code(bench.execute(media.locate(1, 1))) == "good"
    assert code(bench.execute(media.rewind())) == "good"
    assert place(bench) == (1, 0)

    assert code(bench.execute(media.load())) == "good"

    assert place(bench) == (0, 0)


def test_end_of_data_is_the_partitions_own(tmp_path: Path) -> None:
    bench = halves(tmp_path)
    assert code(bench.execute(media.space(media.SpaceCode.END_OF_DATA))) == "good"
    assert place(bench) == (0, 3)
    assert code(bench.execute(media.locate(0, 1))) == "good"

    assert code(bench.execute(media.space_far(media.SpaceCode.END_OF_DATA))) == "good"

    assert place(bench) == (1, 1)
    assert code(bench.execute(media.space(media.SpaceCode.BLOCKS, -2))) == "0/00/04"


def test_medium_of_an_unknown_format_is_not_moved(tmp_path: Path) -> None:
    bench = powered(tmp_path, empty=True)
    bench.insert(made(tmp_path, "lto7", "NEW"))

    answers = {
        code(bench.execute(command))
        for command in (media.rewind(), media.locate(0), media.read_block(1), position.read_short_position())
    }

    assert answers == {"3/30/00"}
