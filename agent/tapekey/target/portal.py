"""The iSCSI portal: a listener, and one thread for all connections that have not logged in.

Those are many, slow and unknown, so each has little: a deadline, a small buffer, and a place that the next comer takes
when all are taken. Who logs in gets a thread of its own (`connection`); discovery ends within the deadline without one.
"""

import contextlib
import itertools
import logging
import selectors
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from tapekey.errors import Conflict
from tapekey.iscsi.config import Chap, Config
from tapekey.iscsi.events import Closed, Event, LoggedIn, Send
from tapekey.iscsi.target import TargetSession
from tapekey.target.connection import Connection
from tapekey.target.portal_access import Address
from tapekey.target.portal_sessions import Sessions
from tapekey.target.rack import Rack

WAITING: Final = 256  # connections that have not logged in; one more, and the oldest goes
DEADLINE: Final = 15.0  # seconds from connection to login, and for all of a discovery
BACKLOG: Final = 1024
AT_ONCE: Final = 64  # connections accepted before the others are looked at again
TICK: Final = 0.25

log = logging.getLogger(__name__)


def serve(
    rack: Rack,
    listen: Address,
    *,
    name: str,
    chap: Chap | None = None,
    announce: str = "",
    beside: tuple[tuple[str, int], ...] = (),
    stop: threading.Event,
    ready: Callable[[Address], None] = lambda _: None,
) -> None:
    """Listen until `stop` is set; then say goodbye to everybody.

    `announce`: the address that discovery gives out; `beside`: other targets of which it tells (`iscsi.config`).
    """
    with _listener(listen) as listener:
        ready(listener.getsockname()[:2])
        Portal(rack, Config(name, chap=chap, login_within=DEADLINE, beside=beside), announce, stop).run(listener)


@contextmanager
def listening(
    rack: Rack, listen: Address = ("127.0.0.1", 0), *, name: str, chap: Chap | None = None, announce: str = ""
) -> Iterator[Address]:
    """The same in a thread of this process, for as long as the context lasts."""
    stop = threading.Event()
    with _listener(listen) as listener:
        portal = Portal(rack, Config(name, chap=chap, login_within=DEADLINE), announce, stop)
        thread = threading.Thread(target=portal.run, args=(listener,), name="iscsi portal")
        thread.start()
        try:
            yield listener.getsockname()[:2]
        finally:
            stop.set()
            thread.join()


def _listener(listen: Address) -> socket.socket:
    family = socket.AF_INET6 if ":" in listen[0] else socket.AF_INET
    try:
        listener = socket.create_server(listen, family=family, backlog=BACKLOG)
    except OSError as error:
        raise Conflict(f"cannot listen on {written(listen)}", why=error.strerror or str(error)) from error
    listener.setblocking(False)
    return listener


@dataclass(slots=True)
class Newcomer:
    """A connection that has not logged in, or is here for discovery."""

    link: socket.socket
    session: TargetSession
    tsih: int
    peer: str
    came: float


