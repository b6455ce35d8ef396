"""The drive's side of the socket protocol: bytes in, bytes out, no socket (transport/socket.py has the format).

A frame that breaks the rules raises `Malformed`, and ends its connection; nothing else.
"""

import json
import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from tapekey.errors import Malformed
from tapekey.exchange import Command, Reply
from tapekey.secret import Secret

VERSION: Final = 1
HELLO, COMMAND, CONTROL, ANSWER = 0x01, 0x02, 0x03, 0x80
HEADER: Final = 5
LARGEST: Final = 0x100_0000 + 0x1_0000
LARGEST_CONTROL: Final = 0x1_0000
LONGEST_NAME: Final = 64
LONGEST_CDB: Final = 32
SET_KEY: Final = 0xB5  # its data is a key


@dataclass(frozen=True, slots=True)
class Served:
    """What is reached through a socket: a device that executes commands, and a panel that is pressed."""

    execute: Callable[[str, Command], Reply]
    press: Callable[[object], dict[str, object]]


@dataclass(slots=True)
class Conversation:
    """One connection: who the initiator is, once it has said so."""

    served: Served
    nexus: str = ""

    def size(self, header: bytes) -> int:
        """How many bytes follow a frame's first five."""
        length, kind = struct.unpack(">IB", header)
        limit = LARGEST if kind == COMMAND and self.nexus else LARGEST_CONTROL
        if not 1 <= length <= limit:
            raise Malformed("a frame has an impossible size", why=f"{length} bytes")
        return int(length) - 1

    def answer(self, kind: int, body: bytearray) -> list[bytes]:
        """What to send back for a frame, in pieces."""
        if kind == HELLO and not self.nexus:
            return _framed(HELLO, self._greeted(bytes(body)))
        if kind == COMMAND and self.nexus:
            reply = self.served.execute(self.nexus, _command(body))
            return _framed(COMMAND, bytes([reply.status, len(reply.sense)]) + reply.sense, reply.data_in)
        if kind == CONTROL and self.nexus:
            return _framed(CONTROL, json.dumps(self.served.press(_json(bytes(body)))).encode())
        raise Malformed("a frame comes out of turn", why=f"type {kind:02X}h")

    def _greeted(self, body: bytes) -> bytes:
        if len(body) < 3 or len(body) > 2 + LONGEST_NAME or body[:2] != struct.pack(">H", VERSION):
            raise Malformed("the greeting is not of this version")
        try:
            self.nexus = body[2:].decode()
        except UnicodeDecodeError as error:
            raise Malformed("the initiator's name is not UTF-8") from error
        return struct.pack(">H", VERSION)


def _framed(kind: int, *parts: bytes) -> list[bytes]:
    return [struct.pack(">IB", 1 + sum(map(len, parts)), kind | ANSWER), *parts]


def _command(body: bytearray) -> Command:
    if len(body) < 9:
        raise Malformed("a command is cut short")
    room, milliseconds, length = struct.unpack_from(">IIB", body)
    start = 9 + length
    if not 1 <= length <= LONGEST_CDB or start > len(body) or room > LARGEST:
        raise Malformed("a command does not add up")
    cdb, out = bytes(body[9:start]), body[start:]
    if cdb[0] == SET_KEY:
        body[:] = bytes(len(body))
        return Command(cdb, Secret.taken_from(out), room, milliseconds / 1000)
    return Command(cdb, out, room, milliseconds / 1000)


def _json(body: bytes) -> object:
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Malformed("a request to the front panel is not JSON") from error
