"""Where the objects of a partition are: kept in memory, rebuilt from the log when it is opened.

Eight bytes for every object and every filemark; where clear and encrypted blocks change is kept as turns, so that
the first encrypted block and the first clear one after it cost nothing (reference 4.2, attributes 0224h and 0225h).
"""

from array import array
from bisect import bisect_left
from dataclasses import dataclass, field
from typing import Final

NONE: Final = 0xFFFF_FFFF_FFFF_FFFF
UNKNOWN: Final = 0xFFFF_FFFF_FFFF_FFFE


@dataclass(slots=True)
class Index:
    """Offsets by object number, the object numbers of filemarks, those of lost objects, and the turns."""

    offsets: "array[int]" = field(default_factory=lambda: array("Q"))
    marks: "array[int]" = field(default_factory=lambda: array("Q"))
    lost: list[int] = field(default_factory=list)
    turns: list[tuple[int, bool]] = field(default_factory=list)

    @property
    def objects(self) -> int:
        """How many blocks and filemarks there are."""
        return len(self.offsets)

    def add(self, offset: int, *, filemark: bool, encrypted: bool = False) -> None:
        """Count an object that follows all others."""
        if filemark:
            self.marks.append(len(self.offsets))
        elif not self.turns or self.turns[-1][1] is not encrypted:
            self.turns.append((len(self.offsets), encrypted))
        self.offsets.append(offset)

    def add_lost(self, offset: int, blocks: int, filemarks: int) -> None:
        """Count objects whose headers are gone: how many is known from what follows, their order is not."""
        number = len(self.offsets)
        self.offsets.extend([offset] * (blocks + filemarks))
        self.lost.extend(range(number, number + blocks))
        self.marks.extend(range(number + blocks, number + blocks + filemarks))

    def cut(self, number: int) -> None:
        """Forget the object `number` and all after it."""
        del self.offsets[number:]
        del self.marks[bisect_left(self.marks, number) :]
        del self.lost[bisect_left(self.lost, number) :]
        del self.turns[bisect_left(self.turns, (number, False)) :]

    def is_lost(self, number: int) -> bool:
        """Whether the header of this object is gone."""
        at = bisect_left(self.lost, number)
        return at < len(self.lost) and self.lost[at] == number

    def filemarks_before(self, number: int) -> int:
        """The file number of an object."""
        return bisect_left(self.marks, number)

    def first_encrypted(self) -> int:
        """The first encrypted block; UNKNOWN if a lost one may come before it, NONE if there is none."""
        return self._doubtful(next((number for number, encrypted in self.turns if encrypted), NONE), 0)

    def first_clear_after(self) -> int:
        """The first clear block behind the first encrypted one."""
        first = self.first_encrypted()
        if first in (NONE, UNKNOWN):
            return first
        found = next((number for number, encrypted in self.turns if number > first and not encrypted), NONE)
        return self._doubtful(found, first)

    def _doubtful(self, found: int, start: int) -> int:
        at = bisect_left(self.lost, start)
        return UNKNOWN if at < len(self.lost) and self.lost[at] < found else found
