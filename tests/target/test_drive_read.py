"""READ and VERIFY outcomes: the reference's 1.5, row by row."""

import tracemalloc
from pathlib import Path
from random import Random

import pytest

from tapekey.exchange import Command
from tapekey.scsi import media, mode
from tapekey.scsi.encryption import DecryptionMode, EncryptionMode
from tapekey.target import block_protection
from tapekey.target.compress import Compression
from tapekey.target.drive import serve
from tapekey.target.medium_header import LOG_HEADER
from tapekey.target.medium_record import Block
from tapekey.target.unit import Answer
from tests.bench import Bench, powered
from tests.target.initiator import OTHER_KEY, code, install, rewind, sense_of, write

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


def test_block_that_claims_to_be_huge_is_a_medium_error_and_takes_no_memory(tmp_path: Path) -> None:
    """A record's checksum keeps nobody from making one that says 4 GiB."""
    bench = powered(tmp_path)
    bench.drive.tape.write(Block(0xFFFF_FFFF, Compression.ZSTANDARD), b"small")
    rewind(bench)
    tracemalloc.start()
    told, (_, most) = code(bench.execute(media.read_block(1000))), tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert (told, most < 1 << 20) == ("3/11/00", True)


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


# --- where the data go ---------------------------------------------------------------------------------------------


def served(bench: Bench, cdb: str, size: int, room: int) -> tuple[Answer, memoryview]:
    """A read with a place for what comes, of `room` bytes between two that must stay as they are."""
    place = memoryview(bytearray(b"<" + b"." * room + b">"))
    answer = serve(bench.drive, "host", Command(bytes.fromhex(cdb), data_in_max=size, into=place[1:-1]))
    assert (place[0], place[-1]) == (ord("<"), ord(">"))
    return answer, place


BLOCKS = {"noise": Random(3).randbytes(1000), "text": b"0123456789" * 100}


@pytest.mark.parametrize("sealed", [False, True], ids=["clear", "encrypted"])
@pytest.mark.parametrize("what", BLOCKS)
def test_a_block_is_put_where_the_host_wants_it(tmp_path: Path, what: str, sealed: bool) -> None:
    bench = powered(tmp_path)
    if sealed:
        install(bench, EncryptionMode.ENCRYPT, DecryptionMode.DECRYPT)
    assert write(bench, BLOCKS[what]) == "good"
    rewind(bench)

    answer, place = served(bench, "08 00 0003e8 00", 1000, 1000)

    assert answer.status == 0
    assert isinstance(answer.data, memoryview)
    assert answer.data.obj is place.obj
    assert answer.data == place[1:-1] == BLOCKS[what]


@pytest.mark.parametrize("sealed", [False, True], ids=["clear", "encrypted"])
@pytest.mark.parametrize("what", BLOCKS)
@pytest.mark.parametrize("room", [0, 1, 999, 5000])
def test_a_block_that_does_not_fit_its_place_is_answered_all_the_same(
    tmp_path: Path, what: str, sealed: bool, room: int
) -> None:
    bench = powered(tmp_path)
    if sealed:
        install(bench, EncryptionMode.ENCRYPT, DecryptionMode.DECRYPT)
    for _ in range(2):
        assert write(bench, BLOCKS[what]) == "good"
    rewind(bench)

    first, _ = served(bench, "08 02 001388 00", 5000, room)
    second, _ = served(bench, "08 02 001388 00", 5000, room)

    assert first.data == second.data == BLOCKS[what]


@pytest.mark.parametrize("room", [0, 10, 2999, 3000, 4000])
def test_fixed_blocks_lie_one_behind_the_other(tmp_path: Path, room: int) -> None:
    bench = powered(tmp_path)
    set_block_length(bench, 1000)
    data = BLOCKS["noise"] + BLOCKS["text"] + bytes(1000)
    assert code(bench.execute(media.write_blocks(data, 1000))) == "good"
    assert bench.drive.tape.position == 3
    rewind(bench)

    assert served(bench, "08 01 000003 00", 3000, room)[0].data == data


