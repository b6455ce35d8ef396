"""Who a drive is: by what it says of itself, never by the path on which it was found.

The serial number of VPD page 80h is the name; the logical unit's NAA designator (page 83h) and the manufacturer's
serial number (page B1h) stand beside it. What a drive says of itself is its word, not proof.
"""

from dataclasses import dataclass, field

from tapekey.errors import DriveUnknown, RequestRefused
from tapekey.exchange import Transport
from tapekey.scsi import inquiry, vital
from tapekey.scsi.codes import DeviceType
from tapekey.scsi.inquiry import VitalPage
from tapekey.scsi.run import run


@dataclass(frozen=True, slots=True)
class DriveId:
    """One drive. Firmware and the manufacturer's number are told, but they do not make it another drive."""

    vendor: str
    product: str
    serial: str
    naa: bytes = b""  # logical unit designator, 8 or 16 bytes; empty: none given
    virtual: str | None = None  # the text of our vendor page when the drive is a virtual one
    revision: str = field(default="", compare=False)
    manufacturer_serial: str = field(default="", compare=False)

    def __str__(self) -> str:
        return self.serial


def identify(transport: Transport) -> DriveId:
    """Ask the drive who it is. INQUIRY alone is used, so no unit attention is taken from anybody.

    DriveUnknown: it is no tape drive, or has no serial number to be known by.
    """
    standard = inquiry.decode_standard(run(transport, inquiry.inquire()))
    if standard.device_type != DeviceType.TAPE:
        raise DriveUnknown("this is no tape drive", why=f"it is a device of type {standard.device_type:02X}h")
    pages = vital.decode_supported(_page(transport, VitalPage.SUPPORTED))
    return DriveId(
        vendor=standard.vendor,
        product=standard.product,
        serial=_serial(transport),
        naa=_naa(transport) if VitalPage.IDENTIFICATION in pages else b"",
        virtual=_virtual(transport) if VitalPage.VIRTUAL in pages else None,
        revision=standard.revision,
        manufacturer_serial=_manufacturer_serial(transport) if VitalPage.MANUFACTURER_SERIAL in pages else "",
    )


def _page(transport: Transport, page: VitalPage) -> bytes:
    return run(transport, inquiry.inquire_vital(page))


def _serial(transport: Transport) -> str:
    """The serial number of page 80h, which names the drive in logs and records: printable, and never empty."""
    try:
        serial = vital.decode_serial(_page(transport, VitalPage.SERIAL))
    except RequestRefused as error:
        raise DriveUnknown("the drive has no serial number", why=str(error)) from error
    if not serial or not serial.isascii() or not serial.isprintable():
        raise DriveUnknown("the drive has no usable serial number", why=f"VPD page 80h says {serial!a}")
    return serial


def _naa(transport: Transport) -> bytes:
    return vital.naa(vital.decode_designators(_page(transport, VitalPage.IDENTIFICATION))) or b""


def _virtual(transport: Transport) -> str | None:
    return vital.decode_virtual(_page(transport, VitalPage.VIRTUAL))


def _manufacturer_serial(transport: Transport) -> str:
    return vital.decode_serial(_page(transport, VitalPage.MANUFACTURER_SERIAL), VitalPage.MANUFACTURER_SERIAL)
