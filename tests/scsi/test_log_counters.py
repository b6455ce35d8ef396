"""Log pages 02h, 06h, 0Ch, 14h, 1Bh, 30h, 31h, 32h of reference 11.4; bytes worked out by hand from its table."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tapekey.errors import Malformed
from tapekey.scsi import log_counters
from tapekey.scsi.log import LogPage, decode_page
from tapekey.scsi.log_counters import Compression, DeviceStatistic, ErrorCounter, SequentialAccess, TapeCapacity, Usage
from tests.octets import octets

PAGES = {
    "0Ch": (
        LogPage.SEQUENTIAL_ACCESS,
        octets("""
            0C 00 00 20
            00 00 00 08  00 00 00 00 00 00 10 00
            00 04 00 04  00 00 00 64
            01 00 00 08  00 00 00 00 00 00 00 01
        """),
        {
            SequentialAccess.BYTES_FROM_HOST: 4096,
            SequentialAccess.TO_END_OF_DATA: 100,
            SequentialAccess.CLEANING_REQUESTED: 1,
        },
    ),
    "14h": (
        LogPage.DEVICE_STATISTICS,
        octets("14 00 00 10  00 00 00 04 00 00 00 05  00 0F 00 04 00 00 00 02"),
        {DeviceStatistic.LOADS: 5, DeviceStatistic.HARD_READ_ERRORS: 2},
    ),
    "02h": (
        LogPage.WRITE_ERRORS,
        octets("02 00 00 14  00 05 00 08 00 00 00 00 00 00 02 00  00 06 00 04 00 00 00 03"),
        {ErrorCounter.BYTES: 512, ErrorCounter.UNCORRECTED: 3},
    ),
    "06h": (LogPage.NON_MEDIUM_ERRORS, octets("06 00 00 08  00 00 00 04 00 00 00 07"), {0: 7}),
    "1Bh": (
        LogPage.DATA_COMPRESSION,
        octets("1B 00 00 14  00 00 00 02 00 64  00 06 00 04 00 00 00 09  01 00 00 02 00 01"),
        {Compression.READ_RATIO: 100, Compression.MEGABYTES_FROM_HOST: 9, Compression.ENABLED: 1},
    ),
    "30h": (
        LogPage.TAPE_USAGE,
        octets("30 00 00 0E  00 01 00 04 00 00 00 05  00 04 00 02 00 01"),
        {Usage.MOUNTS: 5, Usage.WRITE_ERRORS: 1},
    ),
    "32h": (LogPage.DATA_COMPRESSION_VENDOR, octets("32 00 00 06  00 01 00 02 00 FA"), {Compression.WRITE_RATIO: 250}),
    "31h": (
        LogPage.TAPE_CAPACITY,
        octets("31 00 00 10  00 01 00 04 00 00 03 E8  00 03 00 04 00 00 07 D0"),
        {TapeCapacity.REMAINING_0: 1000, TapeCapacity.MAXIMUM_0: 2000},
    ),
}


@pytest.mark.parametrize(("page", "image", "values"), PAGES.values(), ids=PAGES)
def test_page_matches_the_references_bytes(page: LogPage, image: bytes, values: dict[int, int]) -> None:
    assert log_counters.encode_counters(page, values) == image
    assert log_counters.decode_counters(image, page) == values


def test_serials_follow_the_counters_of_page_14h() -> None:
    image = log_counters.encode_device_statistics({DeviceStatistic.LOADS: 5}, "10130001AF", "00130001AE")
    page = decode_page(image, LogPage.DEVICE_STATISTICS)

    assert [item.code for item in page.parameters] == [0x0000, 0x0040, 0x0041]
    assert page.find(DeviceStatistic.MANUFACTURER_SERIAL) == b"00130001AE  "
    assert page.find(DeviceStatistic.SERIAL) == b"10130001AF  "
    assert log_counters.decode_counters(image, LogPage.DEVICE_STATISTICS) == {DeviceStatistic.LOADS: 5}


@given(st.sampled_from([0x02, 0x06, 0x0C, 0x14, 0x1B, 0x30, 0x31]), st.binary(max_size=40))
def test_any_bytes_are_counters_or_malformed(code: int, data: bytes) -> None:
    try:
        log_counters.decode_counters(bytes([code, 0]) + data, LogPage(code))
    except Malformed:
        return
