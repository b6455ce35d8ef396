"""The socket of a session: times in the kernel, scatter lists out, and a way to wake whoever reads from it."""

import socket
import struct
import time
from contextlib import suppress
from typing import Final

from tapekey.exchange import Buffer

TICK: Final = 1.0  # seconds of silence after which the session looks at its deadlines
SENDING: Final = 30.0  # seconds in which a peer must have taken an answer
PIECES: Final = 1024  # parts of one sendmsg (IOV_MAX)


def prepare(link: socket.socket) -> None:
    """Set times in the kernel, since those of Python cost a poll for each call."""
    link.setblocking(True)
    link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for option, seconds in ((socket.SO_RCVTIMEO, TICK), (socket.SO_SNDTIMEO, SENDING)):
        link.setsockopt(socket.SOL_SOCKET, option, struct.pack("@ll", int(seconds), int(seconds % 1 * 1e6)))


def send(link: socket.socket, parts: list[Buffer]) -> None:
    """Send all of it; BlockingIOError for a peer that does not take it in time."""
    if size := sum(map(len, parts)):
        send_all(link, parts, size)


def send_all(link: socket.socket, parts: list[Buffer], size: int) -> None:
    """The same, of parts that have so many bytes together."""
    sent = link.sendmsg(parts if len(parts) <= PIECES else parts[:PIECES])
    if sent < size:
        _finish(link, parts, sent)


def _finish(link: socket.socket, parts: list[Buffer], sent: int) -> None:
    """Send what a first call left over: there were too many parts, or the peer is slow."""
    until = time.monotonic() + SENDING
    views = [memoryview(part) for part in parts]
    while views:
        while views and sent >= len(views[0]):
            sent -= len(views.pop(0))
        if not views:
            return
        views[0] = views[0][sent:]
        if time.monotonic() > until:
            raise BlockingIOError
        sent = link.sendmsg(views[:PIECES])


def shut(link: socket.socket, how: int) -> None:
    """End one direction or both, which wakes whoever waits for it."""
    with suppress(OSError):  # it is gone already
        link.shutdown(how)
