"""What a drive does when its answer is on the way: store the block that it has taken, read the one that may come next.

Drives work like this (buffered mode 1): the host makes its next command while the drive is busy with the last one. The
work is done by whoever took the answer, or else, before anything else, by whoever touches the drive next; so nobody
can tell the difference but by the clock, and by what is lost with the power before anything was synchronised.

A stream goes further: a session reads or writes one block after another without asking the drive about each. Nothing
about the drive changes meanwhile, since whoever comes to it ends the stream first.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from tapekey.errors import MediumDamaged, OverwriteRefused
from tapekey.scsi.sense import Sense, SenseKey
from tapekey.target.nexus import Nexus
from tapekey.target.refusal import Refusal
from tapekey.target.stream import Stream


@dataclass(slots=True)
class Owed:
    """At most one piece of work, which must not raise: the command that left it has been answered. Or a stream."""

    _work: Callable[[], None] | None = None
    _stream: Stream | None = None
    _doing: threading.Lock = field(default_factory=threading.Lock, repr=False)

    @property
    def standing(self) -> bool:
        """Whether something is still to be done."""
        return self._work is not None

    def leave(self, work: Callable[[], None]) -> None:
        """Leave work for later; what was left before must have been done."""
        if self._work is not None:
            raise ValueError("what was left before has not been done")
        self._work = work

    def lend(self, stream: Stream) -> None:
        """The drive is a stream's until somebody else comes; nothing else stands."""
        self._stream = stream

    def settle(self) -> None:
        """Return when it is done, by this thread or another, and the stream is over."""
        with self._doing:
            stream, self._stream = self._stream, None
            if stream is not None:
                stream.end()
            work, self._work = self._work, None
            if work is not None:
                work()


def storing(nexus: Nexus, store: Callable[[], None]) -> Callable[[], None]:
    """Work that stores a block; if it fails, the nexus hears of it with its next command, as a deferred error."""

    def work() -> None:
        try:
            store()
        except BaseException as error:  # whatever stopped it, the block was answered for and is not there
            nexus.deferred = Sense(SenseKey.MEDIUM_ERROR, 0x0C, 0x00, deferred=True)
            if not isinstance(error, MediumDamaged | OSError | OverwriteRefused | Refusal):
                raise

    return work
