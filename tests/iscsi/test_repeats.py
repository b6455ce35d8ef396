"""Commands that repeat the last one: what is taken for one, bit by bit, and that the answers are those of `answer`."""

import struct

import pytest

from tapekey.iscsi.config import Config
from tapekey.iscsi.events import Execute
from tapekey.iscsi.repeats import Repeats
from tapekey.iscsi.target import TargetSession
from tests.iscsi.conversation import PORTAL, TARGET, feed, joined
from tests.target.peer import FINAL, IMMEDIATE, READ, WRITE, header, keys_of, login_pdu, padded

COMMAND = 0x01
DATA = bytes(range(200)) * 2
WRITE_CDB = bytes.fromhex("0a 00 00 01 90 00")
READ_CDB = bytes.fromhex("08 00 00 01 90 00")
FIRST = 2  # the CmdSN behind that of the login


def session(**keys: str) -> TargetSession:
    made = TargetSession(Config(TARGET), portal=PORTAL, tsih=7, now=0.0)
    feed(made, login_pdu(keys_of("iqn.2026-11.invalid.tapekey:host", TargetName=TARGET, **keys)))
    assert made.logged_in
    return made


def command(number: int, flags: int, cdb: bytes, data: bytes = b"", expected: int = len(DATA), tag: int = 0) -> bytes:
    rest = struct.pack(">III", expected, number, 5) + cdb.ljust(16, b"\0")
    return header(COMMAND, FINAL | flags | 1, tag or number, data, 1, rest) + padded(data)


def executed(made: TargetSession, image: bytes) -> bytes:
    """Let the session have a command, and answer it; what goes back."""
    (asked,) = feed(made, image)
    assert isinstance(asked, Execute)
    data = DATA if asked.data_in_max else b""
    return joined(made.answer(asked.tag, 0, data))


def start(made: TargetSession) -> int:
    """The CmdSN that comes next."""
    return made._out.expected


WRITING = (WRITE, WRITE_CDB, DATA)
READING = (READ, READ_CDB, b"")


@pytest.mark.parametrize(("flags", "cdb", "data"), [WRITING, READING], ids=["write", "read"])
def test_answers_are_those_of_the_ordinary_way(flags: int, cdb: bytes, data: bytes) -> None:
    slow, fast = session(), session()
    first = start(slow)
    assert executed(slow, command(first, flags, cdb, data)) == executed(fast, command(first, flags, cdb, data))
    repeats = fast.repeats()
    assert repeats is not None
    assert (repeats.size, repeats.incoming) == (len(DATA), flags == WRITE)
    for number in range(first + 1, first + 100):
        image = command(number, flags, cdb, data, tag=number * 7)
        repeats.header[:] = image[:48]
        assert repeats.came()
        repeats.number()
        assert bytes(repeats.reply) + (b"" if repeats.incoming else DATA) == executed(slow, image)
    # and the ordinary way goes on where it stands
    image = command(first + 100, flags, cdb, data)
    assert executed(slow, image) == executed(fast, image)


def made_ready(flags: int = WRITE, cdb: bytes = WRITE_CDB, data: bytes = DATA) -> tuple[Repeats, bytearray]:
    """A session that has answered one command, and the header of the next."""
    made = session()
    first = start(made)
    executed(made, command(first, flags, cdb, data))
    repeats = made.repeats()
    assert repeats is not None
    return repeats, bytearray(command(first + 1, flags, cdb, data)[:48])


ANY = {16, 17, 18, 19, 28, 29, 30, 31}  # the task tag, and ExpStatSN, of which nothing hangs on here


@pytest.mark.parametrize(("flags", "cdb", "data"), [WRITING, READING], ids=["write", "read"])
def test_header_that_differs_in_any_bit_is_no_repetition(flags: int, cdb: bytes, data: bytes) -> None:
    repeats, image = made_ready(flags, cdb, data)
    for bit in range(8 * 48):
        image[bit // 8] ^= 1 << bit % 8
        repeats.header[:] = image
        assert repeats.came() is (bit // 8 in ANY)
        image[bit // 8] ^= 1 << bit % 8
    repeats.header[:] = image
    assert repeats.came()


def test_reserved_tag_is_none() -> None:
    repeats, image = made_ready()
    image[16:20] = b"\xff" * 4
    repeats.header[:] = image
    assert not repeats.came()


def test_command_beyond_the_window_is_none() -> None:
    repeats, image = made_ready()
    out = repeats._out
    out.last = (out.expected - 1) & 0xFFFFFFFF
    repeats.header[:] = image
    assert not repeats.came()


def test_numbers_wrap() -> None:
    repeats, image = made_ready()
    out = repeats._out
    out.stat, out.expected, out.last = 0xFFFFFFFF, 0xFFFFFFFF, 0x1E
    image[24:28] = b"\xff" * 4
    repeats.header[:] = image
    assert repeats.came()
    repeats.number()
    assert bytes(repeats.reply[24:36]) == struct.pack(">III", 0xFFFFFFFF, 0, 0x1F)
    assert out.stat == 0


NOT_PLAIN = {
    "with a digest": ({"DataDigest": "CRC32C"}, WRITE, WRITE_CDB, DATA, len(DATA)),
    "whose data come in part": ({}, WRITE, WRITE_CDB, DATA[:100], len(DATA)),
    "without data": ({}, 0, bytes(6), b"", 0),
    "whose data need padding": ({}, WRITE, WRITE_CDB, DATA[:399], 399),
    "longer than a Data-In": ({"MaxRecvDataSegmentLength": "8192"}, READ, READ_CDB, b"", 8196),
}


@pytest.mark.parametrize("which", NOT_PLAIN)
def test_command_that_is_not_plain_has_no_repetition(which: str) -> None:
    keys, flags, cdb, data, expected = NOT_PLAIN[which]
    made = session(**keys)
    image = command(start(made), flags, cdb, data, expected)
    if "DataDigest" in keys:
        from tapekey.iscsi import digest

        image += digest.crc(memoryview(data))
    for event in feed(made, image):
        if isinstance(event, Execute):
            made.answer(event.tag, 0, DATA if event.data_in_max else b"")
    assert made.repeats() is None


def test_session_that_is_busy_has_none() -> None:
    made = session()
    first = start(made)
    executed(made, command(first, *WRITING))
    (asked,) = feed(made, command(first + 1, *WRITING))
    assert made.repeats() is None
    made.answer(asked.tag, 0)
    assert made.repeats() is not None
    feed(made, command(first + 3, *WRITING))  # which waits for the one before
    assert made.repeats() is None


def test_header_that_has_come_in_part_is_not_thrown_away() -> None:
    made = session()
    first = start(made)
    executed(made, command(first, *WRITING))
    feed(made, command(first + 1, *WRITING)[:20])
    assert made.repeats() is None


def test_immediate_command_has_none() -> None:
    made = session()
    image = bytearray(command(start(made), *WRITING))
    image[0] |= IMMEDIATE
    (asked,) = feed(made, bytes(image))
    made.answer(asked.tag, 0)
    assert made.repeats() is None


def test_session_before_its_login_has_none() -> None:
    assert TargetSession(Config(TARGET), portal=PORTAL, tsih=7, now=0.0).repeats() is None


def test_ping_between_is_no_command() -> None:
    made = session()
    first = start(made)
    executed(made, command(first, *WRITING))
    feed(made, header(IMMEDIATE, FINAL, 99, rest=b"\xff" * 4 + struct.pack(">II", first + 1, 5)))
    assert made.repeats() is None
