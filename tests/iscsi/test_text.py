"""Text of login and text PDUs (RFC 7143, 6.1)."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tapekey.errors import Malformed
from tapekey.iscsi import text

NUMBERS = {
    "0": 0,
    "262144": 262144,
    "0x40000": 262144,
    "0XfF": 255,
    "9999999999999999999": 9999999999999999999,
    "10000000000000000000": None,
    "": None,
    "01": None,
    "-1": None,
    "+1": None,
    " 1": None,
    "1 ": None,
    "1.0": None,
    "0x": None,
    "0x1ffffffffffffffff": None,
    "٣": None,
    "Yes": None,
}

BINARY = {
    "0x68656c6c6f": b"hello",
    "0X68656C6C6F": b"hello",
    "0x1ff": b"\x01\xff",
    "0x0": b"\0",
    "0baGVsbG8=": b"hello",
    "0BaGVsbG8=": b"hello",
    "0baGVsbG8": None,
    "0b====": None,
    "0x": None,
    "0b": None,
    "hello": None,
    "0xgg": None,
    "0x" + "00" * 1024: bytes(1024),
    "0x" + "00" * 1025: None,
}

BROKEN = {
    "no equals sign": b"InitiatorName\0",
    "no key": b"=value\0",
    "a key with a space": b"Initiator Name=a\0",
    "a key that begins with a digit": b"1Name=a\0",
    "a key of 64 bytes": b"A" * 64 + b"=a\0",
    "a key that is not ASCII": "Näme=a\0".encode(),
    "a value that is not UTF-8": b"Name=\xff\xfe\0",
    "a value that is too long": b"Name=" + b"a" * 8193 + b"\0",
    "129 keys": b"".join(b"A%d=1\0" % number for number in range(129)),
}


@pytest.mark.parametrize(("value", "number"), NUMBERS.items())
def test_numerical_value_is_decimal_or_hexadecimal(value: str, number: int | None) -> None:
    assert text.number(value) == number


@pytest.mark.parametrize(("value", "content"), BINARY.items(), ids=[key[:16] for key in BINARY])
def test_binary_value_is_hexadecimal_or_base64(value: str, content: bytes | None) -> None:
    assert text.binary(value) == content


@pytest.mark.parametrize("data", BROKEN.values(), ids=BROKEN)
def test_text_that_is_none_is_malformed(data: bytes) -> None:
    with pytest.raises(Malformed):
        text.pairs(data)


def test_pairs_keep_their_order() -> None:
    assert text.pairs(b"b=1\0a=2=3\0X-com.example.c=\0") == [("b", "1"), ("a", "2=3"), ("X-com.example.c", "")]


def test_last_pair_without_its_end_and_empty_entries_are_read() -> None:
    assert text.pairs(b"\0a=1\0\0b=2") == [("a", "1"), ("b", "2")]


def test_128_keys_are_read() -> None:
    assert len(text.pairs(b"".join(b"A%d=1\0" % number for number in range(128)))) == 128


def test_image_is_the_one_of_the_standard() -> None:
    assert text.image([("InitialR2T", "No"), ("TargetAlias", "")]) == b"InitialR2T=No\0TargetAlias=\0"


@settings(deadline=None)
@given(st.binary(max_size=300))
def test_any_text_is_pairs_or_malformed(data: bytes) -> None:
    try:
        found = text.pairs(data)
    except Malformed:
        return
    assert text.pairs(text.image(found)) == found


@settings(deadline=None)
@given(st.binary(min_size=1, max_size=64))
def test_binary_value_comes_back(value: bytes) -> None:
    assert text.binary(text.of_binary(value)) == value
