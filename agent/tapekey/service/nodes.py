"""Opens and closes of tape nodes by other programs, from inotify: no command is sent, and nobody is in the way.

Doors open and close their nodes through `Nodes`, from any thread, so that what we do ourselves is left out. Where the
kernel or the build does not offer it nothing is told, and `why` says so: then others are found by looking alone.
"""

import os
import select
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Final

from tapekey.service.events import Cause
from tapekey.service.own_opens import OwnOpens, Told
from tapekey.transport.tape_driver import UNWATCHED

HEADER: Final = struct.Struct("iIII")  # struct inotify_event of inotify(7): watch, mask, cookie, length of a name
ROOM: Final = 1 << 16
CLOSE_WRITE, CLOSE_READ, OPEN, IGNORED, OVERFLOW = 0x08, 0x10, 0x20, 0x8000, 0x4000
MASK: Final = CLOSE_WRITE | CLOSE_READ | OPEN


class Nodes:
    """The nodes that are watched. `descriptor` is readable when `receive` has something to tell."""

    def __init__(self, inotify: int | None, add: Callable[[int, str, int], int], why: str = "") -> None:
        self.why = why
        self._inotify, self._add = inotify, add
        self._paths: dict[int, str] = {}
        self._own = OwnOpens()
        self._lock = threading.Lock()  # held for a few reads that never wait, never over an open
        self._wake = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        self._ready = select.epoll()
        for descriptor in (self._wake, inotify):
            if descriptor is not None:
                self._ready.register(descriptor, select.EPOLLIN)

    @property
    def descriptor(self) -> int:
        """For select and epoll."""
        return self._ready.fileno()

    def watch(self, *paths: str) -> None:
        """Tell of these nodes from now on, as they are now; to be called again when a device came or changed."""
        for path in paths:
            if self._inotify is not None and (number := self._add(self._inotify, path, MASK)) >= 0:
                with self._lock:
                    self._paths[number] = path

    def receive(self) -> list[Told]:
        """What other programs did since it was asked last. Never waits."""
        with self._lock:
            with suppress(BlockingIOError):
                os.eventfd_read(self._wake)
            self._read()
            return self._own.take()

    def open(self, path: str) -> int:
        """Open a node ourselves, to look. OSError as it comes."""
        self.watch(path)
        with self._lock:
            self._own.begin(path)
        try:
            handle = UNWATCHED.open(path)
        except OSError:
            self._settle(lambda: self._own.end(path))
            raise
        self._settle(lambda: self._own.opened(path))
        return handle

    def close(self, path: str, handle: int) -> None:
        """Close it again."""
        with self._lock:
            self._read()
            self._own.begin(path)
        UNWATCHED.close(path, handle)
        self._settle(lambda: self._own.closed(path))

    def end(self) -> None:
        self._ready.close()
        os.close(self._wake)
        if self._inotify is not None:
            os.close(self._inotify)

    def _settle(self, step: Callable[[], object]) -> None:
        with self._lock:
            self._read()
            step()
            if self._own.waiting:  # read here, so that the descriptor of inotify does not tell of it
                os.eventfd_write(self._wake, 1)

    def _read(self) -> None:
        while self._inotify is not None:
            try:
                data = os.read(self._inotify, ROOM)
            except BlockingIOError:
                return
            for number, mask in events(data):
                self._tell(number, mask)

    def _tell(self, number: int, mask: int) -> None:
        if mask & OVERFLOW:
            self._own.lose(tuple(sorted(set(self._paths.values()))))
        elif mask & IGNORED:  # the node is gone
            self._paths.pop(number, None)
        elif path := self._paths.get(number):
            self._own.tell(path, Cause.OPENED if mask & OPEN else Cause.CLOSED)


def events(data: bytes) -> Iterator[tuple[int, int]]:
    """Watch number and mask of each event of one read."""
    at = 0
    while at + HEADER.size <= len(data):
        number, mask, _, length = HEADER.unpack_from(data, at)
        yield number, mask
        at += HEADER.size + length


@contextmanager
def follow() -> Iterator[Nodes]:
    """Watch no node yet."""
    nodes = _watching()
    try:
        yield nodes
    finally:
        nodes.end()


def _watching() -> Nodes:
    try:
        from tapekey.native import lib
    except ImportError as error:
        return Nodes(None, _nothing, why=f"tapekey.native is not built: {error}")
    inotify = lib.notify_open()
    if inotify < 0:
        return Nodes(None, _nothing, why=f"inotify: {os.strerror(-inotify)}")
    return Nodes(inotify, lambda fd, path, mask: int(lib.notify_watch(fd, path.encode(), mask)))


def _nothing(descriptor: int, path: str, mask: int) -> int:
    return -1
