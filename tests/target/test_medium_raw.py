"""Raw forms: a block copied without its key opens at another place of another tape."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tapekey.errors import Malformed
from tapekey.target import medium_raw
from tapekey.target.medium_record import Block, Seal
from tests.octets import octets
from tests.target.tapes import contents, held, made, put, put_sealed

SEAL = Seal(0x00010014, bytes(range(12)), 2, b"U", b"AA", raw_read_disabled=False)
STORED = bytes(range(100, 120))
RAW = octets("""
    74 6B 72 61 77 01                    # "tkraw", version 1
    00 02                                # not compressed; KAD format: ASCII name
    01 02                                # lengths of U-KAD and A-KAD
    00 00
    00 01 00 14                          # AES-256-GCM
    00 00 00 04                          # 4 bytes of the host's
    00 01 02 03 04 05 06 07 08 09 0A 0B  # IV
    55 41 41                             # U-KAD, A-KAD
""")


def test_raw_form_is_the_documented_bytes() -> None:
    assert medium_raw.raw(Block(4, 0, SEAL), STORED) == RAW + STORED


def test_raw_form_read_back_is_marked_external() -> None:
    block, stored = medium_raw.from_raw(RAW + STORED)
    metadata = medium_raw.metadata(Block(4, 0, SEAL))

    assert block == Block(4, 0, SEAL._replace(external=True, metadata=metadata))
    assert bytes(stored) == STORED


def test_metadata_tells_sets_of_parameters_apart_and_blocks_of_one_set_not() -> None:
    one = medium_raw.metadata(Block(4, 0, SEAL))
    assert len(one) == 64
    assert one == medium_raw.metadata(Block(9, 1, SEAL._replace(iv=bytes(12), external=True)))
    assert one != medium_raw.metadata(Block(4, 0, SEAL._replace(authenticated=b"AB")))
    assert one != medium_raw.metadata(Block(4, 0, SEAL._replace(unauthenticated=b"UA", authenticated=b"A")))


def test_raw_copy_opens_with_the_key_at_another_place(tmp_path: Path) -> None:
    source, target = made(tmp_path / "a"), made(tmp_path / "b")
    with held(source) as one, held(target) as two:
        put_sealed(one.tape, b"secret", authenticated=b"A" * 60)
        one.tape.rewind()
        header = one.tape.next()
        assert header is not None
        assert header.block is not None
        image = medium_raw.raw(header.block, one.tape.stored(header))
        put(two.tape, b"something before")
        block, stored = medium_raw.from_raw(image)
        two.tape.write(block, stored)

        assert contents(two.tape) == [b"something before", b"secret"]


@pytest.mark.parametrize("size", range(len(RAW) + 17))
def test_raw_form_cut_short_is_malformed(size: int) -> None:
    with pytest.raises(Malformed):
        medium_raw.from_raw((RAW + STORED)[:size])


def test_raw_form_that_claims_more_than_a_block_can_have_is_malformed() -> None:
    longer = RAW[:16] + b"\xff\xff\xff\xff" + RAW[20:]
    with pytest.raises(Malformed):
        medium_raw.from_raw(longer + STORED)


@given(st.binary(max_size=200), st.booleans())
def test_any_bytes_are_a_raw_form_or_malformed(data: bytes, marked: bool) -> None:
    image = RAW[:6] + data if marked else data
    try:
        block, stored = medium_raw.from_raw(image)
    except Malformed:
        return
    assert len(medium_raw.raw(block, stored)) == len(image)
