"""Log pages of reference 1.3, 1.11, 11.4; bytes worked out by hand from its tables."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tapekey.errors import Malformed
from tapekey.scsi import log
from tapekey.scsi.log import Control, Form, LogPage, LogSelect, LogSense, Page, Parameter
from tapekey.wire.layout import decode, encode
from tests.octets import octets

IMAGE = octets("""
    57 01 00 0D  # page 17h, SPF, subpage 01h
    00 00 03 01  01
    00 01 00 04  00 00 00 07
""")
PAGE = Page(
    LogPage.VOLUME_STATISTICS,
    (Parameter(0x0000, b"\x01"), Parameter(0x0001, bytes([0, 0, 0, 7]), Form.COUNTER)),
    subpage=1,
)
SUPPORTED = octets("00 00 00 04  00 0C 17 2E")
SUBPAGES = octets("40 FF 00 06  00 00  17 00  17 01")


def test_log_sense_asks_for_cumulative_values() -> None:
    command = log.log_sense(LogPage.TAPE_ALERT, room=0x1FF)

    assert command.cdb == bytes.fromhex("4D 00 6E 00 00 00 00 01 FF 00")
    assert command.data_in_max == 0x1FF


def test_device_reads_log_sense() -> None:
    cdb = bytes.fromhex("4D 01 57 02 00 00 01 04 00 00")
    structure = LogSense(
        save=True, page_control=Control.CUMULATIVE, page=LogPage.VOLUME_STATISTICS, subpage=2, first=1, room=1024
    )

    assert decode(LogSense, cdb) == structure
    assert encode(structure) == cdb


def test_reset_is_log_select_without_parameters() -> None:
    assert log.reset_counters().cdb == bytes.fromhex("4C 02 40 00 00 00 00 00 00 00")
    assert decode(LogSelect, bytes.fromhex("4C 03 40 00 00 00 00 00 08 00")).length == 8


def test_page_matches_the_references_bytes() -> None:
    assert log.encode_page(PAGE) == IMAGE
    assert log.decode_page(IMAGE, LogPage.VOLUME_STATISTICS, 1) == PAGE


def test_parameters_are_found_by_code() -> None:
    assert PAGE.find(0x0001) == bytes([0, 0, 0, 7])
    assert PAGE.find(0x0002) is None


@pytest.mark.parametrize(("page", "subpage"), [(LogPage.TAPE_ALERT, 1), (LogPage.VOLUME_STATISTICS, 0)])
def test_other_page_than_asked_is_refused(page: LogPage, subpage: int) -> None:
    with pytest.raises(Malformed, match="another log page"):
        log.decode_page(IMAGE, page, subpage)


def test_parameter_that_is_cut_off_is_refused() -> None:
    with pytest.raises(Malformed, match="parameter 0001h needs 4 bytes, 3 are left"):
        log.decode_page(IMAGE[:-1], LogPage.VOLUME_STATISTICS, 1)


def test_page_whose_length_is_the_allocation_ends_where_the_bytes_end() -> None:
    assert log.decode_page(IMAGE[:2] + b"\x40\x00" + IMAGE[4:], LogPage.VOLUME_STATISTICS, 1) == PAGE


def test_bytes_behind_the_page_are_left() -> None:
    assert log.decode_page(IMAGE + bytes(9), LogPage.VOLUME_STATISTICS, 1) == PAGE


def test_list_of_pages() -> None:
    pages = (LogPage.SUPPORTED, LogPage.SEQUENTIAL_ACCESS, LogPage.VOLUME_STATISTICS, LogPage.TAPE_ALERT)

    assert log.encode_supported(reversed(pages)) == SUPPORTED
    assert log.decode_supported(SUPPORTED) == pages


def test_list_of_subpages() -> None:
    pages = ((LogPage.SUPPORTED, 0), (LogPage.VOLUME_STATISTICS, 0), (LogPage.VOLUME_STATISTICS, 1))

    assert log.encode_supported_subpages(pages) == SUBPAGES
    assert log.decode_supported_subpages(SUBPAGES) == pages


def test_numbers_have_the_width_that_the_drive_gives_them() -> None:
    assert log.numbers(PAGE, {0x0001}) == {0x0001: (7, 4)}


def test_empty_parameter_is_no_number() -> None:
    with pytest.raises(Malformed):
        log.numbers(Page(LogPage.TAPE_ALERT, (Parameter(1, b""),)), {1})


@given(st.binary(max_size=60), st.sampled_from([0x00, 0x11, 0x40, 0x51]), st.booleans())
def test_any_bytes_are_a_page_or_malformed(data: bytes, first: int, framed: bool) -> None:
    image = bytes([first, 0xFF if first & 0x40 else 0]) + len(data).to_bytes(2, "big") + data if framed else data
    for read in (
        lambda: log.decode_page(image, LogPage.DEVICE_STATUS),
        lambda: log.decode_page(image, LogPage.DEVICE_STATUS, 0xFF),
        lambda: log.decode_supported(image),
        lambda: log.decode_supported_subpages(image),
    ):
        try:
            read()
        except Malformed:
            continue
