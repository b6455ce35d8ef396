"""A drive's place in a library, as the drive knows it: whose it is, where it is, and what is in it.

What is in it is only in the library's inventory. Where the drive has ejected a cartridge is its own to remember.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tapekey.target.library_description import Description
from tapekey.target.library_inventory import Inventory


@dataclass(frozen=True, slots=True)
class Bay:
    """The library's serial number, the drive's element address, and the cartridge there."""

    library: str
    element: int
    content: Callable[[], Path | None]


def of(directory: Path, element: int) -> Bay:
    """The place of a drive that is powered on by itself, while its library is not."""
    description = Description.load(directory)

    def content() -> Path | None:
        held = Inventory.load(directory, description.layout).elements.get(element)
        return (directory / held.cartridge).absolute() if held is not None else None

    return Bay(description.serial, element, content)
