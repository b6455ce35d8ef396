"""Mode pages of the virtual drive as they stand: default, changeable, current and saved (reference 1.12 and 11.3).

A page is its whole image, header included. What a client may change is the mask; the rest is the drive's.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Final

from tapekey.target.personality import Management, Personality

Key = tuple[int, int]  # page and subpage

CONTROL: Final[Key] = (0x0A, 0x00)
COMPRESSION: Final[Key] = (0x0F, 0x00)
CONFIGURATION: Final[Key] = (0x10, 0x00)
EXTENSION: Final[Key] = (0x10, 0x01)
PARTITION: Final[Key] = (0x11, 0x00)
MEDIUM: Final[Key] = (0x1D, 0x00)
IBM_VENDOR: Final[Key] = (0x24, 0x00)
IBM_ENCRYPTION: Final[Key] = (0x30, 0x20)

D_SENSE: Final = 0x04  # byte 2 of the Control page
SOFT_WRITE_PROTECT: Final = 0x04  # byte 10 of Device Configuration
WRE: Final = 0x04  # byte 8 of Device Configuration Extension
VCELBRE: Final = 0x01


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
    return _rows(facts.ibm_pages, facts.extension_page, facts.writes_require_encryption)


@cache
def _rows(ibm: bool, extension: bool, guard: bool) -> Mapping[Key, Row]:
    # fmt: off
    table = {
        (0x01, 0x00):  _page((0x01, 0x00), 0x0A, {},                                  {2: 0xFF, 3: 0xFF, 8: 0xFF}),
        (0x02, 0x00):  _page((0x02, 0x00), 0x0E, {},                                  {}),
        CONTROL:       _page(CONTROL,      0x0A, {},                                  {2: D_SENSE}),
        COMPRESSION:   _page(COMPRESSION,  0x0E, {2: 0xC0, 3: 0x80, 7: 0xFF if ibm else 0x01},
                                                                                      {2: 0x80}),
        CONFIGURATION: _page(CONFIGURATION, 0x0E, {6: 0x01, 7: 0x2C, 8: 0x40, 10: 0x10, 14: 0x01},
                                                  {6: 0xFF, 7: 0xFF, 10: 0x0C, 14: 0xFF}),
        PARTITION:     _page(PARTITION,    0x08, {4: 0x08, 5: 0x03, 6: 0x09},         {}),
        (0x1C, 0x00):  _page((0x1C, 0x00), 0x0A, {2: 0x08, 3: 0x03},                  {2: 0x08, 3: 0x0F}),
        MEDIUM:        _page(MEDIUM,       0x1E, {4: 0x01, 5: 0x02},                  {}),
    }
    # fmt: on
    if extension:
        changeable = {8: WRE | VCELBRE} if guard else {}
        table[EXTENSION] = _page(EXTENSION, 0x1C, {5: 0x02}, changeable)
    if ibm:
        table[IBM_VENDOR] = _page(IBM_VENDOR, 0x06, {}, {})
        table[IBM_ENCRYPTION] = _page(IBM_ENCRYPTION, 0x05, {}, {})
    return table


@dataclass(slots=True)
class Modes:
    """Current and saved values; a page that nobody changed is not in them."""

    saved: dict[Key, bytes] = field(default_factory=dict)
    current: dict[Key, bytes] = field(default_factory=dict)
    block_length: int = 0

    def power_on(self) -> None:
        """Current values are gone, and begin again as the saved ones."""
        self.current = dict(self.saved)
        self.block_length = 0

    def image(self, personality: Personality, key: Key) -> bytes:
        """The current values of a page that this drive has."""
        return self.current.get(key, rows(personality)[key].image)

    def bit(self, personality: Personality, key: Key, byte: int, bit: int) -> bool:
        """Whether a bit of a page is set; a page that the drive lacks has none."""
        return key in rows(personality) and bool(self.image(personality, key)[byte] & bit)


# Bytes 5 to 8 of page 30h/20h as IBM reports them.
METHODS: Final[Mapping[Management, bytes]] = {
    Management.APPLICATION: bytes([0x03, 0x01, 0x01, 0x00]),
    Management.LIBRARY: bytes([0x04, 0x01, 0x02, 0x00]),
    Management.DISABLED: bytes([0x01, 0x01, 0x01, 0x00]),
    Management.NONE: bytes([0x01, 0x01, 0x01, 0x00]),
}
