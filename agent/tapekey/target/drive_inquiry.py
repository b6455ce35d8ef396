"""INQUIRY, REPORT LUNS, REQUEST SENSE: who the drive is, and what it has to say (reference 1.7)."""

from collections.abc import Callable, Mapping
from typing import Final

from tapekey.exchange import Command
from tapekey.scsi import inquiry, media, sense, vital
from tapekey.scsi.inquiry import VitalPage
from tapekey.scsi.sense import Sense, SenseKey
from tapekey.target.nexus import Nexus
from tapekey.target.refusal import invalid_cdb
from tapekey.target.state import Drive
from tapekey.wire.layout import decode

VERSIONS: Final = 58
LENGTH: Final = 96


def answer_inquiry(drive: Drive, nexus: Nexus, command: Command) -> bytes:
    """INQUIRY (12h)."""
    cdb = decode(inquiry.Inquiry, command.cdb)
    if not cdb.vital:
        if cdb.page:
            raise invalid_cdb(2)
        return _standard(drive)[: cdb.room]
    page = _pages(drive).get(cdb.page)
    if page is None:
        raise invalid_cdb(2)
    return page(drive)[: cdb.room]


def _standard(drive: Drive) -> bytes:
    """Version descriptors lie at bytes 58 to 73; up to 95 the rest is zero."""
    facts = drive.personality
    versions = b"".join(number.to_bytes(2, "big") for number in facts.versions)
    return inquiry.encode_standard(
        inquiry.Standard(
            protect=bool(facts.protection),
            command_queue=True,
            vendor=facts.vendor,
            product=facts.product,
            revision=facts.revision,
            more=(bytes(VERSIONS - 36) + versions).ljust(LENGTH - 36, b"\0"),
        )
    )


def _designators(drive: Drive) -> bytes:
    facts = drive.personality
    name = f"{facts.vendor:<8}{facts.product:<16}{drive.serial}".encode("ascii")
    return vital.encode_designators(
        [
            vital.Designator(vital.DesignatorType.T10_VENDOR_ID, name, vital.CodeSet.ASCII),
            vital.Designator(vital.DesignatorType.NAA, drive.naa),
        ]
    )


def _methods(drive: Drive) -> tuple[int, ...]:
    return drive.personality.protection


def _protection(method: int) -> vital.ProtectionMethod:
    """Four bytes a block, on the way in and out; RECOVER BUFFERED DATA does not exist here."""
    return vital.ProtectionMethod(method=method, information_length=4, on_write=True, on_read=True)


VITAL: Final[Mapping[VitalPage, Callable[[Drive], bytes]]] = {
    VitalPage.SUPPORTED: lambda drive: vital.encode_supported(_pages(drive)),
    VitalPage.SERIAL: lambda drive: vital.encode_serial(drive.serial),
    VitalPage.IDENTIFICATION: _designators,
    VitalPage.SEQUENTIAL_ACCESS: lambda drive: vital.encode_sequential_access(write_once=True),
    VitalPage.MANUFACTURER_SERIAL: lambda drive: vital.encode_serial(drive.serial, VitalPage.MANUFACTURER_SERIAL, 10),
    VitalPage.AUTOMATION_SERIAL: lambda drive: vital.encode_serial(drive.library, VitalPage.AUTOMATION_SERIAL),
    VitalPage.ELEMENT_ADDRESS: lambda drive: vital.encode_element_address(drive.element or 0),
    VitalPage.BLOCK_PROTECTION: lambda drive: vital.encode_block_protection(map(_protection, _methods(drive))),
    VitalPage.VIRTUAL: lambda drive: vital.encode_virtual(drive.personality.name),
}


def _pages(drive: Drive) -> dict[VitalPage, Callable[[Drive], bytes]]:
    absent = set() if drive.personality.vpd_b1 else {VitalPage.MANUFACTURER_SERIAL}
    if drive.element is None:
        absent |= {VitalPage.AUTOMATION_SERIAL, VitalPage.ELEMENT_ADDRESS}
    if not _methods(drive):
        absent.add(VitalPage.BLOCK_PROTECTION)
    return {code: page for code, page in VITAL.items() if code not in absent}


def report_luns(drive: Drive, nexus: Nexus, command: Command) -> bytes:
    """REPORT LUNS (A0h): one logical unit."""
    cdb = decode(inquiry.ReportLuns, command.cdb)
    if cdb.select_report > 2:
        raise invalid_cdb(2)
    return inquiry.encode_luns((0,))[: cdb.room]


def request_sense(drive: Drive, nexus: Nexus, command: Command) -> bytes:
    """REQUEST SENSE (03h): a pending unit attention comes as data, and is cleared by that."""
    cdb = decode(media.RequestSense, command.cdb)
    attention = nexus.take_attention()
    found = Sense(SenseKey.NO_SENSE)
    if attention is not None:
        found = Sense(SenseKey.UNIT_ATTENTION, *attention.value)
    image = sense.encode_descriptor(found) if cdb.descriptor else sense.encode_fixed(found)
    return image[: cdb.room]
