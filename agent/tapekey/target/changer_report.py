"""What the changer says of itself: INQUIRY, REQUEST SENSE, mode pages, log pages, TEST UNIT READY."""

from collections.abc import Callable, Mapping
from typing import Final

from tapekey.errors import Malformed
from tapekey.exchange import Command
from tapekey.scsi import changer_mode, inquiry, log, media, mode, sense, tape_alert, vital
from tapekey.scsi.changer import ElementType, Opcode
from tapekey.scsi.codes import DeviceType
from tapekey.scsi.inquiry import VitalPage
from tapekey.scsi.log import LogPage
from tapekey.scsi.media import Removal
from tapekey.scsi.mode_page import ModePage
from tapekey.scsi.sense import Sense, SenseKey
from tapekey.target.changer_state import Changer
from tapekey.target.nexus import Nexus
from tapekey.target.refusal import illegal, invalid_cdb, invalid_parameter
from tapekey.wire.layout import decode, encode

VENDOR: Final = "TAPEKEY"
PRODUCT: Final = "VIRTUAL LIBRARY"
REVISION: Final = "0001"
ALL_PAGES: Final = 0x3F
ALL_SUBPAGES: Final = 0xFF


def test_unit_ready(changer: Changer, nexus: Nexus, command: Command) -> None:
    """TEST UNIT READY (00h)."""
    changer.require_ready()


def prevent_allow(changer: Changer, nexus: Nexus, command: Command) -> None:
    """PREVENT ALLOW MEDIUM REMOVAL (1Eh): may operators reach the import/export elements."""
    cdb = decode(media.PreventAllow, command.cdb)
    if not cdb.removal.known:
        raise invalid_cdb(4, 1)
    nexus.prevents_removal = cdb.removal is Removal.PREVENT


def send_diagnostic(changer: Changer, nexus: Nexus, command: Command) -> None:
    """SEND DIAGNOSTIC (1Dh): the default self-test passes; diagnostic pages are refused."""
    if any(command.cdb[3:5]):
        raise invalid_parameter(0)


# --- who it is ---


def answer_inquiry(changer: Changer, nexus: Nexus, command: Command) -> bytes:
    """INQUIRY (12h)."""
    cdb = decode(inquiry.Inquiry, command.cdb)
    if not cdb.vital:
        if cdb.page:
            raise invalid_cdb(2)
        return _standard()[: cdb.room]
    page = VITAL.get(cdb.page)
    if page is None:
        raise invalid_cdb(2)
    image = page(changer)
    return (bytes([DeviceType.CHANGER]) + image[1:])[: cdb.room]


def _standard() -> bytes:
    facts = inquiry.Standard(
        device_type=DeviceType.CHANGER,
        command_queue=True,
        vendor=VENDOR,
        product=PRODUCT,
        revision=REVISION,
        more=bytes(20),
    )
    return inquiry.encode_standard(facts)


def _designators(changer: Changer) -> bytes:
    name = f"{VENDOR:<8}{PRODUCT:<16}{changer.serial}".encode("ascii")
    return vital.encode_designators(
        [
            vital.Designator(vital.DesignatorType.T10_VENDOR_ID, name, vital.CodeSet.ASCII),
            vital.Designator(vital.DesignatorType.NAA, changer.robot.description.naa),
        ]
    )


VITAL: Final[Mapping[VitalPage, Callable[[Changer], bytes]]] = {
    VitalPage.SUPPORTED: lambda changer: vital.encode_supported(VITAL),
    VitalPage.SERIAL: lambda changer: vital.encode_serial(changer.serial),
    VitalPage.IDENTIFICATION: _designators,
    VitalPage.VIRTUAL: lambda changer: vital.encode_virtual("library"),
}


def report_luns(changer: Changer, nexus: Nexus, command: Command) -> bytes:
    """REPORT LUNS (A0h) of a changer that is reached by itself; behind a target, the rack answers."""
    cdb = decode(inquiry.ReportLuns, command.cdb)
    if cdb.select_report > 2:
        raise invalid_cdb(2)
    return inquiry.encode_luns((0,))[: cdb.room]


