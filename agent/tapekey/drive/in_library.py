"""Where a drive stands in its library, and which cartridge the library says is in it: the changer's word for both.

Only the changer is asked, without motion; no command goes to the drive.
"""

from dataclasses import dataclass

from tapekey.drive.identity import DriveId
from tapekey.errors import DriveUnknown
from tapekey.exchange import Transport
from tapekey.scsi import changer, changer_status, inquiry, vital
from tapekey.scsi.changer import ElementType
from tapekey.scsi.changer_status import DriveName, Element
from tapekey.scsi.inquiry import VitalPage
from tapekey.scsi.run import run
from tapekey.scsi.vital import CodeSet, DesignatorType

ATTENTIONS = 4  # of the changer: its programs expect them, and what is asked here rests on nothing older
VENDOR, PRODUCT = 8, 16  # bytes before the serial number in a T10 designator of a drive


@dataclass(frozen=True, slots=True)
class Bay:
    """One drive's place. `name` is None where the library does not tell which drive stands there."""

    library: str  # the library's serial number
    address: int
    full: bool
    barcode: str
    name: DriveName | None = None

    def holds(self, drive: DriveId) -> bool:
        """Whether this drive stands here; a library that does not tell contradicts nobody."""
        return self.name is None or _names(self.name, drive)

    def is_of(self, drive: DriveId) -> bool:
        """Whether the library says in so many words that this drive stands here."""
        return self.name is not None and _names(self.name, drive)


def bays(transport: Transport) -> tuple[Bay, ...]:
    """The places of all drives, in the order of their element addresses."""
    command = changer.read_status(ElementType.DRIVE, drive_names=True)
    pages = changer_status.decode_status(run(transport, command, through_attention=ATTENTIONS))
    found = [element for page in pages if page.type == ElementType.DRIVE for element in page.elements]
    library = library_serial(transport)
    return tuple(_bay(library, element) for element in sorted(found, key=lambda element: element.state.address))


def bay(transport: Transport, number: int) -> Bay:
    """The place of the drive that is counted `number` by its element address, from 0: as mtx and backup software count.

    DriveUnknown: the library has fewer drives.
    """
    drives = bays(transport)
    if not 0 <= number < len(drives):
        raise DriveUnknown(
            f"the library has no drive number {number}",
            why=f"it tells of {len(drives)}, counted from 0",
            mend="look at the drive index in the backup software's configuration, and at: mtx status",
        )
    return drives[number]


def library_serial(transport: Transport) -> str:
    """The serial number of the changer."""
    return vital.decode_serial(run(transport, inquiry.inquire_vital(VitalPage.SERIAL)))


def _bay(library: str, element: Element) -> Bay:
    barcode = (element.barcode or "").strip() if element.state.full else ""
    return Bay(library, element.state.address, element.state.full, barcode, element.name)


def _names(name: DriveName, drive: DriveId) -> bool:
    """Compare a name in any of the forms that libraries use: NAA, a T10 name that ends in the serial, or the serial."""
    if name.code_set == CodeSet.BINARY:
        return not drive.naa or name.kind != DesignatorType.NAA or name.value == drive.naa
    told = name.value.decode("ascii", "replace")
    serial = told[VENDOR + PRODUCT :] if name.kind == DesignatorType.T10_VENDOR_ID else told
    return serial.strip(" \0") == drive.serial
