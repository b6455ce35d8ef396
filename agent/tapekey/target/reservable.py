"""What the commands of reservation ask of the logical unit that they hold: a drive, or a medium changer."""

from typing import Protocol

from tapekey.exchange import Buffer, Command
from tapekey.target.nexus import Nexuses
from tapekey.target.reservations import Reservations


class Keyed(Protocol):
    """Encryption parameters that may be bound to a reservation."""

    def reservation_lost(self, name: str, nexuses: Nexuses, *, preempted: bool) -> None: ...


class Terms(Protocol):
    """Which reservations there are."""

    @property
    def reservation_types(self) -> tuple[int, ...]: ...

    @property
    def reservations_persist(self) -> bool: ...


class Reservable(Protocol):
    """A logical unit that can be held."""

    @property
    def reservations(self) -> Reservations: ...

    @property
    def nexuses(self) -> Nexuses: ...

    @property
    def parameters(self) -> Keyed: ...

    @property
    def personality(self) -> Terms: ...

    def plain_out(self, command: Command, length: int) -> Buffer: ...
