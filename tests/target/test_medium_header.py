"""The header of a log: bytes worked out by hand from docs/formats/medium.md, and which records it lets in."""

import contextlib

import pytest
from crc32c import crc32c
from hypothesis import given
from hypothesis import strategies as st

from tapekey.errors import Malformed, MediumDamaged
from tapekey.target import medium_header
from tapekey.target.medium_header import PAGE, LogHeader
from tests.octets import octets

LOG_ID = bytes(range(16))


def test_header_is_the_documented_bytes() -> None:
    start = octets("""
        74 61 70 65 6B 65 79 20 74 61 70 65 20 6C 6F 67  # "tapekey tape log"
        00 02                                            # version 2
        00 03                                            # partition 3
        00 00 00 00
        00 01 02 03 04 05 06 07 08 09 0A 0B 0C 0D 0E 0F  # log id
        00 00 00 00 00 00 00 05                          # turn 5
        00 00 00 02                                      # epoch 2
        00 00 00 00
        00 00 00 00 00 00 30 00                          # cut at 12288
        00 00 00 00 00 00 40 00                          # vouched to 16384
        00 00 00 00 00 00 00 07                          # 7 objects
        00 00 00 00 00 00 00 01                          # of them 1 filemark
        00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00
        00 00 00 00 00 00 00 00 00 00 00 00
    """)
    image = start + crc32c(start).to_bytes(4, "big")
    header = LogHeader(3, LOG_ID, 5, 2, 0x3000, 0x4000, 7, 1)

    assert len(start) == 124
    assert medium_header.encode(header) == image
    assert medium_header.decode(image) == header


def test_the_later_of_two_whole_copies_counts() -> None:
    old, new = LogHeader(0, LOG_ID, 4), LogHeader(0, LOG_ID, 5, 1)
    pages = [medium_header.encode(header).ljust(PAGE, b"\0") for header in (old, new)]

    assert medium_header.latest(pages[0] + pages[1]) == new
    assert medium_header.latest(pages[1] + pages[0]) == new
    assert medium_header.latest(pages[0] + bytes(PAGE)) == old
    with pytest.raises(MediumDamaged):
        medium_header.latest(bytes(2 * PAGE))


PLACES = {
    # offset, end, epoch of the record: whether it is of a tape in epoch 3 that was cut at 1000
    "before the cut, older": (500, 900, 2, True),
    "before the cut, up to it": (500, 1000, 0, True),
    "before the cut, over it": (500, 1001, 2, False),
    "before the cut, of this epoch": (500, 900, 3, False),
    "at the cut, of this epoch": (1000, 1100, 3, True),
    "behind the cut, older": (1000, 1100, 2, False),
    "behind the cut, newer": (1000, 1100, 4, False),
}


@pytest.mark.parametrize(("offset", "end", "epoch", "belongs"), PLACES.values(), ids=PLACES)
def test_a_record_belongs_where_its_epoch_is(offset: int, end: int, epoch: int, belongs: bool) -> None:
    assert LogHeader(0, LOG_ID, epoch=3, cut=1000).belongs(offset, end, epoch) is belongs


def test_any_bit_changed_is_noticed() -> None:
    whole = medium_header.encode(LogHeader(0, LOG_ID, 9, 1, 9000, 9100, 2, 1))
    for bit in range(8 * len(whole)):
        image = bytearray(whole)
        image[bit // 8] ^= 1 << bit % 8
        with pytest.raises(MediumDamaged):
            medium_header.decode(bytes(image))


@given(st.binary(max_size=300))
def test_any_bytes_are_a_header_or_refused(data: bytes) -> None:
    with contextlib.suppress(Malformed, MediumDamaged):
        medium_header.decode(data)
    with contextlib.suppress(Malformed):
        medium_header.decode(data + crc32c(data).to_bytes(4, "big")) if len(data) == 124 else None
