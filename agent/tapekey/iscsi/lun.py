"""The eight-byte logical unit number of a PDU (SAM-5, 4.7; RFC 7143, 11.2.1.7)."""

from typing import Final

SIZE: Final = 8
BELOW_FIRST_LEVEL: Final = 0x0000_FFFF_FFFF_FFFF
PERIPHERAL: Final = 0b00
FLAT: Final = 0b01


def decode(field: int) -> int | None:
    """The unit that the field names, given as a number of 64 bits; None if no unit of one level can have it."""
    first = field >> 48
    method = first >> 14
    if field & BELOW_FIRST_LEVEL:
        return None
    if method == PERIPHERAL:
        return first if first <= 0xFF else None
    return first & 0x3FFF if method == FLAT else None


def encode(unit: int) -> bytes:
    """Peripheral addressing up to 255, flat space addressing beyond."""
    if not 0 <= unit < 1 << 14:
        raise ValueError(f"no logical unit number: {unit}")
    first = unit if unit <= 0xFF else FLAT << 14 | unit
    return first.to_bytes(2, "big") + bytes(6)
