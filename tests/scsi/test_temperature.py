"""Temperature, log page 0Dh (SPC-4): bytes worked out by hand."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tapekey.errors import Malformed
from tapekey.scsi.temperature import decode_temperature, encode_temperature
from tests.octets import octets

PAGES = {
    "36 degrees": ("0d 00 00 06  00 00 03 02  00 24", 36),
    "cannot tell": ("0d 00 00 06  00 00 03 02  00 ff", None),
}


@pytest.mark.parametrize(("image", "celsius"), PAGES.values(), ids=PAGES)
def test_page_matches_the_standards_bytes(image: str, celsius: int | None) -> None:
    assert encode_temperature(celsius) == octets(image)
    assert decode_temperature(octets(image)) == celsius


@given(st.binary(max_size=20))
def test_any_bytes_are_a_temperature_or_malformed(data: bytes) -> None:
    try:
        decode_temperature(b"\x0d\x00" + data)
    except Malformed:
        return
