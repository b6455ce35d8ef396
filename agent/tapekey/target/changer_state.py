"""The medium changer's state as hosts know it; the mechanics are the robot's."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from tapekey.exchange import Buffer, Command
from tapekey.scsi.sense import FieldPointer, SenseKey
from tapekey.secret import Secret
from tapekey.target.changer_board import Board
from tapekey.target.library_robot import Reason, Robot, Stuck
from tapekey.target.nexus import Nexuses
from tapekey.target.refusal import Refusal, illegal, not_ready, sense
from tapekey.target.reservations import Reservations
from tapekey.target.unit_attention import Attention

# fmt: off
HINDRANCES: Final[dict[Reason, tuple[SenseKey, int, int]]] = {
    Reason.NO_ELEMENT:       (SenseKey.ILLEGAL_REQUEST, 0x21, 0x01),
    Reason.NO_STORE:         (SenseKey.ILLEGAL_REQUEST, 0x21, 0x01),
    Reason.SOURCE_EMPTY:     (SenseKey.ILLEGAL_REQUEST, 0x3B, 0x0E),
    Reason.DESTINATION_FULL: (SenseKey.ILLEGAL_REQUEST, 0x3B, 0x0D),
    Reason.PREVENTED:        (SenseKey.ILLEGAL_REQUEST, 0x53, 0x02),
    Reason.NOT_UNLOADED:     (SenseKey.ILLEGAL_REQUEST, 0x53, 0x03),
    Reason.LOAD_FAILED:      (SenseKey.HARDWARE_ERROR,  0x53, 0x00),
    Reason.NOT_STORED:       (SenseKey.HARDWARE_ERROR,  0x44, 0x00),
    Reason.FAILED:           (SenseKey.HARDWARE_ERROR,  0x44, 0x00),
}
# fmt: on


class NoKeys:
    """A changer has no encryption keys that could be bound to a reservation."""

    def reservation_lost(self, name: str, nexuses: Nexuses, *, preempted: bool) -> None:
        """Nothing goes with a reservation here."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What the commands of reservation ask of a device."""

    reservation_types: tuple[int, ...] = (1, 3, 5, 6, 7, 8)
    reservations_persist: bool = False


@dataclass(slots=True)
class Changer:
    """The changer of a powered library. `turn` guards everything here; no motion holds it."""

    robot: Robot
    board: Board
    clock: Callable[[], float]
    ready_at: float = 0.0
    nexuses: Nexuses = field(default_factory=Nexuses)
    reservations: Reservations = field(default_factory=Reservations)
    parameters: NoKeys = field(default_factory=NoKeys)
    personality: Facts = field(default_factory=Facts)
    turn: threading.RLock = field(default_factory=threading.RLock)

    @property
    def serial(self) -> str:
        return self.robot.description.serial

    @property
    def prevented(self) -> bool:
        """Whether a host keeps operators from the import/export elements."""
        with self.turn:
            return any(nexus.prevents_removal for nexus in self.nexuses.all())

    def tell(self, attention: Attention) -> None:
        """Let an attention stand for every nexus."""
        with self.turn:
            self.nexuses.tell_all(attention)

    def require_ready(self) -> None:
        """2/04/01 while the library looks through its elements after power on."""
        if self.clock() < self.ready_at:
            raise not_ready(0x04, 0x01)

    def plain_out(self, command: Command, length: int) -> Buffer:
        """The parameter list of a command, as long as its CDB says; less than that is a failed transfer.

        No command of a changer takes a key, so one that came as a secret is looked at by nobody.
        """
        out = command.data_out
        if isinstance(out, Secret) or len(out) < length:
            raise Refusal(sense(SenseKey.ABORTED_COMMAND, 0x4B, 0x00))
        return bytes(out[:length])


def refused(stuck: Stuck, pointers: dict[Reason, FieldPointer]) -> Refusal:
    """What a host is told of a cartridge that stays where it is."""
    key, asc, ascq = HINDRANCES[stuck.reason]
    if key is SenseKey.ILLEGAL_REQUEST:
        return illegal(asc, ascq, pointers.get(stuck.reason))
    return Refusal(sense(key, asc, ascq))
