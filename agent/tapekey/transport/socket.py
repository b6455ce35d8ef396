"""The client of a virtual drive's Unix socket. Standard library only, so that Debian's own Python can import it.

A frame is a length (4 bytes, big-endian, of what follows it), a type (1 byte) and a body:

    01h HELLO    version (2) ‖ initiator name (UTF-8, 1 to 64 bytes)      answered by 81h: version (2)
    02h COMMAND  data-in room (4) ‖ milliseconds (4) ‖ CDB length (1) ‖ CDB ‖ data-out
                 answered by 82h: status (1) ‖ sense length (1) ‖ sense ‖ data-in
    03h CONTROL  JSON object                                              answered by 83h: JSON object
"""

import json
import os
import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tapekey.errors import TimedOut, TransportFailed
from tapekey.exchange import Command, Reply
from tapekey.secret import Secret

VERSION = 1
HELLO, COMMAND, CONTROL, ANSWER = 0x01, 0x02, 0x03, 0x80
LARGEST = 0x100_0000 + 0x1_0000  # READ(6) and WRITE(6) move less than 16 MiB
LONGEST_WAIT = 0xFFFF_FFFF  # milliseconds
GRACE = 5.0  # seconds beyond the command's own time, for the drive to answer


class Connection:
    """One initiator's connection to a virtual drive: a transport, and a way to its front panel."""

    def __init__(self, link: socket.socket) -> None:
        self._link = link

    def execute(self, command: Command) -> Reply:
        """Deliver a command. After `TransportFailed` nothing is known of its effect and the connection is dead."""
        out = command.data_out.reveal() if isinstance(command.data_out, Secret) else command.data_out
        header = struct.pack(
            ">IIB", command.data_in_max, min(int(command.timeout * 1000), LONGEST_WAIT), len(command.cdb)
        )
        answer = self._exchange(COMMAND, [header, command.cdb, out], command.timeout + GRACE)
        if len(answer) < 2 or len(answer) < 2 + answer[1]:
            raise self._broken("the answer to a command is cut short")
        sense, data_in = answer[2 : 2 + answer[1]], answer[2 + answer[1] :]
        if len(data_in) > command.data_in_max:
            raise self._broken("more data came back than there is room for")
        return Reply(answer[0], bytes(data_in), bytes(sense))

    def control(self, verb: str, **arguments: object) -> dict[str, object]:
        """Use the drive's front panel: insert, eject, status, power-cycle, reset, write-protect, set."""
        request = json.dumps({"verb": verb, **arguments}).encode()
        try:
            answer = json.loads(self._exchange(CONTROL, [request], 60.0))
        except ValueError as error:
            raise self._broken("the answer is not JSON") from error
        if not isinstance(answer, dict):
            raise self._broken("the answer is not a JSON object")
        return answer

    def greet(self, nexus: str) -> None:
        """Say who we are; refuse a drive that speaks another version."""
        answer = self._exchange(HELLO, [struct.pack(">H", VERSION), nexus.encode()], 10.0)
        if answer != struct.pack(">H", VERSION):
            raise self._broken(f"it does not speak version {VERSION} of the socket protocol")

    def _exchange(self, kind: int, parts: list[bytes | bytearray | memoryview], seconds: float) -> bytes:
        size = 1 + sum(len(part) for part in parts)
        try:
            self._link.settimeout(seconds)
            self._link.sendall(struct.pack(">IB", size, kind))
            for part in parts:
                self._link.sendall(part)
            size, answered = struct.unpack(">IB", self._receive(5))
            if not 1 <= size <= LARGEST or answered != kind | ANSWER:
                raise self._broken(f"it sent a frame of type {answered:02x}h and {size} bytes")
            return self._receive(size - 1)
        except TimeoutError as error:
            self._link.close()
            raise TimedOut("the virtual drive did not answer", why=f"nothing came within {seconds:g} s") from error
        except OSError as error:
            raise self._broken(str(error)) from error

    def _receive(self, size: int) -> bytes:
        received = bytearray()
        while len(received) < size:
            piece = self._link.recv(min(size - len(received), 1 << 20))
            if not piece:
                raise self._broken("it hung up")
            received += piece
        return bytes(received)

    def _broken(self, why: str) -> TransportFailed:
        self._link.close()
        return TransportFailed("the connection to the virtual drive broke", why=why)


@contextmanager
def connect(path: str | Path, nexus: str = "host") -> Iterator[Connection]:
    """Connect to a virtual drive's socket as the initiator `nexus`."""
    where = Path(path)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as link:
        link.settimeout(10.0)
        try:
            # a socket address holds 107 bytes; by way of its directory any path will do
            directory = os.open(where.parent, os.O_PATH | os.O_DIRECTORY)
            try:
                link.connect(f"/proc/self/fd/{directory}/{where.name}")
            finally:
                os.close(directory)
        except OSError as error:
            mend = "power it on with: tapekey target serve DIR"
            raise TransportFailed(f"cannot reach the virtual drive at {where}", why=str(error), mend=mend) from error
        connection = Connection(link)
        connection.greet(nexus)
        yield connection
