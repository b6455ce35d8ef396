"""An iSCSI initiator by hand from RFC 7143: it shares no line with ours, and says wrong things when asked to."""

import socket
import struct
from dataclasses import dataclass, field
from types import TracebackType
from typing import Final, Self

TARGET: Final = "iqn.2026-11.invalid.tapekey:test"
HOST: Final = "iqn.2026-11.invalid.tapekey:host"
BHS: Final = 48
IMMEDIATE: Final = 0x40
NO_TAG: Final = b"\xff\xff\xff\xff"
NOP_OUT, COMMAND, MANAGE, LOGIN, TEXT, DATA_OUT, LOGOUT = 0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06
NOP_IN, RESPONSE, MANAGED, LOGGED_IN, TEXT_ANSWER, DATA_IN, LOGGED_OUT = 0x20, 0x21, 0x22, 0x23, 0x24, 0x25, 0x26
R2T, ASYNC, REJECT = 0x31, 0x32, 0x3F
FINAL, READ, WRITE = 0x80, 0x40, 0x20
OVERFLOW, UNDERFLOW, HAS_STATUS = 0x04, 0x02, 0x01


class Gone(Exception):
    """The target has closed the connection."""


@dataclass(frozen=True, slots=True)
class Pdu:
    """What came."""

    header: bytes
    data: bytes

    @property
    def opcode(self) -> int:
        return self.header[0] & 0x3F

    @property
    def tag(self) -> int:
        return number(self.header, 16)


@dataclass(frozen=True, slots=True)
class Result:
    """What a command came to; `residual` is below 0 for underflow, above for overflow."""

    status: int
    data: bytes
    sense: bytes
    residual: int

    @property
    def code(self) -> str:
        """The sense as key/ASC/ASCQ."""
        at = (2, 12, 13) if self.sense[:1] and self.sense[0] & 0x7F in (0x70, 0x71) else (1, 2, 3)
        return (
            "{:X}/{:02X}/{:02X}".format(*(self.sense[i] & (0x0F if i == at[0] else 0xFF) for i in at))
            if self.sense
            else ""
        )


def number(data: bytes, at: int) -> int:
    return int(struct.unpack_from(">I", data, at)[0])


def header(opcode: int, flags: int, tag: int, data: bytes = b"", lun: int = 0, rest: bytes = b"") -> bytes:
    """A basic header segment; `rest` is what stands from byte 20 on."""
    lun_field = struct.pack(">H", lun) + bytes(6)
    size = len(data).to_bytes(3, "big")
    return (
        struct.pack(">BBH", opcode, flags, 0)
        + b"\0"
        + size
        + lun_field
        + struct.pack(">I", tag)
        + rest.ljust(28, b"\0")
    )


def padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 4)


def login_pdu(keys: dict[str, str], isid: bytes = b"\x80\0\0\0\0\1", stages: int = 0x87, tag: int = 1) -> bytes:
    """A Login Request; by default from operational negotiation to full feature phase."""
    data = b"".join(f"{key}={value}\0".encode() for key, value in keys.items())
    head = struct.pack(">BBBB", IMMEDIATE | LOGIN, stages, 0, 0) + b"\0" + len(data).to_bytes(3, "big")
    head += isid + struct.pack(">HIHHII", 0, tag, 0, 0, 1, 0)
    return head.ljust(BHS, b"\0") + padded(data)


def keys_of(name: str, **more: str) -> dict[str, str]:
    return {
        "InitiatorName": name,
        "SessionType": "Normal",
        "TargetName": TARGET,
        "HeaderDigest": "None",
        "DataDigest": "None",
        "InitialR2T": "No",
        "ImmediateData": "Yes",
        "MaxRecvDataSegmentLength": "262144",
        "MaxBurstLength": "262144",
        "FirstBurstLength": "65536",
        "MaxOutstandingR2T": "1",
        "ErrorRecoveryLevel": "0",
        **more,
    }


