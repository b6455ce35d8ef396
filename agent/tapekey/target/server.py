"""Powered virtual drives and libraries behind Unix sockets in their directories. Keys live in this process only.

One thread accepts for all sockets, one thread serves each connection. A connection that breaks the rules, or stops in
the middle of a frame, is closed, and nobody else notices.
"""

import contextlib
import logging
import os
import selectors
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Final

from tapekey.errors import Malformed
from tapekey.exchange import Command, Reply
from tapekey.target import front_panel, library, library_panel, machine
from tapekey.target.frames import HEADER, Conversation, Served
from tapekey.target.library_front import Library
from tapekey.target.machine import SOCKET, Clock, Machine

CONNECTIONS: Final = 64  # to each socket
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
    with machine.open(directory, clock) as powered, listening(sockets_of_drive(powered)) as listeners:
        ready(powered)
        accept(listeners, stop)


@contextmanager
def powered(directory: Path, clock: Clock = time.monotonic) -> Iterator[Machine]:
    """The same in a thread of this process, for as long as the context lasts."""
    with machine.open(directory, clock) as opened, _accepting(sockets_of_drive(opened)):
        yield opened


@contextmanager
def powered_library(
    directory: Path, clock: Clock = time.monotonic, *, apart: library.PowersOn | None = None
) -> Iterator[Library]:
    """A library, with its own socket and those of the drives in this process, served by a thread of it."""
    with library.open(directory, clock, apart=apart) as opened, _accepting(sockets_of_library(opened)):
        yield opened


@contextmanager
def _accepting(sockets: Mapping[Path, Served]) -> Iterator[None]:
    stop = threading.Event()
    with listening(sockets) as listeners:
        thread = threading.Thread(target=accept, args=(listeners, stop), name="virtual drives")
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()


def sockets_of_drive(powered: Machine) -> dict[Path, Served]:
    """The socket of a drive, and what answers there."""
    return {powered.directory / SOCKET: Served(powered.execute, partial(front_panel.press, powered))}


def sockets_of_library(opened: Library) -> dict[Path, Served]:
    """The sockets of a library: its own leads to the changer and its panel, one more to each drive."""

    def execute(nexus: str, command: Command) -> Reply:
        answer = opened.changer.serve(nexus, command)
        return Reply(answer.status, bytes(answer.data), answer.sense)

    sockets = {opened.directory / SOCKET: Served(execute, partial(library_panel.press, opened))}
    for drive in opened.drives:
        sockets |= sockets_of_drive(drive)
    return sockets


@contextmanager
def listening(sockets: Mapping[Path, Served]) -> Iterator[dict[socket.socket, Served]]:
    """Sockets that only their owner may use, while we hold the locks of what they lead to."""
    with ExitStack() as stack:
        yield {stack.enter_context(_listener(path)): served for path, served in sockets.items()}


@contextmanager
def _listener(path: Path) -> Iterator[socket.socket]:
    """What a killed server left behind is removed."""
    path.unlink(missing_ok=True)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        os.fchmod(listener.fileno(), 0o600)
        with machine.short_path(path) as short:
            listener.bind(short)
        try:
            listener.listen(CONNECTIONS)
            listener.setblocking(False)
            yield listener
        finally:
            path.unlink(missing_ok=True)


def accept(listeners: Mapping[socket.socket, Served], stop: threading.Event) -> None:
    """Answer until `stop` is set, then hang up."""
    threads: dict[socket.socket, dict[threading.Thread, socket.socket]] = {listener: {} for listener in listeners}
    with selectors.DefaultSelector() as selector:
        for listener, served in listeners.items():
            selector.register(listener, selectors.EVENT_READ, served)
        while not stop.is_set():
            for key, _ in selector.select(0.2):
                assert isinstance(key.fileobj, socket.socket)
                _admit(key.fileobj, key.data, threads)
    _hang_up({thread: link for links in threads.values() for thread, link in links.items()})


def _hang_up(links: Mapping[threading.Thread, socket.socket]) -> None:
    """Close every connection; a command that is being carried out may end, within our patience for all of them."""
    for link in links.values():
        with contextlib.suppress(OSError):
            link.shutdown(socket.SHUT_RDWR)
    until = time.monotonic() + PATIENCE
    for thread in links:
        thread.join(max(0.0, until - time.monotonic()))


def _admit(
    listener: socket.socket, served: Served, threads: dict[socket.socket, dict[threading.Thread, socket.socket]]
) -> None:
    try:
        link, _ = listener.accept()
    except OSError:  # it has hung up already
        return
    link.setblocking(True)
    threads[listener] = {thread: held for thread, held in threads[listener].items() if thread.is_alive()}
    if len(threads[listener]) >= CONNECTIONS:
        link.close()
        return
    thread = threading.Thread(target=_converse, args=(link, served), daemon=True)
    threads[listener][thread] = link
    thread.start()


def _converse(link: socket.socket, served: Served) -> None:
    conversation = Conversation(served)
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
