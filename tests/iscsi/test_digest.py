"""CRC32C vectors, as printed in RFC 3720, B.4 (bytes in the order in which they are sent)."""

import pytest

from tapekey.iscsi import digest
from tests.octets import octets

VECTORS = {
    "32 bytes of zeroes": (bytes(32), "aa 36 91 8a"),
    "32 bytes of ones": (b"\xff" * 32, "43 ab a8 62"),
    "32 bytes, counting up": (bytes(range(32)), "4e 79 dd 46"),
    "32 bytes, counting down": (bytes(reversed(range(32))), "5c db 3f 11"),
    "a SCSI Read(10) command": (
        octets("""
            01 c0 00 00 00 00 00 00 00 00 00 00 00 00 00 00 14 00 00 00 00 00 04 00
            00 00 00 14 00 00 00 18 28 00 00 00 00 00 00 00 02 00 00 00 00 00 00 00
        """),
        "56 3a 96 d9",
    ),
}


@pytest.mark.parametrize(("data", "expected"), VECTORS.values(), ids=VECTORS)
def test_digest_is_the_one_printed(data: bytes, expected: str) -> None:
    assert digest.crc(data) == bytes.fromhex(expected)


@pytest.mark.parametrize("cut", range(33))
def test_digest_of_parts_is_that_of_the_whole(cut: int) -> None:
    data = bytes(range(32))
    assert digest.crc(data[:cut], memoryview(data)[cut:]) == bytes.fromhex("4e 79 dd 46")
