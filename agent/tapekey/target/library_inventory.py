"""Which cartridge is in which element: the file `inventory` of a library, replaced as a whole.

It is the truth at power on. A cartridge is named by its directory, relative to the library's where it lies inside,
so that a library can be copied. No cartridge is in it twice: such a file is refused. Format: docs/formats/library.md.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Self

from tapekey.errors import Malformed
from tapekey.scsi.changer import ElementType
from tapekey.target.library_layout import Layout
from tapekey.target.memory import read_checked, replace_checked

FILE: Final = "inventory"
STORES: Final = frozenset({ElementType.STORAGE, ElementType.IMPORT_EXPORT})


@dataclass(frozen=True, slots=True)
class Held:
    """A cartridge in an element. `source` is the storage or import/export element it came from; 0 if none is known."""

    cartridge: str
    source: int = 0


@dataclass(frozen=True, slots=True)
class Inventory:
    """All that is in a library, by element address."""

    elements: Mapping[int, Held] = field(default_factory=dict)

    @classmethod
    def load(cls, directory: Path, layout: Layout) -> Self:
        """Read the inventory of the library in a directory; Malformed if it cannot be true."""
        try:
            return cls(_decode(read_checked(directory / FILE, FILE), layout))
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise Malformed(f"the inventory of {directory} cannot be read", why=str(error)) from error

    def save(self, directory: Path) -> None:
        """Replace the inventory, durably."""
        rows = {str(address): [held.cartridge, held.source] for address, held in sorted(self.elements.items())}
        replace_checked(directory / FILE, FILE, {"elements": rows})

    def where(self, cartridge: str) -> int | None:
        """The element in which a cartridge is."""
        return next((address for address, held in self.elements.items() if held.cartridge == cartridge), None)

    def moved(self, steps: Iterable[tuple[int, int]], layout: Layout) -> "Inventory":
        """The inventory after all these moves at once, each from a full element to one that is empty by then."""
        steps = list(steps)
        elements = {address: held for address, held in self.elements.items() if address not in dict(steps)}
        for source, destination in steps:
            if destination in elements or layout.type_of(destination) is None:
                raise ValueError(f"element {destination} cannot take a cartridge")
            elements[destination] = _carried(self.elements[source], source, destination, layout)
        return Inventory(elements)

    def with_(self, address: int, cartridge: str) -> "Inventory":
        """The inventory with one cartridge more."""
        if address in self.elements or self.where(cartridge) is not None:
            raise ValueError(f"{cartridge} cannot be put into element {address}")
        return Inventory({**self.elements, address: Held(cartridge)})

    def without(self, address: int) -> "Inventory":
        """The inventory with one element emptied."""
        return Inventory({other: held for other, held in self.elements.items() if other != address})


def _carried(held: Held, source: int, destination: int, layout: Layout) -> Held:
    """Where it came from is of use while it is in a drive; back in a store it is told no more."""
    if layout.type_of(destination) in STORES:
        return Held(held.cartridge)
    return Held(held.cartridge, source if layout.type_of(source) in STORES else held.source)


def _decode(content: object, layout: Layout) -> dict[int, Held]:
    if not isinstance(content, dict):
        raise TypeError("the inventory holds no object")
    elements = {}
    for address, (cartridge, source) in content["elements"].items():
        if layout.type_of(int(address)) is None:
            raise ValueError(f"there is no element {address}")
        if not isinstance(cartridge, str) or not cartridge or not isinstance(source, int):
            raise TypeError(f"element {address} holds no cartridge")
        elements[int(address)] = Held(cartridge, source)
    if len({held.cartridge for held in elements.values()}) != len(elements):
        raise ValueError("a cartridge is in two elements")
    return elements