def request_sense(changer: Changer, nexus: Nexus, command: Command) -> bytes:
    """REQUEST SENSE (03h): a pending unit attention comes as data, and is cleared by that."""
    cdb = decode(media.RequestSense, command.cdb)
    attention = nexus.take_attention()
    found = Sense(SenseKey.NO_SENSE)
    if attention is not None:
        found = Sense(SenseKey.UNIT_ATTENTION, *attention.value)
    image = sense.encode_descriptor(found) if cdb.descriptor else sense.encode_fixed(found)
    return image[: cdb.room]


# --- pages ---


def mode_sense(changer: Changer, nexus: Nexus, command: Command) -> bytes:
    """MODE SENSE(6) and (10). Nothing can be changed, so all controls but CHANGEABLE say the same."""
    short = command.cdb[0] == Opcode.MODE_SENSE_6
    cdb = decode(mode.ModeSense6, command.cdb) if short else decode(mode.ModeSense10, command.cdb)
    if cdb.page_control is mode.Control.SAVED:
        raise illegal(0x39, 0x00)
    images = _pages(changer)
    if cdb.subpage not in (0, ALL_SUBPAGES):
        raise invalid_cdb(3)
    if cdb.page not in (0, ALL_PAGES, *images):
        raise invalid_cdb(2, 5)
    wanted = [image for page, image in images.items() if cdb.page in (ALL_PAGES, page)]
    if cdb.page_control is mode.Control.CHANGEABLE:
        wanted = [image[:2] + bytes(len(image) - 2) for image in wanted]
    answer = mode.Answer(pages=tuple(map(mode.RawPage, wanted)))
    return (mode.encode_answer_6(answer) if short else mode.encode_answer_10(answer))[: cdb.room]


def mode_select(changer: Changer, nexus: Nexus, command: Command) -> None:
    """MODE SELECT(6) and (10): pages are taken as they are, and only so."""
    short = command.cdb[0] == Opcode.MODE_SELECT_6
    cdb = decode(mode.ModeSelect6, command.cdb) if short else decode(mode.ModeSelect10, command.cdb)
    if cdb.save:
        raise invalid_cdb(1, 0)
    if not cdb.length:
        return
    data = bytes(changer.plain_out(command, cdb.length))
    try:
        answer = mode.decode_selection_6(data) if short else mode.decode_selection_10(data)
    except Malformed as error:
        raise illegal(0x1A, 0x00) from error
    at = 4 if short else 8
    for page in answer.pages:
        if page.image != _pages(changer).get(int(page.page)):
            raise invalid_parameter(at)
        at += len(page.image)


def _pages(changer: Changer) -> dict[int, bytes]:
    layout = changer.robot.description.layout
    stores = [ElementType.STORAGE, ElementType.DRIVE, *[ElementType.IMPORT_EXPORT] * bool(layout.mail_slots)]
    every = changer_mode.flags(*stores)
    mail = every if layout.mail_slots else 0
    capabilities = changer_mode.Capabilities(
        stores=every,
        from_storage=every,
        from_mail_slot=mail,
        from_drive=every,
        exchange_storage=every,
        exchange_mail_slot=mail,
        exchange_drive=every,
    )
    return {
        ModePage.CONTROL: bytes([ModePage.CONTROL, 0x0A]) + bytes(10),  # fixed-format sense, one task set
        changer_mode.ELEMENT_ADDRESSES: encode(layout.page()),
        changer_mode.TRANSPORT_GEOMETRY: encode(changer_mode.TransportGeometry()),
        changer_mode.CAPABILITIES: encode(capabilities),
    }


def log_sense(changer: Changer, nexus: Nexus, command: Command) -> bytes:
    """LOG SENSE (4Dh): which pages there are, and TapeAlert, of which nothing is ever raised."""
    cdb = decode(log.LogSense, command.cdb)
    if cdb.save:
        raise invalid_cdb(1, 0)
    page = LOGS.get(cdb.page)
    if page is None:
        raise invalid_cdb(2, 5)
    if cdb.subpage:
        raise invalid_cdb(3)
    if cdb.first:
        raise invalid_cdb(5)
    return page()[: cdb.room]


LOGS: Final[Mapping[LogPage, Callable[[], bytes]]] = {
    LogPage.SUPPORTED: lambda: log.encode_supported(LOGS),
    LogPage.TAPE_ALERT: lambda: tape_alert.encode_tape_alerts(()),
}
