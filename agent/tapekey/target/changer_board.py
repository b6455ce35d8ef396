"""The element status of a library, kept as the bytes that hosts ask for: encoded once, and anew where it changed.

Drives are the exception: whether the gripper reaches into one changes without any motion of the robot.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from tapekey.scsi import changer_status
from tapekey.scsi.changer import ElementType, ReadElementStatus
from tapekey.scsi.changer_status import DriveName, Element, ElementState, MediumType
from tapekey.scsi.vital import CodeSet, DesignatorType
from tapekey.target.library_drive import LibraryDrive
from tapekey.target.library_robot import Robot


@dataclass(slots=True)
class Board:
    """What is in every element. `changed` is called by the robot, under its guard, for elements to be written anew."""

    robot: Robot
    _plain: dict[int, bytes] = field(default_factory=dict)
    _tagged: dict[int, bytes] = field(default_factory=dict)

    def changed(self, addresses: Iterable[int]) -> None:
        """Forget what was encoded for these elements."""
        for address in addresses:
            self._plain.pop(address, None)
            self._tagged.pop(address, None)

    def status(self, asked: ReadElementStatus) -> bytes | None:
        """The data of READ ELEMENT STATUS, whole, as at one instant; None if no element is that high."""
        with self.robot.guard:
            return self._status(asked)

    def _status(self, asked: ReadElementStatus) -> bytes | None:
        left, lowest, count, pages = asked.count, None, 0, []
        for type, span in self.robot.description.layout.all():
            if asked.type not in (ElementType.ALL, type):
                continue
            addresses = range(max(span.start, asked.first), span.stop)[:left]
            if not addresses:
                continue
            left, count = left - len(addresses), count + len(addresses)
            lowest = addresses[0] if lowest is None else lowest
            pages.append(self._page(type, addresses, asked))
        if lowest is None:
            return None if asked.count else changer_status.encode_status(0, 0, ())
        return changer_status.encode_status(lowest, count, pages)

    def _page(self, type: ElementType, addresses: Sequence[int], asked: ReadElementStatus) -> bytes:
        tags = asked.volume_tags
        if type is ElementType.DRIVE:
            names = {address: self.name(address) if asked.drive_names else None for address in addresses}
            longest = max((len(name.value) for name in names.values() if name is not None), default=0)
            length = changer_status.descriptor_length(volume_tags=tags, longest_name=longest)
            found = [
                changer_status.encode_element(self.element(type, address, names[address]), length, volume_tags=tags)
                for address in addresses
            ]
        else:
            length = changer_status.descriptor_length(volume_tags=tags)
            kept = self._tagged if tags else self._plain
            found = [kept.get(address) or self._encoded(kept, type, address, length, tags) for address in addresses]
        return changer_status.encode_page(type, found, length, volume_tags=tags)

    def _encoded(self, kept: dict[int, bytes], type: ElementType, address: int, length: int, tags: bool) -> bytes:
        image = changer_status.encode_element(self.element(type, address), length, volume_tags=tags)
        kept[address] = image
        return image

    def element(self, type: ElementType, address: int, name: DriveName | None = None) -> Element:
        """One element as it is now."""
        seen, machine = self.robot.seen(address), self.robot.machines.get(address)
        mail = type is ElementType.IMPORT_EXPORT
        held, label = seen if seen is not None else (None, None)
        asc, ascq = label.fault if label is not None and label.fault is not None else (0, 0)
        state = ElementState(
            address=address,
            import_able=mail,
            export_able=mail,
            accessible=type is not ElementType.TRANSPORT and (machine is None or machine.lets_go),
            exception=label is not None and label.fault is not None,
            by_operator=mail and address in self.robot.brought,
            full=held is not None,
            asc=asc,
            ascq=ascq,
            source_valid=held is not None and bool(held.source),
            medium_type=label.type if label is not None else MediumType.UNSPECIFIED,
            source=held.source if held is not None else 0,
        )
        return Element(state, label.barcode if label is not None else None, name)

    def name(self, address: int) -> DriveName | None:
        """What DVCID tells of a drive, in the form that the library's knob chooses."""
        machine = self.robot.machines.get(address)
        form = self.robot.description.knobs.drive_names
        return None if machine is None or form == "none" else NAMES[form](machine)


def _t10(machine: LibraryDrive) -> bytes:
    facts = machine.description.personality
    return f"{facts.vendor:<8}{facts.product:<16}{machine.description.serial:<10}".encode("ascii")


NAMES = {
    "serial": lambda machine: DriveName(
        CodeSet.ASCII, DesignatorType.VENDOR_SPECIFIC, machine.description.serial.encode("ascii")
    ),
    "t10": lambda machine: DriveName(CodeSet.ASCII, DesignatorType.T10_VENDOR_ID, _t10(machine)),
    "naa": lambda machine: DriveName(CodeSet.BINARY, DesignatorType.NAA, machine.description.naa),
}
