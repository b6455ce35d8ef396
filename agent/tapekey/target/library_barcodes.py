"""Barcodes as one writes them on a command line: `ENC001L8..ENC024L8,CLN001L8`."""

import re
from collections.abc import Iterator
from typing import Final

from tapekey.errors import Usage

MOST: Final = 0xF000  # as many as a library has slots


def expand(text: str) -> list[str]:
    """All barcodes of a list of barcodes and ranges."""
    found: list[str] = []
    for item in filter(None, (part.strip() for part in text.split(","))):
        first, dots, last = item.partition("..")
        found += _between(first, last) if dots else [first]
    return found


def _between(first: str, last: str) -> Iterator[str]:
    """A range counts in the one run of digits in which its ends differ."""
    begin, end = re.split(r"(\d+)", first), re.split(r"(\d+)", last)
    differing = [at for at in range(min(len(begin), len(end))) if begin[at] != end[at]]
    if len(begin) != len(end) or len(differing) > 1:
        raise _no_range(first, last)
    if not differing:
        return iter([first])
    at = differing[0]
    low, high = begin[at], end[at]
    if at % 2 == 0 or len(low) != len(high) or not low < high or int(high) - int(low) >= MOST:
        raise _no_range(first, last)
    before, after = "".join(begin[:at]), "".join(begin[at + 1 :])
    return (f"{before}{number:0{len(low)}}{after}" for number in range(int(low), int(high) + 1))


def _no_range(first: str, last: str) -> Usage:
    return Usage(f"{first}..{last} is no range of barcodes", mend="such as ENC001L8..ENC024L8")
