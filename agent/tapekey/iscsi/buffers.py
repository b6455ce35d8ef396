"""Kept memory for the data of commands: a fresh page costs more than the protocol does, so none is given up.

Sizes are powers of two with room for the padding and the digest that may follow the data of a PDU.
"""

import mmap
from typing import Final

SMALLEST: Final = 12  # 4 KiB
LARGE: Final = 128 << 10  # from here on the system has it back at once: the allocator would keep it for each thread
TAIL: Final = 16  # padding and digest, and then some


class Buffers:
    """At most `budget` bytes, lent and idle together."""

    def __init__(self, budget: int) -> None:
        self._budget = budget
        self._idle: dict[int, list[memoryview]] = {}
        self.held = 0

    def lend(self, size: int) -> memoryview | None:
        """Room for `size` bytes and a tail; None if that would exceed the budget."""
        whole = (1 << max((size - 1).bit_length(), SMALLEST)) + TAIL
        idle = self._idle.get(whole)
        return idle.pop() if idle else self._make(whole)

    def give_back(self, buffer: memoryview) -> None:
        """Take back what was lent, whole."""
        self._idle.setdefault(len(buffer), []).append(buffer)

    def _make(self, whole: int) -> memoryview | None:
        if self.held + whole > self._budget:
            self._drop_idle()
        if self.held + whole > self._budget:
            return None
        self.held += whole
        return memoryview(bytearray(whole) if whole < LARGE else mmap.mmap(-1, whole))

    def _drop_idle(self) -> None:
        self.held -= sum(size * len(buffers) for size, buffers in self._idle.items())
        self._idle.clear()
