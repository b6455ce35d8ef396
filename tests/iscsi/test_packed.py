"""The packed headers of the data path and the rows of `request` and `response` are the same bytes."""

from hypothesis import given, settings
from hypothesis import strategies as st

from tapekey.iscsi.packed import COMMAND, DATA_IN, DATA_OUT, RESPONSE
from tapekey.iscsi.request import DataOut, ScsiCommand
from tapekey.iscsi.response import DataIn, ScsiResponse
from tapekey.wire.layout import decode, encode

IMAGES = st.binary(min_size=48, max_size=48)


@settings(deadline=None)
@given(IMAGES)
def test_command_is_read_alike(image: bytes) -> None:
    first, flags, lengths, lun, tag, expected, number, cdb = COMMAND.unpack_from(image)
    rows = decode(ScsiCommand, image)
    assert (rows.immediate, rows.opcode) == (bool(first & 0x40), first & 0x3F)
    assert (rows.final, rows.read, rows.write) == (bool(flags & 0x80), bool(flags & 0x40), bool(flags & 0x20))
    assert (rows.ahs_words, rows.data_length) == (lengths >> 24, lengths & 0xFFFFFF)
    assert rows.lun == lun.to_bytes(8, "big")
    assert (rows.tag, rows.expected_length, rows.command_number, rows.cdb) == (tag, expected, number, cdb)


@settings(deadline=None)
@given(IMAGES)
def test_data_out_is_read_alike(image: bytes) -> None:
    flags, lengths, tag, transfer_tag, number, offset = DATA_OUT.unpack_from(image)
    rows = decode(DataOut, image)
    assert (rows.final, rows.ahs_words, rows.data_length) == (bool(flags & 0x80), lengths >> 24, lengths & 0xFFFFFF)
    assert (rows.tag, rows.transfer_tag, rows.data_number, rows.offset) == (tag, transfer_tag, number, offset)


@settings(deadline=None)
@given(IMAGES)
def test_data_in_is_written_alike(image: bytes) -> None:
    rows = decode(DataIn, bytes([0x25]) + image[1:2] + bytes(2) + bytes(1) + image[5:8] + bytes(8) + image[16:])
    flags = rows.final << 7 | rows.acknowledge << 6 | rows.overflow << 2 | rows.underflow << 1 | rows.with_status
    packed = DATA_IN.pack(
        0x25,
        flags,
        rows.status,
        rows.data_length,
        rows.tag,
        rows.transfer_tag,
        rows.status_number,
        rows.expected_command,
        rows.max_command,
        rows.data_number,
        rows.offset,
        rows.residual,
    )
    assert packed == encode(rows)


@settings(deadline=None)
@given(IMAGES)
def test_response_is_written_alike(image: bytes) -> None:
    rows = decode(ScsiResponse, bytes([0x21]) + image[1:4] + bytes(1) + image[5:20] + bytes(4) + image[24:])
    flags = rows.final << 7 | rows.read_overflow << 4 | rows.read_underflow << 3
    packed = RESPONSE.pack(
        0x21,
        flags | rows.overflow << 2 | rows.underflow << 1,
        rows.response,
        rows.status,
        rows.data_length,
        rows.tag,
        rows.status_number,
        rows.expected_command,
        rows.max_command,
        rows.expected_data,
        rows.read_residual,
        rows.residual,
    )
    assert packed == encode(rows)
