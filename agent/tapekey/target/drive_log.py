"""LOG SENSE and LOG SELECT (reference 1.11, 11.4)."""

from collections.abc import Callable, Mapping
from typing import Final

from tapekey.exchange import Command
from tapekey.scsi import device_status, log, log_counters, tape_alert, volume_statistics
from tapekey.scsi.counter import Absent
from tapekey.scsi.device_status import Activity, DeviceStatus, MediumEncryption
from tapekey.scsi.log import LogPage
from tapekey.scsi.log_counters import DeviceStatistic, SequentialAccess, TapeCapacity
from tapekey.target import drive_write
from tapekey.target.nexus import Nexus
from tapekey.target.personality import Management
from tapekey.target.refusal import invalid_cdb
from tapekey.target.state import Drive
from tapekey.target.tray import Place
from tapekey.target.volume_account import MEGABYTE, VolumeAccount, account_of, statistics
from tapekey.wire.layout import decode

MEBIBYTE: Final = 1 << 20
POLLING_DELAY: Final = 100
Page = Callable[[Drive, Nexus], bytes]


def log_sense(drive: Drive, nexus: Nexus, command: Command) -> bytes:
    """LOG SENSE (4Dh)."""
    cdb = decode(log.LogSense, command.cdb)
    if cdb.save:
        raise invalid_cdb(1, 0)
    if cdb.page_control not in (log.Control.CUMULATIVE, log.Control.DEFAULT_CUMULATIVE, log.Control.THRESHOLD):
        raise invalid_cdb(2, 7)
    page = _pages(drive).get(cdb.page)
    if cdb.page is LogPage.SUPPORTED and cdb.subpage == log.ALL_SUBPAGES:
        return log.encode_supported_subpages((code, 0) for code in _pages(drive))[: cdb.room]
    if page is None:
        raise invalid_cdb(2, 5)
    if cdb.subpage:
        raise invalid_cdb(3)
    image = _from(page(drive, nexus), cdb)
    if cdb.page is LogPage.TAPE_ALERT and cdb.room >= len(image) and not cdb.first:
        nexus.tape_alerts.clear()
    return image[: cdb.room]


def _from(image: bytes, cdb: log.LogSense) -> bytes:
    """The page from the parameter pointer on; a pointer behind its last parameter is refused."""
    if not cdb.first:
        return image
    if cdb.page is LogPage.SUPPORTED:
        raise invalid_cdb(5)
    whole = log.decode_page(image, cdb.page)
    kept = tuple(item for item in whole.parameters if item.code >= cdb.first)
    if not kept:
        raise invalid_cdb(5)
    return log.encode_page(log.Page(cdb.page, kept))


def log_select(drive: Drive, nexus: Nexus, command: Command) -> None:
    """LOG SELECT (4Ch): only the reset of all counters."""
    cdb = decode(log.LogSelect, command.cdb)
    if cdb.length:
        raise invalid_cdb(7)
    if cdb.save:
        raise invalid_cdb(1, 0)
    if cdb.parameter_reset:
        nexus.tape_alerts.clear()


def _supported(drive: Drive, nexus: Nexus) -> bytes:
    return log.encode_supported(_pages(drive))


def _volume(drive: Drive) -> VolumeAccount | None:
    """The volume mounted now, else the last one."""
    return account_of(drive.cartridge) if drive.cartridge is not None and drive.mounted else drive.last_volume


def _volume_statistics(drive: Drive, nexus: Nexus) -> bytes:
    volume = _volume(drive)
    if volume is None:
        empty = volume_statistics.VolumeStatistics({volume_statistics.Statistic.PAGE_VALID: 0}, {}, {})
        return volume_statistics.encode_volume_statistics(empty)
    return volume_statistics.encode_volume_statistics(statistics(volume))


