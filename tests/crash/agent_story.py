"""What jobs do on all drives while agents come and go: two saves to each cartridge, and a restore of both.

An agent is ended while it makes drives ready, while jobs write and read, while cartridges are accounted and unloaded,
and while empty drives are brought to rest.
"""

import random
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tapekey.errors import AgentMissing, StateChanged, TapekeyError, TransportFailed
from tapekey.keystore import check, store
from tapekey.keystore.records import MountRecord
from tapekey.mount.account import TAKEN_OUT
from tapekey.service import asking
from tapekey.service.view import State
from tests.crash import agent_inquest
from tests.crash.agent_job import Job
from tests.crash.agent_stops import Stops
from tests.crash.agent_yard import DRIVES, KEYED, LEFT, PATIENCE, Yard, foreign_key
from tests.mount.resting import GUARDED

KEYING: Final = 75  # commands, about, until a cartridge's key is verified
UNLOAD: Final = 45  # until it is accounted and out, and the drive at rest
OBJECTS: Final = 10  # at least, of each save


@dataclass(slots=True)
class Story:
    """`notes` counts what came of mounts. `busy` and `reading`: how many ends to a save, and to a restore."""

    yard: Yard
    stops: Stops
    chance: random.Random
    keying: int = 2
    busy: int = 3
    reading: int = 1
    notes: Counter[str] = field(default_factory=Counter)
    left: list[Job] = field(default_factory=list)

    def begin(self) -> None:
        """Jobs on the drives that are not the agent's to touch, and the first agent."""
        for name in LEFT:
            self.yard.panel(name, "insert", cartridge=str(self.yard.tape(name)))
        with self.yard.nexus("HANDS", "job") as link:
            foreign_key(link)
        self.left = self._jobs({name: self.yard.tapes[name][0] for name in LEFT}, None)
        for job in self.left:
            job.start()
        self.yard.start()
        self.stops.settled()

    def turn(self) -> None:
        """A cartridge for each drive: saved to twice, and restored."""
        tapes = {name: self.yard.tape(name) for name in KEYED}
        held = self._saved(tapes, dict.fromkeys(KEYED, 0))
        held = self._saved(tapes, held)
        self._restored(tapes, held)
        for name, tape in tapes.items():
            found = agent_inquest.read(tape)
            assert found.clear == 0, f"{found.clear} clear blocks on {tape.name}"
            assert found.objects == held[name], f"{found} on {tape.name}, {held[name]} were written"
            self.notes["encrypted blocks"] += found.encrypted

    def end(self) -> None:
        """End all jobs and the last agent, and look at what nobody was to touch."""
        for job in self.left:
            job.end()
            assert not job.error, f"{job.serial}: {job.error}"
        self.stops.untouched([], {})
        self.stops.last()
        for job in self.left:
            self.yard.panel(job.serial, "eject")
            found = agent_inquest.read(self.yard.tapes[job.serial][0])
            assert found.objects == job.done
            assert (found.clear == 0) is (job.serial == "HANDS"), found
        self._books()

    def _books(self) -> None:
        """Each mount that had a key has one key, and its account: the last of a drive may wait for the next load."""
        check.check(self.yard.manager.store)
        store.verify_audit(self.yard.manager.store)
        with self.yard.manager.store.reading() as transaction:
            mounts = list(transaction.every(MountRecord))
        lines = store.audit_lines(self.yard.manager.store)
        installed = Counter(
            (str(line.facts["drive"]), line.facts["generation"]) for line in lines if line.event == "key installed"
        )
        assert max(installed.values()) == 1, "a key was set twice for one mount"
        keyed = [mount for mount in mounts if mount.key_instance_counter >= 0]
        newest = {mount.drive_serial: mount.generation for mount in sorted(mounts, key=lambda one: one.generation)}
        open_ = [mount for mount in keyed if not mount.accounted]
        assert all(mount.generation == newest[mount.drive_serial] for mount in open_), open_
        self.notes["mounts left to be accounted at the next load"] += len(open_)
        self.notes["mounts with a key"] += len(keyed)
        self.notes["mounts cut off before their key was verified"] += len(mounts) - len(keyed)
        self.notes["taken out before the drive was asked"] += sum(
            line.facts.get("remarks") == TAKEN_OUT for line in lines if line.event == "mount accounted"
        )
        self.notes.update(f"alarm: {line.event}" for line in lines if line.alarm)

    # --- one mount of each drive ---

    def _saved(self, tapes: dict[str, Path], held: dict[str, int]) -> dict[str, int]:
        jobs = self._jobs(tapes, "save", held)
        for number in range(self.keying):
            begin = self._inserted(tapes, jobs) if number == 0 else int
            waiting = [job.serial for job in jobs if not job.began.is_set()]
            if waiting:
                self.stops.at_a_command("keying", self._all(jobs), self.chance.choice(waiting), KEYING, begin)
            else:
                self.stops.at_once("mid-write", self._all(jobs))
        self._underway(jobs)
        for _ in range(self.busy):
            self.stops.at_once("mid-write", self._all(jobs))
        self.yard.until(lambda: all(job.done >= OBJECTS or job.error for job in jobs), "a job stands still")
        self._over(jobs)
        return {job.serial: job.first + job.done for job in jobs}

    def _restored(self, tapes: dict[str, Path], held: dict[str, int]) -> None:
        jobs = [job for name in tapes for job in self._jobs({name: tapes[name]}, self._reading(name), reads=True)]
        self._inserted(tapes, jobs)()
        self._underway(jobs)
        for _ in range(self.reading):
            self.stops.at_once("mid-read", self._all(jobs))
        self.yard.until(lambda: not any(job.lives for job in jobs), "a restore stands still")
        self._over(jobs)
        for job in jobs:
            assert job.done == held[job.serial], f"{job.done} of {held[job.serial]} objects are back from {job.serial}"
        self.notes["objects read back"] += sum(job.done for job in jobs)

    def _reading(self, name: str) -> str:
        """A drive that cannot refuse clear writes is not given a key that only reads."""
        return "restore" if DRIVES[name] == GUARDED else "save"

    def _jobs(
        self, tapes: dict[str, Path], intent: str | None, held: dict[str, int] | None = None, *, reads: bool = False
    ) -> list[Job]:
        return [
            Job(
                self.yard.drive(name),
                name,
                tape.name,
                self.yard.socket,
                intent,
                reads,
                (held or {}).get(name, 0),
                ready=self._noted,
            )
            for name, tape in tapes.items()
        ]

    def _all(self, jobs: list[Job]) -> list[Job]:
        return [*jobs, *self.left]

    def _noted(self, job: Job) -> None:
        """A job begins: its key is verified, by the books, and from now on nobody changes its drive."""
        job.mark = len(self.yard.taps[job.serial].seen)
        if job.serial in KEYED:
            mount = self.yard.manager.current(job.serial)
            assert mount is not None
            assert mount.key_instance_counter is not None, "let in before its key was verified"
            assert not mount.accounted
            job.generation = mount.generation

    def _inserted(self, tapes: dict[str, Path], jobs: list[Job]) -> Callable[[], object]:
        def insert() -> None:
            for job in jobs:
                self.yard.panel(job.serial, "insert", cartridge=str(tapes[job.serial]))
                job.start()

        return insert

    def _underway(self, jobs: list[Job]) -> None:
        self.yard.until(lambda: all(job.began.is_set() or job.error for job in jobs), "a job does not begin")
        for job in jobs:
            assert not job.error, f"{job.serial}: {job.error}\n{self.yard.log}"

    def _over(self, jobs: list[Job]) -> None:
        """The jobs come to their end, and the agent unloads, whoever it is by the time that it is done."""
        for job in jobs:
            job.end()
            assert not job.error, f"{job.serial}: {job.error}"
            assert not job.wrong, job.wrong
            changes = self.yard.taps[job.serial].changes_since(job.mark)
            assert not changes, f"{job.serial} was sent {changes}"
        askers = [threading.Thread(target=self._unload, args=(job.serial,)) for job in jobs]

        def ask() -> None:
            for asker in askers:
                asker.start()

        self.stops.at_a_command("unload", self.left, self.chance.choice(KEYED), UNLOAD, ask)
        for asker in askers:
            asker.join(PATIENCE)
        self._out(jobs)

    def _out(self, jobs: list[Job]) -> None:
        def at_rest() -> bool:
            views = self.yard.views()
            return all(views.get(job.serial, {}).get("state") == State.EMPTY.value for job in jobs)

        self.yard.until(at_rest, "a drive is not unloaded")
        for job in jobs:
            mount = self.yard.manager.current(job.serial)
            assert mount is not None
            self.notes["accounted at unload" if mount.accounted else "to be accounted at the next load"] += 1
            self.yard.panel(job.serial, "eject")

    def _unload(self, name: str) -> None:
        while True:
            try:
                asking.ask(self.yard.socket, "unload", timeout=PATIENCE, drive=name, seconds=PATIENCE)
            except (AgentMissing, TransportFailed, StateChanged):
                self.notes["unloads asked for again"] += 1
                threading.Event().wait(0.02)
            except TapekeyError as error:
                self.notes[f"unload refused: {error}"] += 1
                return
            else:
                return
