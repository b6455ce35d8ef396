"""One session in full feature phase: a thread that receives, lets the rack carry commands out, and sends.

Nothing here knows the protocol: `TargetSession` says where bytes go and what they mean. While a command takes long, the
portal reads in this thread's stead (`relieve`), so that pings are answered and the command window fills as it should.
"""

import logging
import socket
import struct
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Final

from tapekey.exchange import Buffer, Command
from tapekey.iscsi.codes import ManageFunction, ManageResponse
from tapekey.iscsi.events import Closed, Event, Execute, Manage, Send
from tapekey.iscsi.target import TargetSession
from tapekey.scsi.codes import Opcode, Status
from tapekey.secret import Secret
from tapekey.target.rack import Rack

TICK: Final = 1.0  # seconds of silence after which the session looks at its deadlines
SENDING: Final = 30.0  # seconds in which a peer must have taken an answer
LONG: Final = 1.0  # seconds of a command after which the portal reads for us
PIECES: Final = 1024  # parts of one sendmsg (IOV_MAX)
ROOM: Final = 16 << 20  # for what a CDB asks beyond what its initiator expects: the session cuts it, and tells how much
NOWHERE: Final = -1  # a LUN that no unit has
RESETS: Final = frozenset({ManageFunction.TARGET_WARM_RESET, ManageFunction.TARGET_COLD_RESET})

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Connection:
    """A socket, its session, and the units behind them.

    turn        held by whoever uses session and socket: our thread, save while a command runs
    running     since when a command runs; None: none does
    waiting     what the session said and nobody has done yet
    aborted     commands in `waiting` that are not to be carried out any more, by tag
    unsent      what the portal could not send at once
    """

    link: socket.socket
    session: TargetSession
    rack: Rack
    nexus: str
    tsih: int
    stopping: threading.Event
    peer: str
    turn: threading.Lock = field(default_factory=threading.Lock)
    running: float | None = None
    waiting: deque[Event] = field(default_factory=deque)
    aborted: set[int] = field(default_factory=set)
    unsent: list[Buffer] = field(default_factory=list)
    over: str = ""

    def run(self) -> None:
        """Serve until either side ends it; then the units hear that the nexus is gone."""
        try:
            with self.turn:
                _prepare(self.link)
                log.info("%s at %s: logged in", self.nexus, self.peer)
                while not self.over:
                    self._step()
        except BlockingIOError:
            self.over = self.over or "the initiator does not take its answers"
        except (OSError, EOFError) as error:
            self.over = self.over or str(error)
        finally:
            self.link.close()
            self.rack.nexus_lost(self.nexus)
            log.info("%s: session ended: %s", self.nexus, self.over)

    def drop(self, why: str) -> None:
        """End it from another thread."""
        self.over = self.over or why
        _shut(self.link, socket.SHUT_RDWR)

    def ask_to_stop(self) -> None:
        """Wake the thread, which finds `stopping` set: it says goodbye, which takes only the receiving half."""
        _shut(self.link, socket.SHUT_RD)

    def relieve(self, now: float) -> None:
        """Read in the thread's stead, if a command has kept it for long."""
        since = self.running
        if since is None or now - since < LONG or not self.turn.acquire(blocking=False):
            return
        try:
            while self.running is not None and len(self.waiting) < PIECES and self._glance():
                pass
        finally:
            self.turn.release()

    def _glance(self) -> bool:
        """Take what has come already; False when that was all."""
        try:
            count = self.link.recv_into(self.session.wants(), 0, socket.MSG_DONTWAIT)
        except OSError:
            return False
        for event in self.session.took(count) if count else ():
            if isinstance(event, Send):
                self._offer(event.parts)
                continue
            self.waiting.append(event)
            if isinstance(event, Manage):
                self.aborted.update(event.running)
        return bool(count)

    def _offer(self, parts: list[Buffer]) -> None:
        """Send without waiting; what the socket does not take is kept for the thread, as a copy."""
        whole = b"".join((*self.unsent, *parts))
        try:
            sent = self.link.send(whole, socket.MSG_DONTWAIT)
        except OSError:
            sent = 0
        self.unsent = [whole[sent:]] if sent < len(whole) else []

    # --- the thread's own ---

    def _step(self) -> None:
        while self.waiting and not self.over:
            event = self.waiting.popleft()
            DO[type(event)](self, event)
        if self.stopping.is_set():
            self._hang_up()
        elif not self.over:
            self._receive()

    def _receive(self) -> None:
        place = self.session.wants()
        try:
            count = self.link.recv_into(place, 0, socket.MSG_WAITALL)
        except BlockingIOError:
            self.waiting.extend(self.session.wake(time.monotonic()))
            return
        if not count:
            self._hang_up()
            return
        short = count < len(place)
        self.waiting.extend(self.session.took(count))
        if short:
            self.waiting.extend(self.session.wake(time.monotonic()))

    def _hang_up(self) -> None:
        """Nothing more comes: the initiator has gone, or we are to stop."""
        if not self.stopping.is_set():
            raise EOFError("the initiator hung up")
        self._send(self.session.announce_drop())
        self.over = "the target stops"

    def _execute(self, asked: Execute) -> None:
        if asked.tag in self.aborted:
            self._send(self.session.answer(asked.tag, Status.TASK_ABORTED))
            return
        lun = NOWHERE if asked.lun is None else asked.lun
        command = Command(asked.cdb, _data_out(asked), max(asked.data_in_max, ROOM), into=asked.into, buffered=True)
        self.running = time.monotonic()
        self.turn.release()
        try:
            answer = self.rack.serve(self.nexus, lun, command)
        finally:
            self.turn.acquire()
            self.running = None
        self._send(self.session.answer(asked.tag, answer.status, answer.data, answer.sense, answer.taken))
        if answer.after is not None:  # before anything is received: the data may lie where that goes
            answer.after()

    def _manage(self, asked: Manage) -> None:
        """All that it ends stood before it, and is over; the session has withheld the answers."""
        self.aborted.difference_update(asked.running)
        self._send(self.session.managed(asked.tag, self._managed(asked)))
        if asked.function is ManageFunction.TARGET_COLD_RESET:
            self.over = "the target was reset"

    def _managed(self, asked: Manage) -> ManageResponse:
        log.info("%s: %s, LUN %s", self.nexus, asked.function.name.lower().replace("_", " "), asked.lun)
        with self._lent():
            if asked.function is ManageFunction.LOGICAL_UNIT_RESET:
                there = self.rack.reset(NOWHERE if asked.lun is None else asked.lun)
                return ManageResponse.COMPLETE if there else ManageResponse.LUN_DOES_NOT_EXIST
            if asked.function in RESETS:
                self.rack.reset_all()
        return ManageResponse.COMPLETE

    @contextmanager
    def _lent(self) -> Iterator[None]:
        """Lend our turn to the portal while a unit is at work."""
        self.running = time.monotonic()
        self.turn.release()
        try:
            yield
        finally:
            self.turn.acquire()
            self.running = None

    def _send(self, parts: list[Buffer]) -> None:
        """Send all of it; a peer that does not take it in time is dropped."""
        if self.unsent:
            parts, self.unsent = [*self.unsent, *parts], []
        if not parts:
            return
        size = sum(map(len, parts))
        sent = self.link.sendmsg(parts[:PIECES])
        if sent < size:
            self._finish(parts, sent)

    def _finish(self, parts: list[Buffer], sent: int) -> None:
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
            sent = self.link.sendmsg(views[:PIECES])


def _data_out(asked: Execute) -> memoryview | Secret:
    """The command's data; what carries a key moves into a `Secret`, and out of the session's buffer."""
    if asked.cdb[0] != Opcode.SECURITY_PROTOCOL_OUT:
        return asked.data_out
    secret = Secret(asked.data_out)
    if asked.data_out:
        asked.data_out[:] = bytes(len(asked.data_out))
    return secret


def _prepare(link: socket.socket) -> None:
    """Times in the kernel, since those of Python cost a poll for each call."""
    link.setblocking(True)
    link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for option, seconds in ((socket.SO_RCVTIMEO, TICK), (socket.SO_SNDTIMEO, SENDING)):
        link.setsockopt(socket.SOL_SOCKET, option, struct.pack("@ll", int(seconds), int(seconds % 1 * 1e6)))


def _shut(link: socket.socket, how: int) -> None:
    with suppress(OSError):  # it is gone already
        link.shutdown(how)


def _end(connection: Connection, event: Closed) -> None:
    connection.over = event.why


DO: Final[Mapping[type, Callable[[Connection, Any], None]]] = {
    Execute: Connection._execute,
    Send: lambda connection, event: connection._send(event.parts),
    Manage: Connection._manage,
    Closed: _end,
}
