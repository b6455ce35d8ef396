"""Log page 17h of reference 1.11; bytes worked out by hand from it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tapekey.errors import Malformed
from tapekey.scsi import volume_statistics
from tapekey.scsi.counter import Absent, Counter
from tapekey.scsi.log import LogPage, Page, Parameter, encode_page
from tapekey.scsi.volume_statistics import Statistic, VolumeStatistics
from tests.octets import octets

IMAGE = octets("""
    17 00 00 6F
    00 00 00 01  01
    00 01 00 04  00 00 00 2A
    00 10 00 08  00 00 00 00 00 01 00 00
    00 40 01 20  45 30 30 30 30 31 20 20 20 20 20 20 20 20 20 20 20 20 20 20 20 20 20 20 20 20 20 20 20 20 20 20
    02 00 03 14  09 00 00 00 00 00 00 00 00 04    # partition 0: object 4
                 09 00 00 01 FF FF FF FF FF FF    # partition 1: none
    02 01 03 0A  09 00 00 00 FF FF FF FF FF FE    # partition 0: unknown
    02 02 03 08  07 00 00 00 00 00 27 10          # partition 0: 10 000 MB
""")
STATISTICS = VolumeStatistics(
    numbers={Statistic.PAGE_VALID: 1, Statistic.MOUNTS: 42, Statistic.MEGABYTES_WRITTEN: 65536},
    texts={Statistic.VOLUME_SERIAL: "E00001"},
    partitions={
        Statistic.FIRST_ENCRYPTED_OBJECT: {0: 4, 1: Absent.NONE},
        Statistic.FIRST_CLEAR_OBJECT_AFTER: {0: Absent.UNKNOWN},
        Statistic.PARTITION_CAPACITY: {0: 10_000},
    },
)


def test_page_matches_the_references_bytes() -> None:
    assert volume_statistics.encode_volume_statistics(STATISTICS) == IMAGE
    assert volume_statistics.decode_volume_statistics(IMAGE) == STATISTICS


def test_account_is_read_by_name() -> None:
    found = volume_statistics.decode_volume_statistics(IMAGE)

    assert found.valid
    assert found.volume_serial == "E00001"
    assert found.barcode is None
    assert found.by_partition(Statistic.FIRST_ENCRYPTED_OBJECT) == {0: 4, 1: Absent.NONE}
    assert found.by_partition(Statistic.PARTITION_USED) == {}


def test_page_that_the_drive_does_not_vouch_for_is_not_valid() -> None:
    assert not volume_statistics.decode_volume_statistics(bytes.fromhex("17 00 00 05 00 00 00 01 00")).valid
    assert not volume_statistics.decode_volume_statistics(bytes.fromhex("17 00 00 00")).valid


def test_volume_before_the_last_has_its_own_subpage() -> None:
    image = volume_statistics.encode_volume_statistics(STATISTICS, 1)

    assert image[:4] == bytes.fromhex("57 01 00 6F")
    assert volume_statistics.decode_volume_statistics(image, 1) == STATISTICS
    with pytest.raises(Malformed):
        volume_statistics.decode_volume_statistics(image)
    assert volume_statistics.read_volume_statistics(1).cdb[:4] == bytes.fromhex("4D 00 57 01")


# name: (records, what they say)
RECORDS: dict[str, tuple[str, dict[int, Counter]]] = {
    "nothing": ("", {}),
    "6-byte counter": ("09 00 00 02 00 00 00 00 01 00", {2: 256}),
    "8-byte counter, none": ("0B 00 00 00 FF FF FF FF FF FF FF FF", {0: Absent.NONE}),
    "4-byte counters": ("07 00 00 00 FF FF FF FF 07 00 00 01 FF FF FF FE", {0: Absent.NONE, 1: Absent.UNKNOWN}),
}


@pytest.mark.parametrize(("image", "records"), RECORDS.values(), ids=RECORDS)
def test_records_match_the_references_bytes(image: str, records: dict[int, Counter]) -> None:
    assert volume_statistics.decode_records(bytes.fromhex(image)) == records


TORN = {
    "counter cut off": "09 00 00 00 00 00 00 00 00",
    "no counter": "03 00 00 00",
    "no partition": "01 00",
    "length 0": "00",
    "one partition twice": "07 00 00 00 00 00 00 01 07 00 00 00 00 00 00 02",
}


@pytest.mark.parametrize("image", TORN.values(), ids=TORN)
def test_torn_records_are_refused(image: str) -> None:
    with pytest.raises(Malformed):
        volume_statistics.decode_records(bytes.fromhex(image))


def test_text_is_read_without_either_padding() -> None:
    image = encode_page(Page(LogPage.VOLUME_STATISTICS, (Parameter(0x0042, b"A00001L8  \0\0"),)))

    assert volume_statistics.decode_volume_statistics(image).barcode == "A00001L8"


@given(st.sampled_from([0x0000, 0x0001, 0x0040, 0x0200, 0x0204, 0x0300]), st.binary(max_size=24))
def test_any_value_is_statistics_or_malformed(code: int, value: bytes) -> None:
    image = encode_page(Page(LogPage.VOLUME_STATISTICS, (Parameter(code, value),)))
    try:
        found = volume_statistics.decode_volume_statistics(image)
    except Malformed:
        return
    assert isinstance(found, VolumeStatistics)


@given(st.binary(max_size=60))
def test_any_bytes_are_a_page_or_malformed(data: bytes) -> None:
    try:
        volume_statistics.decode_volume_statistics(b"\x17\x00" + data)
    except Malformed:
        return