@dataclass(slots=True)
class Peer:
    """A connection that has logged in."""

    link: socket.socket
    sequence: int = 1
    status: int = 0
    tags: int = 10
    asides: list[Pdu] = field(default_factory=list)  # async messages, pings, rejects
    first: int = 65536  # FirstBurstLength; also the longest segment that we send

    @classmethod
    def login(cls, address: tuple[str, int], name: str = HOST, *, isid: bytes = b"\x80\0\0\0\0\1", **keys: str) -> Self:
        peer = cls(socket.create_connection(address, timeout=10))
        try:
            peer.link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            peer.link.sendall(login_pdu(keys_of(name, **keys), isid))
            answer = peer.receive()
            if answer.opcode != LOGGED_IN or answer.header[36:38] != b"\0\0":
                raise Gone(answer.header[36:38].hex())
        except BaseException:
            peer.link.close()
            raise
        return peer

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.link.close()

    def receive(self) -> Pdu:
        """The next PDU, whatever it is."""
        head = self._exactly(BHS)
        size = int.from_bytes(head[5:8], "big")
        data = self._exactly(head[4] * 4 + size + -size % 4)
        if head[0] & 0x3F in (RESPONSE, LOGGED_IN, NOP_IN, MANAGED, TEXT_ANSWER, LOGGED_OUT, ASYNC, REJECT) or (
            head[0] & 0x3F == DATA_IN and head[1] & HAS_STATUS
        ):
            self.status = number(head, 24) + 1
        return Pdu(head, data[head[4] * 4 :][:size])

    def _exactly(self, size: int) -> bytes:
        data = bytearray()
        while len(data) < size:
            try:
                piece = self.link.recv(size - len(data))
            except ConnectionError as error:
                raise Gone(str(error)) from error
            if not piece:
                raise Gone
            data += piece
        return bytes(data)

    def send_command(
        self,
        lun: int,
        cdb: bytes,
        out: bytes = b"",
        room: int = 0,
        *,
        flags: int | None = None,
        expected: int | None = None,
    ) -> int:
        """Send a SCSI Command PDU with what of its data may go at once; gives its tag."""
        self.link.sendall(self.pdu_of(lun, cdb, out, room, flags=flags, expected=expected))
        return self.tags

    def pdu_of(
        self,
        lun: int,
        cdb: bytes,
        out: bytes = b"",
        room: int = 0,
        *,
        flags: int | None = None,
        expected: int | None = None,
    ) -> bytes:
        """The same, to be sent by the caller."""
        self.tags += 1
        if flags is None:
            flags = FINAL | (WRITE if out else 0) | (READ if room else 0) | 1
        if expected is None:
            expected = len(out) or room
        now = out[: self.first]
        rest = struct.pack(">III", expected, self.sequence, self.status) + cdb.ljust(16, b"\0")
        self.sequence += 1
        return header(COMMAND, flags, self.tags, now, lun, rest) + padded(now)

    def command(
        self,
        lun: int,
        cdb: bytes,
        out: bytes = b"",
        room: int = 0,
        *,
        flags: int | None = None,
        expected: int | None = None,
    ) -> Result:
        """Send a command and take its answer."""
        return self.answer(self.send_command(lun, cdb, out, room, flags=flags, expected=expected), out)

    def answer(self, tag: int, out: bytes = b"") -> Result:
        """What comes for a command that was sent; R2Ts are served."""
        data = bytearray()
        while True:
            pdu = self.receive()
            if pdu.opcode in (DATA_IN, RESPONSE, R2T) and pdu.tag != tag:
                raise AssertionError(f"an answer to another command: {pdu.header.hex()}")
            if pdu.opcode == DATA_IN:
                assert number(pdu.header, 40) == len(data)
                data += pdu.data
                if pdu.header[1] & HAS_STATUS:
                    return Result(pdu.header[3], bytes(data), b"", _residual(pdu.header))
            elif pdu.opcode == RESPONSE:
                assert pdu.header[2] == 0, f"response {pdu.header[2]:02X}h"
                sense = pdu.data[2 : 2 + int.from_bytes(pdu.data[:2], "big")]
                return Result(pdu.header[3], bytes(data), sense, _residual(pdu.header))
            elif pdu.opcode == R2T:
                self.serve(pdu, out)
            else:
                self.aside(pdu)

    def aside(self, pdu: Pdu) -> None:
        """Keep what is no answer; answer a ping."""
        self.asides.append(pdu)
        if pdu.opcode == NOP_IN and pdu.header[20:24] != NO_TAG:
            rest = pdu.header[20:24] + struct.pack(">II", self.sequence, self.status)
            self.link.sendall(header(IMMEDIATE | NOP_OUT, FINAL, 0xFFFFFFFF, rest=rest))

    def serve(self, asked: Pdu, out: bytes) -> None:
        """Send what an R2T asks for."""
        at, size = number(asked.header, 40), number(asked.header, 44)
        for place, start in enumerate(range(at, at + size, self.first)):
            piece = out[start : min(start + self.first, at + size)]
            final = FINAL if start + len(piece) == at + size else 0
            rest = asked.header[20:24] + struct.pack(">IIIII", 0, self.status, 0, place, start)
            self.link.sendall(header(DATA_OUT, final, asked.tag, piece, rest=rest) + padded(piece))

    def manage(self, function: int, lun: int = 0, tag: int = 0xFFFFFFFF) -> int:
        """A task management function, at once; its response."""
        self.send_manage(function, lun, tag)
        return self.managed()

    def send_manage(self, function: int, lun: int = 0, tag: int = 0xFFFFFFFF) -> None:
        self.tags += 1
        rest = struct.pack(">IIII", tag, self.sequence, self.status, self.sequence)
        self.link.sendall(header(IMMEDIATE | MANAGE, FINAL | function, self.tags, lun=lun, rest=rest))

    def managed(self) -> int:
        while True:
            pdu = self.receive()
            if pdu.opcode == MANAGED:
                return pdu.header[2]
            self.aside(pdu)

    def ping(self, data: bytes = b"hello") -> bytes:
        """NOP-Out; what comes back."""
        self.send_ping(data)
        while True:
            pdu = self.receive()
            if pdu.opcode == NOP_IN and pdu.header[20:24] == NO_TAG:
                return pdu.data
            self.aside(pdu)

    def send_ping(self, data: bytes) -> None:
        self.tags += 1
        rest = NO_TAG + struct.pack(">II", self.sequence, self.status)
        self.link.sendall(header(IMMEDIATE | NOP_OUT, FINAL, self.tags, data, rest=rest) + padded(data))

    def logout(self) -> int:
        """Close the session; the response."""
        self.tags += 1
        rest = struct.pack(">HHII", 0, 0, self.sequence, self.status)
        self.link.sendall(header(IMMEDIATE | LOGOUT, FINAL, self.tags, rest=rest))
        while (pdu := self.receive()).opcode != LOGGED_OUT:
            self.aside(pdu)
        return pdu.header[2]


def _residual(head: bytes) -> int:
    count = number(head, 44)
    return count if head[1] & OVERFLOW else -count if head[1] & UNDERFLOW else 0
