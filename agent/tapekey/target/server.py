"""A powered virtual drive behind a Unix socket in its directory. Its keys live in this process only.

One thread a connection; the machine lets one command through at a time. A connection that breaks the rules, or
stops in the middle of a frame, is closed, and nobody else notices.
"""

import contextlib
import logging
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from tapekey.errors import Malformed
from tapekey.target import machine
from tapekey.target.frames import HEADER, Conversation
from tapekey.target.machine import SOCKET, Clock, Machine

CONNECTIONS: Final = 64
PATIENCE: Final = 10.0  # seconds for a greeting, and for the rest of a frame that has begun
PIECE: Final = 1 << 20

log = logging.getLogger(__name__)


def serve(
    directory: Path,
    *,
    stop: threading.Event,
    ready: Callable[[Machine], None] = lambda _: None,
    clock: Clock = time.monotonic,
) -> None:
    """Power the drive on and answer until `stop` is set; then power it off."""
    with machine.open(directory, clock) as powered, _listening(directory) as listener:
        ready(powered)
        _accept(listener, powered, stop)


@contextmanager
def powered(directory: Path, clock: Clock = time.monotonic) -> Iterator[Machine]:
    """The same in a thread of this process, for as long as the context lasts."""
    stop = threading.Event()
    with machine.open(directory, clock) as opened, _listening(directory) as listener:
        thread = threading.Thread(target=_accept, args=(listener, opened, stop), name="virtual drive")
        thread.start()
        try:
            yield opened
        finally:
            stop.set()
            thread.join()


@contextmanager
def _listening(directory: Path) -> Iterator[socket.socket]:
    """A socket that only its owner may use. What a killed server left behind is removed: we hold the drive's lock."""
    path = directory / SOCKET
    path.unlink(missing_ok=True)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        os.fchmod(listener.fileno(), 0o600)
        with machine.short_path(path) as short:
            listener.bind(short)
        try:
            listener.listen(CONNECTIONS)
            listener.settimeout(0.2)
            yield listener
        finally:
            path.unlink(missing_ok=True)


def _accept(listener: socket.socket, powered: Machine, stop: threading.Event) -> None:
    threads: dict[threading.Thread, socket.socket] = {}
    while not stop.is_set():
        with contextlib.suppress(TimeoutError):
            link, _ = listener.accept()
            threads = {thread: held for thread, held in threads.items() if thread.is_alive()}
            if len(threads) >= CONNECTIONS:
                link.close()
                continue
            thread = threading.Thread(target=_converse, args=(link, powered), daemon=True)
            threads[thread] = link
            thread.start()
    for thread, link in threads.items():
        with contextlib.suppress(OSError):
            link.shutdown(socket.SHUT_RDWR)
        thread.join(PATIENCE)


def _converse(link: socket.socket, powered: Machine) -> None:
    conversation = Conversation(powered)
    with link:
        try:
            while _exchange(link, conversation):
                pass
        except (Malformed, OSError, EOFError) as error:
            log.info("a connection of %s was closed: %s", conversation.nexus or "nobody", error)


def _exchange(link: socket.socket, conversation: Conversation) -> bool:
    """Answer one frame; False when the other side has hung up between frames."""
    link.settimeout(PATIENCE if not conversation.nexus else None)
    first = link.recv(1)
    if not first:
        return False
    link.settimeout(PATIENCE)
    header = first + _receive(link, HEADER - 1)
    body = _receive(link, conversation.size(header))
    for piece in conversation.answer(header[4], body):
        link.sendall(piece)
    return True


def _receive(link: socket.socket, size: int) -> bytearray:
    received = bytearray(size)
    view, done = memoryview(received), 0
    while done < size:
        count = link.recv_into(view[done:], min(size - done, PIECE))
        if not count:
            raise EOFError("it hung up in the middle of a frame")
        done += count
    view.release()
    return received
