"""Page 0031h and the key fields of formats 01h and 02h (reference 2.9, 3.4, 3.5)."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tapekey.errors import Malformed
from tapekey.scsi.wrapped_key import (
    LabelPart,
    LabelType,
    PublicKey,
    PublicKeyPage,
    PublicKeyType,
    VendorReference,
    WrappedKey,
    decode_label,
    decode_public_key,
    decode_vendor_reference,
    decode_wrapped_key,
    encode_label,
    encode_public_key,
    encode_wrapped_key,
    read_public_key,
    rsa_2048,
)
from tapekey.wire.codes import Code
from tapekey.wire.layout import encode
from tests.octets import octets

MODULUS = bytes(range(255, -1, -1))
RSA_PAGE = (
    octets("""
        00 31 02 0a  # page length 10 + 512
        00 00 00 00  # RSA 2048
        00 00 00 00
        02 00        # key length
    """)
    + MODULUS
    + bytes(253)
    + octets("01 00 01")
)
RSA_KEY = PublicKey(int.from_bytes(MODULUS, "big"), 65537)
ECC_PAGE = octets("00 31 00 8f  00 00 00 10  00 00 00 00  00 85  04") + bytes(132)


def test_rsa_page_matches_its_bytes() -> None:
    assert len(RSA_PAGE) == 526
    assert encode_public_key(RSA_KEY) == RSA_PAGE
    assert rsa_2048(decode_public_key(RSA_PAGE)) == RSA_KEY
    assert rsa_2048(decode_public_key(RSA_PAGE + b"tail")) == RSA_KEY


def test_elliptic_key_has_a_name_and_is_no_rsa_key() -> None:
    page = decode_public_key(ECC_PAGE)

    assert page.type is PublicKeyType.ECC_521
    assert len(page.key) == 133
    assert rsa_2048(page) is None


def test_key_in_an_unknown_format_is_no_rsa_key() -> None:
    assert rsa_2048(decode_public_key(RSA_PAGE[:11] + b"\x01" + RSA_PAGE[12:])) is None


@pytest.mark.parametrize("size", [511, 513])
def test_rsa_key_of_another_length_is_malformed(size: int) -> None:
    with pytest.raises(Malformed, match="RSA 2048 public key"):
        rsa_2048(PublicKeyPage(key_length=size, key=bytes(size)))


PAGE_MALFORMED = {
    "page cut short": (RSA_PAGE[:-1], "522 bytes are announced, 521 came"),
    "key longer than the page": (octets("00 31 00 0a 00 00 00 00 00 00 00 00 00 01"), "contradicts itself"),
    "key shorter than the page": (octets("00 31 00 0b 00 00 00 00 00 00 00 00 00 00 aa"), "contradicts itself"),
    "head cut short": (octets("00 31 00 09 00 00 00 00 00 00 00 00 00"), "PublicKeyPage is cut short"),
    "another page": (b"\x00\x30" + RSA_PAGE[2:], "page code 0030h"),
}


@pytest.mark.parametrize(("image", "message"), PAGE_MALFORMED.values(), ids=PAGE_MALFORMED)
def test_what_is_no_page_is_malformed(image: bytes, message: str) -> None:
    with pytest.raises(Malformed, match=message):
        decode_public_key(image)


LABEL = octets("""
    00 00 00 08 50 05 07 63 00 01 02 03  # NAA of the logical unit
    04 00 00 02 01 00                    # wrapped key length
""")
PARTS = (
    LabelPart(LabelType.DEVICE_SERVER, octets("50 05 07 63 00 01 02 03")),
    LabelPart(LabelType.KEY_LENGTH, octets("01 00")),
)
KEYS = {
    "reference 3.5: as the one known client sends it": (
        octets("00 00 00 12") + LABEL + octets("01 00") + bytes(range(256)) + octets("00 00"),
        WrappedKey(PublicKeyType.RSA_2048, LABEL, bytes(range(256))),
    ),
    "worked out by hand: signed, no label": (
        octets("00 10  00 00  00 02 aa bb  00 01 cc"),
        WrappedKey(PublicKeyType.ECC_521, b"", b"\xaa\xbb", b"\xcc"),
    ),
}


def test_label_matches_its_bytes() -> None:
    assert encode_label(reversed(PARTS)) == LABEL
    assert decode_label(LABEL) == PARTS


@pytest.mark.parametrize(("image", "key"), KEYS.values(), ids=KEYS)
def test_wrapped_key_matches_its_bytes(image: bytes, key: WrappedKey) -> None:
    assert encode_wrapped_key(key) == image
    assert decode_wrapped_key(memoryview(image)) == key


@pytest.mark.parametrize(
    "image",
    [
        "",
        "00 00 00",
        "00 00 00 01",
        "00 00  00 00  00 02 aa",
        "00 00  00 00  00 01 aa",
        "00 00  00 00  00 01 aa  00 01",
        "00 00  00 00  00 01 aa  00 00  ff",
        "00 00  00 02 00 00  00 01 aa  00 00",
        "00 00  00 05 00 00 00 02 aa  00 01 aa  00 00",
    ],
)
def test_wrapped_key_that_is_not_used_up_exactly_is_malformed(image: str) -> None:
    with pytest.raises(Malformed):
        decode_wrapped_key(octets(image))


def test_vendor_reference_matches_its_bytes() -> None:
    reference = VendorReference("ACME", b"\x01\x02")

    assert encode(reference) == b"ACME    \x01\x02"
    assert decode_vendor_reference(b"ACME    \x01\x02") == reference
    with pytest.raises(Malformed):
        decode_vendor_reference(b"ACME   ")


def test_page_is_asked_for_by_its_code() -> None:
    assert read_public_key().cdb == octets("a2 20 00 31 00 00 00 00 20 00 00 00")


# fmt: off
NUMBERS: dict[type[Code], dict[str, int]] = {
    LabelType: {
        "DEVICE_SERVER": 0, "WRAPPING_ENTITY": 1, "KEY_INFORMATION": 2, "REQUESTED_KEY": 3, "KEY_LENGTH": 4,
    },
    PublicKeyType: {
        "RSA_2048": 0, "ECC_521": 0x10,
    },
}
# fmt: on


@pytest.mark.parametrize(("codes", "numbers"), NUMBERS.items(), ids=lambda one: getattr(one, "__name__", ""))
def test_codes_have_the_references_numbers(codes: type[Code], numbers: dict[str, int]) -> None:
    assert {code.name: code.value for code in codes} == numbers


@given(st.binary(max_size=60))
def test_any_bytes_are_a_key_or_malformed(data: bytes) -> None:
    with suppress(Malformed):
        assert encode_wrapped_key(decode_wrapped_key(data)) == data
    with suppress(Malformed):
        decode_vendor_reference(data)
    with suppress(Malformed):
        rsa_2048(decode_public_key(b"\x00\x31" + data))


@given(st.binary(max_size=40))
def test_any_bytes_are_a_label_or_malformed(data: bytes) -> None:
    with suppress(Malformed):
        parts = decode_label(data)
        assert decode_label(encode_label(parts)) == tuple(sorted(parts, key=lambda part: part.type))
