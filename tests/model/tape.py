"""A tape as plain lists: partitions of blocks and filemarks, and a place on them. What stops a motion is an outcome.

Rules of the reference, 1.3 (SPACE, LOCATE) and 1.5 (outcomes), worked out by counting one object after the other.
"""

from dataclasses import dataclass, field
from typing import Final

from tests.model.outcome import END_OF_MEDIUM, FILEMARK, Stopped


@dataclass(frozen=True, slots=True)
class Block:
    """A block, and what it was encrypted with; `kads` counts the key-associated data kept beside it."""

    data: bytes
    key: bytes | None = None
    kads: int = 0


class Mark:
    """A filemark."""

    def __repr__(self) -> str:
        return "mark"


MARK: Final = Mark()
Object = Block | Mark


@dataclass(frozen=True, slots=True)
class Geometry:
    """What an object takes of the medium, in bytes: that is the medium's own affair (docs/formats/medium.md).

    mark  what the medium may, or may not, add at every flush and overwrite
    """

    record: int
    tag: int
    mark: int

    def size(self, item: Object) -> int:
        if isinstance(item, Mark):
            return self.record
        return self.record + item.kads + len(item.data) + (self.tag if item.key is not None else 0)


@dataclass(slots=True)
class Partition:
    """Objects, from the beginning to end-of-data; `marks`, how many the medium may have added."""

    capacity: int
    margin: int
    objects: list[Object] = field(default_factory=list)
    marks: int = 0


@dataclass(frozen=True, slots=True)
class Account:
    """What the drive said in its answer of the end of the tape: believed where the medium's own marks decide."""

    early: bool = False
    left: int | None = None  # blocks or filemarks that it had no more room for


@dataclass(slots=True)
class Tape:
    """The volume under the head: before object `at` of partition `side`."""

    geometry: Geometry
    partitions: list[Partition]
    worm: bool = False
    protected: bool = False
    side: int = 0
    at: int = 0
    account: Account = Account()

    @property
    def here(self) -> Partition:
        return self.partitions[self.side]

    @property
    def objects(self) -> list[Object]:
        return self.here.objects

    @property
    def next(self) -> Object | None:
        """The object that comes next; None at end-of-data."""
        return self.objects[self.at] if self.at < len(self.objects) else None

    @property
    def files(self) -> int:
        """Filemarks before the position."""
        return sum(isinstance(item, Mark) for item in self.objects[: self.at])

    @property
    def passed(self) -> int:
        return sum(self.geometry.size(item) for item in self.objects[: self.at])

    @property
    def in_early_warning(self) -> bool:
        """Behind early warning; within what the medium's own marks may take, as the drive says."""
        return self._beyond(self.here.capacity - self.here.margin, self.account.early)

    def _beyond(self, limit: int, told: bool, more: int = 0) -> bool:
        least = self.passed + more
        most = least + self.here.marks * self.geometry.mark
        return told if least <= limit < most else least > limit

    def mount(self) -> None:
        """To the beginning of the first partition."""
        self.side, self.at = 0, 0

    def put(self, items: list[Object], left: int) -> bool:
        """Write objects here, all or none; what followed is gone. False at the physical end."""
        size = sum(map(self.geometry.size, items))
        if self._beyond(self.here.capacity, self.account.left == left, size):
            return False
        self.here.marks = self.here.marks + 2 if self.at else 2
        self.objects[self.at :] = items
        self.at += len(items)
        return True

    def space_blocks(self, count: int) -> None:
        left = abs(count)
        while left:
            item = self._step(forward=count > 0, left=left)
            if isinstance(item, Mark):
                raise Stopped("0/00/01", FILEMARK, left)
            left -= 1

    def space_filemarks(self, count: int) -> None:
        left = abs(count)
        while left:
            left -= isinstance(self._step(forward=count > 0, left=left), Mark)

    def space_sequential(self, count: int) -> None:
        """To behind, or before, the first run of that many filemarks; less than that does not count as done."""
        run = 0
        while run < abs(count):
            run = run + 1 if isinstance(self._step(forward=count > 0, left=abs(count)), Mark) else 0

    def _step(self, *, forward: bool, left: int) -> Object:
        """Pass one object; the residual goes with what stops it."""
        if forward:
            if self.next is None:
                raise Stopped("8/00/05", information=left)
            self.at += 1
            return self.objects[self.at - 1]
        if self.at == 0:
            raise Stopped("0/00/04", END_OF_MEDIUM, left)
        self.at -= 1
        return self.objects[self.at]

    def to_end(self) -> None:
        self.at = len(self.objects)

    def to_object(self, number: int) -> None:
        self.at = min(number, len(self.objects))
        if number > len(self.objects):
            raise Stopped("8/00/05")

    def to_file(self, number: int) -> None:
        """Behind the filemark of that number, counted from 1."""
        self.at = 0
        while self.files < number:
            if self.next is None:
                raise Stopped("8/00/05")
            self.at += 1
