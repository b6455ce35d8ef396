"""Where things are in a library: element addresses, and the names that people give them. Pure.

The first address of each type never moves, so that a library may grow: transport 1, import/export from 10h, drives
from 100h, storage from 1000h.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from tapekey.errors import NotFound, Usage
from tapekey.scsi.changer import ElementType
from tapekey.scsi.changer_mode import ElementAddresses

TRANSPORT: Final = 0x0001
FIRST_MAIL_SLOT: Final = 0x0010
FIRST_DRIVE: Final = 0x0100
FIRST_SLOT: Final = 0x1000
MOST_MAIL_SLOTS: Final = FIRST_DRIVE - FIRST_MAIL_SLOT
MOST_DRIVES: Final = 0xFF  # as many as LUNs of one byte, beside the changer
MOST_SLOTS: Final = 0xF000

WORDS: Final = {
    ElementType.TRANSPORT: "arm",
    ElementType.IMPORT_EXPORT: "mail",
    ElementType.DRIVE: "drive",
    ElementType.STORAGE: "slot",
}


@dataclass(frozen=True, slots=True)
class Layout:
    """How many of each there are; the transport is one."""

    drives: int
    slots: int
    mail_slots: int

    def check(self) -> None:
        """Usage if no library can be like this."""
        limits = (("drives", self.drives, 1, MOST_DRIVES), ("slots", self.slots, 1, MOST_SLOTS))
        for name, count, least, most in (*limits, ("mail slots", self.mail_slots, 0, MOST_MAIL_SLOTS)):
            if not least <= count <= most:
                raise Usage(f"a library cannot have {count} {name}", mend=f"{least} to {most}")

    def span(self, type: ElementType) -> range:
        """The addresses of one type."""
        first, count = {
            ElementType.TRANSPORT: (TRANSPORT, 1),
            ElementType.IMPORT_EXPORT: (FIRST_MAIL_SLOT, self.mail_slots),
            ElementType.DRIVE: (FIRST_DRIVE, self.drives),
            ElementType.STORAGE: (FIRST_SLOT, self.slots),
        }[type]
        return range(first, first + count)

    def all(self) -> Iterator[tuple[ElementType, range]]:
        """Every type with its addresses, in ascending order of the addresses."""
        for type in WORDS:
            yield type, self.span(type)

    def type_of(self, address: int) -> ElementType | None:
        """What kind of element has this address; None if there is none."""
        return next((type for type, span in self.all() if address in span), None)

    def name(self, address: int) -> str:
        """The name of an element, such as slot-3."""
        type = self.type_of(address)
        if type is None:
            raise ValueError(f"no element has the address {address}")
        return "arm" if type is ElementType.TRANSPORT else f"{WORDS[type]}-{address - self.span(type).start + 1}"

    def address(self, name: str) -> int:
        """The address of an element by its name; NotFound if the library has none of that name."""
        word, _, number = name.partition("-")
        for type, span in self.all():
            if word == WORDS[type] and number.isascii() and number.isdigit() and 1 <= int(number) <= len(span):
                return span[int(number) - 1]
        there = [f"{WORDS[type]}-1 to {WORDS[type]}-{len(span)}" for type, span in self.all() if len(span)]
        raise NotFound(f"the library has no element {name}", mend=", ".join(there[1:]))

    def page(self) -> ElementAddresses:
        """Mode page 1Dh."""
        return ElementAddresses(
            first_transport=TRANSPORT,
            transports=1,
            first_storage=FIRST_SLOT,
            storages=self.slots,
            first_mail_slot=FIRST_MAIL_SLOT if self.mail_slots else 0,
            mail_slots=self.mail_slots,
            first_drive=FIRST_DRIVE,
            drives=self.drives,
        )
