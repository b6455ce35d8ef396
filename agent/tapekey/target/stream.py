"""A stream: one block after another for one session, without asking the drive about each.

Whoever begins one has asked about everything that stands before such a command. That stays true, since whoever else
comes to the drive ends the stream first (`Owed.settle`), and what does not fit is left to the ordinary way, which says
what is wrong.
"""

from typing import Final, Protocol

NOTHING: Final = memoryview(b"")


class Stream(Protocol):
    """What a session does for each command that repeats the last one: fill `room`, `take`, answer `data`, `follow`."""

    @property
    def room(self) -> memoryview:
        """Where the data of a write go."""
        ...

    @property
    def data(self) -> memoryview:
        """What answers a read."""
        ...

    def take(self) -> bool:
        """Carry out one more command; its status is GOOD. False: it must go the ordinary way."""
        ...

    def follow(self) -> None:
        """Do what can wait until the answer is on its way."""
        ...

    def end(self) -> None:
        """Do what was answered for, and nothing any more. From any thread, any number of times."""
        ...
