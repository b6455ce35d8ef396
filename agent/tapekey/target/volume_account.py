"""The drive's account of a volume: what log page 17h tells of it, also when it has gone (reference 1.11)."""

from dataclasses import dataclass

from tapekey.errors import MediumDamaged
from tapekey.scsi.counter import Counter, counter
from tapekey.scsi.volume_statistics import Statistic, VolumeStatistics
from tapekey.target.cartridge import Cartridge
from tapekey.target.medium import Tape

MEGABYTE = 10**6
OBJECT_BYTES = 6
DATASET = 4_923_392  # bytes of data in one data set of LTO-6 and later, near enough for a count (UNV)
LIFE = 20_000  # loads that a medium is good for (UNV)


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
    protected: bool
    worm: bool
    partitions: tuple["PartitionAccount", ...]
    mount: "Mount"
    manufacturer: str = "TAPEKEY"

    @property
    def capacity(self) -> int:
        return sum(part.capacity for part in self.partitions)

    @property
    def used(self) -> int:
        return sum(part.used for part in self.partitions)

    @property
    def first_encrypted(self) -> Counter:
        """Of partition 0."""
        return self.partitions[0].first_encrypted


@dataclass(frozen=True, slots=True)
class PartitionAccount:
    """One partition's share of it, in bytes."""

    capacity: int
    used: int
    first_encrypted: Counter
    first_clear: Counter


@dataclass(frozen=True, slots=True)
class Mount:
    """What the drive counted since the volume was mounted: ratios a hundredfold, hard errors."""

    write_ratio: int = 100
    read_ratio: int = 100
    write_errors: int = 0
    read_errors: int = 0


def account_of(cartridge: Cartridge, mount: Mount) -> VolumeAccount:
    """The account of a cartridge whose tape is threaded. A dead chip leaves the tape's own facts."""
    identity = cartridge.identity
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
        protected=cartridge.protected,
        worm=identity.worm,
        partitions=tuple(map(_partition, cartridge.tapes)),
        mount=mount,
    )


def _partition(tape: Tape) -> PartitionAccount:
    return PartitionAccount(
        tape.capacity, tape.used, counter(tape.first_encrypted, 8), counter(tape.first_clear_after_encrypted, 8)
    )


def statistics(volume: VolumeAccount) -> VolumeStatistics:
    """Log page 17h of a volume; megabytes are 10^6 bytes."""
    parts, mount = volume.partitions, volume.mount
    return VolumeStatistics(
        numbers={
            Statistic.PAGE_VALID: 1,
            Statistic.MOUNTS: volume.loads,
            Statistic.DATASETS_WRITTEN: volume.written // DATASET,
            Statistic.RECOVERED_WRITE_ERRORS: 0,
            Statistic.UNRECOVERED_WRITE_ERRORS: mount.write_errors,
            Statistic.DATASETS_READ: volume.read // DATASET,
            Statistic.RECOVERED_READ_ERRORS: 0,
            Statistic.UNRECOVERED_READ_ERRORS: mount.read_errors,
            Statistic.LAST_UNRECOVERED_WRITE_ERRORS: mount.write_errors,
            Statistic.LAST_UNRECOVERED_READ_ERRORS: mount.read_errors,
            Statistic.LAST_MEGABYTES_WRITTEN: volume.written_last // MEGABYTE,
            Statistic.LAST_MEGABYTES_READ: volume.read_last // MEGABYTE,
            Statistic.MEGABYTES_WRITTEN: volume.written // MEGABYTE,
            Statistic.MEGABYTES_READ: volume.read // MEGABYTE,
            Statistic.LAST_WRITE_COMPRESSION: mount.write_ratio,
            Statistic.LAST_READ_COMPRESSION: mount.read_ratio,
            Statistic.NATIVE_CAPACITY: volume.capacity // MEGABYTE,
            Statistic.USED_NATIVE_CAPACITY: volume.used // MEGABYTE,
            Statistic.LIFE_REMAINING: max(100 - volume.loads * 100 // LIFE, 0),
            Statistic.WRITE_PROTECTED: int(volume.protected),
            Statistic.WRITE_ONCE: int(volume.worm),
            Statistic.BEGINNING_PASSES: volume.loads,
            Statistic.MIDDLE_PASSES: volume.loads,
        },
        texts={
            Statistic.VOLUME_SERIAL: volume.serial,
            Statistic.BARCODE: volume.barcode,
            Statistic.MANUFACTURER: volume.manufacturer,
        },
        partitions={
            Statistic.FIRST_ENCRYPTED_OBJECT: {number: part.first_encrypted for number, part in enumerate(parts)},
            Statistic.FIRST_CLEAR_OBJECT_AFTER: {number: part.first_clear for number, part in enumerate(parts)},
            Statistic.PARTITION_CAPACITY: {number: part.capacity // MEGABYTE for number, part in enumerate(parts)},
            Statistic.PARTITION_USED: {number: part.used // MEGABYTE for number, part in enumerate(parts)},
            Statistic.PARTITION_REMAINING: {
                number: max(part.capacity - part.used, 0) // MEGABYTE for number, part in enumerate(parts)
            },
        },
    )
