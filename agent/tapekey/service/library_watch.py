"""What a library says is in its drives, asked now and then of its changer alone.

READ ELEMENT STATUS with CURDATA moves nothing, and no command goes to a drive. It is not asked more often than the
spacing, nor while somebody has announced a move: some changers keep it waiting until the arm stands still, and the
program that waits for the move with it. What goes wrong is told as `why`, and says nothing of any drive.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from typing import Final

from tapekey.drive import in_library
from tapekey.drive.identity import DriveId
from tapekey.drive.in_library import Bay
from tapekey.errors import TapekeyError
from tapekey.exchange import Transport

log = logging.getLogger(__name__)

LONGEST_HUSH: Final = 1800.0  # seconds: whoever announced a move and never came back is not waited for longer
ANSWERING: Final = 5.0  # seconds in which a question that is on its way is waited for


@dataclass(slots=True)
class Bays:
    """One changer's word. `reach` opens it; `known` is what it said last, by element address."""

    reach: Callable[[], AbstractContextManager[Transport]]
    spacing: float = 10.0
    clock: Callable[[], float] = time.monotonic
    known: dict[int, Bay] = field(default_factory=dict)
    why: str = ""
    due: float = 0.0  # not to be asked before
    quiet: float = 0.0  # nor before this
    _asking: threading.Lock = field(default_factory=threading.Lock)

    def hush(self, seconds: float) -> None:
        """A move is announced: ask nothing for so long; with 0 it is over. A question on its way is let come back."""
        now = self.clock()
        self.quiet = max(self.quiet, now + min(seconds, LONGEST_HUSH)) if seconds > 0 else now
        if self._asking.acquire(timeout=ANSWERING):
            self._asking.release()

    def wait(self) -> float:
        """Seconds until it may be asked."""
        return max(self.due, self.quiet) - self.clock()

    def ask(self) -> tuple[Bay, ...]:
        """Ask if that may be now; the bays that are not as they were told last."""
        with self._asking:
            if self.wait() > 0:
                return ()
            try:
                with self.reach() as changer:
                    found = in_library.bays(changer)
            except TapekeyError as error:
                self._fail(str(error))
                return ()
            finally:
                self.due = self.clock() + self.spacing
        self.why = ""
        changed = tuple(bay for bay in found if self.known.get(bay.address) != bay)
        self.known = {bay.address: bay for bay in found}
        return changed

    def _fail(self, why: str) -> None:
        if why != self.why:
            log.warning("a library cannot be asked what is in its drives: %s", why)
        self.why = why


def drive_of(bay: Bay, drives: Sequence[DriveId], bays: int) -> DriveId | None:
    """Whose place it is. Where the library does not say, only an only drive in an only place is known."""
    if bay.name is None:
        return drives[0] if len(drives) == bays == 1 else None
    return next((drive for drive in drives if bay.is_of(drive)), None)


@contextmanager
def follow(bays: Bays, tell: Callable[[Bay], None]) -> Iterator[None]:
    """Ask in a thread of its own, and tell of each bay that is not as it was; the first time of every one."""
    ended = threading.Event()

    def asks() -> None:
        while not ended.wait(max(0.0, min(bays.wait(), bays.spacing))):
            for bay in bays.ask():
                tell(bay)

    thread = threading.Thread(target=asks, name="library", daemon=True)  # a changer that hangs holds up no end
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join(ANSWERING)
