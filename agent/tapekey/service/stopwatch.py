"""Where a mount's time goes: in SCSI commands, in the keystore, in waiting, and the rest, which is ours.

Measured where everything passes: at the waist and at the keystore's transactions. One stopwatch belongs to one worker.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from tapekey.errors import StoreFailed
from tapekey.exchange import Command, Reply, Transport
from tapekey.keystore.rows import Transaction
from tapekey.keystore.store import Store
from tapekey.manager.local import LocalManager
from tapekey.service.queueing import Line
from tapekey.service.view import Timing

FILE_PATIENCE: Final = 30.0  # seconds for another process that writes: longer than a command has for us
WRITERS_PATIENCE: Final = 120.0  # for all other workers of this process, each of which may wait for another process


@dataclass(slots=True)
class Stopwatch:
    """Seconds since `restart`, by what they went into. What is inside something that counts is not counted twice."""

    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    began: float = 0.0
    spent: dict[str, float] = field(default_factory=dict)
    inside: bool = False

    def restart(self) -> None:
        """A cartridge is there: from now on."""
        self.began, self.spent = self.clock(), {}

    @contextmanager
    def counting(self, what: str) -> Iterator[None]:
        """Count this block's time as `scsi`, `store` or `waiting`."""
        if self.inside:
            yield
            return
        began, self.inside = self.clock(), True
        try:
            yield
        finally:
            self.inside = False
            self.spent[what] = self.spent.get(what, 0.0) + self.clock() - began

    def wait(self, seconds: float) -> None:
        """Sleep, counted as waiting."""
        with self.counting("waiting"):
            self.sleep(seconds)

    def timing(self) -> Timing:
        """Until now, in milliseconds."""
        scsi, store, waiting = (1e3 * self.spent.get(what, 0.0) for what in ("scsi", "store", "waiting"))
        return Timing(1e3 * (self.clock() - self.began), scsi, store, waiting)


@dataclass(frozen=True, slots=True)
class TimedTransport:
    """A transport whose commands are counted."""

    inner: Transport
    watch: Stopwatch

    def execute(self, command: Command) -> Reply:
        """Pass it on."""
        with self.watch.counting("scsi"):
            return self.inner.execute(command)


@dataclass(frozen=True, slots=True)
class TimedStore(Store):
    """A keystore whose transactions are counted. Its writers stand in one line instead of asking the file in turn."""

    watch: Stopwatch
    writers: Line

    @contextmanager
    def reading(self) -> Iterator[Transaction]:
        with self.watch.counting("store"), Store.reading(self) as transaction:
            yield transaction

    @contextmanager
    def writing(self) -> Iterator[Transaction]:
        with self.watch.counting("store"):
            if not self.writers.acquire(timeout=WRITERS_PATIENCE):
                raise StoreFailed(
                    "the keystore is busy",
                    why=f"other drives' workers have been writing for {WRITERS_PATIENCE:g} s",
                    mend="look at the disk that the keystore is on",
                )
            try:
                with Store.writing(self) as transaction:
                    yield transaction
            finally:
                self.writers.release()


def timed(manager: LocalManager, watch: Stopwatch, writers: Line) -> LocalManager:
    """The same manager over the same open keystore, counted."""
    store = manager.store
    return LocalManager(
        TimedStore(store.directory, store.engine, store.seal, store.clock, store.manager_id, watch, writers)
    )
