"""Which drive stands where in a library, and what is in it: from the changer's word alone."""

from collections.abc import Sequence
from dataclasses import dataclass

import pytest

from tapekey.drive import in_library
from tapekey.drive.identity import DriveId
from tapekey.errors import DriveUnknown
from tapekey.exchange import Command, Reply
from tapekey.scsi import changer_status
from tapekey.scsi.changer import ElementType
from tapekey.scsi.changer_status import DriveName, Element, ElementState
from tapekey.scsi.vital import CodeSet, DesignatorType

NAA = bytes.fromhex("5000e11155667788")
DRIVE = DriveId("IBM", "ULT3580-TD8", "10WT012345", NAA)
OTHER = DriveId("IBM", "ULT3580-TD8", "10WT012346", NAA[:-1] + b"\x99")


def element(address: int, *, full: bool = False, barcode: str | None = None, name: DriveName | None = None) -> Element:
    state = ElementState(address=address, full=full, medium_type=changer_status.MediumType.UNSPECIFIED)
    return Element(state, barcode, name)


@dataclass
class Changer:
    """A changer that only tells. `attentions` come first, once each."""

    elements: Sequence[Element]
    attentions: int = 0

    def execute(self, command: Command) -> Reply:
        if command.cdb[0] == 0x12:
            return Reply(0, bytes.fromhex("0880000a") + b"LIBRARY001")
        assert command.cdb[0] == 0xB8
        assert command.cdb[6] == 0b11  # CURDATA and DVCID: no motion, and the drives' names
        if self.attentions:
            self.attentions -= 1
            return Reply(2, sense=bytes.fromhex("70 00 06 00000000 0a 00000000 28 01 00 000000"))
        length = changer_status.descriptor_length(volume_tags=True, longest_name=34)
        each = [changer_status.encode_element(one, length, volume_tags=True) for one in self.elements]
        page = changer_status.encode_page(ElementType.DRIVE, each, length, volume_tags=True)
        return Reply(0, changer_status.encode_status(256, len(each), [page]))


def test_drives_are_counted_by_their_addresses() -> None:
    changer = Changer([element(257, full=True, barcode="ENC002L8"), element(256)])
    assert in_library.bay(changer, 0) == in_library.Bay("LIBRARY001", 256, full=False, barcode="")
    assert in_library.bay(changer, 1) == in_library.Bay("LIBRARY001", 257, full=True, barcode="ENC002L8")


def test_barcode_of_an_empty_drive_is_none() -> None:
    assert in_library.bay(Changer([element(256, barcode="ENC001L8")]), 0).barcode == ""


def test_attentions_of_the_changer_stop_nobody() -> None:
    assert in_library.bay(Changer([element(256)], attentions=4), 0).address == 256


@pytest.mark.parametrize("number", [2, -1])
def test_drive_that_is_not_there_is_refused_with_how_many_there_are(number: int) -> None:
    with pytest.raises(DriveUnknown, match="tells of 2, counted from 0"):
        in_library.bay(Changer([element(256), element(257)]), number)


NAMES = {
    "serial": DriveName(CodeSet.ASCII, DesignatorType.VENDOR_SPECIFIC, b"10WT012345"),
    "serial, padded": DriveName(CodeSet.ASCII, DesignatorType.VENDOR_SPECIFIC, b"10WT012345".ljust(32)),
    "T10": DriveName(CodeSet.ASCII, DesignatorType.T10_VENDOR_ID, b"IBM     ULT3580-TD8     10WT012345"),
    "NAA": DriveName(CodeSet.BINARY, DesignatorType.NAA, NAA),
}


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
def test_place_holds_the_drive_of_its_name_and_no_other(name: DriveName) -> None:
    bay = in_library.bay(Changer([element(256, name=name)]), 0)
    assert bay.holds(DRIVE)
    assert not bay.holds(OTHER)


def test_library_that_names_no_drive_contradicts_nobody() -> None:
    bay = in_library.bay(Changer([element(256)]), 0)
    assert bay.holds(DRIVE)
    assert bay.holds(OTHER)


def test_all_places_are_told_in_the_order_of_their_addresses() -> None:
    changer = Changer([element(257, full=True, barcode="ENC002L8"), element(256)])
    assert [bay.address for bay in in_library.bays(changer)] == [256, 257]


def test_place_without_a_name_is_nobodys() -> None:
    assert not in_library.Bay("LIBRARY001", 256, full=True, barcode="").is_of(DRIVE)
    name = DriveName(CodeSet.ASCII, DesignatorType.VENDOR_SPECIFIC, DRIVE.serial.encode())
    told = in_library.Bay("LIBRARY001", 256, full=True, barcode="", name=name)
    assert (told.is_of(DRIVE), told.is_of(OTHER)) == (True, False)
