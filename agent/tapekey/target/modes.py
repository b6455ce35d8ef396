"""Mode pages of the virtual drive as they stand: default, changeable, current and saved (reference 1.12 and 11.3).

A page is its whole image, header included. What a client may change is the mask; the rest is the drive's.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Final

from tapekey.target.partitioning import Plan, size_fields
from tapekey.target.personality import Management, Personality

Key = tuple[int, int]  # page and subpage

RECOVERY: Final[Key] = (0x01, 0x00)
DISCONNECT: Final[Key] = (0x02, 0x00)
CONTROL: Final[Key] = (0x0A, 0x00)
CONTROL_EXTENSION: Final[Key] = (0x0A, 0x01)
PROTECTION: Final[Key] = (0x0A, 0xF0)
COMPRESSION: Final[Key] = (0x0F, 0x00)
CONFIGURATION: Final[Key] = (0x10, 0x00)
EXTENSION: Final[Key] = (0x10, 0x01)
PARTITION: Final[Key] = (0x11, 0x00)
UNIT: Final[Key] = (0x18, 0x00)
PORT: Final[Key] = (0x19, 0x00)
POWER: Final[Key] = (0x1A, 0x00)
EXCEPTIONS: Final[Key] = (0x1C, 0x00)
MEDIUM: Final[Key] = (0x1D, 0x00)
IBM_VENDOR: Final[Key] = (0x24, 0x00)
IBM_ENCRYPTION: Final[Key] = (0x30, 0x20)

D_SENSE: Final = 0x04  # byte 2 of the Control page
TIMESTAMP_CHANGEABLE: Final = 0x02  # SCSIP, byte 4 of Control Extension
COMPRESS: Final = 0x80  # DCE, byte 2 of Data Compression
SOFT_WRITE_PROTECT: Final = 0x04  # SWP, byte 10 of Device Configuration
ASSOCIATED_WRITE_PROTECT: Final = 0x04  # ASOCWP, byte 15 of the same
PERSISTENT_WRITE_PROTECT: Final = 0x02
PERMANENT_WRITE_PROTECT: Final = 0x01
WRE: Final = 0x04  # byte 8 of Device Configuration Extension
VCELBRE: Final = 0x01
APPEND_ONLY: Final = 0x10  # byte 5 of the same

# Not saved, whatever SP says: they belong to the volume, or to the two ends of one connection.
UNSAVED: Final = frozenset({PARTITION, PROTECTION})


@dataclass(frozen=True, slots=True)
class Row:
    """A page's default image and the mask of what a client may change."""

    image: bytes
    mask: bytes


def _page(key: Key, length: int, values: Mapping[int, int], changeable: Mapping[int, int]) -> Row:
    code, subpage = key
    head = bytes([0x40 | code, subpage]) + length.to_bytes(2, "big") if subpage else bytes([code, length])
    image, mask = bytearray(head + bytes(length)), bytearray(len(head) + length)
    for byte, value in values.items():
        image[byte] = value
    for byte, value in changeable.items():
        mask[byte] = value
    return Row(bytes(image), bytes(mask))


def rows(personality: Personality) -> Mapping[Key, Row]:
    """The pages that this drive has."""
    facts = personality
    return _rows(
        facts.ibm_pages,
        facts.extension_page,
        facts.writes_require_encryption,
        facts.append_only,
        bool(facts.protection),
        facts.generation == "lto5",
        size_fields(facts.generation),
    )