def _device_status(drive: Drive, nexus: Nexus) -> bytes:
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
        write_protected=drive.mounted and drive_write.is_protected(drive),
        initialized=True,
        in_transition=drive.place is Place.LOADING,
        robotic_access_allowed=drive.place in (Place.EMPTY, Place.MOUTH),
        present=drive.place is not Place.EMPTY,
        seated=inside,
        threaded=drive.mounted,
        mounted=drive.mounted,
        activity=Activity.LOADING if drive.place is Place.LOADING else Activity.IDLE,
        encryption_parameters_set=any(not made.idle for made in drive.parameters.made()),
    )


def _barcode(drive: Drive) -> device_status.VolumeSerial:
    volume = _volume(drive) if drive.mounted else None
    return device_status.VolumeSerial(volume.barcode[:8] if volume else "")


def _medium_status(drive: Drive) -> device_status.MediumStatus:
    volume = _volume(drive) if drive.mounted else None
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


def _flags(nexus: Nexus) -> frozenset[tape_alert.TapeAlert]:
    return frozenset(map(tape_alert.TapeAlert, nexus.tape_alerts))


def _tape_alert(drive: Drive, nexus: Nexus) -> bytes:
    return tape_alert.encode_tape_alerts(_flags(nexus))


def _tape_alert_response(drive: Drive, nexus: Nexus) -> bytes:
    return tape_alert.encode_tape_alert_response(_flags(nexus))


def _sequential_access(drive: Drive, nexus: Nexus) -> bytes:
    counts, volume = drive.activity, _volume(drive)
    values = {
        SequentialAccess.BYTES_FROM_HOST: counts.host_written,
        SequentialAccess.BYTES_TO_MEDIUM: counts.medium_written,
        SequentialAccess.BYTES_FROM_MEDIUM: counts.medium_read,
        SequentialAccess.BYTES_TO_HOST: counts.host_read,
        SequentialAccess.TO_END_OF_DATA: volume.used // MEGABYTE if volume and drive.mounted else 0xFFFF_FFFF,
        SequentialAccess.TO_POSITION: drive.tape.passed // MEGABYTE if drive.mounted else 0xFFFF_FFFF,
        SequentialAccess.CLEANING_REQUESTED: 0,
    }
    return log_counters.encode_counters(LogPage.SEQUENTIAL_ACCESS, {int(code): value for code, value in values.items()})


def _device_statistics(drive: Drive, nexus: Nexus) -> bytes:
    values = {int(DeviceStatistic.LOADS): drive.activity.loads, int(DeviceStatistic.POWER_CYCLES): 1}
    return log_counters.encode_device_statistics(values, drive.serial, drive.serial)


def _tape_capacity(drive: Drive, nexus: Nexus) -> bytes:
    volume = _volume(drive) if drive.mounted else None
    capacity, used = (volume.capacity, volume.used) if volume else (0, 0)
    values = {
        int(TapeCapacity.REMAINING_0): max(capacity - used, 0) // MEBIBYTE,
        int(TapeCapacity.REMAINING_1): 0,
        int(TapeCapacity.MAXIMUM_0): capacity // MEBIBYTE,
        int(TapeCapacity.MAXIMUM_1): 0,
    }
    return log_counters.encode_counters(LogPage.TAPE_CAPACITY, values)


PAGES: Final[Mapping[LogPage, Page]] = {
    LogPage.SUPPORTED: _supported,
    LogPage.SEQUENTIAL_ACCESS: _sequential_access,
    LogPage.DEVICE_STATUS: _device_status,
    LogPage.TAPE_ALERT_RESPONSE: _tape_alert_response,
    LogPage.DEVICE_STATISTICS: _device_statistics,
    LogPage.VOLUME_STATISTICS: _volume_statistics,
    LogPage.TAPE_ALERT: _tape_alert,
    LogPage.TAPE_CAPACITY: _tape_capacity,
}


def _pages(drive: Drive) -> dict[LogPage, Page]:
    absent = set() if drive.personality.ibm_pages else {LogPage.TAPE_CAPACITY}
    if not drive.personality.tape_alert:
        absent |= {LogPage.TAPE_ALERT, LogPage.TAPE_ALERT_RESPONSE}
    return {code: page for code, page in PAGES.items() if code not in absent}
