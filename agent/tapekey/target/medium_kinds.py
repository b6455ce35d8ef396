"""The kinds of cartridge: what each generation holds and says of itself. Facts only; nothing here is read from a disk.

Densities and lengths: reference 1.10 and the vendors' data sheets; memory sizes: reference 4.3.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

MEGABYTE: Final = 10**6


@dataclass(frozen=True, slots=True)
class Generation:
    """One generation of cartridges.

    native      capacity without compression, in bytes
    memory      capacity of the memory chip as attribute 0407h tells it, in bytes
    length      of tape, in metres; width in tenths of a millimetre
    encryptable whether drives of this generation encrypt onto it
    """

    name: str
    density: int
    native: int
    memory: int
    length: int
    width: int
    encryptable: bool
    organization: str
    reference_size: int


def _lto(number: int, density: int, gigabytes: int, memory: int, length: int) -> Generation:
    return Generation(
        name=f"lto{number}",
        density=density,
        native=gigabytes * 1000 * MEGABYTE,
        memory=memory,
        length=length,
        width=127,
        encryptable=number >= 4,
        organization="LTO-CVE",
        reference_size=4,
    )


_T10000C: Final = Generation("t10000c", 0x4C, 5000 * 1000 * MEGABYTE, 4096, 1147, 127, True, "STK", 8)

GENERATIONS: Final[Mapping[str, Generation]] = {
    kind.name: kind
    for kind in (
        _lto(1, 0x40, 100, 1024, 609),
        _lto(2, 0x42, 200, 1024, 609),
        _lto(3, 0x44, 400, 1024, 680),
        _lto(4, 0x46, 800, 1024, 820),
        _lto(5, 0x58, 1500, 1024, 846),
        _lto(6, 0x5A, 2500, 3072, 846),
        _lto(7, 0x5C, 6000, 3072, 960),
        _lto(8, 0x5E, 12000, 3072, 960),
        _lto(9, 0x60, 18000, 3072, 1035),
        _T10000C,
    )
}
