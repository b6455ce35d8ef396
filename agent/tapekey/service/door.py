"""How an agent sees whether a cartridge is in a drive, and keeps other programs out while it works.

On a host with the kernel's tape driver both are done through the drive's tape node, so that the driver learns of a new
cartridge before any command of ours does. A drive that only this process reaches has a nexus of its own to ask on.
"""

from dataclasses import dataclass
from enum import Enum
from typing import Protocol


class Presence(Enum):
    """What was seen of the cartridge."""

    EMPTY = "empty"
    SETTLING = "becoming ready"
    LOADED = "loaded"  # mounted, and whoever had to be told of it first has been told
    HELD = "held by another program"  # nothing may be sent to the drive
    UNKNOWN = "unknown"  # it could not be found out: never taken for empty


@dataclass(frozen=True, slots=True)
class Sight:
    """What one look showed; `why` says what made it UNKNOWN.

    `met` are the unit attentions that the look was told, as 6/2A/11: nobody will be told them again.
    """

    presence: Presence
    why: str = ""
    met: tuple[str, ...] = ()


class Door(Protocol):
    """One drive's way in. Used by its worker alone; no call waits for a cartridge."""

    @property
    def keeps_others_out(self) -> bool:
        """Whether `shut` stops programs of this host: guard `gate` stands on it."""
        ...

    @property
    def held(self) -> bool:
        """Whether it is shut by us now."""
        ...

    def look(self) -> Sight:
        """See whether a cartridge is there, without taking news of it from the kernel's driver."""
        ...

    def shut(self) -> bool:
        """Keep others out until `release`. False: another program is in. Shut already: true."""
        ...

    def release(self) -> None:
        """Let others in. Nothing happens if it is not shut."""
        ...