@dataclass(slots=True)
class Portal:
    """What the one thread knows."""

    rack: Rack
    config: Config
    announce: str
    stop: threading.Event
    sessions: Sessions = field(default_factory=Sessions)
    newcomers: dict[int, Newcomer] = field(default_factory=dict)  # by descriptor, the oldest first
    handles: Iterator[int] = field(default_factory=lambda: itertools.cycle(range(1, 0x10000)))

    def run(self, listener: socket.socket) -> None:
        """Until `stop` is set."""
        with selectors.DefaultSelector() as selector:
            selector.register(listener, selectors.EVENT_READ)
            ticked = time.monotonic()
            while not self.stop.is_set():
                for key, _ in selector.select(TICK):
                    if key.fileobj is listener:
                        self._accept(listener, selector)
                    elif (newcomer := self.newcomers.get(key.fd)) is not None:
                        self._hear(newcomer, selector)
                if (now := time.monotonic()) - ticked >= TICK:
                    ticked = now
                    self._tick(now, selector)
            for newcomer in list(self.newcomers.values()):
                self._forget(newcomer, selector, "the target stops")
        self.sessions.stop()

    def _tick(self, now: float, selector: selectors.BaseSelector) -> None:
        self.sessions.relieve(now)
        for newcomer in list(self.newcomers.values()):
            if now - newcomer.came > DEADLINE:
                self._forget(newcomer, selector, "it did not log in in time")
            else:
                self._do(newcomer, newcomer.session.wake(now), selector)

    def _accept(self, listener: socket.socket, selector: selectors.BaseSelector) -> None:
        for _ in range(AT_ONCE):
            try:
                link, peer = listener.accept()
            except OSError:  # nobody is left, or no descriptor
                return
            if len(self.newcomers) >= WAITING:
                self._forget(next(iter(self.newcomers.values())), selector, "others wait, too")
            self._welcome(link, peer, selector)

    def _welcome(self, link: socket.socket, peer: Address, selector: selectors.BaseSelector) -> None:
        link.setblocking(False)
        tsih, now = self._free_handle(), time.monotonic()
        portal = self.announce or written(link.getsockname())
        session = TargetSession(self.config, portal=portal, tsih=tsih, now=now, sessions=self._session_of)
        self.newcomers[link.fileno()] = Newcomer(link, session, tsih, written(peer), now)
        selector.register(link, selectors.EVENT_READ)

    def _free_handle(self) -> int:
        taken = self.sessions.handles() | {newcomer.tsih for newcomer in self.newcomers.values()}
        return next(handle for handle in self.handles if handle not in taken)

    def _session_of(self, initiator: str, isid: bytes) -> int | None:
        return self.sessions.handle(LoggedIn(initiator, isid, 0, False, 0).nexus)

    def _hear(self, newcomer: Newcomer, selector: selectors.BaseSelector) -> None:
        try:
            count = newcomer.link.recv_into(newcomer.session.wants())
        except BlockingIOError:
            return
        except OSError as error:
            self._forget(newcomer, selector, str(error))
            return
        if count:
            self._do(newcomer, newcomer.session.took(count), selector)
        else:
            self._forget(newcomer, selector, "")

    def _do(self, newcomer: Newcomer, events: list[Event], selector: selectors.BaseSelector) -> None:
        for at, event in enumerate(events):
            if newcomer.link.fileno() < 0:
                return
            match event:
                case LoggedIn(discovery=False):
                    self._promote(newcomer, event, events[at + 1 :], selector)
                    return
                case LoggedIn():
                    log.info("%s at %s: discovery", event.initiator, newcomer.peer)
                case Send(parts):
                    self._send(newcomer, b"".join(parts), selector)
                case Closed(why):
                    self._forget(newcomer, selector, why)
                    return

    def _send(self, newcomer: Newcomer, answer: bytes, selector: selectors.BaseSelector) -> None:
        """Answers before login are small: who has no room for one does not read."""
        with contextlib.suppress(OSError):
            if newcomer.link.send(answer) == len(answer):
                return
        self._forget(newcomer, selector, "it does not take its answers")

    def _promote(self, newcomer: Newcomer, who: LoggedIn, rest: list[Event], selector: selectors.BaseSelector) -> None:
        """Give the session its thread, which sends what ends the login when it is this one's turn."""
        self._let_go(newcomer, selector)
        connection = Connection(
            newcomer.link, newcomer.session, self.rack, who.nexus, newcomer.tsih, self.stop, newcomer.peer
        )
        connection.waiting.extend(rest)
        if self.sessions.begin(connection):
            return
        newcomer.link.close()
        log.warning("%s at %s: refused: there are %d sessions", who.nexus, newcomer.peer, len(self.sessions.handles()))

    def _forget(self, newcomer: Newcomer, selector: selectors.BaseSelector, why: str) -> None:
        if newcomer.link.fileno() < 0:
            return
        self._let_go(newcomer, selector)
        newcomer.link.close()
        if why:
            log.info("%s: connection ended: %s", newcomer.peer, why)

    def _let_go(self, newcomer: Newcomer, selector: selectors.BaseSelector) -> None:
        selector.unregister(newcomer.link)
        del self.newcomers[newcomer.link.fileno()]


def written(address: Address) -> str:
    """An address as RFC 7143 writes it: host:port, [v6]:port."""
    host, port = address[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
