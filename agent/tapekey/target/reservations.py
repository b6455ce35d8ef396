"""Who holds the drive: the reservation of SPC-2 (RESERVE) and persistent reservations (reference 1.8).

Which command passes whose reservation is a table; that motions and reads pass a write-exclusive one is UNV, since
the manuals seen name only exclusive types.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from tapekey.scsi.codes import Opcode

WRITE_EXCLUSIVE: Final = frozenset({1, 5, 7})  # types that keep others from writing only
REGISTRANTS: Final = frozenset({5, 6, 7, 8})  # types that let every registered nexus through
ALL_REGISTRANTS: Final = frozenset({7, 8})  # types that every registered nexus holds

_REPORT_TIMESTAMP: Final = 0x0F

# What no reservation stops (SPC-4 5.12.1); RELEASE by a stranger is without effect, not refused.
ALWAYS: Final = frozenset(
    {
        Opcode.INQUIRY,
        Opcode.REPORT_LUNS,
        Opcode.REQUEST_SENSE,
        Opcode.RELEASE_6,
        Opcode.RELEASE_10,
        Opcode.LOG_SENSE,
        Opcode.PERSISTENT_RESERVE_IN,
        Opcode.READ_BUFFER,
    }
)
# What no persistent reservation stops either.
PERSISTENT_PASS: Final = frozenset(
    {
        Opcode.TEST_UNIT_READY,
        Opcode.PERSISTENT_RESERVE_OUT,
        Opcode.RESERVE_6,
        Opcode.RESERVE_10,
        Opcode.READ_BLOCK_LIMITS,
        Opcode.REPORT_DENSITY_SUPPORT,
    }
)
# What passes a write-exclusive one.
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
        Opcode.RECEIVE_DIAGNOSTIC,
        Opcode.SECURITY_PROTOCOL_IN,
        Opcode.MAINTENANCE_IN,
    }
)


@dataclass(frozen=True, slots=True)
class Kept:
    """What outlasts a loss of power: registrations by nexus name, and the reservation if there is one."""

    keys: Mapping[str, int] = field(default_factory=dict)
    holder: str = ""
    kind: int = 0


NOTHING: Final = Kept()


@dataclass(slots=True)
class Reservations:
    """Registrations by nexus name, the holder, and the older kind of reservation beside them.

    through_power_loss  APTPL: registrations and reservation are to outlast a loss of power
    """

    generation: int = 0
    keys: dict[str, int] = field(default_factory=dict)
    holder: str = ""
    kind: int = 0
    simple: str = ""  # the nexus that sent RESERVE
    through_power_loss: bool = False

    def holds(self, name: str) -> bool:
        """Whether the nexus holds a persistent reservation."""
        return bool(self.kind) and (name == self.holder or (self.kind in ALL_REGISTRANTS and name in self.keys))

    def holds_any(self, name: str) -> bool:
        return self.holds(name) or self.simple == name

    def stop(self, name: str, opcode: int, cdb: bytes = b"") -> bool:
        """Whether another nexus's reservation stops this command."""
        if not self.simple and not self.kind:
            return False
        if opcode in ALWAYS or _harmless(opcode, cdb):
            return False
        if self.simple:
            return self.simple != name
        if self.holds(name) or opcode in PERSISTENT_PASS:
            return False
        if self.kind in REGISTRANTS and name in self.keys:
            return False
        return not (self.kind in WRITE_EXCLUSIVE and opcode in READING)

    def drop(self) -> None:
        self.holder, self.kind = "", 0

    def kept(self) -> Kept:
        """What outlasts a loss of power now."""
        return Kept(dict(self.keys), self.holder, self.kind) if self.through_power_loss else NOTHING

    @classmethod
    def restored(cls, kept: Kept) -> "Reservations":
        """As they stand when the power is back; the generation begins again."""
        return cls(keys=dict(kept.keys), holder=kept.holder, kind=kept.kind, through_power_loss=bool(kept.keys))


def _harmless(opcode: int, cdb: bytes) -> bool:
    """Commands that only some forms of disturb nobody: allowing removal, reading the clock."""
    if opcode == Opcode.PREVENT_ALLOW_MEDIUM_REMOVAL:
        return len(cdb) > 4 and not cdb[4] & 0x03
    return opcode == Opcode.MAINTENANCE_IN and len(cdb) > 1 and cdb[1] & 0x1F == _REPORT_TIMESTAMP
