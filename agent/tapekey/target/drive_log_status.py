"""Log page 11h of the virtual drive: where the cartridge is, and what stands about it (reference 1.11)."""

from typing import Final

from tapekey.scsi import device_status
from tapekey.scsi.counter import Absent
from tapekey.scsi.device_status import Activity, DeviceStatus, MediumEncryption
from tapekey.target import alerts, write_protection
from tapekey.target.drive_log_volume import volume_of
from tapekey.target.nexus import Nexus
from tapekey.target.personality import Management
from tapekey.target.state import Drive
from tapekey.target.tray import Place

POLLING_DELAY: Final = 100


def device_status_page(drive: Drive, nexus: Nexus) -> bytes:
    vendor = drive.personality.ibm_pages
    return device_status.encode_device_status(
        DeviceStatus(
            status=_very_high_frequency(drive),
            polling_delay=device_status.PollingDelay(POLLING_DELAY),
            extended=device_status.ExtendedBits() if vendor else None,
            volume_serial=_barcode(drive) if vendor else None,
            medium=_medium_status(drive) if vendor else None,
            drive=_drive_status(drive) if vendor else None,
        )
    )


def _very_high_frequency(drive: Drive) -> device_status.VeryHighFrequency:
    inside = drive.place in (Place.HELD, Place.LOADING, Place.MOUNTED)
    return device_status.VeryHighFrequency(
        removal_prevented=any(nexus.prevents_removal for nexus in drive.nexuses.all()),
        memory_accessible=drive.place in (Place.HELD, Place.MOUNTED),
        write_protected=drive.mounted and write_protection.is_protected(drive),
        compression=drive.modes.compresses(drive.personality),
        cleaning_requested=alerts.cleaning_wanted(drive),
        initialized=True,
        in_transition=drive.place is Place.LOADING,
        robotic_access_allowed=drive.place in (Place.EMPTY, Place.MOUTH),
        present=drive.place is not Place.EMPTY,
        seated=inside,
        threaded=drive.mounted,
        mounted=drive.mounted,
        activity=_activity(drive),
        tape_alert_changed=bool(drive.nexuses.alerts),
        encryption_parameters_set=any(not made.idle for made in drive.parameters.made()),
    )


def _activity(drive: Drive) -> Activity:
    if drive.place is not Place.LOADING:
        return Activity.IDLE
    return Activity.CLEANING if alerts.is_cleaning(drive.cartridge) else Activity.LOADING


def _barcode(drive: Drive) -> device_status.VolumeSerial:
    volume = volume_of(drive) if drive.mounted else None
    return device_status.VolumeSerial(volume.barcode[:8] if volume else "")


def _medium_status(drive: Drive) -> device_status.MediumStatus:
    volume = volume_of(drive) if drive.mounted else None
    if volume is None or drive.cartridge is None:
        return device_status.MediumStatus()
    found = MediumEncryption.UNKNOWN
    if drive.tape.holds_clear:
        found = MediumEncryption.SOME_CLEAR
    elif volume.first_encrypted not in (Absent.NONE, Absent.UNKNOWN):
        found = MediumEncryption.ALL_ENCRYPTED
    capable = any(drive.cartridge.identity.generation.name in row.media for row in drive.personality.algorithms)
    return device_status.MediumStatus(encryption_capable=capable, encryption=found)


def _drive_status(drive: Drive) -> device_status.DriveStatus:
    management = drive.personality.management
    return device_status.DriveStatus(
        encryption_enabled=management in (Management.APPLICATION, Management.LIBRARY),
        encryption_capable=management is not Management.NONE,
    )
