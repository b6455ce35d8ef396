"""One drive's worker: a thread with an inbox, that opens the device, does its rounds, and outlives every error.

Workers share nothing that waits for a drive. An error is put down and tried again, less and less often; what nobody
foresaw is logged with its traceback, and the device is opened anew.
"""

import logging
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from tapekey.drive import identity
from tapekey.errors import TapekeyError, TransportFailed
from tapekey.exchange import Transport
from tapekey.manager.local import LocalManager
from tapekey.mount.options import Options
from tapekey.service import journal, stopwatch
from tapekey.service.alarms import Alarms
from tapekey.service.attentions import Attentive
from tapekey.service.door import Door
from tapekey.service.duties import Hands
from tapekey.service.events import Cause, Event
from tapekey.service.identities import Identities
from tapekey.service.inbox import Ask, Inbox, Post
from tapekey.service.ledger import Ledger
from tapekey.service.queueing import Line
from tapekey.service.rounds import Pace, Rounds
from tapekey.service.stay import MOUNTED, Finding
from tapekey.service.stopwatch import Stopwatch, TimedTransport
from tapekey.service.view import DriveView

FIRST_RETRY, LONGEST_RETRY = 0.5, 60.0
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Way:
    """How one drive is reached. `serial` and `naa` are what the kernel remembers of it; empty: it is asked."""

    where: str
    reach: Callable[[], AbstractContextManager[Transport]]
    door: Callable[[Transport], Door]
    beside: Callable[[Transport, Door], AbstractContextManager[Transport]]  # for commands that move tape
    options: Options
    serial: str = ""
    naa: bytes = b""
    node: str = ""
    library: str = ""
    barred: str = ""  # why nothing may be sent to it
    gate: bool = False  # others are kept out while it is empty


@dataclass(frozen=True, slots=True)
class Company:
    """What workers share."""

    manager: LocalManager
    alarms: Alarms
    runtime: Path
    pace: Pace
    identities: Identities
    writers: Line


class Worker:
    """The worker of one drive. `start` begins its thread; `view` may be read by anybody."""

    def __init__(self, way: Way, company: Company) -> None:
        self.way = way
        self.inbox = Inbox()
        self._company = company
        self._book = Ledger(way.serial, way.where, way.node)
        self._asks: list[Ask] = []
        self._over, self._gone = threading.Event(), threading.Event()
        self._left = False  # the agent ended without us
        self._failures = 0
        self._thread = threading.Thread(target=self._run, name=f"drive {way.serial or way.where}", daemon=True)

    @property
    def view(self) -> DriveView:
        return self._book.view

    def start(self) -> None:
        """Begin to work."""
        self.inbox.put(Event(Cause.STARTED, time.monotonic()))
        self._thread.start()

    def stop(self) -> None:
        """Ask it to end. Nothing that is in the drive changes by that."""
        self._over.set()
        self.inbox.put(Event(Cause.TICK, time.monotonic()))

    def leave(self) -> None:
        """It is waited for no longer: what it still meets with, as a keystore that is closed, is nobody's news."""
        self._left = True

    def join(self, seconds: float) -> bool:
        """Whether it has ended within that time."""
        self._thread.join(max(0.0, seconds))
        return not self._thread.is_alive()

    # --- its thread ---

    def _run(self) -> None:
        while not self._over.is_set():
            try:
                with self.way.reach() as device:
                    self._work(device)
            except Exception as error:  # noqa: BLE001 - one drive's worst must not end its worker
                if self._left:
                    log.info("drive %s: ended in the middle of its work: %s", self.view.serial or self.way.where, error)
                    break
                self._rest(self._failed(error))
        self._end()

    def _work(self, device: Transport) -> None:
        """Do rounds until told to end, or until the device has to be opened anew."""
        rounds = self._rounds(device)
        try:
            while not self._over.is_set():
                post = self.inbox.get(rounds.pause())
                if isinstance(post, Event) and post.cause is Cause.WENT:
                    self._over.set()
                    return
                self._round(rounds, post)
        finally:
            rounds.leave()

    def _round(self, rounds: Rounds, post: Post) -> None:
        try:
            rounds.go(post)
            self._failures = 0
        except TapekeyError as error:
            if isinstance(error, TransportFailed) or self._left:
                raise
            rounds.put_off(self._failed(error))

    def _rounds(self, device: Transport) -> Rounds:
        company, watch = self._company, Stopwatch(sleep=self.way.options.patience.sleep)
        heard = Attentive(TimedTransport(device, watch), self._gone)
        serial = self._known(heard)
        door = self.way.door(heard)
        hands = Hands(
            serial,
            heard,
            lambda: self.way.beside(heard, door),
            door,
            stopwatch.timed(company.manager, watch, company.writers),
            watch,
            company.alarms,
            replace(self.way.options, library=self.way.library),
            company.runtime,
            self.way.gate,
        )
        return Rounds(hands, self._book, self.inbox, self._asks, company.pace, self.way.barred)

    def _known(self, device: Transport) -> str:
        """Who the drive is: as the kernel remembers it, since it may be busy; else by its word."""
        serial, naa = self.way.serial, self.way.naa
        if not serial:
            who = identity.identify(device)
            serial, naa = who.serial, who.naa
            self._book.tell(vendor=who.vendor, product=who.product)
        self._company.identities.take(serial, naa, self.way.where)
        self._book.tell(serial=serial)
        return serial

    # --- errors ---

    def _failed(self, error: Exception) -> float:
        """Put an error down; how long to rest."""
        self._failures += 1
        told = (
            error if isinstance(error, TapekeyError) else TapekeyError(f"the agent met a fault of its own: {error!r}")
        )
        mounted = self._book.state in MOUNTED
        before = self._book.view
        again = not self._book.find(Finding.ERROR, str(told), told.mend, alarm=mounted or before.alarm)
        self._company.alarms.count("errors")
        where = journal.fields(
            drive=before.serial,
            cartridge=before.cartridge,
            barcode=before.volser,
            key=before.key,
            counter=before.counter,
            generation=before.generation or None,
        )
        if told is not error:
            log.error("drive %s: %s", before.serial or before.where, told, exc_info=error, extra=where)
        elif not (again and before.why == str(told)):
            log.warning("drive %s: %s", before.serial or before.where, told, extra=where)
        for ask in self._asks:
            ask.refuse(told)
        self._asks.clear()
        return float(min(LONGEST_RETRY, FIRST_RETRY * 2 ** min(self._failures - 1, 10)))

    def _rest(self, seconds: float) -> None:
        """Read the inbox until it is time to try again, or somebody gives a reason to."""
        until = time.monotonic() + seconds
        while not self._over.is_set() and (left := until - time.monotonic()) > 0:
            match self.inbox.get(left):
                case Ask() as ask:
                    self._asks.append(ask)
                    return
                case Event(cause=Cause.WENT):
                    self._over.set()
                case Event(cause=cause) if cause in WAKING:
                    return
                case Event():
                    pass

    def _end(self) -> None:
        self._company.identities.give_back(self.way.where)
        for ask in self._asks:
            ask.refuse(TransportFailed(f"the agent no longer serves drive {self.view.serial}"))
        self._asks.clear()

    def gone(self) -> None:
        """The device went: so it is told from now on, whatever its thread is still waiting for."""
        self._gone.set()
        self.inbox.put(Event(Cause.WENT, time.monotonic()))
        self._book.find(Finding.WENT, "its device is gone")


WAKING: Final = frozenset({Cause.CAME, Cause.RESET, Cause.CLOSED, Cause.LIBRARY, Cause.RULES})
