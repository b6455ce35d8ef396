"""Tells opens and closes of tape nodes by others from our own: pure, fed with what inotify says.

Neither says who it was, but order does: `st` lets one in at a time, and the kernel tells of an open before open()
returns and of a close before the next one is let in. So of what came up to the return of an open of ours that
succeeded, the last open is ours; and of what came since we began to close, the first close is. Until that is settled,
what is told of the node waits.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from tapekey.service.events import Cause

Told = tuple[str, Cause]  # a node's path, and OPENED or CLOSED


@dataclass(slots=True)
class OwnOpens:
    """What was told and not yet taken, oldest first; `busy` are nodes that we open or close just now."""

    waiting: list[Told] = field(default_factory=list)
    busy: dict[str, int] = field(default_factory=dict)  # how much of the node's waited already when we began

    def tell(self, path: str, cause: Cause) -> None:
        """The kernel told of an open or a close, of whomever."""
        self.waiting.append((path, cause))

    def begin(self, path: str) -> None:
        """We are going to open or close the node."""
        self.busy[path] = len(self._places(path))

    def opened(self, path: str) -> None:
        """We have opened it, and all that the kernel told so far is here."""
        self.end(path)
        self._own(place for place in reversed(self._places(path)) if self.waiting[place][1] is Cause.OPENED)

    def closed(self, path: str) -> None:
        """We have closed it, and all that the kernel told so far is here."""
        since = self.end(path)
        self._own(place for place in self._places(path)[since:] if self.waiting[place][1] is Cause.CLOSED)

    def end(self, path: str) -> int:
        """We are done with it, one way or the other."""
        return self.busy.pop(path, 0)

    def lose(self, paths: tuple[str, ...]) -> None:
        """The kernel could not tell everything: anything may have been done with each of these nodes."""
        self.waiting = [(path, Cause.CLOSED) for path in paths]
        self.busy = dict.fromkeys(self.busy, 1)

    def take(self) -> list[Told]:
        """What others did, as far as it is settled."""
        taken = [each for each in self.waiting if each[0] not in self.busy]
        self.waiting = [each for each in self.waiting if each[0] in self.busy]
        return taken

    def _places(self, path: str) -> list[int]:
        return [place for place, (told, _) in enumerate(self.waiting) if told == path]

    def _own(self, places: Iterable[int]) -> None:
        """Take our own out. It is not there if the kernel could not tell it, or did not watch yet."""
        if (place := next(iter(places), None)) is not None:
            del self.waiting[place]
