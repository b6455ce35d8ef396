"""One at a time, in the order in which they came: a lock that lets nobody starve, however busy the others are.

`threading.Lock` goes to whoever asks at the right moment, and that is mostly the one that has just let it go.
"""

import threading
from collections import deque


class Line:
    """Stood in by threads. `acquire` and `release` as of a lock."""

    def __init__(self) -> None:
        self._turn = threading.Lock()
        self._waiting: deque[threading.Event] = deque()
        self._taken = False

    def acquire(self, timeout: float) -> bool:
        """Wait so many seconds for our turn; False: it did not come, and we have left the line."""
        with self._turn:
            if not self._taken:
                self._taken = True
                return True
            called = threading.Event()
            self._waiting.append(called)
        if called.wait(timeout):
            return True
        with self._turn:
            if called.is_set():  # just now
                return True
            self._waiting.remove(called)
            return False

    def release(self) -> None:
        """Hand it to who has waited longest."""
        with self._turn:
            if self._waiting:
                self._waiting.popleft().set()
            else:
                self._taken = False
