"""Key-associated data descriptors (reference 3.7)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tapekey.errors import Malformed
from tapekey.scsi.kad import Authentication, Kad, KadType, decode_kads, encode_kads
from tapekey.wire.codes import Code
from tests.octets import octets

LISTS = {
    "none": (b"", ()),
    "stenc unit test: U-KAD, not covered": (
        octets("00 01 00 0c 48 65 6c 6c 6f 20 77 6f 72 6c 64 21"),
        (Kad(KadType.UNAUTHENTICATED, b"Hello world!", Authentication.NOT_COVERED),),
    ),
    "worked out by hand: U-KAD and A-KAD as a drive reports them": (
        octets("""
            00 02 00 02 aa bb  # U-KAD, no attempt made to authenticate
            01 03 00 01 cc     # A-KAD, authenticated successfully
        """),
        (
            Kad(KadType.UNAUTHENTICATED, b"\xaa\xbb", Authentication.NOT_ATTEMPTED),
            Kad(KadType.AUTHENTICATED, b"\xcc", Authentication.AUTHENTICATED),
        ),
    ),
    "worked out by hand: all types as they are sent": (
        octets("""
            00 00 00 01 01
            01 00 00 01 02
            02 00 00 01 03
            03 00 00 01 04
            04 00 00 01 05
        """),
        tuple(Kad(KadType(number), bytes([number + 1])) for number in range(5)),
    ),
    "worked out by hand: a type and an authentication newer than our table": (
        octets("09 07 00 00"),
        (Kad(KadType(9), b"", Authentication(7)),),
    ),
}


@pytest.mark.parametrize(("image", "kads"), LISTS.values(), ids=LISTS)
def test_descriptors_match_their_bytes(image: bytes, kads: tuple[Kad, ...]) -> None:
    assert encode_kads(kads) == image
    assert decode_kads(image) == kads


def test_descriptors_are_written_in_ascending_order() -> None:
    kads = [Kad(KadType.METADATA, b"m"), Kad(KadType.AUTHENTICATED, b"a"), Kad(KadType.UNAUTHENTICATED, b"u")]

    assert encode_kads(kads) == octets("00 00 00 01 75  01 00 00 01 61  03 00 00 01 6d")


def test_reserved_bits_are_ignored() -> None:
    assert decode_kads(octets("00 f9 00 00")) == (Kad(KadType.UNAUTHENTICATED, b"", Authentication.NOT_COVERED),)


@pytest.mark.parametrize("image", ["00 00 00", "00 00 00 02 aa", "00 00 00 00 01", "00 00 ff ff"])
def test_descriptor_cut_short_is_malformed(image: str) -> None:
    with pytest.raises(Malformed, match="key-associated data is cut short"):
        decode_kads(octets(image))


# fmt: off
NUMBERS: dict[type[Code], dict[str, int]] = {
    KadType: {
        "UNAUTHENTICATED": 0, "AUTHENTICATED": 1, "NONCE": 2, "METADATA": 3, "WRAPPED_KEY": 4,
    },
    Authentication: {
        "NOT_SAID": 0, "NOT_COVERED": 1, "NOT_ATTEMPTED": 2, "AUTHENTICATED": 3, "FAILED": 4,
    },
}
# fmt: on


@pytest.mark.parametrize(("codes", "numbers"), NUMBERS.items(), ids=lambda one: getattr(one, "__name__", ""))
def test_codes_have_the_references_numbers(codes: type[Code], numbers: dict[str, int]) -> None:
    assert {code.name: code.value for code in codes} == numbers


@given(st.binary(max_size=64))
def test_any_bytes_are_descriptors_or_malformed(data: bytes) -> None:
    try:
        kads = decode_kads(data)
    except Malformed:
        return
    assert decode_kads(encode_kads(kads)) == tuple(sorted(kads, key=lambda kad: kad.type))
