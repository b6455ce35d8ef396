"""Rows, structures and the reader. Images are worked out by hand."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tapekey.errors import Malformed
from tapekey.wire.codes import Code
from tapekey.wire.layout import (
    Reader,
    bits,
    decode,
    encode,
    field_at,
    mask_of,
    octets,
    place_of,
    rest,
    sint,
    size_of,
    text,
    uint,
    wire,
)
from tests.octets import octets as hexed


class Kind(Code):
    NONE = 0
    SOME = 5


@wire(size=16)
@dataclass(frozen=True, slots=True)
class Sample:
    # fmt: off
    kind:   Kind  = bits( 0, 7, 5, Kind)
    flag:   bool  = bits( 0, 0, 0, bool)
    wide:   int   = uint( 1, 2, high=14)
    top:    bool  = bits( 1, 7, 7, bool)
    signed: int   = sint( 3, 2)
    name:   str   = text( 5, 4)
    raw:    bytes = octets(9, 3)
    last:   int   = uint(12, 4, default=7)
    tail:   bytes = rest(16)
    # fmt: on


IMAGE = hexed("""
    a1           # kind 5, reserved bits, flag
    82 03        # top, wide 0203h
    ff fe        # signed -2
    41 42 20 20  # "AB"
    01 02 03     # raw
    00 00 01 00  # last
    ee           # tail
