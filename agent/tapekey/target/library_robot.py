"""The robot of a library: it carries cartridges, one motion at a time, and keeps the inventory.

What hinders it is a `Stuck`, with the reason; the changer tells hosts of it as sense data, the panel as words.
While it moves, everything else may be asked. A motion is one replacement of the inventory, so that a cartridge is in
its source or in its destination at any instant. Drives take and give by their own locks, which no motion holds.
"""

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

from tapekey.errors import Conflict, Malformed
from tapekey.scsi.changer import ElementType
from tapekey.target import library_label
from tapekey.target.library_description import Description
from tapekey.target.library_drive import LibraryDrive
from tapekey.target.library_inventory import Held, Inventory
from tapekey.target.library_label import Label
from tapekey.target.machine import NotGiven

Step = tuple[int, int]  # from one address to another
Pause = Callable[[float], None]


class Reason(Enum):
    """Why a cartridge was not moved."""

    NO_ELEMENT = "there is no such element"
    NO_STORE = "the arm carries cartridges, and keeps none"
    SOURCE_EMPTY = "the source is empty"
    DESTINATION_FULL = "the destination is full"
    PREVENTED = "a host prevents its removal from the drive"
    NOT_UNLOADED = "the drive has not unloaded it"
    LOAD_FAILED = "the drive cannot take it"
    NOT_STORED = "the drive could not store all that was written; what it could not is lost"
    FAILED = "the inventory cannot be written"


class Stuck(Conflict):
    """A cartridge stays where it is."""

    def __init__(self, reason: Reason, why: str = "") -> None:
        super().__init__("the cartridge was not moved", why=f"{reason.value}{': ' if why else ''}{why}")
        self.reason = reason


