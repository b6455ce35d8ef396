"""Compression: smaller or as it was, and always the same again."""

from random import Random

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from tapekey.errors import MediumDamaged
from tapekey.target import compress
from tapekey.target.compress import Compression, Compressor

NOISE = Random(7).randbytes(5_000)


@given(st.binary(min_size=1, max_size=400), st.integers(1, 40))
def test_what_was_shrunk_expands_to_what_it_was(piece: bytes, times: int) -> None:
    data = piece * times
    kind, small = Compressor().shrink(data)

    assert len(small) < len(data) or (kind, small) == (Compression.NONE, data)
    if kind is not Compression.NONE:
        out = bytearray(len(data))
        compress.expand_into(kind, small, memoryview(out))
        assert out == data


def test_a_frame_is_what_any_zstandard_reads() -> None:
    kind, small = Compressor().shrink(b"tape " * 1000)
    assert kind is Compression.ZSTANDARD
    assert zstandard.ZstdDecompressor().decompress(bytes(small), max_output_size=5000) == b"tape " * 1000


def test_after_blocks_that_do_not_shrink_only_a_few_are_tried() -> None:
    compressor, text = Compressor(), b"text " * 1000
    for _ in range(200):
        assert compressor.shrink(NOISE) == (Compression.NONE, NOISE)
    kinds = [compressor.shrink(text)[0] for _ in range(40)]

    assert kinds.count(Compression.NONE) <= 33
    assert kinds[-1] is Compression.ZSTANDARD


@pytest.mark.parametrize("size", [1, 4999, 5001, 100_000])
def test_a_frame_of_another_length_is_damage(size: int) -> None:
    kind, small = Compressor().shrink(b"tape " * 1000)
    with pytest.raises(MediumDamaged):
        compress.expand_into(kind, small, memoryview(bytearray(size)))


def test_a_kind_that_is_not_known_is_damage() -> None:
    with pytest.raises(MediumDamaged):
        compress.expand_into(9, b"", memoryview(bytearray(1)))


@given(st.binary(max_size=200), st.integers(1, 300))
def test_any_bytes_expand_or_are_damage(data: bytes, size: int) -> None:
    for image in (data, b"\x28\xb5\x2f\xfd" + data):
        out = bytearray(size)
        try:
            compress.expand_into(Compression.ZSTANDARD, image, memoryview(out))
        except MediumDamaged:
            continue
        assert len(out) == size
