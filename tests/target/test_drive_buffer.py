"""READ BUFFER and WRITE BUFFER (reference 11.5)."""

from pathlib import Path

import pytest

from tapekey.exchange import Command
from tapekey.scsi import buffer
from tapekey.scsi.buffer import ReadMode
from tests.bench import powered
from tests.octets import octets
from tests.target.initiator import code


def test_echo_comes_back_to_who_wrote_it(tmp_path: Path) -> None:
    bench = powered(tmp_path)
    other = bench.as_other()
    assert code(bench.execute(buffer.write_echo(b"echo"))) == "good"

    assert bench.execute(buffer.read_buffer(ReadMode.ECHO, room=252)).data_in == b"echo"
    assert code(other.execute(buffer.read_buffer(ReadMode.ECHO, room=252))) == "5/2C/00"


def test_general_buffer_keeps_what_was_put_there(tmp_path: Path) -> None:
    bench = powered(tmp_path)
    assert code(bench.execute(Command(octets("3b 02 00 000010 000003 00"), b"abc"))) == "good"

    assert bench.execute(buffer.read_buffer(ReadMode.DATA, 0, 15, 5)).data_in == b"\0abc\0"
    whole = bench.execute(buffer.read_buffer(ReadMode.HEADER_AND_DATA, room=65_536)).data_in
    assert (whole[:4], len(whole), whole[20:23]) == (octets("00 00 10 00"), 4 + 4096, b"abc")


def test_descriptors(tmp_path: Path) -> None:
    bench = powered(tmp_path)

    assert bench.execute(buffer.read_buffer(ReadMode.DESCRIPTOR)).data_in == octets("00 00 10 00")
    assert bench.execute(buffer.read_buffer(ReadMode.DESCRIPTOR, 7)).data_in == bytes(4)
    assert bench.execute(buffer.read_buffer(ReadMode.ECHO_DESCRIPTOR)).data_in == octets("01 00 10 00")


@pytest.mark.parametrize("mode", [0x04, 0x05, 0x06, 0x07, 0x0D, 0x0E, 0x0F])
def test_microcode_is_refused(tmp_path: Path, mode: int) -> None:
    command = Command(bytes([0x3B, mode, 0, 0, 0, 0, 0, 0, 4, 0]), bytes(4))

    assert code(powered(tmp_path).execute(command)) == "5/24/00"


REFUSED = {
    "another buffer": "3c 02 01 000000 000010 00",
    "behind the end": "3c 02 00 001001 000010 00",
    "error history": "3c 1c 00 000000 000010 00",
    "header from the middle": "3c 00 00 000001 000010 00",
    "write beyond the end": "3b 02 00 000fff 000002 00",
    "write to another buffer": "3b 02 01 000000 000002 00",
    "an echo that is too long": "3b 0a 00 000000 001001 00",
}


@pytest.mark.parametrize("cdb", REFUSED.values(), ids=REFUSED)
def test_what_there_is_not_is_refused(tmp_path: Path, cdb: str) -> None:
    assert code(powered(tmp_path).execute(Command(octets(cdb), bytes(5000), 16))) == "5/24/00"
