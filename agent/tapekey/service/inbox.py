"""What waits for a drive's worker: events, and what somebody asks. No wait here is without an end."""

import queue
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum

from tapekey.errors import TapekeyError, TimedOut
from tapekey.policy.facts import Intent
from tapekey.service.events import Cause, Event

Answer = Mapping[str, object]


class Wish(Enum):
    """What is asked of a worker."""

    READY = "make it ready"
    UNLOAD = "unload it"
    VERIFY = "verify it"


@dataclass(frozen=True, slots=True)
class Terms:
    """What the asker knows of the cartridge, and what it is for. `loaded`: one is there, or on its way."""

    volsers: tuple[str, ...] = ()
    pool: str = ""
    library: str = ""
    intent: Intent | None = None
    loaded: bool = False
    hook: bool = False  # the asker writes only once it is answered


@dataclass(eq=False, slots=True)
class Ask:
    """One request and its answer. `until` is time.monotonic(): after it nobody waits, and nothing more is done."""

    wish: Wish
    until: float
    terms: Terms = Terms()
    _done: threading.Event = field(default_factory=threading.Event)
    _answer: Answer | None = None
    _error: TapekeyError | None = None

    @property
    def over(self) -> bool:
        """Whether it was answered, or nobody waits any more."""
        return self._done.is_set() or time.monotonic() >= self.until

    @property
    def is_let_in(self) -> bool:
        """Whether its asker was told that software may open the drive now."""
        return self.wish is Wish.READY and self._done.is_set() and self._error is None

    def answer(self, answer: Answer) -> None:
        """Give the answer; the first one counts."""
        if not self._done.is_set():
            self._answer = answer
            self._done.set()

    def refuse(self, error: TapekeyError) -> None:
        """Give an error for an answer."""
        if not self._done.is_set():
            self._error = error
            self._done.set()

    def wait(self, about: Callable[[], tuple[str, str]]) -> Answer:
        """The answer, waited for until `until`. `about`: the drive's serial number, and what it does instead."""
        self._done.wait(max(0.0, self.until - time.monotonic()))
        if self._error is not None:
            raise self._error
        if self._answer is None:
            serial, doing = about()
            raise TimedOut(f"drive {serial} is not ready in time", why=doing, mend="see tapekey status; give it longer")
        return self._answer


Post = Event | Ask


class Inbox:
    """A queue with one reader. Resets and departures are counted when they come, not when they are read."""

    def __init__(self) -> None:
        self._posts: queue.SimpleQueue[Post] = queue.SimpleQueue()
        self._turn = threading.Lock()
        self.upsets = 0

    def put(self, post: Post) -> None:
        """Never waits."""
        if isinstance(post, Event) and post.cause in (Cause.RESET, Cause.WENT):
            with self._turn:
                self.upsets += 1
        self._posts.put(post)

    def get(self, seconds: float) -> Post:
        """The next post, or TICK when the time is up."""
        try:
            return self._posts.get(timeout=max(0.0, seconds))
        except queue.Empty:
            return Event(Cause.TICK, time.monotonic())
