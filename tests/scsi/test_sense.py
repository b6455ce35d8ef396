"""Sense data (reference 1.4; descriptor format from general SCSI knowledge, SPC-4)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tapekey.errors import Malformed
from tapekey.scsi.sense import (
    DescriptorSense,
    DescriptorType,
    FieldPointer,
    FixedSense,
    Sense,
    SenseKey,
    decode_sense,
    encode_descriptor,
    encode_fixed,
    field_name,
    point_at,
)
from tapekey.scsi.set_encryption import SetDataEncryption
from tapekey.wire.codes import Code
from tapekey.wire.layout import decode
from tests.octets import octets

FIXED = {
    "stenc PR 28: algorithm index refused, 8F 00 08": (
        "70 00 05 00 00 00 00 0a 00 00 00 00 26 00 00 8f 00 08",
        Sense(SenseKey.ILLEGAL_REQUEST, 0x26, 0x00, field=FieldPointer(8, 7)),
    ),
    "worked out by hand: page not supported, field 2 of the CDB": (
        "70 00 05 00 00 00 00 0a 00 00 00 00 24 00 00 c0 00 02",
        Sense(SenseKey.ILLEGAL_REQUEST, 0x24, 0x00, field=FieldPointer(2, in_cdb=True)),
    ),
    "reference 1.5: block 256 bytes shorter than asked": (
        "f0 00 20 00 00 01 00 0a 00 00 00 00 00 00 00 00 00 00",
        Sense(SenseKey.NO_SENSE, information=256, ili=True),
    ),
    "reference 1.5: block 256 bytes longer than asked": (
        "f0 00 20 ff ff ff 00 0a 00 00 00 00 00 00 00 00 00 00",
        Sense(SenseKey.NO_SENSE, information=-256, ili=True),
    ),
    "reference 1.5: filemark": (
        "f0 00 80 00 00 00 01 0a 00 00 00 00 00 01 00 00 00 00",
        Sense(SenseKey.NO_SENSE, 0x00, 0x01, information=1, filemark=True),
    ),
    "reference 1.5: end of data past early warning": (
        "f0 00 48 00 00 00 02 0a 00 00 00 00 00 05 00 00 00 00",
        Sense(SenseKey.BLANK_CHECK, 0x00, 0x05, information=2, eom=True),
    ),
    "reference 5.1: wrong key": (
        "70 00 07 00 00 00 00 0a 00 00 00 00 74 03 00 00 00 00",
        Sense(SenseKey.DATA_PROTECT, 0x74, 0x03),
    ),
    "worked out by hand: deferred, with command-specific information": (
        "71 00 04 00 00 00 00 0a 01 02 03 04 15 01 00 00 00 00",
        Sense(SenseKey.HARDWARE_ERROR, 0x15, 0x01, command_specific=0x01020304, deferred=True),
    ),
}
DESCRIPTORS = {
    "no descriptors": ("72 06 28 00 00 00 00 00", Sense(SenseKey.UNIT_ATTENTION, 0x28, 0x00)),
    "information and stream": (
        """
        72 08 00 05 00 00 00 10
        00 0a 80 00 ff ff ff ff ff ff ff fe  # information -2
        04 02 00 e0                          # filemark, EOM, ILI
        """,
        Sense(SenseKey.BLANK_CHECK, 0x00, 0x05, information=-2, filemark=True, eom=True, ili=True),
    ),
    "command-specific and field pointer, deferred": (
        """
        73 05 26 00 00 00 00 14
        01 0a 00 00 00 00 00 00 00 00 00 07
        02 06 00 00 8f 00 08 00
        """,
        Sense(SenseKey.ILLEGAL_REQUEST, 0x26, 0x00, command_specific=7, deferred=True, field=FieldPointer(8, 7)),
    ),
}


@pytest.mark.parametrize(("image", "sense"), FIXED.values(), ids=FIXED)
def test_fixed_format_matches_its_bytes(image: str, sense: Sense) -> None:
    assert encode_fixed(sense) == octets(image)
    assert decode_sense(octets(image)) == sense


@pytest.mark.parametrize(("image", "sense"), DESCRIPTORS.values(), ids=DESCRIPTORS)
def test_descriptor_format_matches_its_bytes(image: str, sense: Sense) -> None:
    assert encode_descriptor(sense) == octets(image)
    assert decode_sense(octets(image)) == sense


def test_code_is_written_as_the_reference_writes_it() -> None:
    assert Sense(SenseKey.DATA_PROTECT, 0x74, 0x03).code == "7/74/03"
    assert Sense(SenseKey.ABORTED_COMMAND, 0x74, 0x40).code == "B/74/40"


def test_longer_sense_of_ibm_drives_is_padded() -> None:
    image = encode_fixed(Sense(SenseKey.NOT_READY, 0x3A, 0x00), length=96)

    assert len(image) == 96
    assert image[7] == 0x58
    assert decode_sense(image) == Sense(SenseKey.NOT_READY, 0x3A, 0x00)


def test_information_too_large_for_fixed_format_is_left_out() -> None:
    sense = Sense(SenseKey.NO_SENSE, information=2**31)

    assert decode_sense(encode_fixed(sense)).information is None
    assert decode_sense(encode_descriptor(sense)).information == 2**31


def test_information_that_is_not_valid_is_not_reported() -> None:
    assert decode_sense(octets("70 00 20 00 00 01 00 0a") + bytes(10)).information is None
    assert decode_sense(octets("72 00 00 00 00 00 00 0c  00 0a 00 00 00 00 00 00 00 00 00 07")).information is None


def test_field_pointer_counts_only_with_illegal_request() -> None:  # elsewhere these bytes are a progress
    assert decode_sense(octets("70 00 02 00 00 00 00 0a 00 00 00 00 04 01 00 80 40 00")).field is None
    assert decode_sense(octets("70 00 05 00 00 00 00 0a 00 00 00 00 26 00 00 0f 00 08")).field is None


def test_bytes_behind_the_additional_length_are_not_sense() -> None:
    sense = decode_sense(octets("70 00 05 00 00 00 00 06 00 00 00 00 24 00 00 cf 00 02"))

    assert sense == Sense(SenseKey.ILLEGAL_REQUEST, 0x24, 0x00)


def test_sense_cut_to_a_small_buffer_still_says_its_code() -> None:
    assert decode_sense(octets("70 00 07 00 00 00 00 58 00 00 00 00 74 03")).code == "7/74/03"


def test_unknown_descriptor_is_passed_over() -> None:
    image = octets("72 07 74 03 00 00 00 09  80 03 00 01 02  04 02 00 80")

    assert decode_sense(image) == Sense(SenseKey.DATA_PROTECT, 0x74, 0x03, filemark=True)


@pytest.mark.parametrize("tail", ["04", "04 02 00", "00 0a 80 00 00", "04 01 80"])
def test_descriptor_cut_short_ends_the_list(tail: str) -> None:
    image = octets("72 07 74 03 00 00 00 20") + octets(tail)

    assert decode_sense(image) == Sense(SenseKey.DATA_PROTECT, 0x74, 0x03)


NOT_SENSE = {
    "none at all": "",
    "seven bytes": "70 00 05 00 00 00 00",
    "zeros": "00 " * 18,
    "vendor specific": "7f " * 18,
}


@pytest.mark.parametrize("image", NOT_SENSE.values(), ids=NOT_SENSE)
def test_what_is_not_sense_is_malformed(image: str) -> None:
    with pytest.raises(Malformed, match="sense data"):
        decode_sense(octets(image))


def test_overflow_of_sense_data_has_its_bit_in_both_formats() -> None:
    assert decode(FixedSense, octets("70 00 10") + bytes(15)) == FixedSense(sdat_ovfl=True)
    assert decode(DescriptorSense, octets("72 00 00 00 80 00 00 00")) == DescriptorSense(sdat_ovfl=True)


def test_unknown_key_is_kept() -> None:
    assert SenseKey(0x0C).name == "UNKNOWN_0CH"


@pytest.mark.parametrize(
    ("pointer", "name"),
    [
        (FieldPointer(8, 7), "ALGORITHM INDEX"),
        (FieldPointer(4, 7), "SCOPE"),
        (FieldPointer(4, 0), "LOCK"),
        (FieldPointer(4, 2), "byte 4 bit 2"),
        (FieldPointer(11), "byte 11"),
    ],
)
def test_field_is_named_from_the_rows(pointer: FieldPointer, name: str) -> None:
    assert field_name(SetDataEncryption, pointer) == name


def test_device_points_where_the_host_looks() -> None:
    assert point_at(SetDataEncryption, "algorithm_index") == FieldPointer(8, 7)
    assert point_at(SetDataEncryption, "ckod") == FieldPointer(5, 2)


# fmt: off
NUMBERS: dict[type[Code], dict[str, int]] = {
    SenseKey: {
        "NO_SENSE": 0, "RECOVERED_ERROR": 1, "NOT_READY": 2, "MEDIUM_ERROR": 3, "HARDWARE_ERROR": 4,
        "ILLEGAL_REQUEST": 5, "UNIT_ATTENTION": 6, "DATA_PROTECT": 7, "BLANK_CHECK": 8, "VENDOR_SPECIFIC": 9,
        "COPY_ABORTED": 0xA, "ABORTED_COMMAND": 0xB, "VOLUME_OVERFLOW": 0xD, "MISCOMPARE": 0xE, "COMPLETED": 0xF,
    },
    DescriptorType: {
        "INFORMATION": 0, "COMMAND_SPECIFIC": 1, "SENSE_KEY_SPECIFIC": 2, "FIELD_REPLACEABLE_UNIT": 3, "STREAM":
        4,
    },
}
# fmt: on


@pytest.mark.parametrize(("codes", "numbers"), NUMBERS.items(), ids=lambda one: getattr(one, "__name__", ""))
def test_codes_have_the_references_numbers(codes: type[Code], numbers: dict[str, int]) -> None:
    assert {code.name: code.value for code in codes} == numbers


@given(st.binary(max_size=64))
def test_any_bytes_are_sense_or_malformed(data: bytes) -> None:
    try:
        sense = decode_sense(data)
    except Malformed:
        return
    assert decode_sense(encode_descriptor(sense)) == sense


@given(st.sampled_from([0x70, 0x71, 0x72, 0x73]), st.binary(min_size=7, max_size=64))
def test_any_bytes_behind_a_known_format_are_sense(response: int, data: bytes) -> None:
    assert decode_sense(bytes([response]) + data).code
