"""INQUIRY of reference 1.3 and 1.7; bytes worked out by hand from its tables."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tapekey.errors import Malformed
from tapekey.scsi import inquiry
from tapekey.scsi.codes import DeviceType
from tapekey.scsi.inquiry import Inquiry, Standard, VitalPage
from tapekey.wire.layout import decode, encode
from tests.octets import octets

LTO_8 = octets("""
    01                       # tape
    80                       # RMB
    06                       # SPC-4
    02                       # response data format
    23                       # additional length: 40 bytes in all
    01                       # PROTECT
    10                       # MULTIP
    02                       # CMDQUE
    49 42 4D 20 20 20 20 20  # IBM
    55 4C 54 52 49 55 4D 2D 54 44 38 20 20 20 20 20  # ULTRIUM-TD8
    4E 34 51 30              # N4Q0
    00 00 00 01              # byte 39: FIPS
""")
DRIVE = Standard(
    additional_length=0x23,
    protect=True,
    multi_port=True,
    command_queue=True,
    vendor="IBM",
    product="ULTRIUM-TD8",
    revision="N4Q0",
    more=bytes([0, 0, 0, 1]),
)


def test_standard_data_matches_the_references_bytes() -> None:
    assert inquiry.decode_standard(LTO_8) == DRIVE
    assert inquiry.encode_standard(DRIVE) == LTO_8


def test_additional_length_is_computed() -> None:
    image = inquiry.encode_standard(Standard(vendor="IBM", additional_length=0))

    assert len(image) == 36
    assert image[4] == 31


def test_fips_is_bit_0_of_byte_39() -> None:
    assert inquiry.decode_standard(LTO_8).fips
    assert not inquiry.decode_standard(LTO_8[:36]).fips


def test_enclosure_services_is_not_encryption() -> None:
    image = LTO_8[:6] + b"\x40" + LTO_8[7:]

    assert inquiry.decode_standard(image).enclosure_services


def test_bytes_behind_the_additional_length_are_left() -> None:
    assert inquiry.decode_standard(LTO_8 + bytes(20)) == DRIVE


def test_changer_is_told_from_a_tape() -> None:
    assert inquiry.decode_standard(b"\x08" + LTO_8[1:]).device_type is DeviceType.CHANGER


def test_standard_data_that_is_cut_short_is_refused() -> None:
    with pytest.raises(Malformed):
        inquiry.decode_standard(LTO_8[:35])


def test_commands_match_the_references_bytes() -> None:
    assert inquiry.inquire(96).cdb == bytes.fromhex("12 00 00 00 60 00")
    assert inquiry.inquire_vital(VitalPage.SERIAL, 0x1FF).cdb == bytes.fromhex("12 01 80 01 FF 00")
    assert inquiry.report_luns(16).cdb == bytes.fromhex("A0 00 00 00 00 00 00 00 00 10 00 00")


def test_device_reads_the_command() -> None:
    cdb = bytes.fromhex("12 01 83 00 FF 00")

    assert decode(Inquiry, cdb) == Inquiry(vital=True, page=VitalPage.IDENTIFICATION, room=255)
    assert encode(decode(Inquiry, cdb)) == cdb


def test_list_of_one_logical_unit() -> None:
    image = bytes.fromhex("00 00 00 08 00 00 00 00 00 00 00 00 00 00 00 00")

    assert inquiry.encode_luns((0,)) == image
    assert inquiry.decode_luns(image) == (0,)


def test_torn_logical_unit_is_refused() -> None:
    with pytest.raises(Malformed):
        inquiry.decode_luns(bytes.fromhex("00 00 00 08 00 00 00 00 00 00 00"))


@given(st.binary(max_size=300))
def test_any_bytes_are_inquiry_data_or_malformed(data: bytes) -> None:
    for read in (inquiry.decode_standard, inquiry.decode_luns):
        try:
            read(data)
        except Malformed:
            continue


LUNS = {
    "the changer, two drives": (
        "00 00 00 18 00 00 00 00" + " 00" * 8 + " 00 01" + " 00" * 6 + " 00 02" + " 00" * 6,
        (0, 1, 2),
    ),
    "flat space from 256": ("00 00 00 08 00 00 00 00 41 2c 00 00 00 00 00 00", (300,)),
}


@pytest.mark.parametrize(("image", "luns"), LUNS.values(), ids=LUNS)
def test_a_unit_number_stands_in_the_first_two_bytes_of_its_eight(image: str, luns: tuple[int, ...]) -> None:
    assert inquiry.encode_luns(luns) == bytes.fromhex(image)
    assert inquiry.decode_luns(bytes.fromhex(image)) == luns


@pytest.mark.parametrize("lun", ["80 00 00 00 00 00 00 00", "00 00 00 00 00 00 00 01", "01 00 00 00 00 00 00 00"])
def test_a_unit_number_of_more_than_one_level_is_malformed(lun: str) -> None:
    with pytest.raises(Malformed):
        inquiry.decode_luns(bytes.fromhex("00 00 00 08 00 00 00 00" + lun))
