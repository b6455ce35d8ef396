"""The two special values of reference 1.11: FF…FFh none, FF…FEh unknown."""

import pytest

from tapekey.scsi.counter import Absent, Counter, counter, image

CASES: dict[str, tuple[str, Counter]] = {
    "none": ("FF FF FF FF FF FF", Absent.NONE),
    "unknown": ("FF FF FF FF FF FE", Absent.UNKNOWN),
    "the largest number": ("FF FF FF FF FF FD", 0xFFFF_FFFF_FFFD),
    "zero": ("00 00 00 00 00 00", 0),
}


@pytest.mark.parametrize(("octets", "value"), CASES.values(), ids=CASES)
def test_counter_matches_its_bytes(octets: str, value: Counter) -> None:
    assert counter(int.from_bytes(bytes.fromhex(octets), "big"), 6) == value
    assert image(value, 6) == bytes.fromhex(octets)


def test_none_of_one_width_is_a_number_in_another() -> None:
    assert counter(0xFFFF, 4) == 65535
