"""Lets the kernel's tape driver look at a drive before a command of ours does, and know where the tape is afterwards.

`st` learns that there is another cartridge from a unit attention, which is told once to a host: to whoever sends the
first command. So a tape node is opened, without waiting and without moving tape, before each command that could be told
it, until the driver has seen the cartridge; and again when one of ours has loaded or unloaded one. A command of ours
that moves tape is not noticed by `st` either: so it is let rewind at the end. Numbers are those of the kernel's mtio.h.
"""

import errno
import fcntl
import os
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Final, Protocol

from tapekey.errors import TransportFailed
from tapekey.exchange import Command, Reply, Transport

GET_STATUS: Final = 0x80306D02  # MTIOCGET, of the 48 bytes of struct mtget
STATUS_SIZE, GENERAL_STATUS = 48, slice(24, 32)
ONLINE: Final = 0x01000000  # GMT_ONLINE
DOOR_OPEN: Final = 0x00040000  # GMT_DR_OPEN: the drive said that there is no medium
OPERATE: Final = 0x40086D01  # MTIOCTOP, of struct mtop
REWIND: Final = struct.pack("hxxi", 6, 1)  # MTREW
LOAD: Final = struct.pack("hxxi", 30, 1)  # MTLOAD

LOAD_UNLOAD: Final = 0x1B
SILENT: Final = frozenset({0x12, 0xA0})  # INQUIRY and REPORT LUNS are told no attention (SPC-4 5.14)
# REWIND, FORMAT MEDIUM, READ, WRITE, READ REVERSE, WRITE FILEMARKS, SPACE, VERIFY, ERASE, LOAD UNLOAD, LOCATE; 16 bytes
MOVING: Final = frozenset({0x01, 0x04, 0x08, 0x0A, 0x0F, 0x10, 0x11, 0x13, 0x19, LOAD_UNLOAD, 0x2B})
MOVING_16: Final = frozenset({0x80, 0x88, 0x8A, 0x8F, 0x91, 0x92, 0x93})

# Whoever holds the node looked when he opened it; a driver that could make nothing of the drive has looked too.
LOOKED: Final = frozenset({errno.EBUSY, errno.EIO, errno.ENOMEDIUM})


class Opens(Protocol):
    """Opens and closes tape nodes to look; who watches the nodes does it so that it knows its own."""

    def open(self, path: str) -> int: ...

    def close(self, path: str, handle: int) -> None: ...


class Unwatched:
    """Opens them where nobody watches."""

    def open(self, path: str) -> int:
        """Open without waiting for a cartridge and without moving tape. OSError as it comes."""
        return os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)

    def close(self, path: str, handle: int) -> None:
        """Close; `st` tells of a drive in trouble here too, which is for others to find."""
        with suppress(OSError):
            os.close(handle)


UNWATCHED: Final = Unwatched()


def look(path: str, nodes: Opens = UNWATCHED) -> bool:
    """Let the driver look through one of its nodes. Whether it has seen a ready cartridge, or others see to that.

    TransportFailed: the node cannot be opened, and so the driver would not come to know what we are told.
    """
    try:
        handle = nodes.open(path)
    except OSError as error:
        if error.errno in LOOKED:
            return True
        raise TransportFailed(
            f"the kernel's tape driver cannot look first through {path}",
            why=error.strerror or str(error),
            mend="who may open the drive's sg node must be let open its tape node too",
        ) from error
    try:
        return bool(general_status(handle) & ONLINE)
    except OSError:  # it went while it was looked at
        return False
    finally:
        nodes.close(path, handle)


def rewind(path: str, nodes: Opens = UNWATCHED) -> None:
    """Have the driver rewind a cartridge that it has seen, so that it counts from the beginning again."""
    with suppress(OSError):  # it is held, or empty: then who opens it next begins anew
        handle = nodes.open(path)
        try:
            if general_status(handle) & ONLINE:
                operate(handle, REWIND)
        finally:
            nodes.close(path, handle)


def general_status(handle: int) -> int:
    """The GMT_ flags of what the driver remembers: the drive is not asked. OSError (EIO): it lost the position."""
    status = bytearray(STATUS_SIZE)
    fcntl.ioctl(handle, GET_STATUS, status)
    return int.from_bytes(status[GENERAL_STATUS], "little")


def operate(handle: int, operation: bytes) -> None:
    """Have the driver carry out LOAD or REWIND."""
    fcntl.ioctl(handle, OPERATE, operation)


class Driver(Protocol):
    """The tape driver at one drive, as somebody reaches it who may hold its node."""

    def seen(self) -> bool:
        """Let it look. Whether it has seen the cartridge that is in, or others see to that."""
        ...

    def rewind(self) -> None:
        """Have it rewind a cartridge that it has seen."""
        ...


class Considerate:
    """Passes commands on to `inner`, after a look of the driver where it needs one. `moved`: it does not know where."""

    def __init__(self, inner: Transport, look: Callable[[], bool]) -> None:
        self._inner = inner
        self._look = look
        self._seen = False
        self.moved = False

    def execute(self, command: Command) -> Reply:
        """Let the driver look if a cartridge may have come that it has not seen; then execute."""
        opcode = command.cdb[0]
        if not self._seen and opcode not in SILENT:
            self._seen = self._look()
        self.moved |= opcode in MOVING | MOVING_16
        self._seen &= opcode != LOAD_UNLOAD
        return self._inner.execute(command)


@contextmanager
def considerate(inner: Transport, path: str) -> Iterator[Transport]:
    """The same device for a session of ours; `path` is its tape node, which we do not hold."""
    transport = Considerate(inner, lambda: look(path))
    try:
        yield transport
    finally:
        if transport.moved:
            rewind(path)


@contextmanager
def beside(inner: Transport, driver: Driver) -> Iterator[Transport]:
    """The same for a session of who may hold the node: `considerate` would take our own hold for another's."""
    transport = Considerate(inner, driver.seen)
    try:
        yield transport
    finally:
        if transport.moved:
            driver.rewind()