""")
VALUE = Sample(Kind.SOME, True, 0x203, True, -2, "AB", b"\1\2\3", 256, b"\xee")


def test_structure_is_written_as_its_rows_say() -> None:
    assert encode(VALUE) == IMAGE


def test_structure_is_read_as_its_rows_say() -> None:
    assert decode(Sample, IMAGE) == VALUE


def test_reserved_bits_are_ignored_when_read_and_zero_when_written() -> None:
    noisy = bytes([IMAGE[0] | 0x1E]) + IMAGE[1:]

    assert decode(Sample, noisy) == VALUE
    assert encode(decode(Sample, noisy)) == IMAGE


def test_defaults_are_those_of_the_rows() -> None:
    assert Sample() == Sample(Kind.NONE, False, 0, False, 0, "", bytes(3), 7, b"")


def test_text_padded_with_nul_is_read_too() -> None:
    assert decode(Sample, IMAGE[:5] + b"AB\0\0" + IMAGE[9:]).name == "AB"


def test_text_that_is_not_ascii_does_not_stop_the_reader() -> None:
    assert decode(Sample, IMAGE[:5] + b"A\xff\x20\x20" + IMAGE[9:]).name == "A\ufffd"


def test_short_structure_says_how_short() -> None:
    with pytest.raises(Malformed, match="Sample is cut short: 15 bytes of 16"):
        decode(Sample, IMAGE[:15])


def test_size_is_without_the_rest() -> None:
    assert size_of(Sample) == 16


@pytest.mark.parametrize(
    "value",
    [
        Sample(wide=0x8000),
        Sample(last=-1),
        Sample(last=2**32),
        Sample(kind=Kind(8)),
        Sample(name="ABCDE"),
        Sample(name="\u00e4"),
        Sample(raw=b"\1\2"),
    ],
    ids=["bits", "negative", "number", "code", "long text", "foreign text", "octets"],
)
def test_value_that_its_row_cannot_hold_is_the_callers_mistake(value: Sample) -> None:
    with pytest.raises(ValueError, match="Sample"):
        encode(value)


def test_signed_number_out_of_range_is_the_callers_mistake() -> None:
    with pytest.raises(OverflowError):
        encode(Sample(signed=2**15))


def structure(**rows: Any) -> Callable[[int], type]:
    made: type = dataclass(frozen=True)(type("Made", (), {"__annotations__": dict.fromkeys(rows, int), **rows}))
    return lambda size: wire(size=size)(made)


def test_overlapping_rows_are_refused() -> None:
    with pytest.raises(TypeError, match="Made.b overlaps another row"):
        structure(a=uint(0, 2), b=bits(1, 7, 7))(2)


def test_row_beyond_the_end_is_refused() -> None:
    with pytest.raises(TypeError, match="Made.a overruns 3 bytes"):
        structure(a=uint(2, 2))(3)


def test_field_without_a_row_is_refused() -> None:
    with pytest.raises(TypeError, match="Made.a has no row"):
        structure(a=5)(3)


def test_rest_that_leaves_a_gap_is_refused() -> None:
    with pytest.raises(TypeError, match="Made.a does not start at the end"):
        structure(a=rest(2))(3)


def test_neighbouring_bits_do_not_overlap() -> None:
    made: type = structure(a=bits(0, 7, 4), b=bits(0, 3, 0))(1)

    assert decode(made, b"\x5a") == made(5, 10)


@wire(size=1)
@dataclass(frozen=True, slots=True)
class Listed:
    count: int = uint(0, 1)
    items: tuple[int, ...] = rest(1, tuple, bytes)


def test_rest_can_be_a_list() -> None:
    assert decode(Listed, b"\2\7\x08") == Listed(2, (7, 8))
    assert encode(Listed(2, (7, 8))) == b"\2\7\x08"
    assert Listed() == Listed(0, ())


FIELDS = {
    (0, 7): "kind",
    (0, 5): "kind",
    (0, 4): None,
    (0, 0): "flag",
    (0, None): "kind",
    (1, 7): "top",
    (1, 6): "wide",
    (2, None): "wide",
    (8, None): "name",
    (15, 0): "last",
    (16, None): None,
}


@pytest.mark.parametrize(("place", "name"), FIELDS.items())
def test_field_is_found_by_byte_and_bit(place: tuple[int, int | None], name: str | None) -> None:
    assert field_at(Sample, *place) == name


@pytest.mark.parametrize(
    ("name", "place"), [("kind", (0, 7)), ("flag", (0, 0)), ("wide", (1, 6)), ("top", (1, 7)), ("last", (12, 7))]
)
def test_place_of_a_field_is_its_most_significant_bit(name: str, place: tuple[int, int]) -> None:
    assert place_of(Sample, name) == place
    assert field_at(Sample, *place) == name


def test_reader_takes_from_the_front() -> None:
    reader = Reader(b"\1\2\3\4", "page")

    assert reader.number(2, "code") == 0x102
    assert reader.left == 2
    assert reader.take(2, "body") == b"\3\4"
    reader.finish()


def test_reader_never_reads_past_the_end() -> None:
    with pytest.raises(Malformed, match="page is cut short: code needs 2 bytes, 1 are left"):
        Reader(b"\1", "page").number(2, "code")


def test_block_lends_exactly_its_bytes() -> None:
    reader = Reader(b"\1\2\3", "page")

    with reader.block(2, "list") as inner:
        assert inner.take(2, "items") == b"\1\2"
    assert reader.left == 1


def test_block_that_is_not_used_up_is_refused() -> None:
    reader = Reader(b"\1\2\3", "page")

    with pytest.raises(Malformed, match="list of page has 1 bytes too many"), reader.block(2, "list") as inner:
        inner.take(1, "item")


def test_block_cannot_be_longer_than_what_is_left() -> None:
    with pytest.raises(Malformed, match="page is cut short"), Reader(b"\1", "page").block(2, "list"):
        pass


def test_bytes_that_nobody_asked_for_are_refused() -> None:
    with pytest.raises(Malformed, match="page has 2 bytes too many"):
        Reader(b"\1\2", "page").finish()


@given(st.binary(max_size=40))
def test_any_bytes_are_a_structure_or_malformed(data: bytes) -> None:
    try:
        value = decode(Sample, data)
    except Malformed:
        assert len(data) < size_of(Sample)
        return
    if "\ufffd" not in value.name:
        assert decode(Sample, encode(value)) == value


def test_mask_has_ones_where_a_field_is() -> None:
    @wire(size=4)
    @dataclass(frozen=True, slots=True)
    class Some:
        number: int = uint(0, 1)
        flag: bool = bits(1, 4, 4, bool)
        low: int = bits(1, 1, 0)
        last: int = uint(3, 1)

    assert mask_of(Some) == bytes.fromhex("ff 13 00 ff")
    assert mask_of(Some, {"flag", "last"}) == bytes.fromhex("ff 03 00 00")
