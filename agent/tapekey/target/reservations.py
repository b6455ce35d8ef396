"""Who holds the drive: the reservation of SPC-2 (RESERVE) and persistent reservations (reference 1.8)."""

from dataclasses import dataclass, field
from typing import Final

from tapekey.scsi.codes import Opcode

REGISTRANTS: Final = frozenset({5, 6, 7, 8})  # types that let every registered nexus through
ALL_REGISTRANTS: Final = frozenset({7, 8})  # types that every registered nexus holds
READERS: Final = frozenset({1, 5, 7})  # types that keep others from writing only

# Commands that no reservation stops (SPC-4), and those that pass a write-exclusive one.
ALWAYS: Final = frozenset(
    {
        Opcode.INQUIRY,
        Opcode.REPORT_LUNS,
        Opcode.REQUEST_SENSE,
        Opcode.MAINTENANCE_IN,
        Opcode.RELEASE_6,
        Opcode.RELEASE_10,
        Opcode.LOG_SENSE,
        Opcode.PERSISTENT_RESERVE_IN,
        Opcode.READ_BUFFER,
    }
)
PERSISTENT_PASS: Final = frozenset({Opcode.TEST_UNIT_READY, Opcode.PERSISTENT_RESERVE_OUT, Opcode.READ_BLOCK_LIMITS})
READING: Final = frozenset(
    {
        Opcode.READ_6,
        Opcode.VERIFY_6,
        Opcode.SPACE_6,
        Opcode.SPACE_16,
        Opcode.LOCATE_10,
        Opcode.LOCATE_16,
        Opcode.REWIND,
        Opcode.READ_POSITION,
        Opcode.READ_ATTRIBUTE,
        Opcode.MODE_SENSE_6,
        Opcode.MODE_SENSE_10,
    }
)


@dataclass(slots=True)
class Reservations:
    """Registrations by nexus name, the holder, and the older kind of reservation beside them."""

    generation: int = 0
    keys: dict[str, int] = field(default_factory=dict)
    holder: str = ""
    kind: int = 0
    simple: str = ""  # the nexus that sent RESERVE

    def holds(self, name: str) -> bool:
        """Whether the nexus holds a persistent reservation."""
        return bool(self.kind) and (name == self.holder or (self.kind in ALL_REGISTRANTS and name in self.keys))

    def holds_any(self, name: str) -> bool:
        return self.holds(name) or self.simple == name

    def stop(self, name: str, opcode: int) -> bool:
        """Whether another nexus's reservation stops this command."""
        if opcode in ALWAYS:
            return False
        if self.simple:
            return self.simple != name
        if not self.kind or self.holds(name) or opcode in PERSISTENT_PASS:
            return False
        if self.kind in REGISTRANTS and name in self.keys:
            return False
        return not (self.kind in READERS and opcode in READING)

    def drop(self) -> None:
        self.holder, self.kind = "", 0
