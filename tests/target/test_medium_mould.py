"""A record stamped in its mould is byte for byte the one that is made anew, and nothing else is taken for it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tapekey.target import medium_record
from tapekey.target.medium_mould import Mould
from tapekey.target.medium_record import Block, Header, Kind, Seal, checksum

LOG_ID = bytes(range(16))
IV = bytes(range(100, 112))
SEAL = Seal(0x0001_0014, bytes(12), 2, b"who", b"what", b"m", external=False, raw_read_disabled=True)

places = st.tuples(
    st.integers(0, 2**63), st.integers(0, 2**63), st.integers(0, 2**63), st.integers(0, 2**32 - 1)
)  # offset, object, file, epoch


def anew(place: medium_record.Place, seal: Seal | None, stored: bytes) -> bytes:
    """The record as the ordinary way writes it."""
    block = Block(100, 0, seal and seal._replace(iv=IV))
    return medium_record.image(LOG_ID, place, Kind.BLOCK, block, len(stored), checksum(stored)) + stored


def stamped(place: medium_record.Place, seal: Seal | None, stored: bytes) -> Mould:
    mould = Mould(LOG_ID, Block(100, 0, seal), len(stored))
    if seal:
        mould.iv[:] = IV
    mould.stored[:] = stored
    mould.stamp(place)
    return mould


@pytest.mark.parametrize("seal", [None, SEAL], ids=["clear", "encrypted"])
@given(place=places, again=places, stored=st.binary(min_size=100, max_size=116))
def test_record_is_the_one_made_anew(
    seal: Seal | None, place: medium_record.Place, again: medium_record.Place, stored: bytes
) -> None:
    mould = stamped(place, seal, stored)
    assert bytes(mould.record) == anew(place, seal, stored)
    assert mould.holds(place[0], place[1])

    mould.stamp(again)
    assert bytes(mould.record) == anew(again, seal, stored)
    assert isinstance(medium_record.decode(LOG_ID, again[0], mould.record), Header)


@pytest.mark.parametrize("seal", [None, SEAL], ids=["clear", "encrypted"])
def test_any_bit_of_a_header_that_is_not_so_is_noticed(seal: Seal | None) -> None:
    mould = stamped((320, 5, 2, 1), seal, bytes(100))
    head = len(mould.record) - 100
    for bit in range(8 * head):
        mould.record[bit // 8] ^= 1 << bit % 8
        assert not mould.holds(320, 5)
        mould.record[bit // 8] ^= 1 << bit % 8
    assert mould.holds(320, 5)


def test_any_bit_of_a_clear_block_that_is_not_so_is_noticed() -> None:
    mould = stamped((320, 5, 2, 1), None, bytes(100))
    for bit in range(800):
        mould.stored[bit // 8] ^= 1 << bit % 8
        assert not mould.holds(320, 5)
        mould.stored[bit // 8] ^= 1 << bit % 8


OTHERS = {
    "a filemark": medium_record.image(LOG_ID, (320, 5, 2, 1), Kind.FILEMARK, None).ljust(400, b"\0"),
    "clear": anew((320, 5, 2, 1), None, bytes(116)),
    "under another name": anew((320, 5, 2, 1), SEAL._replace(unauthenticated=b"whO"), bytes(116)),
    "of another algorithm": anew((320, 5, 2, 1), SEAL._replace(algorithm=0x0001_0010), bytes(116)),
    "written EXTERNAL": anew((320, 5, 2, 1), SEAL._replace(external=True), bytes(116)),
    "elsewhere": anew((321, 5, 2, 1), SEAL, bytes(116)),
    "of another number": anew((320, 6, 2, 1), SEAL, bytes(116)),
    "of another length": anew((320, 5, 2, 1), SEAL, bytes(117)),
    "of another log": anew((320, 5, 2, 1), SEAL, bytes(116)).replace(LOG_ID, bytes(16)),
    "none": bytes(400),
}


@pytest.mark.parametrize("other", OTHERS)
def test_other_records_do_not_fit(other: str) -> None:
    mould = Mould(LOG_ID, Block(100, 0, SEAL), 116)
    mould.record[:] = OTHERS[other][: len(mould.record)].ljust(len(mould.record), b"\0")
    assert not mould.holds(320, 5)
    mould.record[:] = anew((320, 5, 2, 1), SEAL, bytes(116))
    assert mould.holds(320, 5)
