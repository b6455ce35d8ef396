"""Encryption management attributes, page 0022h (reference 2.7 and 3.6). All images are worked out by hand."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tapekey.errors import Malformed
from tapekey.scsi.management_attributes import (
    Attribute,
    AttributeType,
    Criterion,
    Operation,
    SelectionType,
    WrappingType,
    decode_criteria,
    decode_management_attributes,
    encode_criteria,
    encode_management_attributes,
    read_management_attributes,
    set_management_attributes,
)
from tapekey.wire.codes import Code
from tests.octets import octets

CRITERIA = (
    Criterion(SelectionType.ALGORITHM, octets("00 01 00 14"), critical=True),
    Criterion(SelectionType.KEY_ID, b"id"),
)
CRITERIA_BYTES = octets("""
    80 01 00 04 00 01 00 14  # CRIT, algorithm
    00 02 00 02 69 64        # key id
""")
ATTRIBUTES = (
    Attribute(AttributeType.DESIRED_OPERATION, Operation.RESOLVE.to_bytes(2, "big"), critical=True),
    Attribute(AttributeType.KEY_SELECTION_CRITERIA, CRITERIA_BYTES),
)
PAGE = (
    octets("""
        00 22 00 00 00
        01                       # CAOD
        00 1c                    # page length, at 6-7
        00 00 00 80 00 02 00 02  # desired operation, CRIT: resolve
        00 01 00 00 00 0e        # key selection criteria
    """)
    + CRITERIA_BYTES
)


def test_page_matches_its_bytes() -> None:
    page = decode_management_attributes(PAGE + b"tail")

    assert encode_management_attributes(ATTRIBUTES, caod=True) == PAGE
    assert page.attributes == ATTRIBUTES
    assert page.caod


def test_criteria_match_their_bytes() -> None:
    assert encode_criteria(CRITERIA) == CRITERIA_BYTES
    assert decode_criteria(CRITERIA_BYTES) == CRITERIA


def test_commands_name_the_page() -> None:
    assert read_management_attributes().cdb == octets("a2 20 00 22 00 00 00 00 20 00 00 00")
    sent = set_management_attributes(ATTRIBUTES, caod=True)
    assert sent.cdb == octets("b5 20 00 22 00 00 00 00 00 24 00 00")
    assert sent.data_out == PAGE


MALFORMED = {
    "head cut short": ("00 22 00 00 00 00 00", "cut short"),
    "more announced than came": ("00 22 00 00 00 00 00 01", "1 bytes are announced, 0 came"),
    "half an attribute": ("00 22 00 00 00 00 00 05  00 00 00 00 00", "cut short"),
    "half a value": ("00 22 00 00 00 00 00 07  00 00 00 00 00 02 00", "cut short"),
    "another page": ("00 20 00 00 00 00 00 00", "page code 0020h"),
    "length where other pages have it": ("00 22 00 08 00 00 00 02 00 00", "cut short"),
}


@pytest.mark.parametrize(("image", "message"), MALFORMED.values(), ids=MALFORMED)
def test_what_is_no_page_is_malformed(image: str, message: str) -> None:
    with pytest.raises(Malformed, match=message):
        decode_management_attributes(octets(image))


# fmt: off
NUMBERS: dict[type[Code], dict[str, int]] = {
    AttributeType: {
        "DESIRED_OPERATION": 0, "KEY_SELECTION_CRITERIA": 1, "KEY_WRAPPING": 2,
    },
    Operation: {
        "CREATE": 1, "RESOLVE": 2,
    },
    SelectionType: {
        "ALGORITHM": 1, "KEY_ID": 2,
    },
    WrappingType: {
        "KEKS": 1,
    },
}
# fmt: on


@pytest.mark.parametrize(("codes", "numbers"), NUMBERS.items(), ids=lambda one: getattr(one, "__name__", ""))
def test_codes_have_the_references_numbers(codes: type[Code], numbers: dict[str, int]) -> None:
    assert {code.name: code.value for code in codes} == numbers


@given(st.binary(max_size=60))
def test_any_bytes_are_a_page_or_malformed(data: bytes) -> None:
    with suppress(Malformed):
        decode_management_attributes(data)
    with suppress(Malformed):
        decode_management_attributes(octets("00 22 00 00 00 00 00") + bytes([len(data)]) + data)
    with suppress(Malformed):
        assert encode_criteria(decode_criteria(data)) == data
