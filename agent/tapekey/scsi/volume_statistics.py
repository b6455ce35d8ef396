"""Volume Statistics, log page 17h (SSC-4; reference 1.11): the drive's account of a volume, also after its unload.

Subpage 00h is the volume mounted last, so page and cartridge must be matched by the serial in it. The counters of
first encrypted and first clear object are kept a partition.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from tapekey.errors import Malformed
from tapekey.exchange import Command
from tapekey.scsi.counter import Counter, counter, image
from tapekey.scsi.log import Form, LogPage, Page, Parameter, decode_page, encode_page, log_sense, numbers
from tapekey.wire.codes import Code
from tapekey.wire.layout import Reader

_PADDING = " \0"


class Statistic(Code):
    """Parameter codes of page 17h."""

    # fmt: off
    PAGE_VALID                     = 0x0000
    MOUNTS                         = 0x0001
    DATASETS_WRITTEN               = 0x0002
    RECOVERED_WRITE_ERRORS         = 0x0003
    UNRECOVERED_WRITE_ERRORS       = 0x0004
    DATASETS_READ                  = 0x0007
    RECOVERED_READ_ERRORS          = 0x0008
    UNRECOVERED_READ_ERRORS        = 0x0009
    LAST_UNRECOVERED_WRITE_ERRORS  = 0x000C
    LAST_UNRECOVERED_READ_ERRORS   = 0x000D
    LAST_MEGABYTES_WRITTEN         = 0x000E
    LAST_MEGABYTES_READ            = 0x000F
    MEGABYTES_WRITTEN              = 0x0010
    MEGABYTES_READ                 = 0x0011
    LAST_WRITE_COMPRESSION         = 0x0012
    LAST_READ_COMPRESSION          = 0x0013
    MOUNT_TIME                     = 0x0014
    READY_TIME                     = 0x0015
    NATIVE_CAPACITY                = 0x0016
    USED_NATIVE_CAPACITY           = 0x0017
    DESIGN_CAPACITY                = 0x0018
    LIFE_REMAINING                 = 0x0019
    STOPPED_WRITES_FORWARD         = 0x001A
    STOPPED_WRITES_BACKWARD        = 0x001B
    VOLUME_SERIAL                  = 0x0040
    TAPE_LOT                       = 0x0041
    BARCODE                        = 0x0042
    MANUFACTURER                   = 0x0043
    LICENSE_CODE                   = 0x0044
    PERSONALITY                    = 0x0045
    WRITE_PROTECTED                = 0x0080
    WRITE_ONCE                     = 0x0081
    TEMPERATURE_EXCEEDED           = 0x0082
    BEGINNING_PASSES               = 0x0101
    MIDDLE_PASSES                  = 0x0102
    FIRST_ENCRYPTED_OBJECT         = 0x0200
    FIRST_CLEAR_OBJECT_AFTER       = 0x0201
    PARTITION_CAPACITY             = 0x0202
    PARTITION_USED                 = 0x0203
    PARTITION_REMAINING            = 0x0204
    MOUNT_HISTORY                  = 0x0300
    # fmt: on


_S = Statistic
NUMBERS: Final[Mapping[int, int]] = {
    _S.PAGE_VALID: 1,
    _S.MOUNTS: 4,
    _S.DATASETS_WRITTEN: 8,
    _S.RECOVERED_WRITE_ERRORS: 4,
    _S.UNRECOVERED_WRITE_ERRORS: 2,
    _S.DATASETS_READ: 8,
    _S.RECOVERED_READ_ERRORS: 4,
    _S.UNRECOVERED_READ_ERRORS: 2,
    _S.LAST_UNRECOVERED_WRITE_ERRORS: 2,
    _S.LAST_UNRECOVERED_READ_ERRORS: 2,
    _S.LAST_MEGABYTES_WRITTEN: 4,
    _S.LAST_MEGABYTES_READ: 4,
    _S.MEGABYTES_WRITTEN: 8,
    _S.MEGABYTES_READ: 8,
    _S.LAST_WRITE_COMPRESSION: 2,
    _S.LAST_READ_COMPRESSION: 2,
    _S.MOUNT_TIME: 6,
    _S.READY_TIME: 6,
    _S.NATIVE_CAPACITY: 4,
    _S.USED_NATIVE_CAPACITY: 4,
    _S.LIFE_REMAINING: 1,
    _S.WRITE_PROTECTED: 1,
    _S.WRITE_ONCE: 1,
    _S.BEGINNING_PASSES: 4,
    _S.MIDDLE_PASSES: 4,
}
TEXTS: Final[Mapping[int, int]] = {
    _S.VOLUME_SERIAL: 32,
    _S.TAPE_LOT: 8,
    _S.BARCODE: 32,
    _S.MANUFACTURER: 8,
    _S.PERSONALITY: 9,
}
PARTITIONED: Final[Mapping[int, int]] = {
    _S.FIRST_ENCRYPTED_OBJECT: 6,
    _S.FIRST_CLEAR_OBJECT_AFTER: 6,
    _S.PARTITION_CAPACITY: 4,
    _S.PARTITION_USED: 4,
    _S.PARTITION_REMAINING: 4,
}


@dataclass(frozen=True, slots=True)
class VolumeStatistics:
    """Page 17h by parameter code: numbers, texts, and numbers by partition."""

    numbers: Mapping[int, Counter]
    texts: Mapping[int, str]
    partitions: Mapping[int, Mapping[int, Counter]]

    @property
    def valid(self) -> bool:
        """Whether the drive vouches for the page; it does not before a volume was used."""
        return self.numbers.get(Statistic.PAGE_VALID) == 1

    @property
    def volume_serial(self) -> str | None:
        return self.texts.get(Statistic.VOLUME_SERIAL)

    @property
    def barcode(self) -> str | None:
        return self.texts.get(Statistic.BARCODE)

    def by_partition(self, code: Statistic) -> Mapping[int, Counter]:
        """A counter of every partition that the drive reports; empty if it does not report it."""
        return self.partitions.get(code, {})


def read_volume_statistics(subpage: int = 0) -> Command:
    """Ask for page 17h: subpage 00h is the volume mounted last, on IBM 01h and 02h those before it."""
    return log_sense(LogPage.VOLUME_STATISTICS, subpage)


def encode_volume_statistics(statistics: VolumeStatistics, subpage: int = 0) -> bytes:
    """Write page 17h."""
    parameters = [
        Parameter(code, image(value, NUMBERS[code]), Form.COUNTER) for code, value in statistics.numbers.items()
    ]
    for code, words in statistics.texts.items():
        parameters.append(Parameter(code, words.encode("ascii").ljust(TEXTS[code]), Form.ASCII_LIST))
    for code, records in statistics.partitions.items():
        parameters.append(Parameter(code, encode_records(records, PARTITIONED[code])))
    ordered = tuple(sorted(parameters, key=lambda item: item.code))
    return encode_page(Page(LogPage.VOLUME_STATISTICS, ordered, subpage))


def decode_volume_statistics(data: bytes, subpage: int = 0) -> VolumeStatistics:
    """Read page 17h. Parameters that the tables here lack are left out."""
    page = decode_page(data, LogPage.VOLUME_STATISTICS, subpage)
    found = {item.code: item.value for item in page.parameters}
    return VolumeStatistics(
        numbers={code: counter(value, width) for code, (value, width) in numbers(page, NUMBERS).items()},
        texts={code: found[code].decode("ascii", "replace").strip(_PADDING) for code in found if code in TEXTS},
        partitions={code: decode_records(found[code]) for code in found if code in PARTITIONED},
    )


def encode_records(records: Mapping[int, Counter], size: int) -> bytes:
    """Write partition records: length of the rest, reserved, partition number, counter."""
    heads: Iterable[tuple[int, Counter]] = sorted(records.items(), key=lambda item: item[0])
    return b"".join(
        bytes([size + 3, 0]) + partition.to_bytes(2, "big") + image(value, size) for partition, value in heads
    )


def decode_records(value: bytes) -> dict[int, Counter]:
    """Read partition records, each with the counter that its own length leaves room for."""
    reader = Reader(value, "the partition records of log page 17h")
    found: dict[int, Counter] = {}
    while reader.left:
        length = reader.number(1, "a record's length")
        with reader.block(length, "a partition record") as record:
            record.take(1, "the reserved byte")
            partition = record.number(2, "the partition number")
            size = record.left
            if not size or partition in found:
                raise Malformed("a partition record of log page 17h has no counter of its own")
            found[partition] = counter(record.number(size, "the counter"), size)
    return found
