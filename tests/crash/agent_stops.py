"""Ends agents, and starts them again: what jobs and drives must not notice, and what the next agent must find."""

import os
import random
import signal
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Final

from tapekey.service.view import State
from tests.crash.agent_job import Job
from tests.crash.agent_tap import Blow, Point
from tests.crash.agent_yard import EMPTY, KEYED, Record, Yard

READY: Final = {State.READY_TO_WRITE.value, State.READY_TO_READ.value}
BUSY: Final = {State.WORKING.value, State.SETTLING.value, State.STALE.value}
WITHOUT_AGENT: Final = 3  # objects that each job goes on by before there is another agent
STRUCK: Final = 2.0  # seconds for a command to come that may not come at all


class Stop(Enum):
    """How an agent ends. A start of the package's other copy, of another version, is an upgrade, or a rollback."""

    TERM = "SIGTERM"
    KILL = "SIGKILL"
    ABORT = "SIGABRT"
    RESTART = "restart"
    UPGRADE = "upgrade or rollback"


SIGNALS: Final[Mapping[Stop, signal.Signals]] = {Stop.KILL: signal.SIGKILL, Stop.ABORT: signal.SIGABRT}


@dataclass(slots=True)
class Stops:
    """What was tried. `kinds` counts ends of the agent, `lived` the mounts that an end found open and in use."""

    yard: Yard
    chance: random.Random
    kinds: Counter[Stop] = field(default_factory=Counter)
    phases: Counter[str] = field(default_factory=Counter)
    lived: Counter[str] = field(default_factory=Counter)
    mounts: set[tuple[str, int]] = field(default_factory=set)
    rest: dict[str, Record] = field(default_factory=dict)
    _deck: list[Stop] = field(default_factory=list)

    def kind(self) -> Stop:
        """Each as often as the others, in any order."""
        if not self._deck:
            self._deck = self.chance.sample(list(Stop), len(Stop))
        return self._deck.pop()

    def at_once(self, where: str, jobs: Iterable[Job]) -> None:
        """End the agent now, and start one again."""
        self._stop(self.kind(), where, jobs, met="")

    def at_a_command(
        self, where: str, jobs: Iterable[Job], name: str, among: int, then: Callable[[], object] = int
    ) -> None:
        """The same at any of so many commands to that drive, which come of what is done `then`."""
        kind = self.kind()
        self.yard.taps[name].arm(self._blow(kind, among))
        then()
        self._stop(kind, where, jobs, met=name if self._met(name) else "")

    def _stop(self, kind: Stop, where: str, jobs: Iterable[Job], *, met: str) -> None:
        live = [job for job in jobs if job.lives]
        before = {job.serial: (self.yard.record(job.serial), job.done) for job in live}
        self._ended(kind, told=bool(met))
        self._goes_on(kind, live, before)
        self.kinds[kind] += 1
        self.phases[self._phase(where, met) if met else where] += 1
        self._put_down(live)
        if kind is Stop.UPGRADE:
            self.yard.swap()
        self.yard.start()
        self.settled(live)
        self.untouched(live, before)

    def last(self) -> None:
        """End the last agent, in order; it is none of those that are counted."""
        self._send(Stop.TERM)
        self._ended(Stop.TERM, told=True)

    def settled(self, live: Iterable[Job] = ()) -> None:
        """Wait until the agent has looked at every drive, and at those of live jobs found what was there."""
        jobs = {job.serial for job in live}

        def true() -> bool:
            views = self.yard.views()
            states = {name: view["state"] for name, view in views.items()}
            rest = all(states.get(name) == State.EMPTY.value and views[name]["guards"] for name in EMPTY)
            keyed = all(states.get(name) in READY for name in jobs & set(KEYED))
            left = states.get("HANDS") == State.HANDS_OFF.value and states.get("OBSERVE") == State.LEFT.value
            return rest and keyed and left

        self.yard.until(true, "the agent does not take up what was there")

    def untouched(self, live: Iterable[Job], before: Mapping[str, tuple[Record, int]]) -> None:
        """Every live job's drive is as it was, by its own word; so are those that rest. The agent tells the same."""
        told = self.yard.told()
        views = {view["serial"]: view for view in told["drives"]}
        assert told["version"] == self.yard.births[0].version
        for job in live:
            assert not job.error, f"{job.serial}: {job.error}\n{self.yard.log}"
            assert self.yard.record(job.serial) == before[job.serial][0], job.serial
            changes = self.yard.taps[job.serial].changes_since(job.mark)
            assert not changes, f"{job.serial} was sent {changes}"
            if job.serial in KEYED:
                mount = self.yard.manager.current(job.serial)
                assert mount is not None
                found = (views[job.serial]["generation"], views[job.serial]["key"], views[job.serial]["counter"])
                assert found == (mount.generation, str(mount.key_id), mount.key_instance_counter), job.serial
                assert mount.generation == job.generation
                assert not mount.accounted
        for name in EMPTY:
            assert self.yard.record(name) == self.rest.setdefault(name, self.yard.record(name)), name

    # --- one end ---

    def _blow(self, kind: Stop, among: int) -> Blow:
        """Orderly ends lose no command on its way; after an abrupt one it may have reached the drive, or not."""
        abrupt = kind in SIGNALS
        point = self.chance.choice(list(Point) if abrupt else [Point.SENT, Point.LATER])
        nth, later = self.chance.randint(1, max(1, among)), self.chance.uniform(0.0, 0.02)
        return Blow(nth, point, lambda: self._send(kind), later)

    def _send(self, kind: Stop) -> None:
        os.kill(self.yard.pid, SIGNALS.get(kind, signal.SIGTERM))

    def _met(self, name: str) -> bool:
        """Whether that command came; if not, the agent is still there."""
        tap = self.yard.taps[name]
        met = tap.struck.wait(STRUCK)
        tap.disarm()
        return met or tap.struck.is_set()

    def _ended(self, kind: Stop, *, told: bool) -> None:
        if not told:
            self._send(kind)
        status = self.yard.ended()
        expected = -SIGNALS[kind] if kind in SIGNALS else 0
        assert status == expected, f"{kind.value}: the agent ended with {status}\n{self.yard.log}"

    def _goes_on(self, kind: Stop, live: Iterable[Job], before: Mapping[str, tuple[Record, int]]) -> None:
        """Jobs go on while there is no agent; a restart leaves them no time for that."""
        if kind is Stop.RESTART:
            return
        for job in live:
            aim = before[job.serial][1] + WITHOUT_AGENT
            self.yard.until(lambda job=job, aim=aim: job.done >= aim or not job.lives, f"{job.serial} stands still")  # type: ignore[misc]
            assert not job.error, f"{job.serial}: {job.error}"
            assert self.yard.record(job.serial) == before[job.serial][0], job.serial

    def _put_down(self, live: Iterable[Job]) -> None:
        for job in live:
            self.lived[job.serial] += 1
            self.mounts.add((job.serial, job.generation))

    def _phase(self, where: str, name: str) -> str:
        """How far the drive had come that the blow was aimed at, by the books."""
        mount = self.yard.manager.current(name)
        if where == "keying":
            if mount is None or mount.accounted:
                return "keying: no mount begun"
            return "keying: key not verified" if mount.key_instance_counter is None else "keying: verified"
        if where == "unload":
            return "unload: not accounted" if mount is not None and not mount.accounted else "rest, or parking a key"
        return where
