"""One session in full feature phase: a thread that receives, lets the rack carry commands out, and sends.

Nothing here knows the protocol: `TargetSession` says where bytes go and what they mean. As a rule one thread does all.
When a unit keeps it for long, the portal puts another in its place (`relieve`): the first stays with its unit until
what waits there is done, and the session's other units, pings and task management go on.
"""

import logging
import socket
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from threading import get_ident
from typing import Any, Final

from tapekey.exchange import Command
from tapekey.iscsi.codes import ManageFunction, ManageResponse
from tapekey.iscsi.events import Closed, Event, Execute, Manage, Send
from tapekey.iscsi.target import TargetSession
from tapekey.scsi.codes import Opcode, Status
from tapekey.secret import Secret
from tapekey.target import connection_link, connection_stream
from tapekey.target.rack import Rack
from tapekey.target.stream import Stream

LONG: Final = 0.25  # seconds with a unit after which another thread reads
ROOM: Final = 16 << 20  # for what a CDB asks beyond what its initiator expects: the session cuts it, and tells how much
ALIKE: Final = 4  # commands like the one before, after which more of them are expected
WORTH: Final = 32  # commands that make up for what beginning a stream costs
PATIENT: Final = 64  # the most to wait for where streams have been short
NOWHERE: Final = -1  # a LUN that no unit has
EVERYWHERE: Final = -2  # stands for all
RESETS: Final = frozenset({ManageFunction.TARGET_WARM_RESET, ManageFunction.TARGET_COLD_RESET})

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Connection:
    """A socket, its session, and the units behind them.

    turn        held by whoever uses session or socket, save to wait for bytes
    reader      the thread whose part it is to receive
    since       since when the reader is with a unit; None: it is not
    waiting     what the session said and no reader has done yet
    busy        by LUN, where a thread is: what it does there, and then what waits for it
    later       what waits until no thread is with any unit
    aborted     commands that are not to be begun any more, by tag
    last        LUN and CDB of the last command that went well; `alike`, how many before it were like it
    patience    how many there must be before a stream is tried
    """

    link: socket.socket
    session: TargetSession
    rack: Rack
    nexus: str
    tsih: int
    stopping: threading.Event
    peer: str
    turn: threading.Lock = field(default_factory=threading.Lock)
    reader: int = 0
    since: float | None = None
    waiting: deque[Event] = field(default_factory=deque)
    busy: dict[int, deque[Execute | Manage]] = field(default_factory=dict)
    later: list[Manage] = field(default_factory=list)
    aborted: set[int] = field(default_factory=set)
    helpers: list[threading.Thread] = field(default_factory=list)
    over: str = ""
    last: tuple[int, bytes] = (NOWHERE, b"")
    alike: int = 0
    patience: int = ALIKE

    def run(self) -> None:
        """Serve until either side ends it; then the units hear that the nexus is gone."""
        try:
            if not self.over:
                connection_link.prepare(self.link)
                log.info("%s at %s: logged in", self.nexus, self.peer)
            self._read()
            while self.helpers:
                self.helpers.pop().join()
        finally:
            self.link.close()
            self.rack.nexus_lost(self.nexus)
            log.info("%s: session ended: %s", self.nexus, self.over)

    def drop(self, why: str) -> None:
        """End it, from any thread."""
        self.over = self.over or why
        connection_link.shut(self.link, socket.SHUT_RDWR)

    def ask_to_stop(self) -> None:
        """Wake the reader, which finds `stopping` set: it says goodbye, which takes only the receiving half."""
        connection_link.shut(self.link, socket.SHUT_RD)

    def relieve(self, now: float) -> None:
        """Put another reader in the place of one that a unit has kept for long."""
        since = self.since
        if since is None or now - since < LONG or not self.turn.acquire(blocking=False):
            return
        try:
            if self.since == since and not self.over:
                self.reader, self.since = 0, None
                self.helpers[:] = [helper for helper in self.helpers if helper.is_alive()]
                self.helpers.append(threading.Thread(target=self._read, name=f"iscsi {self.nexus}", daemon=True))
                self.helpers[-1].start()
        finally:
            self.turn.release()

    # --- reading ---

    def _read(self) -> None:
        """Be the reader until another is, or all is over."""
        me = self.reader = get_ident()
        try:
            with self.turn:
                self._do(())
            while self.reader == me and not self.over:
                if self.alike >= self.patience:
                    self._stream()
                else:
                    self._receive()
        except BlockingIOError:
            self.drop("the initiator does not take its answers")
        except (OSError, EOFError) as error:
            self.drop(str(error))
        finally:
            if self.over:
                connection_link.shut(self.link, socket.SHUT_RDWR)

    def _receive(self) -> None:
        place = self.session.wants()
        try:
            count = self.link.recv_into(place, 0, socket.MSG_WAITALL)
        except BlockingIOError:  # TICK has passed
            count = -1
        with self.turn:
            if self.stopping.is_set() or not count:
                self._hang_up()
            elif count == len(place):
                if events := self.session.took(count):
                    self._do(events)
            else:
                self._do(self.session.took(count) if count > 0 else ())
                self._do(self.session.wake(time.monotonic()))

    def _stream(self) -> None:
        """Let commands like the last ones take the short way while there are some, if unit and session have one.

        Nobody else has a part in that: no thread is with a unit, nothing waits, and the turn is ours all the time.
        """
        self.alike = 0
        with self.turn:
            repeats = None if self.busy or self.waiting else self.session.repeats()
            stream = self._ask_for_stream(repeats.size) if repeats is not None else None
            if repeats is None or stream is None:
                self.patience = min(self.patience * 2, PATIENT)
                return
            try:
                served, header, data = connection_stream.run(self.link, repeats, stream)
            finally:
                stream.end()
            self.patience = ALIKE if served >= WORTH else min(self.patience * 2, PATIENT)
            self._do([*connection_stream.feed(self.session, header), *connection_stream.feed(self.session, data)])

    def _ask_for_stream(self, size: int) -> Stream | None:
        """Ask the unit; if it takes long to say, another reads meanwhile, and the stream is not ours to use."""
        with _Away(self):
            stream = self.rack.stream(self.nexus, *self.last, size)
        if stream is not None and self.reader != get_ident():
            stream.end()
            return None
        return stream

    def _hang_up(self) -> None:
        """Nothing more comes: the initiator has gone, or we are to stop."""
        if not self.stopping.is_set():
            raise EOFError("the initiator hung up")
        connection_link.send(self.link, self.session.announce_drop())
        self.over = "the target stops"

    def _do(self, events: Iterable[Event]) -> None:
        """Do what the session says; what is left when another has become the reader is for that one."""
        self.waiting.extend(events)
        while self.waiting and not self.over and self.reader == get_ident():
            event = self.waiting.popleft()
            DO[type(event)](self, event)

    def _close(self, event: Closed) -> None:
        self.over = event.why

    def _send(self, event: Send) -> None:
        connection_link.send(self.link, event.parts)

    def _queue_command(self, asked: Execute) -> None:
        self._queue(NOWHERE if asked.lun is None else asked.lun, asked)

    def _queue_management(self, asked: Manage) -> None:
        """Let it wait where what it ends is; that is not begun any more."""
        self.aborted.update(asked.running)
        if asked.function in RESETS and self.busy:
            self.later.append(asked)
            return
        tags = set(asked.running)
        at = next((lun for lun, jobs in self.busy.items() if any(job.tag in tags for job in jobs)), asked.lun)
        self._queue(EVERYWHERE if asked.function in RESETS else NOWHERE if at is None else at, asked)

    # --- units ---

    def _queue(self, lun: int, job: Execute | Manage) -> None:
        """Do it, and what others put behind it meanwhile; or leave it to the thread that is with this unit."""
        jobs = self.busy.get(lun)
        if jobs is not None:
            jobs.append(job)
            return
        self.busy[lun] = jobs = deque((job,))
        while jobs and not self.over:
            job = jobs[0]
            if isinstance(job, Execute):
                self._execute(lun, job)
            else:
                self._manage(lun, job)
            jobs.popleft()
        del self.busy[lun]
        if self.later and not self.busy:
            self._queue(EVERYWHERE, self.later.pop(0))

    def _execute(self, lun: int, asked: Execute) -> None:
        data_out = _data_out(asked)
        if asked.tag in self.aborted:
            connection_link.send(self.link, self.session.answer(asked.tag, Status.TASK_ABORTED))
            return
        command = Command(asked.cdb, data_out, max(asked.data_in_max, ROOM), into=asked.into, buffered=True)
        with _Away(self):
            answer = self.rack.serve(self.nexus, lun, command)
        self._compare((lun, asked.cdb), well=not answer.status and not answer.sense)
        parts = self.session.answer(asked.tag, answer.status, answer.data, answer.sense, answer.taken)
        try:
            connection_link.send(self.link, parts)
        finally:  # even for who is gone, and in our turn: what another reader receives may be put where its data lie
            if answer.after is not None:
                answer.after()

    def _compare(self, command: tuple[int, bytes], *, well: bool) -> None:
        """Count commands that are like the one before."""
        self.alike = self.alike + 1 if well and command == self.last else 0
        self.last = command

    def _manage(self, lun: int, asked: Manage) -> None:
        """All that it ends stood before it, and is over; the session has withheld the answers."""
        self.aborted.difference_update(asked.running)
        log.info("%s: %s, LUN %s", self.nexus, asked.function.name.lower().replace("_", " "), asked.lun)
        response = ManageResponse.COMPLETE
        with _Away(self):
            if asked.function in RESETS:
                self.rack.reset_all()
            elif asked.function is ManageFunction.LOGICAL_UNIT_RESET and not self.rack.reset(lun):
                response = ManageResponse.LUN_DOES_NOT_EXIST
        connection_link.send(self.link, self.session.managed(asked.tag, response))
        if asked.function is ManageFunction.TARGET_COLD_RESET:
            self.over = "the target was reset"


class _Away:
    """The time that a thread spends with a unit: others may use session and socket, and read in its stead."""

    __slots__ = ("connection", "reading")

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    def __enter__(self) -> None:
        self.reading = self.connection.reader == get_ident()
        if self.reading:
            self.connection.since = time.monotonic()
        self.connection.turn.release()

    def __exit__(self, *_: object) -> None:
        self.connection.turn.acquire()
        if self.reading and self.connection.reader == get_ident():
            self.connection.since = None


def _data_out(asked: Execute) -> memoryview | Secret:
    """The command's data; what carries a key moves into a `Secret`, and out of the session's buffer."""
    if asked.cdb[0] != Opcode.SECURITY_PROTOCOL_OUT:
        return asked.data_out
    secret = Secret(asked.data_out)
    if asked.data_out:
        asked.data_out[:] = bytes(len(asked.data_out))
    return secret


DO: Final[Mapping[type, Callable[[Connection, Any], None]]] = {
    Execute: Connection._queue_command,
    Send: Connection._send,
    Manage: Connection._queue_management,
    Closed: Connection._close,
}