def test_no_more_of_fixed_blocks_is_kept_than_the_host_takes(tmp_path: Path) -> None:
    bench = powered(tmp_path)
    set_block_length(bench, 1000)
    assert code(bench.execute(media.write_blocks(bytes(50_000), 1000))) == "good"
    rewind(bench)

    answer = serve(bench.drive, "host", Command(bytes.fromhex("08 01 000032 00"), data_in_max=1500))
    assert (answer.status, len(answer.data), bench.drive.tape.position) == (0, 1500, 50)


def test_a_wrong_key_leaves_nothing_of_the_block_behind(tmp_path: Path) -> None:
    bench = powered(tmp_path)
    install(bench, EncryptionMode.ENCRYPT, DecryptionMode.DECRYPT)
    assert write(bench, BLOCKS["noise"]) == "good"
    install(bench, EncryptionMode.ENCRYPT, DecryptionMode.DECRYPT, key=OTHER_KEY)
    rewind(bench)

    answer, place = served(bench, "08 00 0003e8 00", 1000, 1000)
    assert (answer.status, len(answer.data)) == (2, 0)
    assert set(place[1:-1]) <= {0, ord(".")}


# --- logical block protection --------------------------------------------------------------------------------------


def protect(bench: Bench, method: int, flags: int) -> None:
    page = mode.RawPage(bytes([0x4A, 0xF0, 0, 0x1C, method, 4, flags]).ljust(32, b"\0"))
    assert code(bench.execute(mode.mode_select(mode.Answer(pages=(page,))))) == "good"


@pytest.mark.parametrize("method", [block_protection.REED_SOLOMON, block_protection.CRC32C])
@pytest.mark.parametrize("room", [0, 1004])
def test_protected_blocks_are_checked_and_come_back_protected(tmp_path: Path, method: int, room: int) -> None:
    bench = powered(tmp_path, "ibm-lto7", protection=(1, 2))
    data = BLOCKS["noise"]
    protect(bench, method, 0xC0)
    assert write(bench, data + block_protection.information(method, data)) == "good"
    assert write(bench, data + b"\0\0\0\0") == "B/10/01"
    rewind(bench)

    assert bench.drive.tape.objects == 1
    assert served(bench, "08 00 0003ec 00", 1004, room)[0].data == data + block_protection.information(method, data)
    protect(bench, 0, 0)
    rewind(bench)
    assert bench.execute(media.read_block(1000)).data_in == data


def test_one_way_may_be_protected_and_the_other_not(tmp_path: Path) -> None:
    bench, data = powered(tmp_path, "ibm-lto7"), BLOCKS["text"]
    information = block_protection.information(block_protection.CRC32C, data)
    protect(bench, block_protection.CRC32C, 0x80)
    assert write(bench, data + information) == "good"
    rewind(bench)
    assert bench.execute(media.read_block(1000)).data_in == data
    protect(bench, block_protection.CRC32C, 0x40)
    rewind(bench)
    assert bench.execute(media.read_block(1004)).data_in == data + information
    assert write(bench, data) == "good"


def test_fixed_blocks_carry_their_protection_each(tmp_path: Path) -> None:
    bench, crc = powered(tmp_path, "ibm-lto7"), block_protection.CRC32C
    set_block_length(bench, 104)
    protect(bench, crc, 0xC0)
    blocks = [bytes([number]) * 100 for number in range(5)]
    data = b"".join(block + block_protection.information(crc, block) for block in blocks)
    assert code(bench.execute(media.write_blocks(data, 104))) == "good"
    rewind(bench)

    assert bench.execute(media.read_blocks(5, 104)).data_in == data
    assert served(bench, "08 01 000000 00", 520, 520)[0].data == b""
    rewind(bench)
    assert served(bench, "08 01 000005 00", 520, 520)[0].data == data
