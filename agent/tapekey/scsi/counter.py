"""Counters that may say "none" or "unknown": all ones, and all ones less one (reference 1.11, 4.2).

Log page 17h and the attributes 0224h and 0225h use them. The two are kept apart by type: unknown is never "no".
"""

from enum import Enum


class Absent(Enum):
    """Why there is no number."""

    NONE = "none"
    UNKNOWN = "unknown"


Counter = int | Absent


def _all_ones(size: int) -> int:
    return (1 << 8 * size) - 1


def counter(value: int, size: int) -> Counter:
    """What the number in a field of `size` bytes stands for."""
    if value == _all_ones(size):
        return Absent.NONE
    if value == _all_ones(size) - 1:
        return Absent.UNKNOWN
    return value


def image(value: Counter, size: int) -> bytes:
    """The field of `size` bytes that stands for it."""
    if value is Absent.NONE:
        number = _all_ones(size)
    elif value is Absent.UNKNOWN:
        number = _all_ones(size) - 1
    else:
        number = value
    return number.to_bytes(size, "big")
