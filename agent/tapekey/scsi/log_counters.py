"""Plain counters: log pages 02h, 03h, 06h, 0Ch, 14h, 1Bh, 30h, 31h, 32h (reference 11.4; the first three SPC-4, UNV).

Per page a table of parameter codes and widths. All ones in a counter of 0Ch is "unknown" there.
"""

from collections.abc import Mapping
from typing import Final

from tapekey.scsi.log import Form, LogPage, Page, Parameter, decode_page, encode_page, numbers
from tapekey.wire.codes import Code


class SequentialAccess(Code):
    """Parameter codes of page 0Ch; megabytes are 10^6 bytes."""

    BYTES_FROM_HOST = 0x0000
    BYTES_TO_MEDIUM = 0x0001
    BYTES_FROM_MEDIUM = 0x0002
    BYTES_TO_HOST = 0x0003
    TO_END_OF_DATA = 0x0004
    TO_EARLY_WARNING = 0x0005
    BEYOND_EARLY_WARNING = 0x0006
    TO_POSITION = 0x0007
    BUFFER = 0x0008
    CLEANING_REQUESTED = 0x0100


class DeviceStatistic(Code):
    """Parameter codes of page 14h."""

    LOADS = 0x0000
    CLEANINGS = 0x0001
    POWER_ON_HOURS = 0x0002
    MOTION_HOURS = 0x0003
    METRES = 0x0004
    POWER_CYCLES = 0x000C
    LOADS_SINCE_RESET = 0x000D
    HARD_WRITE_ERRORS = 0x000E
    HARD_READ_ERRORS = 0x000F
    MANUFACTURER_SERIAL = 0x0040
    SERIAL = 0x0041
    REMOVAL_PREVENTED = 0x0080
    OVER_TEMPERATURE = 0x0081


class TapeCapacity(Code):
    """Parameter codes of page 31h, in units of 2^20 bytes."""

    REMAINING_0 = 0x0001
    REMAINING_1 = 0x0002
    MAXIMUM_0 = 0x0003
    MAXIMUM_1 = 0x0004


class ErrorCounter(Code):
    """Parameter codes of pages 02h (writing) and 03h (reading), SPC-4."""

    CORRECTED_AT_ONCE = 0x0000
    CORRECTED_WITH_DELAY = 0x0001
    RETRIES = 0x0002
    CORRECTED = 0x0003
    CORRECTIONS = 0x0004
    BYTES = 0x0005
    UNCORRECTED = 0x0006


NON_MEDIUM_ERRORS: Final = 0x0000  # of page 06h


class Compression(Code):
    """Parameter codes of pages 1Bh and 32h; ratios are hundredfold, megabytes 10^6 bytes, with a signed remainder."""

    READ_RATIO = 0x0000
    WRITE_RATIO = 0x0001
    MEGABYTES_TO_HOST = 0x0002
    BYTES_TO_HOST = 0x0003
    MEGABYTES_FROM_MEDIUM = 0x0004
    BYTES_FROM_MEDIUM = 0x0005
    MEGABYTES_FROM_HOST = 0x0006
    BYTES_FROM_HOST = 0x0007
    MEGABYTES_TO_MEDIUM = 0x0008
    BYTES_TO_MEDIUM = 0x0009
    ENABLED = 0x0100  # 1Bh only


class Usage(Code):
    """Parameter codes of IBM's page 30h."""

    MOUNTS = 0x0001
    DATASETS_WRITTEN = 0x0002
    WRITE_RETRIES = 0x0003
    WRITE_ERRORS = 0x0004
    SUSPENDED_WRITES = 0x0005
    FATAL_SUSPENDED_WRITES = 0x0006
    DATASETS_READ = 0x0007
    READ_RETRIES = 0x0008
    READ_ERRORS = 0x0009
    SUSPENDED_READS = 0x000A
    FATAL_SUSPENDED_READS = 0x000B


_ERRORS: Final = {**dict.fromkeys(range(0x0007), 4), ErrorCounter.BYTES: 8}
_COMPRESSION: Final = {0x0000: 2, 0x0001: 2, **dict.fromkeys(range(0x0002, 0x000A), 4)}

# fmt: off
WIDTHS: Final[Mapping[LogPage, Mapping[int, int]]] = {
    LogPage.WRITE_ERRORS:      _ERRORS,
    LogPage.READ_ERRORS:       _ERRORS,
    LogPage.NON_MEDIUM_ERRORS: {NON_MEDIUM_ERRORS: 4},
    LogPage.DATA_COMPRESSION:  {**_COMPRESSION, Compression.ENABLED: 2},
    LogPage.DATA_COMPRESSION_VENDOR: _COMPRESSION,
    LogPage.TAPE_USAGE: {
        0x0001: 4, 0x0002: 8, 0x0003: 4, 0x0004: 2, 0x0005: 2, 0x0006: 2,
        0x0007: 8, 0x0008: 4, 0x0009: 2, 0x000A: 2, 0x000B: 2,
    },
    LogPage.SEQUENTIAL_ACCESS: {
        **dict.fromkeys(range(0x0004), 8),
        **dict.fromkeys(range(0x0004, 0x0009), 4),
        SequentialAccess.CLEANING_REQUESTED: 8,
    },
    LogPage.DEVICE_STATISTICS: dict.fromkeys(range(0x0010), 4),
    LogPage.TAPE_CAPACITY:     dict.fromkeys(range(0x0001, 0x0005), 4),
}
# fmt: on


def encode_counters(page: LogPage, values: Mapping[int, int]) -> bytes:
    """Write one of these pages from numbers by parameter code."""
    widths = WIDTHS[page]
    parameters = [Parameter(code, values[code].to_bytes(widths[code], "big"), Form.COUNTER) for code in sorted(values)]
    return encode_page(Page(page, tuple(parameters)))


def decode_counters(data: bytes, page: LogPage) -> dict[int, int]:
    """Read one of these pages; parameters that its table lacks are left out."""
    found = numbers(decode_page(data, page), WIDTHS[page])
    return {code: value for code, (value, _) in found.items()}


def encode_device_statistics(values: Mapping[int, int], serial: str, manufacturer_serial: str) -> bytes:
    """Write page 14h with the drive's two serials, of 12 characters each."""
    serials = ((DeviceStatistic.MANUFACTURER_SERIAL, manufacturer_serial), (DeviceStatistic.SERIAL, serial))
    tail = tuple(Parameter(code, words.encode("ascii").ljust(12), Form.ASCII_LIST) for code, words in serials)
    page = decode_page(encode_counters(LogPage.DEVICE_STATISTICS, values), LogPage.DEVICE_STATISTICS)
    return encode_page(Page(LogPage.DEVICE_STATISTICS, page.parameters + tail))
