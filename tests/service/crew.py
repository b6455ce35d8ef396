"""A worker on the rig: the shipped one, over the rig's keystore and virtual drive; and waiting for what it does."""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tapekey.exchange import Transport
from tapekey.service.alarms import Alarms
from tapekey.service.events import Cause, Event
from tapekey.service.identities import Identities
from tapekey.service.inbox import Ask, Terms, Wish
from tapekey.service.own_nexus import OwnNexus
from tapekey.service.queueing import Line
from tapekey.service.rounds import Pace
from tapekey.service.view import State
from tapekey.service.worker import Company, Way, Worker
from tests.rig import Rig

QUICK = Pace(empty=0.01, settling=0.01, mounted=0.05, quiet=0.02)
PATIENCE = 5.0 if os.environ.get("TAPEKEY_TEST_FAULT") else 20.0


@dataclass
class Crew:
    """One worker, and what the test sees of it."""

    bench: Rig
    worker: Worker
    alarms: Alarms
    company: Company = field(repr=False)

    @property
    def state(self) -> State:
        return self.worker.view.state

    def post(self, cause: Cause, **more: Any) -> None:
        self.worker.inbox.put(Event(cause, time.monotonic(), **more))

    def ask(self, wish: Wish = Wish.READY, seconds: float = PATIENCE, **terms: Any) -> Ask:
        ask = Ask(wish, time.monotonic() + seconds, Terms(**terms))
        self.worker.inbox.put(ask)
        return ask

    def asked(self, wish: Wish = Wish.READY, seconds: float = PATIENCE, **terms: Any) -> Any:
        return self.ask(wish, seconds, **terms).wait(lambda: (self.worker.view.serial, str(self.worker.view)))

    @property
    def why(self) -> str:
        return self.worker.view.why

    def until(self, *states: State) -> None:
        until(lambda: self.state in states, lambda: f"{self.worker.view}")

    def insert(self, place: Path) -> None:
        """Put a cartridge in; the drive has loaded it."""
        self.bench.insert(place)
        self.bench.clock.move(600.0)


def until(true: Callable[[], object], told: Callable[[], str] = str, seconds: float = PATIENCE) -> None:
    """Wait for a condition, with an end to it."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, told()
        time.sleep(0.002)


def company(bench: Rig, alarms: Alarms, pace: Pace = QUICK) -> Company:
    return Company(bench.manager, alarms, bench.directory / "run", pace, Identities(), Line())


def way(bench: Rig, over: Transport | None = None, **more: Any) -> Way:
    """The rig's drive by a nexus of the agent's own."""
    device = over or bench.machine.transport("agent")
    said: dict[str, Any] = {"options": bench.options(), "door": OwnNexus}
    return Way(
        "virtual:", reach=lambda: nullcontext(device), beside=lambda device, _: nullcontext(device), **said | more
    )


@contextmanager
def crew(bench: Rig, over: Transport | None = None, *, pace: Pace = QUICK, **more: Any) -> Iterator[Crew]:
    """A worker that runs as long as the context lasts."""
    alarms = Alarms()
    shared = company(bench, alarms, pace)
    worker = Worker(way(bench, over, **more), shared)
    worker.start()
    try:
        yield Crew(bench, worker, alarms, shared)
    finally:
        worker.stop()
        assert worker.join(PATIENCE), "the worker does not end"
