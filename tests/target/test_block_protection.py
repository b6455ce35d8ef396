"""Logical block protection: the codes against published values, the check, and the bytes put behind a block."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tapekey.target import block_protection
from tapekey.target.block_protection import CRC32C, REED_SOLOMON
from tapekey.target.refusal import Refusal

CODES = {
    # RFC 3720, appendix B.4: CRC-32C of 32 bytes, in the order in which they are sent
    "CRC-32C of zeroes": (CRC32C, bytes(32), "aa 36 91 8a"),
    "CRC-32C of ones": (CRC32C, b"\xff" * 32, "43 ab a8 62"),
    "CRC-32C, ascending": (CRC32C, bytes(range(32)), "4e 79 dd 46"),
    # worked out by hand: x^4 modulo (x^4 + 38 x^3 + CF x^2 + 38 x + 1), that is the generator's tail
    "Reed-Solomon of 1": (REED_SOLOMON, b"\x01", "38 cf 38 01"),
    "Reed-Solomon of 2": (REED_SOLOMON, b"\x02", "70 83 70 02"),
    "Reed-Solomon of 3: the sum of these": (REED_SOLOMON, b"\x03", "48 4c 48 03"),
    "Reed-Solomon of leading zeroes": (REED_SOLOMON, bytes(9) + b"\x01", "38 cf 38 01"),
}


@pytest.mark.parametrize(("method", "data", "code"), CODES.values(), ids=CODES)
def test_code(method: int, data: bytes, code: str) -> None:
    assert block_protection.information(method, data) == bytes.fromhex(code)


@pytest.mark.parametrize("method", [REED_SOLOMON, CRC32C])
@given(data=st.binary(min_size=1, max_size=200))
def test_a_code_word_checks_to_nothing(method: int, data: bytes) -> None:
    whole = memoryview(data + block_protection.information(method, data))
    assert block_protection.checked(method, whole) == data
    if method == REED_SOLOMON:
        assert block_protection.reed_solomon(whole) == 0


@pytest.mark.parametrize("method", [REED_SOLOMON, CRC32C])
@given(data=st.binary(min_size=1, max_size=60), bit=st.integers(0, 10_000))
def test_any_bit_changed_is_noticed(method: int, data: bytes, bit: int) -> None:
    whole = bytearray(data + block_protection.information(method, data))
    bit %= 8 * len(whole)
    whole[bit // 8] ^= 1 << bit % 8
    with pytest.raises(Refusal) as refused:
        block_protection.checked(method, memoryview(whole))
    assert refused.value.sense.code == "B/10/01"


@pytest.mark.parametrize("size", range(5))
def test_protection_of_nothing_is_refused(size: int) -> None:
    with pytest.raises(Refusal):
        block_protection.checked(CRC32C, memoryview(bytes(size)))


def test_information_goes_behind_the_block_where_there_is_room() -> None:
    room = memoryview(bytearray(32))
    room[:10] = b"0123456789"
    whole = block_protection.protected(CRC32C, room[:10], room)
    assert isinstance(whole, memoryview)
    assert whole.obj is room.obj
    assert whole == block_protection.protected(CRC32C, b"0123456789", memoryview(b""))
