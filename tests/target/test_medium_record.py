"""Record headers against bytes worked out by hand from docs/formats/medium.md."""

import contextlib

import pytest
from crc32c import crc32c
from hypothesis import given
from hypothesis import strategies as st

from tapekey.errors import Malformed
from tapekey.target import medium_record
from tapekey.target.medium_record import Block, Header, Kind, Seal
from tests.octets import octets

LOG_ID = bytes(range(16))

HEADERS = {
    "filemark": (
        """
            74 6B 72 65 63 6F 72 64                          # "tkrecord"
            00 01 02 03 04 05 06 07 08 09 0A 0B 0C 0D 0E 0F  # log id
            00 00 00 00 00 00 01 40                          # offset 320
            00 00 00 00 00 00 00 05                          # object 5
            00 00 00 00 00 00 00 02                          # file 2
            00 00 00 01                                      # epoch 1
            02 00 00 00                                      # filemark; no flags, compression, KAD format
            00 00 00 00 00 00 00 00 00 00 00 00              # no algorithm, no length, nothing stored
            00 00 00 02                                      # no KADs; CRC-32C
            00 00 00 00 00 00 00 00 00 00 00 00              # no IV
            00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00
            00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00
            00 00 00 00                                      # checksum of nothing
        """,
        "",
        Header(Kind.FILEMARK, 320, 5, 2, 1),
    ),
    "encrypted block, written EXTERNAL, raw read disabled": (
        """
            74 6B 72 65 63 6F 72 64
            00 01 02 03 04 05 06 07 08 09 0A 0B 0C 0D 0E 0F
            00 00 00 00 00 00 00 40                          # offset 64
            00 00 00 00 00 00 00 00                          # object 0
            00 00 00 00 00 00 00 00                          # file 0
            00 00 00 00                                      # epoch 0
            01 E0 01 02                                      # block; sealed, external, raw off; Zstandard; ASCII name
            00 01 00 14                                      # AES-256-GCM
            00 00 10 00                                      # 4096 bytes of the host's
            00 00 00 30                                      # 48 stored
            03 02 01 02                                      # U-KAD 3, A-KAD 2, M-KAD 1; CRC-32C
            F0 F1 F2 F3 F4 F5 F6 F7 F8 F9 FA FB              # IV
            00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00
            00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00
            DE AD BE EF                                      # checksum of the stored bytes
        """,
        "75 75 75 61 61 6D",
        Header(
            Kind.BLOCK,
            64,
            0,
            0,
            0,
            48,
            0xDEADBEEF,
            Block(4096, 1, Seal(0x00010014, bytes(range(0xF0, 0xFC)), 2, b"uuu", b"aa", b"m", True, True)),
        ),
    ),
}


@pytest.mark.parametrize(("fixed", "kads", "header"), HEADERS.values(), ids=HEADERS)
def test_header_is_the_documented_bytes(fixed: str, kads: str, header: Header) -> None:
    start, end = octets(fixed), octets(kads)
    image = start + crc32c(start + end).to_bytes(4, "big") + end

    assert len(start) == 124
    assert medium_record.encode(LOG_ID, header) == image
    assert medium_record.decode(LOG_ID, header.offset, image + b"stored") == header
    assert header.size == len(image)


def test_any_bit_changed_in_a_header_is_noticed() -> None:
    whole = medium_record.encode(LOG_ID, HEADERS["encrypted block, written EXTERNAL, raw read disabled"][2])
    for bit in range(8 * len(whole)):
        image = bytearray(whole)
        image[bit // 8] ^= 1 << bit % 8
        with pytest.raises(Malformed):
            medium_record.decode(LOG_ID, 64, image)


def test_a_record_of_another_log_or_place_is_refused() -> None:
    image = medium_record.encode(LOG_ID, HEADERS["filemark"][2])
    with pytest.raises(Malformed):
        medium_record.decode(bytes(16), 320, image)
    with pytest.raises(Malformed):
        medium_record.decode(LOG_ID, 321, image)


@given(st.binary(max_size=300), st.booleans())
def test_any_bytes_are_a_header_or_malformed(data: bytes, marked: bool) -> None:
    image = medium_record.marker(LOG_ID) + bytes(8) + data if marked else data
    with contextlib.suppress(Malformed):
        assert medium_record.decode(LOG_ID, 0, image).offset == 0


@pytest.mark.parametrize("which", HEADERS)
def test_a_walk_learns_the_same_of_a_header(which: str) -> None:
    header = HEADERS[which][2]
    image = medium_record.encode(LOG_ID, header)
    found = medium_record.glance(LOG_ID, header.offset, image)

    assert found is not None
    assert (found.object_number, found.file_number, found.epoch) == (
        header.object_number,
        header.file_number,
        header.epoch,
    )
    assert (found.start, found.end, found.checksum) == (header.offset + header.size, header.end, header.checksum)
    assert (found.filemark, found.encrypted) == (header.kind is Kind.FILEMARK, header.block is not None)


@given(st.binary(max_size=300), st.booleans(), st.integers(0, 8 * 128 - 1))
def test_a_walk_takes_what_a_reader_takes(data: bytes, marked: bool, bit: int) -> None:
    whole = bytearray(medium_record.encode(LOG_ID, HEADERS["filemark"][2]))
    whole[bit // 8] ^= 1 << bit % 8
    for image in (medium_record.marker(LOG_ID) + bytes(8) + data if marked else data, bytes(whole)):
        try:
            medium_record.decode(LOG_ID, 320, image)
            readable = True
        except Malformed:
            readable = False
        assert (medium_record.glance(LOG_ID, 320, image) is not None) is readable