@cache
def _rows(
    ibm: bool, extension: bool, guard: bool, append_only: bool, protection: bool, fifth: bool, sizes: int
) -> Mapping[Key, Row]:
    algorithm = 0xFF if ibm and not fifth else 0x01
    # fmt: off
    table = {
        RECOVERY:      _page(RECOVERY,      0x0A, {},                                  {2: 0xFF, 3: 0xFF, 8: 0xFF}),
        DISCONNECT:    _page(DISCONNECT,    0x0E, {},                                  {}),
        CONTROL:       _page(CONTROL,       0x0A, {},                                  {2: D_SENSE}),
        CONTROL_EXTENSION: _page(CONTROL_EXTENSION, 0x1C, {4: TIMESTAMP_CHANGEABLE},   {4: TIMESTAMP_CHANGEABLE}),
        COMPRESSION:   _page(COMPRESSION,   0x0E, {2: 0xC0, 3: 0x80, 7: algorithm, 11: algorithm}, {2: COMPRESS}),
        CONFIGURATION: _page(CONFIGURATION, 0x0E, {6: 0x01, 7: 0x2C, 8: 0x40, 10: 0x10, 14: 0x01},
                                                  {6: 0xFF, 7: 0xFF, 10: 0x0C, 14: 0xFF, 15: 0xC7}),
        PARTITION:     _page(PARTITION, 6 + 2 * sizes, {4: 0x3C, 5: 0x03, 6: 0x19}, {
                           3: 0xFF, 4: 0xFB, 6: 0x0F, **dict.fromkeys(range(8, 8 + 2 * sizes), 0xFF)}),
        UNIT:          _page(UNIT,          0x06, {2: 0x05},                           {}),
        PORT:          _page(PORT,          0x06, {2: 0x05},                           {}),
        POWER:         _page(POWER,         0x0A, {},                                  {}),
        EXCEPTIONS:    _page(EXCEPTIONS,    0x0A, {2: 0x08, 3: 0x03},                  {2: 0x08, 3: 0x0F}),
        MEDIUM:        _page(MEDIUM,        0x1E, {4: 0x01, 5: 0x02},                  {}),
    }
    # fmt: on
    if extension:
        changeable = {8: WRE | VCELBRE} if guard else {}
        changeable |= {5: 0xF0, 6: 0xFF, 7: 0xFF} if append_only else {}
        table[EXTENSION] = _page(EXTENSION, 0x1C, {5: 0x02}, changeable)
    if protection:
        table[PROTECTION] = _page(PROTECTION, 0x1C, {}, {4: 0xFF, 5: 0x3F, 6: 0xE0})
    if ibm:
        table[IBM_VENDOR] = _page(IBM_VENDOR, 0x06, {}, {})
        table[IBM_ENCRYPTION] = _page(IBM_ENCRYPTION, 0x05, {}, {})
    return table


@dataclass(frozen=True, slots=True)
class BlockProtection:
    """Logical block protection as page 0Ah/F0h sets it: the method, and on which way it is used."""

    method: int
    on_write: bool
    on_read: bool


UNPROTECTED: Final = BlockProtection(0, False, False)


@dataclass(slots=True)
class Modes:
    """Current and saved values; a page that nobody changed is not in them.

    plan  the partitions that page 11h asked for, until a format makes them
    """

    saved: dict[Key, bytes] = field(default_factory=dict)
    current: dict[Key, bytes] = field(default_factory=dict)
    block_length: int = 0
    plan: Plan | None = None
    _asked: Personality | None = field(default=None, repr=False, compare=False)
    _there: Mapping[Key, Row] = field(default_factory=dict, repr=False, compare=False)

    def power_on(self) -> None:
        """Current values are gone, and begin again as the saved ones."""
        self.current = dict(self.saved)
        self.block_length, self.plan = 0, None

    def _rows_of(self, personality: Personality) -> Mapping[Key, Row]:
        """The pages of the drive that asked last: every write asks four times."""
        if self._asked is not personality:
            self._asked, self._there = personality, rows(personality)
        return self._there

    def image(self, personality: Personality, key: Key) -> bytes:
        """The current values of a page that this drive has."""
        return self.current.get(key) or self._rows_of(personality)[key].image

    def bit(self, personality: Personality, key: Key, byte: int, bit: int) -> bool:
        """Whether a bit of a page is set; a page that the drive lacks has none."""
        image = self.current.get(key)
        if image is None:
            row = (self._there if self._asked is personality else self._rows_of(personality)).get(key)
            return row is not None and bool(row.image[byte] & bit)
        return bool(image[byte] & bit)

    @property
    def protection(self) -> BlockProtection:
        """How logical blocks are protected now; nothing stands in page 0Ah/F0h until a client sets it."""
        image = self.current.get(PROTECTION)
        if image is None or not image[4]:
            return UNPROTECTED
        return BlockProtection(image[4], bool(image[6] & 0x80), bool(image[6] & 0x40))

    def compresses(self, personality: Personality) -> bool:
        """DCE: blocks are compressed before they are stored."""
        return self.bit(personality, COMPRESSION, 2, COMPRESS)

    def early_warning(self, personality: Personality) -> int:
        """PEWS of page 10h/01h in bytes: how long before early warning the programmable one comes; 0 is never."""
        image = self.current.get(EXTENSION)
        if image is None:
            row = self._rows_of(personality).get(EXTENSION)
            if row is None:
                return 0
            image = row.image
        return int.from_bytes(image[6:8], "big") * 10**6


# Bytes 5 to 8 of page 30h/20h as IBM reports them.
METHODS: Final[Mapping[Management, bytes]] = {
    Management.APPLICATION: bytes([0x03, 0x01, 0x01, 0x00]),
    Management.LIBRARY: bytes([0x04, 0x01, 0x02, 0x00]),
    Management.DISABLED: bytes([0x01, 0x01, 0x01, 0x00]),
    Management.NONE: bytes([0x01, 0x01, 0x01, 0x00]),
}
