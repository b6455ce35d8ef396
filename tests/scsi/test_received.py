"""Announced and received lengths; worked out by hand."""

import pytest

from tapekey.errors import Malformed
from tapekey.scsi import received


def test_announced_length_ends_the_body() -> None:
    assert received.behind(b"HHHHabcdef", 4, 3) == b"abc"


def test_announced_length_never_extends_what_arrived() -> None:
    assert received.behind(b"HHHHabc", 4, 8192) == b"abc"


def test_fixed_part_leaves_what_is_appended() -> None:
    assert received.fixed(b"abcdef", 4, "it") == b"abcd"


def test_fixed_part_that_is_cut_short_is_refused() -> None:
    with pytest.raises(Malformed, match="the answer is cut short: 3 bytes of 4"):
        received.fixed(b"abc", 4, "the answer")


def test_no_bytes_are_no_number() -> None:
    with pytest.raises(Malformed):
        received.number(b"", "a counter")
