"""The waist: everything in tapekey that talks to a device does it through `Transport.execute`.

SG_IO, the virtual drive, a socket, a trace, a replay and a fault injector are all transports, and nothing more.
A transport delivers; it does not judge. It raises `TransportFailed` or `TimedOut` when host or driver failed,
and otherwise returns the target's status, data and sense as they came.
"""

from dataclasses import dataclass
from typing import Protocol

from tapekey.secret import Secret

Buffer = bytes | bytearray | memoryview


@dataclass(frozen=True, slots=True, repr=False)
class Command:
    """One SCSI command.

    cdb          6 to 16 bytes
    data_out     what is sent with it; a `Secret` as a whole as soon as any part of it is key material
    data_in_max  the most that may come back, in bytes
    timeout      seconds
    into         where a device in this process may put what comes back instead of allocating; others ignore it
    buffered     a device in this process may answer first, and use `data_out` until its answer's `after` is called
    """

    cdb: bytes
    data_out: Buffer | Secret = b""
    data_in_max: int = 0
    timeout: float = 60.0
    into: memoryview | None = None
    buffered: bool = False

    def __repr__(self) -> str:
        out = repr(self.data_out) if isinstance(self.data_out, Secret) else f"{len(self.data_out)} bytes"
        return f"Command({self.cdb.hex(' ')}, out={out}, in<={self.data_in_max})"


@dataclass(frozen=True, slots=True, repr=False)
class Reply:
    """What the target answered: SCSI status byte, the data that arrived (never more than was asked), sense bytes."""

    status: int
    data_in: bytes = b""
    sense: bytes = b""

    def __repr__(self) -> str:
        return f"Reply(status={self.status:02x}, in={len(self.data_in)} bytes, sense={self.sense.hex(' ')})"


class Transport(Protocol):
    """The one call by which a device is reached."""

    def execute(self, command: Command) -> Reply: ...
