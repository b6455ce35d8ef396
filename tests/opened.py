"""Cartridges that tests take and leave in their drives: closed behind each test, or a run needs thousands of files."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tapekey.target.cartridge import Cartridge

_TAKEN: list[Cartridge] = []


def taken(place: Path) -> Cartridge:
    """Take a cartridge until the test is over."""
    cartridge = Cartridge.open(place)
    _TAKEN.append(cartridge)
    return cartridge


@contextmanager
def closed_behind() -> Iterator[None]:
    """Close what is taken within; what a wider fixture took before stays."""
    before = len(_TAKEN)
    try:
        yield
    finally:
        for cartridge in _TAKEN[before:]:
            cartridge.close()
        del _TAKEN[before:]
