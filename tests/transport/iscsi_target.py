"""An iSCSI target by hand from RFC 7143, for one session: it lets everybody in, and then does what a test scripts.

It shares no line with `tapekey.iscsi` or with libiscsi, and can be silent, hang up, ping, or answer wrongly.
"""

import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Final

NAME: Final = "iqn.2026-11.invalid.tapekey:scripted"
NOP_OUT, COMMAND, LOGIN, DATA_OUT, LOGOUT = 0x00, 0x01, 0x03, 0x05, 0x06
NOP_IN, RESPONSE, LOGGED_IN, DATA_IN, LOGGED_OUT = 0x20, 0x21, 0x23, 0x25, 0x26
FINAL, WITH_STATUS, UNDERFLOW = 0x80, 0x01, 0x02
NO_TAG: Final = b"\xff\xff\xff\xff"


@dataclass
class Asked:
    """One PDU from the initiator."""

    header: bytes
    data: bytes

    @property
    def opcode(self) -> int:
        return self.header[0] & 0x3F

    @property
    def cdb(self) -> bytes:
        return self.header[32:48]


@dataclass
class Target:
    """One connection. `answer` is called for each SCSI command."""

    connection: socket.socket
    seen: list[Asked] = field(default_factory=list)
    status_number: int = 0
    expected: int = 1

    def receive(self) -> Asked:
        header = self._exactly(48)
        size = int.from_bytes(header[5:8], "big")
        asked = Asked(header, self._exactly((size + 3) & ~3)[:size])
        if not header[0] & 0x40 and asked.opcode != DATA_OUT:
            self.expected = int.from_bytes(header[24:28], "big") + 1
        self.seen.append(asked)
        return asked

    def _exactly(self, size: int) -> bytes:
        got = b""
        while len(got) < size:
            part = self.connection.recv(size - len(got))
            if not part:
                raise ConnectionError
            got += part
        return got

    def send(
        self,
        opcode: int,
        flags: int,
        tag: bytes,
        data: bytes = b"",
        *,
        third: int = 0,
        last: bytes = b"",
        ping: bytes = NO_TAG,
    ) -> None:
        """A PDU: byte 3 is `third`, bytes from 36 on are `last`, `ping` the target's own tag; numbers are right."""
        header = struct.pack(">BBBBI8s4s4sIII", opcode, flags, 0, third, len(data), bytes(8), tag, ping, 0, 0, 0)
        header = header[:24] + struct.pack(">III", self.status_number, self.expected, self.expected + 32) + last
        self.status_number += opcode != NOP_IN
        self.connection.sendall(header.ljust(48, b"\0") + data + bytes(-len(data) % 4))

    def login(self) -> None:
        """Security stage without security, then the operational one without negotiation."""
        stage = 0
        while stage != 3:
            asked = self.receive()
            flags = asked.header[1]
            stage = flags & 3
            text = b"AuthMethod=None\0TargetPortalGroupTag=1\0" if not flags & 0x0C else b"HeaderDigest=None\0"
            header = bytes([LOGGED_IN, flags]) + bytes(2) + struct.pack(">I", len(text)) + asked.header[8:14]
            header += b"\0\1" + asked.header[16:20] + bytes(4)
            header += struct.pack(">III", self.status_number, self.expected, self.expected + 32)
            self.status_number += 1
            self.connection.sendall(header.ljust(48, b"\0") + text + bytes(-len(text) % 4))

    def good(self, asked: Asked, data: bytes = b"") -> None:
        """GOOD, with data-in and its residual in one PDU if there is data."""
        room = int.from_bytes(asked.header[20:24], "big")
        residual = struct.pack(">II", 0, max(0, room - len(data))).rjust(12, b"\0")
        short = UNDERFLOW if len(data) < room else 0
        if data:
            self.send(DATA_IN, FINAL | WITH_STATUS | short, asked.header[16:20], data, last=residual)
        else:
            self.send(RESPONSE, FINAL | short, asked.header[16:20], last=residual)

    def check(self, asked: Asked, sense: bytes) -> None:
        self.send(RESPONSE, FINAL, asked.header[16:20], struct.pack(">H", len(sense)) + sense, third=2)


Script = Callable[[Target, Asked], None]


@contextmanager
def listening(script: Script) -> Iterator[tuple[str, list[Asked]]]:
    """Yields the URI of LUN 1, and what was asked. The script gets every SCSI command; logout and ping are answered."""
    seen: list[Asked] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=_serve, args=(listener, script, seen))
        thread.start()
        try:
            yield f"iscsi://127.0.0.1:{listener.getsockname()[1]}/{NAME}/1", seen
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join(10)


def _serve(listener: socket.socket, script: Script, seen: list[Asked]) -> None:
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        with connection, suppress(OSError):
            target = Target(connection, seen)
            target.login()
            while True:
                asked = target.receive()
                if asked.opcode == COMMAND:
                    script(target, asked)
                elif asked.opcode == LOGOUT:
                    target.send(LOGGED_OUT, FINAL, asked.header[16:20])
