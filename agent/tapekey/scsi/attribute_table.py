"""The attributes of cartridge memory (MAM) that are known: one table of length, format and who writes (reference 4.2).

Numbers of SPC-4, and IBM's of the vendor ranges. A length of None varies. Who may write follows from the range of
the identifier, save for the exceptions that the table names.
"""

from dataclasses import dataclass
from typing import Final

from tapekey.wire.codes import Code


class Format(Code):
    """FORMAT of an attribute's value."""

    BINARY = 0b00
    ASCII = 0b01
    TEXT = 0b10


class AttributeId(Code):
    """ATTRIBUTE IDENTIFIER."""

    # fmt: off
    REMAINING_CAPACITY           = 0x0000
    MAXIMUM_CAPACITY             = 0x0001
    TAPE_ALERT_FLAGS             = 0x0002
    LOAD_COUNT                   = 0x0003
    MEMORY_SPACE_REMAINING       = 0x0004
    ASSIGNING_ORGANIZATION       = 0x0005
    FORMATTED_DENSITY            = 0x0006
    INITIALIZATION_COUNT         = 0x0007
    VOLUME_IDENTIFIER            = 0x0008
    VOLUME_CHANGE_REFERENCE      = 0x0009
    DEVICE_AT_LAST_LOAD          = 0x020A
    DEVICE_AT_LOAD_1             = 0x020B
    DEVICE_AT_LOAD_2             = 0x020C
    DEVICE_AT_LOAD_3             = 0x020D
    WRITTEN_IN_LIFE              = 0x0220
    READ_IN_LIFE                 = 0x0221
    WRITTEN_IN_LAST_LOAD         = 0x0222
    READ_IN_LAST_LOAD            = 0x0223
    FIRST_ENCRYPTED_BLOCK        = 0x0224
    FIRST_CLEAR_BLOCK_AFTER      = 0x0225
    MEDIUM_USAGE_HISTORY         = 0x0340
    PARTITION_USAGE_HISTORY      = 0x0341
    MEDIUM_MANUFACTURER          = 0x0400
    MEDIUM_SERIAL                = 0x0401
    MEDIUM_LENGTH                = 0x0402
    MEDIUM_WIDTH                 = 0x0403
    MEDIUM_ORGANIZATION          = 0x0404
    MEDIUM_DENSITY               = 0x0405
    MANUFACTURE_DATE             = 0x0406
    MEMORY_CAPACITY              = 0x0407
    MEDIUM_TYPE                  = 0x0408
    MEDIUM_TYPE_INFORMATION      = 0x0409
    NUMERIC_MEDIUM_SERIAL        = 0x040A
    SUPPORTED_DENSITIES_040B     = 0x040B
    SUPPORTED_DENSITIES          = 0x0500
    APPLICATION_VENDOR           = 0x0800
    APPLICATION_NAME             = 0x0801
    APPLICATION_VERSION          = 0x0802
    USER_LABEL                   = 0x0803
    LAST_WRITTEN                 = 0x0804
    LOCALIZATION                 = 0x0805
    BARCODE                      = 0x0806
    OWNING_HOST                  = 0x0807
    MEDIA_POOL                   = 0x0808
    PARTITION_LABEL              = 0x0809
    LOAD_AT_PARTITION            = 0x080A
    APPLICATION_FORMAT_VERSION   = 0x080B
    VOLUME_COHERENCY             = 0x080C
    MEDIUM_UNIQUE_ID             = 0x0820
    POOL_UNIQUE_ID               = 0x0821
    UNIQUE_CARTRIDGE_IDENTITY    = 0x1000
    ALTERNATE_CARTRIDGE_IDENTITY = 0x1001
    USER_CARTRIDGE_IDENTITY      = 0x1002
    OPTIMIZATION_NEEDED          = 0x1010
    OPTIMIZATION_VERSION         = 0x1011
    TAPE_MOTION                  = 0x1100
    EARLY_WARNING                = 0x1500
    VOLUME_LOCK                  = 0x1623
    # fmt: on


class Localization(Code):
    """Value of 0805h: the character set of TEXT attributes."""

    ASCII = 0x00
    LATIN_1 = 0x01
    UCS_2 = 0x80
    UTF_8 = 0x81


class MediumType(Code):
    """Value of 0408h."""

    DATA = 0x00
    CLEANING = 0x01
    WRITE_ONCE = 0x80


@dataclass(frozen=True, slots=True)
class Kind:
    """What is known of an attribute; `host_writes` is whether a host may ever write it."""

    length: int | None
    format: Format
    host_writes: bool


@dataclass(frozen=True, slots=True)
class Range:
    """A range of identifiers, both ends included, and who writes there."""

    first: int
    last: int
    writer: str
    vendor: bool

    @property
    def host_writes(self) -> bool:
        return self.writer == "host"


# fmt: off
RANGES: Final = (
    Range(0x0000, 0x03FF, "device", vendor=False),
    Range(0x0400, 0x07FF, "medium", vendor=False),
    Range(0x0800, 0x0BFF, "host",   vendor=False),
    Range(0x0C00, 0x0FFF, "device", vendor=True),
    Range(0x1000, 0x13FF, "medium", vendor=True),
    Range(0x1400, 0x17FF, "host",   vendor=True),
)
HOST_VENDOR: Final = RANGES[5]