@dataclass(slots=True)
class Robot:
    """The mechanics. `machines` are the drives by element address; none in a library without power."""

    directory: Path
    description: Description
    inventory: Inventory
    pause: Pause
    machines: Mapping[int, LibraryDrive] = field(default_factory=dict)
    changed: Callable[[Iterable[int]], None] = lambda _: None
    brought: set[int] = field(default_factory=set)  # import/export elements that an operator filled
    guard: threading.Lock = field(default_factory=threading.Lock)  # holds the inventory and what is made of it together
    _labels: dict[str, Label] = field(default_factory=dict)
    _arm: threading.Lock = field(default_factory=threading.Lock)

    # --- what is where ---

    def path(self, cartridge: str) -> Path:
        """The directory of a cartridge that the inventory names."""
        return self.directory / cartridge

    def content(self, address: int) -> Path | None:
        """The directory of the cartridge in an element."""
        held = self.inventory.elements.get(address)
        return self.path(held.cartridge).absolute() if held is not None else None

    def seen(self, address: int) -> tuple[Held, Label] | None:
        """The cartridge in an element, and what the scanner saw of it."""
        held = self.inventory.elements.get(address)
        return None if held is None else (held, self._labels[held.cartridge])

    def find(self, barcode: str) -> int | None:
        """The element of the cartridge with that barcode."""
        return next(
            (
                address
                for address, held in self.inventory.elements.items()
                if self._labels[held.cartridge].barcode == barcode
            ),
            None,
        )

    def scan(self, addresses: Iterable[int] | None = None) -> None:
        """Look at the cartridges in some elements, or in all."""
        wanted = list(self.inventory.elements if addresses is None else addresses)
        for address in wanted:
            held = self.inventory.elements.get(address)
            if held is not None:
                self._labels[held.cartridge] = library_label.scan(self.path(held.cartridge))
        with self.guard:
            self.changed(wanted)

    def inspect(self, addresses: Iterable[int] | None = None) -> None:
        """The same, in the time that it takes the arm."""
        with self._arm:
            self.pause(self.description.knobs.inventory_time)
            self.scan(addresses)

    # --- motion ---

    def position(self, address: int) -> None:
        """Go before an element."""
        self._known(address)
        with self._arm:
            self.pause(self.description.knobs.move_time)

    def carry(self, *steps: Step) -> None:
        """Move a cartridge, or exchange two: all of it or nothing. Stuck says why not."""
        for step in steps:
            for address in step:
                if self._known(address) is ElementType.TRANSPORT:
                    raise Stuck(Reason.NO_STORE)
        with self._arm:
            self._check(steps)
            self.pause(self.description.knobs.move_time)
            self._transfer([step for step in steps if step[0] != step[1]])

    def admit(self, address: int, cartridge: str) -> None:
        """An operator puts a cartridge into an element that must be empty."""
        with self._arm:
            if address in self.inventory.elements:
                raise Stuck(Reason.DESTINATION_FULL)
            self._labels[cartridge] = library_label.scan(self.path(cartridge))
            self._keep(self.inventory.with_(address, cartridge), [address], brought=True)

    def dismiss(self, address: int) -> Path:
        """An operator takes the cartridge out of an element."""
        with self._arm:
            held = self.inventory.elements.get(address)
            if held is None:
                raise Stuck(Reason.SOURCE_EMPTY)
            self._keep(self.inventory.without(address), [address])
            return self.path(held.cartridge)

    def _known(self, address: int) -> ElementType:
        type = self.description.layout.type_of(address)
        if type is None:
            raise Stuck(Reason.NO_ELEMENT, f"address {address}")
        return type

    def _check(self, steps: Sequence[Step]) -> None:
        vacated = {source for source, _ in steps}
        for source, destination in steps:
            if source not in self.inventory.elements:
                raise Stuck(Reason.SOURCE_EMPTY)
            if destination in self.inventory.elements and destination not in vacated:
                raise Stuck(Reason.DESTINATION_FULL)

    def _transfer(self, steps: Sequence[Step]) -> None:
        before = self.inventory
        after = before.moved(steps, self.description.layout)
        with self._undone_on_failure() as undo:
            for source, _ in steps:
                if source in self.machines:
                    self._take_from(self.machines[source])
                    undo.append((self.machines[source], self.path(before.elements[source].cartridge)))
            for source, destination in steps:
                if destination in self.machines:
                    self._give_to(self.machines[destination], self.path(before.elements[source].cartridge))
                    undo.append((self.machines[destination], None))
            self._keep(after, [address for step in steps for address in step])

    @contextmanager
    def _undone_on_failure(self) -> Iterator[list[tuple[LibraryDrive, Path | None]]]:
        """What drives gave goes back into their mouths, and what they took is taken from them again."""
        done: list[tuple[LibraryDrive, Path | None]] = []
        try:
            yield done
        except Stuck:
            for machine, cartridge in reversed(done):
                if cartridge is None:
                    machine.give_up()
                else:
                    machine.lay_back(cartridge)
            raise

    def _take_from(self, machine: LibraryDrive) -> None:
        unloads = self.description.knobs.changer_unloads
        try:
            self.pause(machine.hand_out(unloads=unloads))
        except NotGiven as error:
            raise Stuck(Reason.PREVENTED if error.prevented else Reason.NOT_UNLOADED) from error
        except OSError as error:
            raise Stuck(Reason.NOT_STORED, error.strerror or str(error)) from error

    def _give_to(self, machine: LibraryDrive, cartridge: Path) -> None:
        try:
            machine.insert(cartridge)
        except (Malformed, Conflict, OSError) as error:
            raise Stuck(Reason.LOAD_FAILED, str(error)) from error

    def _keep(self, inventory: Inventory, addresses: Sequence[int], *, brought: bool = False) -> None:
        try:
            inventory.save(self.directory)
        except OSError as error:
            raise Stuck(Reason.FAILED, error.strerror or str(error)) from error
        with self.guard:
            self.inventory = inventory
            self.brought.difference_update(addresses)
            self.brought.update(addresses if brought else ())
            self.changed(addresses)
