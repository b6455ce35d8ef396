"""DT Device Status, log page 11h (ADC-3; reference 1.11): what the drive is doing, and whether a cartridge is there.

On drives that exempt it from unit attentions this is the one thing that may be asked of a drive in use. The
parameters from 8000h on are IBM's.
"""

from dataclasses import dataclass
from typing import TypeVar

from tapekey.errors import Malformed
from tapekey.exchange import Command
from tapekey.scsi.log import LogPage, Page, Parameter, decode_page, encode_page, log_sense
from tapekey.wire.codes import Code
from tapekey.wire.layout import bits, decode, encode, size_of, text, uint, wire

T = TypeVar("T")


class ParameterCode(Code):
    """Parameter codes of page 11h."""

    VERY_HIGH_FREQUENCY = 0x0000
    POLLING_DELAY = 0x0001
    ENCRYPTION_CONTROL_STATUS = 0x0002
    KEY_MANAGEMENT_ERROR = 0x0003
    EXTENDED_VERY_HIGH_FREQUENCY = 0x0004
    PRIMARY_PORT_STATUS = 0x0101
    VOLUME_SERIAL = 0x8000
    MEDIUM_STATUS = 0x8001
    DRIVE_STATUS = 0x8100
    PORT_FEATURES = 0x9101
    ENCRYPTION_CONTROL_DESCRIPTOR = 0xE000


class Activity(Code):
    """DT DEVICE ACTIVITY."""

    IDLE = 0x00
    CLEANING = 0x01
    LOADING = 0x02
    UNLOADING = 0x03
    OTHER_MEDIUM = 0x04
    READING = 0x05
    WRITING = 0x06
    LOCATING = 0x07
    REWINDING = 0x08
    ERASING = 0x09
    FORMATTING = 0x0A
    CALIBRATING = 0x0B
    OTHER = 0x0C
    MICROCODE_UPDATE = 0x0D
    READING_ENCRYPTED = 0x0E
    WRITING_ENCRYPTED = 0x0F
    DIAGNOSTIC = 0x10


class MediumEncryption(Code):
    """MES of IBM's medium status: what is on the volume."""

    UNKNOWN = 0b00
    SOME_CLEAR = 0b01
    ALL_ENCRYPTED = 0b10


# fmt: off
@wire(size=4)
@dataclass(frozen=True, slots=True)
class VeryHighFrequency:
    """Parameter 0000h. Byte 4 of the parameter is byte 0 here; nothing of it counts unless `initialized`."""

    removal_prevented:          bool     = bits(0, 7, 7, bool)  # PAMR
    host_initiated_unload:      bool     = bits(0, 6, 6, bool)  # HIU
    memory_accessible:          bool     = bits(0, 5, 5, bool)  # MACC
    compression:                bool     = bits(0, 4, 4, bool)  # CMPR
    write_protected:            bool     = bits(0, 3, 3, bool)  # WRTP
    cleaning_requested:         bool     = bits(0, 2, 2, bool)  # CRQST
    cleaning_required:          bool     = bits(0, 1, 1, bool)  # CRQRD
    initialized:                bool     = bits(0, 0, 0, bool)  # DINIT
    in_transition:              bool     = bits(1, 7, 7, bool)  # INXTN
    robotic_access_allowed:     bool     = bits(1, 5, 5, bool)  # RAA
    present:                    bool     = bits(1, 4, 4, bool)  # MPRSNT
    seated:                     bool     = bits(1, 2, 2, bool)  # MSTD
    threaded:                   bool     = bits(1, 1, 1, bool)  # MTHRD
    mounted:                    bool     = bits(1, 0, 0, bool)  # MOUNTED
    activity:                   Activity = uint(2, 1, Activity)
    vendor_specific:            bool     = bits(3, 7, 7, bool)  # VS
    diagnostic_entry_created:   bool     = bits(3, 5, 5, bool)  # TDDEC
    encryption_parameters_set:  bool     = bits(3, 4, 4, bool)  # EPP
    encryption_service_request: bool     = bits(3, 3, 3, bool)  # ESR
    recovery_requested:         bool     = bits(3, 2, 2, bool)  # RRQST
    interface_changed:          bool     = bits(3, 1, 1, bool)  # INTFC
    tape_alert_changed:         bool     = bits(3, 0, 0, bool)  # TAFC


