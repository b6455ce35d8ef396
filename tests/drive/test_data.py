"""A stream on tape; what READ and WRITE answer at marks is in the reference, 1.5."""

import io

import pytest

from tapekey import errors
from tapekey.drive import data
from tapekey.drive.data import Amount
from tapekey.exchange import Reply
from tapekey.scsi.codes import Opcode
from tests.waist import good, marked, refused, scripted

BLOCK = 8
FILEMARK = marked("0/00/01", filemark=True, information=BLOCK)


class Dribble(io.BytesIO):
    """A source that gives three bytes at a time, as a pipe may."""

    def read(self, size: int | None = -1) -> bytes:
        return super().read(min(3, size if size is not None and size >= 0 else 3))


def test_a_stream_is_cut_into_whole_blocks_and_closed() -> None:
    transport = scripted(*[good()] * 5)
    told: list[int] = []
    amount = data.write(transport, Dribble(b"0123456789abcdefghi"), told.append, block=BLOCK)
    assert amount == Amount(19, 3)
    assert [bytes(command.data_out) for command in transport.commands[1:4]] == [b"01234567", b"89abcdef", b"ghi"]
    assert transport.opcodes == [Opcode.LOCATE_10, *[Opcode.WRITE_6] * 3, Opcode.WRITE_FILEMARKS_6]
    assert told == [8, 16, 19]


def test_an_empty_stream_is_a_filemark() -> None:
    transport = scripted(good(), good())
    assert data.write(transport, io.BytesIO(), block=BLOCK) == Amount(0, 0)
    assert transport.opcodes[-1] == Opcode.WRITE_FILEMARKS_6


def test_early_warning_is_no_error() -> None:
    warned = marked("0/00/02", eom=True, information=0)
    assert data.write(scripted(good(), warned, warned), io.BytesIO(b"x"), block=BLOCK) == Amount(1, 1)


@pytest.mark.parametrize("at", [1, 2, 3])
def test_the_end_of_the_tape_ends_the_writing(at: int) -> None:
    replies = [good()] * 4
    replies[at] = marked("D/00/02", eom=True, information=BLOCK)
    transport = scripted(*replies)
    with pytest.raises(errors.EndOfMedium):
        data.write(transport, io.BytesIO(bytes(2 * BLOCK)), block=BLOCK)
    assert len(transport.commands) == at + 1


WRITE_FAILURES = {
    "7/27/00": errors.WriteProtected,
    "7/2A/13": errors.StateChanged,
    "6/29/00": errors.StateChanged,
    "3/0C/00": errors.MediumFailed,
    "7/74/07": errors.DataProtected,
}


@pytest.mark.parametrize("at", [0, 1, 2])
@pytest.mark.parametrize(("code", "kind"), WRITE_FAILURES.items(), ids=WRITE_FAILURES)
def test_a_write_that_fails_is_not_repeated(code: str, kind: type[errors.DeviceError], at: int) -> None:
    replies = [good()] * 3
    replies[at] = refused(code)
    transport = scripted(*replies)
    with pytest.raises(errors.DeviceError) as caught:
        data.write(transport, io.BytesIO(b"x"), block=BLOCK)
    assert type(caught.value) is kind
    assert len(transport.commands) == at + 1


def test_a_block_taken_in_part_is_not_written() -> None:
    with pytest.raises(errors.DriveLied):
        data.write(scripted(good(), marked("0/00/02", eom=True, information=3)), io.BytesIO(b"12345"), block=BLOCK)


def read(*replies: Reply) -> tuple[bytes, Amount]:
    sink = io.BytesIO()
    amount = data.read(scripted(good(), *replies), sink, block=BLOCK)
    return sink.getvalue(), amount


def short(piece: bytes) -> Reply:
    return marked("0/00/00", piece, ili=True, information=BLOCK - len(piece))


def test_blocks_are_read_up_to_the_filemark() -> None:
    assert read(good(b"01234567"), short(b"89"), short(b"a"), FILEMARK, good(b"not this")) == (
        b"0123456789a",
        Amount(11, 3),
    )


READ_FAILURES = {
    "long block": (marked("0/00/00", b"01234567", ili=True, information=-4), errors.Malformed),
    "cut short": (good(b"0123"), errors.DriveLied),
    "short and cut shorter": (marked("0/00/00", b"0", ili=True, information=4), errors.DriveLied),
    "longer than announced": (marked("0/00/00", b"012345", ili=True, information=4), errors.DriveLied),
    "no filemark": (refused("8/00/05"), errors.EndOfData),
    "end of partition": (marked("3/00/02", eom=True), errors.EndOfMedium),
    "eom without data": (marked("0/00/04", eom=True, information=BLOCK), errors.EndOfMedium),
    "wrong key": (refused("7/74/03"), errors.WrongKey),
    "no key": (refused("7/74/01"), errors.DataProtected),
    "not authentic": (refused("7/74/04"), errors.DataProtected),
    "attention": (refused("6/28/00"), errors.StateChanged),
    "broken": (refused("3/11/00"), errors.MediumFailed),
}


@pytest.mark.parametrize(("reply", "kind"), READ_FAILURES.values(), ids=READ_FAILURES)
def test_a_stream_that_is_not_whole_is_an_error(reply: Reply, kind: type[errors.TapekeyError]) -> None:
    with pytest.raises(errors.TapekeyError) as caught:
        read(good(b"01234567"), reply, FILEMARK)
    assert type(caught.value) is kind


def test_the_size_of_a_long_block_is_named() -> None:
    with pytest.raises(errors.Malformed, match="12 bytes"):
        read(marked("0/00/00", b"01234567", ili=True, information=-4))
