"""An opened library, and what an operator can do at its front panel."""

import contextlib
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from tapekey.errors import Conflict, NotFound
from tapekey.scsi.changer import ElementType
from tapekey.target import cartridge
from tapekey.target.changer import ChangerUnit
from tapekey.target.description import Description as DriveDescription
from tapekey.target.library_description import KNOBS
from tapekey.target.library_inventory import Held
from tapekey.target.library_label import FAULTS, Label
from tapekey.target.library_robot import Robot
from tapekey.target.machine import Machine
from tapekey.target.rack import Rack
from tapekey.target.unit import Unit
from tapekey.target.unit_attention import Attention

CARTRIDGES: Final = "cartridges"


@dataclass(slots=True)
class Library:
    """An opened library. `drives` are those that have power in this process; the robot knows them wherever they are."""

    directory: Path
    robot: Robot
    changer: ChangerUnit
    drives: tuple[Machine, ...]

    @property
    def rack(self) -> Rack:
        """The changer at LUN 0, the drives from LUN 1."""
        units: dict[int, Unit] = {0: self.changer}
        units.update(enumerate(self.drives, start=1))
        return Rack(units, self.robot.description.serial)

    def status(self) -> dict[str, object]:
        """What one sees by looking at the library."""
        description, layout = self.robot.description, self.robot.description.layout
        places = [layout.type_of(address) for address in self.robot.inventory.elements]
        return {
            "serial": description.serial,
            "powered": bool(self.robot.machines),
            "drives": layout.drives,
            "drives_full": places.count(ElementType.DRIVE),
            "slots": layout.slots,
            "slots_full": places.count(ElementType.STORAGE),
            "mail_slots": layout.mail_slots,
            "mail_slots_full": places.count(ElementType.IMPORT_EXPORT),
            "removal_prevented": self.changer.changer.prevented,
            **asdict(description.knobs),
        }

    def inventory(self) -> list[dict[str, object]]:
        """What is where: every drive and every element that is full."""
        rows = []
        for type, span in self.robot.description.layout.all():
            for address in span:
                seen = self.robot.seen(address)
                if seen is not None or type is ElementType.DRIVE:
                    rows.append(self._row(address, seen))
        return rows

    def _row(self, address: int, seen: tuple[Held, Label] | None) -> dict[str, object]:
        layout, machine = self.robot.description.layout, self.robot.machines.get(address)
        held, label = seen if seen is not None else (None, None)
        return {
            "element": layout.name(address),
            "address": address,
            "barcode": label.barcode if label else None,
            "cartridge": str(self.robot.path(held.cartridge)) if held else None,
            "source": layout.name(held.source) if held and held.source else None,
            "fault": FAULTS[label.fault] if label and label.fault else None,
            "place": machine.status()["place"] if machine else None,
        }

    # --- the front panel ---

    def insert(self, directory: Path) -> str:
        """Lay a cartridge into a free import/export element; its name is told."""
        self._check_mail()
        place = _named(self.directory, directory)
        if self.robot.inventory.where(place) is not None:
            raise Conflict(f"{directory.name} is in the library already")
        cartridge.read_identity(self.directory / place)
        address = self._free(ElementType.IMPORT_EXPORT)
        self.robot.admit(address, place)
        self.changer.changer.tell(Attention.IMPORT_EXPORT_ACCESSED)
        return self.robot.description.layout.name(address)

    def export(self, what: str) -> Path:
        """Take a cartridge out of the library: by way of an import/export element if it is in a slot."""
        self._check_mail()
        address = self.locate(what)
        layout = self.robot.description.layout
        if layout.type_of(address) is not ElementType.IMPORT_EXPORT:
            mail = self._free(ElementType.IMPORT_EXPORT)
            self.robot.carry((address, mail))
            address = mail
        taken = self.robot.dismiss(address)
        self.changer.changer.tell(Attention.IMPORT_EXPORT_ACCESSED)
        return taken

    def move(self, what: str, where: str) -> str:
        """Have the robot carry a cartridge, as an operator at the panel would."""
        destination = self.robot.description.layout.address(where)
        self.robot.carry((self.locate(what), destination))
        self.changer.changer.tell(Attention.NOT_READY_TO_READY)
        return self.robot.description.layout.name(destination)

    def rescan(self) -> None:
        """Look at every cartridge again."""
        self.robot.inspect()

    def set(self, **knobs: object) -> None:
        """Turn knobs: the library's own, and with any other all its drives'."""
        own = {name: value for name, value in knobs.items() if name in KNOBS}
        others = {name: value for name, value in knobs.items() if name not in KNOBS}
        description = self.robot.description.with_knobs(own)
        if others:
            self._set_drives(others)
        if own:
            description.save(self.directory)
            self.robot.description = description

    def _set_drives(self, knobs: dict[str, object]) -> None:
        drives = self.robot.machines.values()
        for drive in drives:
            drive.description.with_knobs(knobs)
        for drive in drives:
            drive.set(**knobs)
        if not drives:
            for number in range(self.robot.description.layout.drives):
                place = self.directory / f"drive-{number + 1}"
                DriveDescription.load(place).with_knobs(knobs).save(place)

    def reset(self) -> None:
        """Reset the changer and all drives, as by a bus reset."""
        self.changer.reset()
        for drive in self.robot.machines.values():
            drive.reset()

    def locate(self, what: str) -> int:
        """The element that is meant by its name, or by the barcode or directory of the cartridge in it."""
        for address in (self.robot.find(what), self.robot.inventory.where(_named(self.directory, Path(what)))):
            if address is not None:
                return address
        try:
            return self.robot.description.layout.address(what)
        except NotFound as error:
            raise NotFound(f"the library has no cartridge and no element {what}") from error

    def _check_mail(self) -> None:
        if not self.robot.description.layout.mail_slots:
            raise Conflict("the library has no import/export element")
        if self.changer.changer.prevented:
            raise Conflict("the import/export elements are locked", why="a host prevents their removal")

    def _free(self, type: ElementType) -> int:
        for address in self.robot.description.layout.span(type):
            if address not in self.robot.inventory.elements:
                return address
        raise Conflict("no import/export element is free", mend="export a cartridge, or move one into a slot")


def _named(library: Path, directory: Path) -> str:
    """How the inventory names a cartridge: by itself if it lies in the library's own directory, else in full."""
    inside = library / CARTRIDGES / directory
    if directory.name == str(directory) and not directory.exists() and inside.exists():
        return f"{CARTRIDGES}/{directory}"
    whole = directory.resolve()
    with contextlib.suppress(ValueError):
        return str(whole.relative_to(library.resolve()))
    return str(whole)
