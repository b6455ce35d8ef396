"""A backup job: asks the agent for its drive as a hook does, then has the drive to itself by a nexus of its own.

Whatever becomes of the agent meanwhile, a job that has begun meets no error, and no news from the drive.
"""

import random
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tapekey.drive import load
from tapekey.errors import AgentMissing, EndOfData, StateChanged, TapekeyError, TransportFailed
from tapekey.exchange import Transport
from tapekey.scsi import media
from tapekey.scsi.run import perform, run
from tapekey.service import asking
from tapekey.target.machine import SOCKET
from tapekey.transport.socket import connect

Object = bytes | None  # a block, or a filemark
SIZE: Final = 2048
ROOM: Final = 1 << 16
PACE: Final = 0.012  # seconds between two objects
READING: Final = 0.002
FILE: Final = 40  # objects, the filemark among them
PATIENCE: Final = 120.0


def objects(seed: str, first: int, count: int) -> list[Object]:
    """What a job puts on a tape, by number."""
    return [thing(seed, number) for number in range(first, first + count)]


def thing(seed: str, number: int) -> Object:
    """Every so many a filemark; the rest are blocks that nothing can compress."""
    if number % FILE == FILE - 1:
        return None
    return random.Random(f"{seed} {number}").randbytes(SIZE)


@dataclass(eq=False, slots=True)
class Job:
    """`done` counts its objects. `asked` is what the agent is asked for; None: nobody is asked."""

    drive: Path
    serial: str
    seed: str
    agent: Path
    intent: str | None = "save"
    reads: bool = False  # what is there, instead of writing
    first: int = 0  # objects that were there before: it appends
    done: int = 0
    answer: Mapping[str, object] = field(default_factory=dict)
    refusals: int = 0
    error: str = ""
    wrong: str = ""
    ready: Callable[["Job"], None] = lambda job: None  # called before it touches the tape
    generation: int = 0  # of its mount
    mark: int = 0  # how much the agent had sent by then
    began: threading.Event = field(default_factory=threading.Event)
    stop: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def start(self) -> None:
        self._thread = threading.Thread(target=self._live, name=f"job {self.seed}")
        self._thread.start()

    def end(self) -> None:
        """Let it come to its end, and see that it did."""
        self.stop.set()
        assert self._thread is not None
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive(), f"the job on {self.serial} does not end"

    @property
    def lives(self) -> bool:
        """Whether it writes or reads, and has more to do."""
        return self.began.is_set() and self._thread is not None and self._thread.is_alive()

    def _live(self) -> None:
        try:
            if self.intent is not None and not self._allowed():
                return
            with connect(self.drive / SOCKET, "job") as link:
                load.presence(link)  # what happened before it came is no news
                self.ready(self)
                _read(self, link) if self.reads else _write(self, link)
        except (TapekeyError, AssertionError) as error:
            self.error = f"{type(error).__name__}: {error}"

    def _allowed(self) -> bool:
        """Ask until the agent says that the drive may be opened, whoever is the agent by then."""
        until = time.monotonic() + PATIENCE
        while not self.stop.is_set():
            assert time.monotonic() < until, f"nobody makes drive {self.serial} ready ({self.refusals} tries)"
            try:
                self.answer = asking.ask(
                    self.agent, "ready", timeout=30.0, drive=self.serial, intent=self.intent, loaded=True, seconds=25.0
                )
            except (AgentMissing, TransportFailed, StateChanged):
                self.refusals += 1
                self.stop.wait(0.02)
            else:
                assert self.answer["encrypted"] is True, f"no key is in: {self.answer}"
                return True
        return False


def _write(job: Job, link: Transport) -> None:
    if job.first:
        run(link, media.space(media.SpaceCode.END_OF_DATA))
    else:
        run(link, media.rewind())
    job.began.set()
    while not job.stop.wait(PACE):
        one = thing(job.seed, job.first + job.done)
        run(link, media.write_filemarks() if one is None else media.write_block(one))
        job.done += 1
    run(link, media.flush())  # all that was acknowledged is on the medium


def _read(job: Job, link: Transport) -> None:
    run(link, media.rewind())
    job.began.set()
    while not job.stop.wait(READING):
        found = _next(link)
        if found is _END:
            break
        if found != thing(job.seed, job.done):
            job.wrong = f"object {job.done} on {job.serial} is not what was written"
            return
        job.done += 1


_END: Final = b"end of data"


def _next(link: Transport) -> Object:
    try:
        outcome = perform(link, media.read_block(ROOM))
    except EndOfData:
        return _END
    return None if outcome.sense is not None and outcome.sense.filemark else outcome.data
