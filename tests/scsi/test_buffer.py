"""READ BUFFER and WRITE BUFFER (reference 11.5): bytes worked out by hand from its table."""

import pytest

from tapekey.scsi import buffer
from tapekey.scsi.buffer import ReadBuffer, ReadMode, WriteBuffer, WriteMode
from tapekey.wire.layout import decode, encode
from tests.octets import octets

CDBS = {
    "echo": ("3c 0a 00 000000 000010 00", ReadBuffer(mode=ReadMode.ECHO, room=16)),
    "data of buffer 5 from 256": (
        "3c 02 05 000100 001000 00",
        ReadBuffer(mode=ReadMode.DATA, buffer=5, offset=256, room=4096),
    ),
    "write echo": ("3b 0a 00 000000 000010 00", WriteBuffer(mode=WriteMode.ECHO, length=16)),
    "microcode": ("3b 05 04 000000 010000 00", WriteBuffer(mode=WriteMode.MICROCODE_AND_SAVE, buffer=4, length=65536)),
}


@pytest.mark.parametrize(("image", "cdb"), CDBS.values(), ids=CDBS)
def test_cdb_matches_the_references_bytes(image: str, cdb: ReadBuffer | WriteBuffer) -> None:
    assert encode(cdb) == octets(image)
    assert decode(type(cdb), octets(image)) == cdb


def test_descriptors_match_the_standards_bytes() -> None:
    assert encode(buffer.Descriptor(boundary=9, capacity=0x1000)) == octets("09 00 10 00")
    assert encode(buffer.EchoDescriptor(overwritten_by_others=True, capacity=0x1000)) == octets("01 00 10 00")


def test_commands_carry_what_they_say() -> None:
    assert buffer.read_buffer(ReadMode.DESCRIPTOR, 4).cdb == octets("3c 03 04 000000 000004 00")
    assert buffer.write_echo(b"abc").cdb == octets("3b 0a 00 000000 000003 00")
    with pytest.raises(ValueError):
        buffer.write_echo(bytes(0x2000))
