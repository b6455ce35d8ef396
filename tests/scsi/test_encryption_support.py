"""Lists of pages and key formats, and random numbers (reference 2.1, 2.3, 2.8)."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tapekey.errors import Malformed
from tapekey.scsi import encryption_support
from tapekey.scsi.encryption import InPage, KeyFormat, OutPage, decode_page, encode_page
from tapekey.scsi.encryption_support import InSupport, KeyFormats, OutSupport, RandomNumber
from tests.octets import octets

PAGES = {
    "reference 2.1: Oracle T10000, in": (
        octets("00 00 00 0e  00 00 00 01 00 10 00 11 00 12 00 20 00 21"),
        InSupport(
            page_length=14,
            pages=(
                InPage.IN_SUPPORT,
                InPage.OUT_SUPPORT,
                InPage.CAPABILITIES,
                InPage.KEY_FORMATS,
                InPage.MANAGEMENT_CAPABILITIES,
                InPage.STATUS,
                InPage.NEXT_BLOCK_STATUS,
            ),
        ),
    ),
    "reference 2.1: Oracle T10000, out": (
        octets("00 01 00 02  00 10"),
        OutSupport(page_length=2, pages=(OutPage.SET_DATA_ENCRYPTION,)),
    ),
    "worked out by hand: a page newer than our table": (
        octets("00 00 00 02  00 77"),
        InSupport(page_length=2, pages=(InPage(0x77),)),
    ),
    "reference 7.1: IBM LTO-7, plain and wrapped": (
        octets("00 11 00 02  00 02"),
        KeyFormats(page_length=2, formats=(KeyFormat.PLAINTEXT, KeyFormat.WRAPPED)),
    ),
    "worked out by hand: random number": (
        octets("00 30 00 20") + bytes(range(32)),
        RandomNumber(page_length=32, number=bytes(range(32))),
    ),
}


@pytest.mark.parametrize(("image", "page"), PAGES.values(), ids=PAGES)
def test_page_matches_its_bytes(image: bytes, page: object) -> None:
    assert encode_page(page) == image
    assert decode_page(type(page), image) == page
    assert decode_page(type(page), image + b"tail") == page


def test_format_listed_twice_counts_once() -> None:  # reference 2.3: MHV
    assert decode_page(KeyFormats, octets("00 11 00 02  00 00")).formats == (KeyFormat.PLAINTEXT,)


def test_formats_behind_the_announced_length_are_not_believed() -> None:  # reference 2.3: Quantum prints 1, lists two
    assert decode_page(KeyFormats, octets("00 11 00 01  00 02")).formats == (KeyFormat.PLAINTEXT,)


def test_page_codes_are_written_ascending() -> None:
    page = InSupport(pages=(InPage.STATUS, InPage.IN_SUPPORT))

    assert encode_page(page) == octets("00 00 00 04  00 00 00 20")


def test_pages_are_asked_for_by_their_code() -> None:
    asked = {
        "a2 20 00 00 00 00 00 00 20 00 00 00": encryption_support.read_in_support(),
        "a2 20 00 01 00 00 00 00 20 00 00 00": encryption_support.read_out_support(),
        "a2 20 00 11 00 00 00 00 20 00 00 00": encryption_support.read_key_formats(),
        "a2 20 00 30 00 00 00 00 20 00 00 00": encryption_support.read_random_number(),
    }
    assert [command.cdb for command in asked.values()] == [octets(cdb) for cdb in asked]


MALFORMED = {
    "list that announces more than came": (InSupport, "00 00 00 04  00 00"),
    "half a page code": (OutSupport, "00 01 00 03  00 10 00"),
    "formats that announce more than came": (KeyFormats, "00 11 00 02  00"),
    "half a random number": (RandomNumber, "00 30 00 10" + " 00" * 32),
    "no random number": (RandomNumber, "00 30 00 20"),
}


@pytest.mark.parametrize(("structure", "image"), MALFORMED.values(), ids=MALFORMED)
def test_page_cut_short_is_malformed(structure: type, image: str) -> None:
    with pytest.raises(Malformed, match="cut short"):
        decode_page(structure, octets(image))


@given(st.sampled_from([InSupport, OutSupport, KeyFormats, RandomNumber]), st.binary(max_size=40))
def test_any_bytes_are_pages_or_malformed(structure: type, data: bytes) -> None:
    with suppress(Malformed):
        decode_page(structure, data)
    with suppress(Malformed):
        decode_page(structure, encode_page(structure())[:2] + data)