_B, _A, _T = Format.BINARY, Format.ASCII, Format.TEXT
_I = AttributeId
KINDS: Final[dict[int, Kind]] = {
    _I.REMAINING_CAPACITY:           Kind(   8, _B, False),
    _I.MAXIMUM_CAPACITY:             Kind(   8, _B, False),
    _I.TAPE_ALERT_FLAGS:             Kind(   8, _B, False),
    _I.LOAD_COUNT:                   Kind(   8, _B, False),
    _I.MEMORY_SPACE_REMAINING:       Kind(   8, _B, False),
    _I.ASSIGNING_ORGANIZATION:       Kind(   8, _A, False),
    _I.FORMATTED_DENSITY:            Kind(   1, _B, False),
    _I.INITIALIZATION_COUNT:         Kind(   2, _B, False),
    _I.VOLUME_IDENTIFIER:            Kind(  32, _A, False),
    _I.VOLUME_CHANGE_REFERENCE:      Kind(None, _B, False),  # 4 on IBM, 8 on Oracle
    _I.DEVICE_AT_LAST_LOAD:          Kind(  40, _A, False),
    _I.DEVICE_AT_LOAD_1:             Kind(  40, _A, False),
    _I.DEVICE_AT_LOAD_2:             Kind(  40, _A, False),
    _I.DEVICE_AT_LOAD_3:             Kind(  40, _A, False),
    _I.WRITTEN_IN_LIFE:              Kind(   8, _B, False),
    _I.READ_IN_LIFE:                 Kind(   8, _B, False),
    _I.WRITTEN_IN_LAST_LOAD:         Kind(   8, _B, False),
    _I.READ_IN_LAST_LOAD:            Kind(   8, _B, False),
    _I.FIRST_ENCRYPTED_BLOCK:        Kind(   8, _B, False),
    _I.FIRST_CLEAR_BLOCK_AFTER:      Kind(   8, _B, False),
    _I.MEDIUM_USAGE_HISTORY:         Kind(  90, _B, False),
    _I.PARTITION_USAGE_HISTORY:      Kind(  60, _B, False),
    _I.MEDIUM_MANUFACTURER:          Kind(   8, _A, False),
    _I.MEDIUM_SERIAL:                Kind(  32, _A, False),
    _I.MEDIUM_LENGTH:                Kind(   4, _B, False),
    _I.MEDIUM_WIDTH:                 Kind(   4, _B, False),
    _I.MEDIUM_ORGANIZATION:          Kind(   8, _A, False),
    _I.MEDIUM_DENSITY:               Kind(   1, _B, False),
    _I.MANUFACTURE_DATE:             Kind(   8, _A, False),
    _I.MEMORY_CAPACITY:              Kind(   8, _B, False),
    _I.MEDIUM_TYPE:                  Kind(   1, _B, False),
    _I.MEDIUM_TYPE_INFORMATION:      Kind(   2, _B, False),
    _I.NUMERIC_MEDIUM_SERIAL:        Kind(None, _B, False),
    _I.SUPPORTED_DENSITIES_040B:     Kind(None, _B, False),
    _I.SUPPORTED_DENSITIES:          Kind(None, _B, False),
    _I.APPLICATION_VENDOR:           Kind(   8, _A, True),
    _I.APPLICATION_NAME:             Kind(  32, _A, True),
    _I.APPLICATION_VERSION:          Kind(   8, _A, True),
    _I.USER_LABEL:                   Kind( 160, _T, True),
    _I.LAST_WRITTEN:                 Kind(  12, _A, True),
    _I.LOCALIZATION:                 Kind(   1, _B, True),
    _I.BARCODE:                      Kind(  32, _A, True),
    _I.OWNING_HOST:                  Kind(  80, _T, True),
    _I.MEDIA_POOL:                   Kind( 160, _T, True),
    _I.PARTITION_LABEL:              Kind(  16, _A, True),
    _I.LOAD_AT_PARTITION:            Kind(   1, _B, True),
    _I.APPLICATION_FORMAT_VERSION:   Kind(  16, _A, True),
    _I.VOLUME_COHERENCY:             Kind(None, _B, True),
    _I.MEDIUM_UNIQUE_ID:             Kind(  36, _B, True),
    _I.POOL_UNIQUE_ID:               Kind(  36, _B, True),
    _I.UNIQUE_CARTRIDGE_IDENTITY:    Kind(  28, _B, False),
    _I.ALTERNATE_CARTRIDGE_IDENTITY: Kind(  24, _B, False),
    _I.USER_CARTRIDGE_IDENTITY:      Kind(None, _B, True),   # once
    _I.OPTIMIZATION_NEEDED:          Kind(   1, _B, True),   # the value 1 only
    _I.OPTIMIZATION_VERSION:         Kind(   1, _B, False),
    _I.TAPE_MOTION:                  Kind(   8, _B, False),
    _I.EARLY_WARNING:                Kind(None, _B, True),   # HPE's own, in the host's vendor range
    _I.VOLUME_LOCK:                  Kind(   1, _B, True),   # LTFS's
}
# fmt: on


def range_of(identifier: int) -> Range | None:
    """The range that an identifier lies in; None for reserved ones."""
    return next((item for item in RANGES if item.first <= identifier <= item.last), None)


def kind_of(identifier: int) -> Kind:
    """What is known of an attribute; for one that the table lacks, what its range says."""
    if identifier in KINDS:
        return KINDS[identifier]
    lies_in = range_of(identifier)
    return Kind(None, Format.BINARY, lies_in is not None and lies_in.host_writes)
