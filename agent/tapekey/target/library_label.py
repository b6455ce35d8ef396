"""What a library's scanner sees of a cartridge: barcode, kind, and whether it is there at all.

And the other way: what kind of cartridge a barcode promises (the media identifiers of LTO, its last two characters).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tapekey.errors import Malformed
from tapekey.scsi.changer_status import MediumType
from tapekey.target import cartridge
from tapekey.target.cartridge import Identity, Kind

VANISHED: Final = (0x3A, 0x00)  # medium not present
UNREADABLE: Final = (0x30, 0x01)  # cannot read medium, unknown format
FAULTS: Final = {VANISHED: "its directory is gone", UNREADABLE: "its label cannot be read"}
CLEANING: Final = "CLN"

# fmt: off
MEDIA: Final[Mapping[str, tuple[str, bool]]] = {  # media identifier -> generation, write once
    **{f"L{number}": (f"lto{number}", False) for number in range(1, 10)},
    "M8": ("lto7", False),  # a new LTO-7 cartridge that is initialised for LTO-8 drives
    "LT": ("lto3", True), "LU": ("lto4", True), "LV": ("lto5", True), "LW": ("lto6", True),
    "LX": ("lto7", True), "LY": ("lto8", True), "LZ": ("lto9", True),
    "T2": ("t10000c", False),
}
# fmt: on


@dataclass(frozen=True, slots=True)
class Label:
    """A cartridge from outside. `fault` is what the element's exception says of it, as ASC and ASCQ."""

    barcode: str
    type: MediumType = MediumType.UNSPECIFIED
    fault: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class Promise:
    """What a barcode says of its cartridge."""

    generation: str
    kind: Kind
    worm: bool


def scan(directory: Path) -> Label:
    """Look at a cartridge; one that is gone or damaged keeps the name of its directory."""
    try:
        identity = cartridge.read_identity(directory)
    except Malformed:
        return Label(directory.name[:32], fault=UNREADABLE if directory.is_dir() else VANISHED)
    return Label(identity.barcode, _type(identity))


def _type(identity: Identity) -> MediumType:
    if identity.kind is Kind.CLEANING:
        return MediumType.CLEANING
    return MediumType.WRITE_ONCE if identity.worm else MediumType.DATA


def promised(barcode: str, generation: str) -> Promise:
    """What a barcode promises, `generation` where it says nothing of that."""
    found, worm = MEDIA.get(barcode[-2:], (generation, False))
    if barcode.startswith(CLEANING):
        return Promise(found, Kind.CLEANING, worm=False)
    return Promise(found, Kind.DATA, worm)
