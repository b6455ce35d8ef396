"""A tap on the line between the agent and one virtual drive: what was sent, and a blow at a chosen command.

The agent finds the tap where it would find the drive. Jobs go to the drive itself, by a nexus of their own.
"""

import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Final

from tapekey.scsi.codes import Opcode
from tapekey.target.machine import SOCKET, short_path
from tapekey.transport.socket import COMMAND

LOOK: Final = 0.1
HEADER: Final = struct.Struct(">IB")
QUESTIONS: Final = frozenset(
    {
        Opcode.TEST_UNIT_READY,
        Opcode.REQUEST_SENSE,
        Opcode.INQUIRY,
        Opcode.MODE_SENSE_6,
        Opcode.MODE_SENSE_10,
        Opcode.LOG_SENSE,
        Opcode.READ_POSITION,
        Opcode.READ_ATTRIBUTE,
        Opcode.SECURITY_PROTOCOL_IN,
        Opcode.MAINTENANCE_IN,
    }
)


class Point(Enum):
    """Where the agent is struck."""

    LOST = "before a command, which is lost with it"
    SENT = "behind a command that reaches the drive"
    LATER = "a little after the answer"


@dataclass(frozen=True, slots=True)
class Blow:
    """Strike at the `nth` command from now on."""

    nth: int
    point: Point
    strike: Callable[[], None]
    seconds: float = 0.0  # after the answer, for LATER


@dataclass(slots=True)
class Tap:
    """`seen` are the CDBs that the agent sent, in their order."""

    name: str
    drive: Path
    seen: list[bytes] = field(default_factory=list)
    struck: threading.Event = field(default_factory=threading.Event)
    _blow: Blow | None = None
    _due: int = 0

    def arm(self, blow: Blow) -> None:
        self.struck.clear()
        self._due, self._blow = len(self.seen) + blow.nth, blow

    def disarm(self) -> None:
        self._blow = None

    def changes_since(self, mark: int) -> list[str]:
        """What has been sent since then that is no question."""
        return [cdb.hex() for cdb in self.seen[mark:] if cdb[0] not in QUESTIONS]

    def serve(self, client: socket.socket) -> None:
        """Pass frames on until one side hangs up."""
        with suppress(OSError, EOFError), client, socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as there:
            with short_path(self.drive / SOCKET) as short:
                there.connect(short)
            while True:
                self._pass(client, there)

    def _pass(self, client: socket.socket, there: socket.socket) -> None:
        header, body = _frame(client)
        blow = self._met(header[4], body)
        if blow is not None and blow.point is Point.LOST:
            self._strike(blow)
            raise EOFError
        there.sendall(header + body)
        if blow is not None and blow.point is Point.SENT:
            self._strike(blow)
        answer = b"".join(_frame(there))
        with suppress(OSError):  # whoever asked is dead; the drive's answer was taken
            client.sendall(answer)
        if blow is not None and blow.point is Point.LATER:
            time.sleep(blow.seconds)
            self._strike(blow)

    def _met(self, kind: int, body: bytes) -> Blow | None:
        if kind != COMMAND:
            return None
        self.seen.append(body[9 : 9 + body[8]])  # room, milliseconds, and the CDB behind its length
        return self._blow if len(self.seen) == self._due else None

    def _strike(self, blow: Blow) -> None:
        self._blow = None
        blow.strike()
        self.struck.set()


@contextmanager
def taps(drives: dict[str, Path], places: dict[str, Path]) -> Iterator[dict[str, Tap]]:
    """A tap on each drive, at another place."""
    stop = threading.Event()
    made = {name: Tap(name, place) for name, place in drives.items()}
    with ExitStack() as stack:
        for name, tap in made.items():
            places[name].mkdir()
            listener = stack.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
            with short_path(places[name] / SOCKET) as short:
                listener.bind(short)
            listener.listen(8)
            listener.settimeout(LOOK)
            thread = threading.Thread(target=_admit, args=(listener, tap, stop))
            thread.start()
            stack.callback(thread.join)
        stack.callback(stop.set)
        yield made


def _admit(listener: socket.socket, tap: Tap, stop: threading.Event) -> None:
    clients: list[tuple[socket.socket, threading.Thread]] = []
    while not stop.is_set():
        with suppress(TimeoutError):
            client = listener.accept()[0]
            client.settimeout(None)
            thread = threading.Thread(target=tap.serve, args=(client,))
            clients.append((client, thread))
            thread.start()
    for client, thread in clients:
        with suppress(OSError):
            client.shutdown(socket.SHUT_RDWR)
        thread.join()


def _frame(link: socket.socket) -> tuple[bytes, bytes]:
    header = _exactly(link, HEADER.size)
    return header, _exactly(link, HEADER.unpack(header)[0] - 1)


def _exactly(link: socket.socket, size: int) -> bytes:
    found = bytearray()
    while len(found) < size:
        piece = link.recv(size - len(found))
        if not piece:
            raise EOFError
        found += piece
    return bytes(found)
