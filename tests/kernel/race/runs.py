"""What is run: which software races which guard, beside an agent in which state, and when it starts. Pure.

A run is one load of one cartridge into one drive. A round is one run in every drive of the library at once, since the
agent's state is one for all of them.
"""

import random
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from enum import Enum
from itertools import cycle
from typing import Any, Final, Self


class Kind(Enum):
    """What a drive can do; the values are the knobs that make it so."""

    REFUSES_CLEAR = ()  # as it is: writes-require-encryption
    KEEPS_KEY = ("writes_require_encryption=false",)  # none, but a key can be parked in it
    BARE = ("writes_require_encryption=false", "takes_key_when_empty=false", "locks=false")


class Guard(Enum):
    """What stands between the writer and a clear block in a run. The gate is open to see the others alone."""

    DRIVE = "drive"
    PARKED = "parked"
    GATE = "gate"
    HOOK = "hook"
    WATCHED = "watched"


class Health(Enum):
    """The agent in a round: stopped most of the time, killed before, killed and started within."""

    NORMAL = "normal"
    SLOW = "slow"
    RESTARTING = "restarting"
    DEAD = "dead"


class Way(Enum):
    """How software opens the tape."""

    WAITING = "waiting"  # as tar does: the driver waits for the cartridge
    ASKING = "asking"  # O_NONBLOCK, rewind, try again, as backup software does


EARLIEST, LATEST = -2.0, 60.0  # seconds from the load to the software's first try
LOAD_TIMES: Final = (4.0, 8.0, 13.0, 19.0)  # seconds until the tape is threaded; LTO takes 12 to 20
ATTEMPTS: Final = 5.0  # seconds that software goes on trying where nobody will ever let it in
PATIENCE: Final = 75.0  # and where an agent works, behind its first try or the tape's being ready


@dataclass(frozen=True, slots=True)
class Run:
    """One load. `offset`: when the software starts, in seconds from the load. `ours`: a tape that we wrote before."""

    drive: int  # from 0
    guard: Guard
    offset: float
    way: Way
    ours: bool


@dataclass(frozen=True, slots=True)
class Round:
    """One run in each drive. `killed_at`: when the agent is, in seconds from the first load; `gently`: SIGTERM."""

    number: int
    health: Health
    gate: bool
    load_time: float
    killed_at: float
    gently: bool
    runs: tuple[Run, ...]

    @property
    def patience(self) -> float:
        return ATTEMPTS if self.health is Health.DEAD else PATIENCE

    @classmethod
    def from_json(cls, told: dict[str, Any]) -> Self:
        runs = tuple(Run(**(run | {"guard": Guard(run["guard"]), "way": Way(run["way"])})) for run in told["runs"])
        return cls(**(told | {"health": Health(told["health"]), "runs": runs}))


def as_json(round: Round) -> dict[str, Any]:
    told = asdict(round) | {"health": round.health.value}
    for run in told["runs"]:
        run["guard"], run["way"] = run["guard"].value, run["way"].value
    return told


def kind(drive: int, drives: int) -> Kind:
    """A quarter of the drives with the write guard, a quarter that can be parked, the rest bare."""
    quarter = drives // 4
    return Kind.REFUSES_CLEAR if drive < quarter else Kind.KEEPS_KEY if drive < 2 * quarter else Kind.BARE


def guard(drive: int, drives: int, *, gate: bool) -> Guard:
    """What stands in a run. Bare drives without the gate: software that asks, and software that does not, in turn."""
    if kind(drive, drives) is Kind.REFUSES_CLEAR:
        return Guard.DRIVE
    if kind(drive, drives) is Kind.KEEPS_KEY:
        return Guard.PARKED
    return Guard.GATE if gate else (Guard.HOOK, Guard.WATCHED)[drive % 2]


# Each state of the agent with the gate and without it. Behind a death it starts anew, and the gate is changed then.
ORDER: Final = tuple(
    (health, gate) for gate in (True, False) for health in (Health.NORMAL, Health.SLOW, Health.RESTARTING, Health.DEAD)
)
BRIEFLY: Final = (
    *((Health.NORMAL, True), (Health.DEAD, True)),
    *((Health.SLOW, False), (Health.RESTARTING, False)),
)


@dataclass(frozen=True, slots=True)
class Scale:
    """How long things take. `brief` is for everybody's tests: short loads, and software that comes early."""

    order: tuple[tuple[Health, bool], ...] = ORDER
    load_times: tuple[float, ...] = LOAD_TIMES
    latest: float = LATEST
    usual: float = 24.0  # the latest start, but for rounds that show the latest of all
    streak: int = 6  # further loads of drives that need nobody, while the agent is dead


FULL: Final = Scale()
UNGATED: Final = Scale(tuple((health, gate) for health, gate in ORDER if not gate), streak=2)
BRIEF: Final = Scale(BRIEFLY, (2.0, 4.0), 10.0, 10.0, 2)


def plan(seed: int, rounds: int, drives: int, scale: Scale = FULL) -> Iterator[Round]:
    """The rounds of one guest. The same seed gives the same."""
    dice = random.Random(seed)
    for number, (health, gate) in zip(range(rounds), cycle(scale.order), strict=False):
        load_time = dice.choice(scale.load_times)
        late = number // len(scale.order) % 2 == 1 or dice.random() < 0.25  # a round lasts as long as its last software
        latest = scale.latest if late else scale.usual
        runs = tuple(_run(dice, drive, guard(drive, drives, gate=gate), load_time, latest) for drive in range(drives))
        killed_at = round(dice.uniform(EARLIEST, load_time + 4.0), 2)
        gently = dice.random() < 0.5
        yield Round(number, health, gate, load_time, killed_at, gently, _spread(dice, runs, latest if late else None))


def _run(dice: random.Random, drive: int, guard: Guard, load_time: float, latest: float) -> Run:
    """Most starts lie where the race is, about the load and about the tape's being ready; the others anywhere."""
    spans = ((EARLIEST, 3.0), (load_time - 2.0, load_time + 6.0), (EARLIEST, latest))
    offset = dice.uniform(*dice.choice(spans))
    return Run(drive, guard, round(offset, 2), dice.choice(tuple(Way)), ours=dice.random() < 0.3)


def streak(seed: int, round: Round, scale: Scale = FULL) -> Iterator[Round]:
    """More loads while the agent is dead, of the drives whose guard stands without it: nobody has to come between."""
    dice = random.Random(f"{seed} {round.number}")
    able = [run for run in round.runs if run.guard in (Guard.DRIVE, Guard.PARKED)]
    for _ in range(scale.streak):
        load_time = dice.choice(scale.load_times)
        runs = tuple(_run(dice, run.drive, run.guard, load_time, min(scale.usual, load_time + 4.0)) for run in able)
        yield replace(round, load_time=load_time, runs=runs)


def _spread(dice: random.Random, runs: tuple[Run, ...], latest: float | None) -> tuple[Run, ...]:
    """The ends of the range are in every late round."""
    if latest is None:
        return runs
    first, last = dice.sample(range(len(runs)), 2)
    ends = {first: EARLIEST, last: latest}
    return tuple(replace(run, offset=ends.get(at, run.offset)) for at, run in enumerate(runs))
