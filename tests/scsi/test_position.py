"""READ POSITION data of reference 1.6; bytes worked out by hand from its table."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tapekey.errors import Malformed
from tapekey.exchange import Command
from tapekey.scsi import position
from tapekey.scsi.position import ExtendedPosition, Form, LongPosition, ReadPosition, ShortPosition
from tapekey.wire.layout import decode, encode
from tests.octets import octets

CDBS: dict[str, tuple[str, Command, ReadPosition]] = {
    "short": ("34 00 00 00 00 00 00 00 00 00", position.read_short_position(), ReadPosition(form=Form.SHORT)),
    "long": ("34 06 00 00 00 00 00 00 00 00", position.read_long_position(), ReadPosition(form=Form.LONG)),
    "extended": (
        "34 08 00 00 00 00 00 00 20 00",
        position.read_extended_position(),
        ReadPosition(form=Form.EXTENDED, room=32),
    ),
}

SHORT = octets("""
    83           # BOP, PERR, BPEW
    01           # partition
    00 00
    00 00 01 02  # first object
    00 00 01 03  # last object
    00
    00 00 04     # objects in buffer
    00 00 10 00  # bytes in buffer
""")
LONG = octets("""
    4D                       # EOP, MPU, LONU, BPEW
    00 00 00
    00 00 00 01              # partition
    00 00 00 01 00 00 00 02  # object number
    00 00 00 00 00 00 00 03  # file number
    00 00 00 00 00 00 00 00
""")
EXTENDED = octets("""
    34                       # LOCU, BYCU, LOLU
    02                       # partition
    00 1C                    # additional length
    00
    00 00 01                 # objects in buffer
    00 00 00 00 00 00 00 05  # first object
    00 00 00 00 00 00 00 06  # last object
    00 00 00 00 00 00 02 00  # bytes in buffer
""")
PAGES: dict[str, tuple[bytes, object, Callable[[bytes], object]]] = {
    "short": (
        SHORT,
        ShortPosition(
            beginning_of_partition=True,
            overflow=True,
            beyond_early_warning=True,
            partition=1,
            first_object=0x102,
            last_object=0x103,
            buffered_objects=4,
            buffered_bytes=4096,
        ),
        position.decode_short_position,
    ),
    "long": (
        LONG,
        LongPosition(
            end_of_partition=True,
            marks_unknown=True,
            unknown=True,
            beyond_early_warning=True,
            partition=1,
            object=0x1_0000_0002,
            file=3,
        ),
        position.decode_long_position,
    ),
    "extended": (
        EXTENDED,
        ExtendedPosition(
            object_count_unknown=True,
            byte_count_unknown=True,
            unknown=True,
            partition=2,
            buffered_objects=1,
            first_object=5,
            last_object=6,
            buffered_bytes=512,
        ),
        position.decode_extended_position,
    ),
}


@pytest.mark.parametrize(("image", "command", "structure"), CDBS.values(), ids=CDBS)
def test_cdb_matches_the_references_bytes(image: str, command: Command, structure: ReadPosition) -> None:
    assert command.cdb == bytes.fromhex(image)
    assert decode(ReadPosition, command.cdb) == structure


@pytest.mark.parametrize(("image", "value", "read"), PAGES.values(), ids=PAGES)
def test_position_matches_the_references_bytes(image: bytes, value: object, read: Callable[[bytes], object]) -> None:
    assert encode(value) == image
    assert read(image) == value
    assert read(image + b"more") == value


@pytest.mark.parametrize(("image", "value", "read"), PAGES.values(), ids=PAGES)
def test_short_answer_is_refused(image: bytes, value: object, read: Callable[[bytes], object]) -> None:
    with pytest.raises(Malformed, match="position is cut short"):
        read(image[:-1])


def test_vendor_form_of_st_is_known() -> None:
    assert decode(ReadPosition, bytes.fromhex("34 01 00 00 00 00 00 00 00 00")).form is Form.SHORT_VENDOR


@given(st.binary(max_size=40))
def test_any_bytes_are_a_position_or_malformed(data: bytes) -> None:
    for _, value, read in PAGES.values():
        try:
            found = read(data)
        except Malformed:
            continue
        assert isinstance(found, type(value))


def test_reserved_bytes_are_not_part_of_the_numbers() -> None:
    image = SHORT[:2] + b"\xff\xff" + SHORT[4:12] + b"\xff" + SHORT[13:]

    assert position.decode_short_position(image).buffered_objects == 4
    assert position.decode_extended_position(EXTENDED[:4] + b"\xff" + EXTENDED[5:]).buffered_objects == 1
