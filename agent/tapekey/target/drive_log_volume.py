"""Log pages 17h, 30h and 31h of the virtual drive: the volume in it, or the last that was (reference 1.11, 11.4)."""

from typing import Final

from tapekey.scsi import log_counters, volume_statistics
from tapekey.scsi.log import LogPage
from tapekey.scsi.log_counters import TapeCapacity, Usage
from tapekey.target.nexus import Nexus
from tapekey.target.state import Drive
from tapekey.target.volume_account import DATASET, VolumeAccount, account_of, statistics

MEBIBYTE: Final = 1 << 20


def volume_of(drive: Drive, back: int = 0) -> VolumeAccount | None:
    """The volume mounted now, else the last one; or one of those before it."""
    mounted = drive.mounted_cartridge
    if mounted is not None:
        if not back:
            return account_of(mounted, drive.activity.mount())
        back -= 1
    return drive.past_volumes[back] if back < len(drive.past_volumes) else None


def volume_statistics_page(drive: Drive, nexus: Nexus, subpage: int = 0) -> bytes:
    """Page 17h; subpages 01h and 02h are the volumes before the latest."""
    volume = volume_of(drive, subpage)
    if volume is None:
        empty = volume_statistics.VolumeStatistics({volume_statistics.Statistic.PAGE_VALID: 0}, {}, {})
        return volume_statistics.encode_volume_statistics(empty, subpage)
    return volume_statistics.encode_volume_statistics(statistics(volume), subpage)


def former_volume_page(drive: Drive, nexus: Nexus) -> bytes:
    """Page 17h/01h."""
    return volume_statistics_page(drive, nexus, 1)


def volume_before_page(drive: Drive, nexus: Nexus) -> bytes:
    """Page 17h/02h."""
    return volume_statistics_page(drive, nexus, 2)


def tape_capacity_page(drive: Drive, nexus: Nexus) -> bytes:
    """Page 31h, which knows two partitions."""
    volume = volume_of(drive) if drive.mounted else None
    parts = volume.partitions[:2] if volume else ()
    values = dict.fromkeys(map(int, TapeCapacity), 0)
    for number, part in enumerate(parts):
        values[TapeCapacity.REMAINING_0 + number] = max(part.capacity - part.used, 0) // MEBIBYTE
        values[TapeCapacity.MAXIMUM_0 + number] = part.capacity // MEBIBYTE
    return log_counters.encode_counters(LogPage.TAPE_CAPACITY, values)


def tape_usage_page(drive: Drive, nexus: Nexus) -> bytes:
    """Page 30h; a virtual tape needs no retries."""
    values, volume = dict.fromkeys(map(int, Usage), 0), volume_of(drive)
    if volume is not None:
        values[Usage.MOUNTS] = volume.loads
        values[Usage.DATASETS_WRITTEN] = volume.written // DATASET
        values[Usage.DATASETS_READ] = volume.read // DATASET
        values[Usage.WRITE_ERRORS] = min(volume.mount.write_errors, 0xFFFF)
        values[Usage.READ_ERRORS] = min(volume.mount.read_errors, 0xFFFF)
    return log_counters.encode_counters(LogPage.TAPE_USAGE, values)
