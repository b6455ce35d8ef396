"""PDUs around their headers: padding, additional header segments, digests (RFC 7143, 11.2)."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tapekey.errors import Malformed
from tapekey.iscsi import digest, pdu
from tapekey.iscsi.pdu import Additional
from tapekey.iscsi.request import NopOut, ScsiCommand
from tests.iscsi.conversation import joined
from tests.octets import octets

ADDITIONAL = {
    "nothing": (b"", Additional()),
    "a CDB of 32 bytes (11.2.2.3)": (
        octets("00 11 01 00  10 11 12 13 14 15 16 17 18 19 1a 1b 1c 1d 1e 1f"),
        Additional(cdb=bytes(range(16, 32))),
    ),
    "a CDB of 18 bytes, padded": (octets("00 03 01 00  10 11 00 00"), Additional(cdb=b"\x10\x11")),
    "bidirectional read length (11.2.2.4)": (octets("00 05 02 00  00 01 00 00"), Additional(read_length=65536)),
    "both": (
        octets("00 03 01 00  10 11 00 00  00 05 02 00  00 00 00 60"),
        Additional(cdb=b"\x10\x11", read_length=96),
    ),
    "a kind that is not known": (octets("00 05 3f 00  ff ff ff ff"), Additional()),
}


@pytest.mark.parametrize(("image", "meaning"), ADDITIONAL.values(), ids=ADDITIONAL)
def test_additional_headers_are_read(image: bytes, meaning: Additional) -> None:
    assert pdu.additional_headers(image) == meaning


def test_additional_headers_are_written() -> None:
    assert pdu.extended_cdb(bytes(range(32))) == ADDITIONAL["a CDB of 32 bytes (11.2.2.3)"][0]
    assert pdu.extended_cdb(bytes(range(18))) == ADDITIONAL["a CDB of 18 bytes, padded"][0]
    assert pdu.extended_cdb(bytes(16)) == b""
    assert pdu.bidirectional_length(65536) == ADDITIONAL["bidirectional read length (11.2.2.4)"][0]


def test_additional_header_longer_than_its_room_is_refused() -> None:
    with pytest.raises(Malformed, match="cut short"):
        pdu.additional_headers(octets("00 ff 01 00"))


@settings(deadline=None)
@given(st.binary(max_size=1020))
def test_any_additional_headers_are_a_value_or_malformed(image: bytes) -> None:
    try:
        found = pdu.additional_headers(image)
    except Malformed:
        return
    assert len(found.cdb) <= len(image)


@pytest.mark.parametrize("length", range(9))
def test_data_are_padded_to_words(length: int) -> None:
    image = joined(pdu.parts(NopOut(), b"\xee" * length))
    assert image[:8] == bytes([0, 0x80, 0, 0, 0, 0, 0, length])
    assert image[48:] == b"\xee" * length + bytes(-length % 4)


def test_lengths_of_both_are_in_the_header() -> None:
    image = joined(pdu.parts(ScsiCommand(), b"data", additional=bytes(8)))
    assert image[4:8] == octets("02 00 00 04")
    assert image[48:] == bytes(8) + b"data"


def test_digests_stand_behind_what_they_cover() -> None:
    image = joined(pdu.parts(NopOut(), b"hello", digests=(True, True)))
    assert image[48:52] == digest.crc(image[:48])
    assert image[52:] == b"hello\0\0\0" + digest.crc(b"hello\0\0\0")


def test_no_data_have_no_digest() -> None:
    assert len(joined(pdu.parts(NopOut(), digests=(True, True)))) == 52


@settings(deadline=None)
@given(st.binary(min_size=48, max_size=48))
def test_any_header_is_decoded_or_nobodys(image: bytes) -> None:
    asked, told = pdu.request_of(image), pdu.response_of(image)
    assert asked is None or told is None
