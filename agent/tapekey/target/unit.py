"""A logical unit as the servers see it: a command of a nexus goes in, an answer comes out.

The drive and the medium changer are units; the Unix socket and iSCSI are servers. Neither knows the other.
"""

from collections.abc import Callable
from typing import NamedTuple, Protocol

from tapekey.exchange import Buffer, Command
from tapekey.target.stream import Stream


class Answer(NamedTuple):
    """What a unit answers: SCSI status byte, data (a view into `Command.into` or bytes), sense bytes.

    taken  bytes of data-out that the CDB asked for; None: all of it
    after  to be called when the answer is on its way, if the command was `buffered`; until then its data-out is in use
    """

    status: int
    data: Buffer = b""
    sense: bytes = b""
    taken: int | None = None
    after: Callable[[], None] | None = None


class Unit(Protocol):
    """A logical unit. Any number of threads may call it; it takes care of its own turns."""

    def serve(self, nexus: str, command: Command) -> Answer:
        """Carry out one command of a nexus. Nothing that a client sends raises."""
        ...

    def stream(self, nexus: str, cdb: bytes, size: int) -> Stream | None:
        """A stream of commands like the last one of this nexus, with `size` bytes of data each; None if it has none."""
        ...

    def reset(self) -> None:
        """Reset the logical unit, as LOGICAL UNIT RESET and TARGET RESET do."""
        ...

    def nexus_lost(self, nexus: str) -> None:
        """Let go of what ends with a session: its RESERVE, its PREVENT, and its record where nothing hangs on it."""
        ...
