"""Counters of the virtual drive itself: log pages 02h, 03h, 06h, 0Ch, 0Dh, 14h, 16h, 1Bh, 32h (reference 11.4)."""

from typing import Final

from tapekey.scsi import log, log_counters, temperature
from tapekey.scsi.log import LogPage
from tapekey.scsi.log_counters import Compression, DeviceStatistic, ErrorCounter, SequentialAccess
from tapekey.target import alerts
from tapekey.target.drive_log_volume import volume_of
from tapekey.target.nexus import Nexus
from tapekey.target.state import Drive, ratio
from tapekey.target.volume_account import MEGABYTE

UNKNOWN: Final = 0xFFFF_FFFF


def write_errors_page(drive: Drive, nexus: Nexus) -> bytes:
    """Page 02h."""
    counts = drive.activity
    return _errors(LogPage.WRITE_ERRORS, counts.hard_write_errors, counts.medium_written)


def read_errors_page(drive: Drive, nexus: Nexus) -> bytes:
    """Page 03h."""
    counts = drive.activity
    return _errors(LogPage.READ_ERRORS, counts.hard_read_errors, counts.medium_read)


def _errors(page: LogPage, hard: int, size: int) -> bytes:
    """Nothing is ever corrected: a block is whole, or it is lost."""
    values = dict.fromkeys(map(int, ErrorCounter), 0) | {ErrorCounter.BYTES: size, ErrorCounter.UNCORRECTED: hard}
    return log_counters.encode_counters(page, values)


def non_medium_errors_page(drive: Drive, nexus: Nexus) -> bytes:
    """Page 06h: there are none."""
    return log_counters.encode_counters(LogPage.NON_MEDIUM_ERRORS, {log_counters.NON_MEDIUM_ERRORS: 0})


def temperature_page(drive: Drive, nexus: Nexus) -> bytes:
    """Page 0Dh: a virtual drive has none to tell."""
    return temperature.encode_temperature(None)


def diagnostic_data_page(drive: Drive, nexus: Nexus) -> bytes:
    """Page 16h: no events are kept."""
    return log.encode_page(log.Page(LogPage.TAPE_DIAGNOSTIC, ()))


def sequential_access_page(drive: Drive, nexus: Nexus) -> bytes:
    """Page 0Ch."""
    counts, volume = drive.activity, volume_of(drive) if drive.mounted else None
    tape = drive.tape if drive.mounted else None
    here = volume.partitions[drive.partition] if volume and tape else None
    values = {
        SequentialAccess.BYTES_FROM_HOST: counts.host_written,
        SequentialAccess.BYTES_TO_MEDIUM: counts.medium_written,
        SequentialAccess.BYTES_FROM_MEDIUM: counts.medium_read,
        SequentialAccess.BYTES_TO_HOST: counts.host_read,
        SequentialAccess.TO_END_OF_DATA: here.used // MEGABYTE if here else UNKNOWN,
        SequentialAccess.TO_EARLY_WARNING: (tape.capacity - tape.margin) // MEGABYTE if tape else UNKNOWN,
        SequentialAccess.BEYOND_EARLY_WARNING: tape.margin // MEGABYTE if tape else UNKNOWN,
        SequentialAccess.TO_POSITION: tape.passed // MEGABYTE if tape else UNKNOWN,
        SequentialAccess.CLEANING_REQUESTED: int(alerts.cleaning_wanted(drive)),
    }
    return log_counters.encode_counters(LogPage.SEQUENTIAL_ACCESS, {int(code): value for code, value in values.items()})


def device_statistics_page(drive: Drive, nexus: Nexus) -> bytes:
    """Page 14h: the drive's life since the power came; what it was before nobody keeps."""
    counts = drive.activity
    values = {
        int(DeviceStatistic.LOADS): counts.loads,
        int(DeviceStatistic.CLEANINGS): counts.cleanings,
        int(DeviceStatistic.POWER_ON_HOURS): int(drive.clock() - drive.powered_at) // 3600,
        int(DeviceStatistic.POWER_CYCLES): 1,
        int(DeviceStatistic.HARD_WRITE_ERRORS): counts.hard_write_errors,
        int(DeviceStatistic.HARD_READ_ERRORS): counts.hard_read_errors,
    }
    return log_counters.encode_device_statistics(values, drive.serial, drive.serial)


def compression_page(drive: Drive, nexus: Nexus) -> bytes:
    """Page 1Bh."""
    enabled = {int(Compression.ENABLED): int(drive.modes.compresses(drive.personality))}
    return log_counters.encode_counters(LogPage.DATA_COMPRESSION, _compression(drive) | enabled)


def compression_vendor_page(drive: Drive, nexus: Nexus) -> bytes:
    """Page 32h, the older form."""
    return log_counters.encode_counters(LogPage.DATA_COMPRESSION_VENDOR, _compression(drive))


def _compression(drive: Drive) -> dict[int, int]:
    counts = drive.activity
    values = {
        int(Compression.READ_RATIO): ratio(counts.host_read, counts.medium_read),
        int(Compression.WRITE_RATIO): ratio(counts.host_written, counts.medium_written),
    }
    amounts = (counts.host_read, counts.medium_read, counts.host_written, counts.medium_written)
    for number, amount in enumerate(amounts):
        values[Compression.MEGABYTES_TO_HOST + 2 * number] = amount // MEGABYTE
        values[Compression.BYTES_TO_HOST + 2 * number] = amount % MEGABYTE
    return values
