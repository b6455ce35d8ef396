"""The drive's account of a volume: what log page 17h tells of it, also when it has gone (reference 1.11)."""

from dataclasses import dataclass

from tapekey.errors import MediumDamaged
from tapekey.scsi.counter import Counter, counter
from tapekey.scsi.volume_statistics import Statistic, VolumeStatistics
from tapekey.target.cartridge import Cartridge

MEGABYTE = 10**6
OBJECT_BYTES = 6


@dataclass(frozen=True, slots=True)
class VolumeAccount:
    """A volume's statistics as they stood at a moment, and what log page 0Ch and 31h need of it."""

    serial: str
    barcode: str
    loads: int
    written: int
    read: int
    written_last: int
    read_last: int
    capacity: int
    used: int
    protected: bool
    worm: bool
    first_encrypted: Counter
    first_clear: Counter
    manufacturer: str = "TAPEKEY"


def account_of(cartridge: Cartridge) -> VolumeAccount:
    """The account of a cartridge whose tape is threaded. A dead chip leaves the tape's own facts."""
    identity, tape = cartridge.identity, cartridge.tape
    try:
        kept = cartridge.account()
        life = (kept.loads, kept.written, kept.read, kept.written_last, kept.read_last)
        written = cartridge.memory.get(0x0806)
        barcode = written.value.decode("ascii", "replace").strip(" \0") if written else ""
    except MediumDamaged:
        life, barcode = (0, 0, 0, 0, 0), ""
    return VolumeAccount(
        identity.serial,
        "".join(character if character.isascii() else "?" for character in barcode),
        *life,
        capacity=identity.capacity,
        used=tape.used,
        protected=cartridge.protected,
        worm=identity.worm,
        first_encrypted=counter(tape.first_encrypted, 8),
        first_clear=counter(tape.first_clear_after_encrypted, 8),
    )


def statistics(volume: VolumeAccount) -> VolumeStatistics:
    """Log page 17h of a volume; megabytes are 10^6 bytes."""
    left = max(volume.capacity - volume.used, 0)
    return VolumeStatistics(
        numbers={
            Statistic.PAGE_VALID: 1,
            Statistic.MOUNTS: volume.loads,
            Statistic.UNRECOVERED_WRITE_ERRORS: 0,
            Statistic.UNRECOVERED_READ_ERRORS: 0,
            Statistic.LAST_UNRECOVERED_WRITE_ERRORS: 0,
            Statistic.LAST_UNRECOVERED_READ_ERRORS: 0,
            Statistic.LAST_MEGABYTES_WRITTEN: volume.written_last // MEGABYTE,
            Statistic.LAST_MEGABYTES_READ: volume.read_last // MEGABYTE,
            Statistic.MEGABYTES_WRITTEN: volume.written // MEGABYTE,
            Statistic.MEGABYTES_READ: volume.read // MEGABYTE,
            Statistic.NATIVE_CAPACITY: volume.capacity // MEGABYTE,
            Statistic.USED_NATIVE_CAPACITY: volume.used // MEGABYTE,
            Statistic.WRITE_PROTECTED: int(volume.protected),
            Statistic.WRITE_ONCE: int(volume.worm),
        },
        texts={
            Statistic.VOLUME_SERIAL: volume.serial,
            Statistic.BARCODE: volume.barcode,
            Statistic.MANUFACTURER: volume.manufacturer,
        },
        partitions={
            Statistic.FIRST_ENCRYPTED_OBJECT: {0: volume.first_encrypted},
            Statistic.FIRST_CLEAR_OBJECT_AFTER: {0: volume.first_clear},
            Statistic.PARTITION_CAPACITY: {0: volume.capacity // MEGABYTE},
            Statistic.PARTITION_USED: {0: volume.used // MEGABYTE},
            Statistic.PARTITION_REMAINING: {0: left // MEGABYTE},
        },
    )