@wire(size=8)
@dataclass(frozen=True, slots=True)
class ExtendedBits:
    """Parameter 0004h: the same first four bytes, then these."""

    overwrite:      bool = bits(4, 1, 1, bool)  # OVERWRITE
    pcl_p:          bool = bits(4, 0, 0, bool)  # PCL_P
    host_login:     bool = bits(5, 1, 1, bool)  # HOSTLOGIN
    sm:             bool = bits(5, 0, 0, bool)  # SM


@wire(size=2)
@dataclass(frozen=True, slots=True)
class PollingDelay:
    """Parameter 0001h: the least pause between two readings of this page."""

    milliseconds: int = uint(0, 2)


@wire(size=8)
@dataclass(frozen=True, slots=True)
class VolumeSerial:
    """Parameter 8000h: the barcode, as library or host set it."""

    barcode: str = text(0, 8)


@wire(size=2)
@dataclass(frozen=True, slots=True)
class MediumStatus:
    """Parameter 8001h."""

    cartridge_type:     int              = bits(0, 4, 0)
    encryption_capable: bool             = bits(1, 6, 6, bool)  # MEC
    vae:                bool             = bits(1, 2, 2, bool)  # VAE
    encryption:         MediumEncryption = bits(1, 1, 0, MediumEncryption)  # MES


@wire(size=2)
@dataclass(frozen=True, slots=True)
class DriveStatus:
    """Parameter 8100h."""

    self_test_running:  bool = bits(0, 0, 0, bool)
    encryption_enabled: bool = bits(1, 1, 1, bool)  # EE
    encryption_capable: bool = bits(1, 0, 0, bool)  # EC
# fmt: on


@dataclass(frozen=True, slots=True)
class DeviceStatus:
    """Page 11h as far as it is known. What the drive did not send, or says it cannot know yet, is None."""

    status: VeryHighFrequency | None = None
    polling_delay: PollingDelay | None = None
    extended: ExtendedBits | None = None
    volume_serial: VolumeSerial | None = None
    medium: MediumStatus | None = None
    drive: DriveStatus | None = None


def read_device_status() -> Command:
    """Ask for page 11h."""
    return log_sense(LogPage.DEVICE_STATUS)


def encode_device_status(status: DeviceStatus) -> bytes:
    """Write page 11h. Without `status` the drive says that it is not initialized."""
    vital = status.status or VeryHighFrequency()
    images = {
        ParameterCode.VERY_HIGH_FREQUENCY: encode(vital),
        ParameterCode.POLLING_DELAY: _image(status.polling_delay),
        ParameterCode.EXTENDED_VERY_HIGH_FREQUENCY: _extended(vital, status.extended),
        ParameterCode.VOLUME_SERIAL: _image(status.volume_serial),
        ParameterCode.MEDIUM_STATUS: _image(status.medium),
        ParameterCode.DRIVE_STATUS: _image(status.drive),
    }
    parameters = tuple(Parameter(code, image) for code, image in images.items() if image)
    return encode_page(Page(LogPage.DEVICE_STATUS, parameters))


def decode_device_status(data: bytes) -> DeviceStatus:
    """Read page 11h. `status` is None until the drive has set DINIT."""
    page = decode_page(data, LogPage.DEVICE_STATUS)
    status = _find(page, ParameterCode.VERY_HIGH_FREQUENCY, VeryHighFrequency)
    return DeviceStatus(
        status=status if status and status.initialized else None,
        polling_delay=_find(page, ParameterCode.POLLING_DELAY, PollingDelay),
        extended=_find(page, ParameterCode.EXTENDED_VERY_HIGH_FREQUENCY, ExtendedBits),
        volume_serial=_find(page, ParameterCode.VOLUME_SERIAL, VolumeSerial),
        medium=_find(page, ParameterCode.MEDIUM_STATUS, MediumStatus),
        drive=_find(page, ParameterCode.DRIVE_STATUS, DriveStatus),
    )


def _find(page: Page, code: ParameterCode, structure: type[T]) -> T | None:
    value = page.find(code)
    if value is None:
        return None
    if len(value) < size_of(structure):
        raise Malformed(f"parameter {code:04X}h of log page 11h is cut short", why=f"{len(value)} bytes")
    return decode(structure, value)


def _image(part: object | None) -> bytes:
    return b"" if part is None else encode(part)


def _extended(status: VeryHighFrequency, part: ExtendedBits | None) -> bytes:
    return b"" if part is None else encode(status) + encode(part)[4:]
