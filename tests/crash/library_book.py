"""What a host may rely on: the book it keeps of every cartridge while a library is killed under its hands.

`state` is what it was told. A step under way may have come any part of its way; what was only acknowledged, and never
synchronised, may be gone after a power cut. Everything else must be found.
"""

from dataclasses import dataclass, field

from tests.crash.job import KILL, POWER_CUT

Object = bytes | None  # a block or a filemark
State = tuple[tuple[Object, ...], ...]  # by partition
BLANK: State = ((),)


@dataclass(frozen=True, slots=True)
class Step:
    """A command, by what it is for. `puts`: what it adds; `divides`: FORMAT MEDIUM; `moves`: from element to element.

    settles  all that was written before is on the medium when it is answered
    """

    name: str
    lun: int
    cdb: bytes
    out: bytes = b""
    puts: tuple[Object, ...] = ()
    divides: int = 0
    to: tuple[int, int] | None = None  # partition and object; -1 for end-of-data
    moves: tuple[tuple[int, int], ...] = ()
    settles: bool = False


@dataclass(slots=True)
class Volume:
    """A cartridge.

    owed   what it holds while the drive has answered a write and not stored it yet: one block at most, until the
           drive's next command (buffered mode 1)
    loose  what a power cut may leave of it instead of `state`
    """

    key: bytes
    state: State = BLANK
    side: int = 0
    at: int = 0
    owed: State | None = None
    loose: set[State] = field(default_factory=set)

    def on_the_way(self, step: Step) -> list[State]:
        """The states that a step passes through, the last one included."""
        if step.divides:
            return [((),) * step.divides]
        return [self._with(step.puts[:count]) for count in range(len(step.puts) + 1)] if step.puts else []

    def _with(self, objects: tuple[Object, ...]) -> State:
        here = self.state[self.side][: self.at] + objects
        return (*self.state[: self.side], here, *self.state[self.side + 1 :])

    def done(self, step: Step) -> None:
        """The step was acknowledged."""
        passed = self.on_the_way(step)
        self.owed = self.state if step.puts and not step.settles else None
        if passed:
            self.loose |= {self.state, *passed[:-1]}
            self.state = passed[-1]
            self.at += len(step.puts)
        if step.divides:
            self.side, self.at = 0, 0
        if step.to is not None:
            self.side = step.to[0]
            self.at = step.to[1] if step.to[1] >= 0 else len(self.state[self.side])
        if step.settles:
            self.loose.clear()

    def put_away(self) -> None:
        """It was moved: a drive has settled it before, and the next one begins at its beginning."""
        self.side, self.at, self.owed = 0, 0, None
        self.loose.clear()


@dataclass(slots=True)
class Book:
    """All cartridges by name, where each is, and which step is under way."""

    volumes: dict[str, Volume]
    where: dict[str, int]
    drives: dict[int, int]  # LUN -> element
    under_way: Step | None = None

    def inside(self, lun: int) -> Volume | None:
        name = next((name for name, element in self.where.items() if element == self.drives.get(lun)), None)
        return self.volumes[name] if name else None

    def begin(self, step: Step) -> None:
        self.under_way = step

    def done(self) -> None:
        """The step under way was acknowledged."""
        step, self.under_way = self.under_way, None
        assert step is not None
        inside = self.inside(step.lun)
        if inside is not None:
            inside.done(step)
        for name, volume in self.volumes.items():
            if self.where[name] in dict(step.moves):
                volume.put_away()
        self.where = self._moved(step)

    def _moved(self, step: Step) -> dict[str, int]:
        ways = dict(step.moves)
        return {name: ways.get(element, element) for name, element in self.where.items()}

    def may_hold(self, name: str, end: str) -> set[State]:
        """What may be found on a cartridge."""
        volume, step = self.volumes[name], self.under_way
        found = {volume.state} | (volume.loose if end == POWER_CUT else set())
        if end == KILL and volume.owed is not None:
            found.add(volume.owed)
        if step is not None and self.inside(step.lun) is volume:
            found |= set(volume.on_the_way(step))
        return found

    def may_be_at(self, name: str) -> set[int]:
        """The elements in which a cartridge may be found."""
        step = self.under_way
        return {self.where[name], self._moved(step)[name] if step else self.where[name]}
