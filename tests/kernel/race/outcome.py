"""What came of runs, and what was promised of them. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from tests.kernel.race.runs import Guard, Health, Run

LIVING: Final = frozenset({Health.NORMAL, Health.SLOW})
ALWAYS: Final = frozenset(Health)
HOLDS: Final[Mapping[Guard, frozenset[Health]]] = {  # beside an agent in these states, no clear block at all
    Guard.DRIVE: ALWAYS,
    Guard.PARKED: ALWAYS,
    Guard.GATE: LIVING,
    Guard.HOOK: LIVING,
    Guard.WATCHED: frozenset(),
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """One run. `clear` and `encrypted` are blocks on the tape, `written` those whose writes returned well.

    strange   blocks are encrypted with a key that the keystore does not know
    parked    the key was one that had been parked
    alarms    what the agent told of this cartridge by the end
    """

    release: str
    round: int
    run: Run
    health: Health
    gate: bool
    load_time: float
    cartridge: str
    written: int
    clear: int
    encrypted: int
    seen: bool = False
    strange: bool = False
    parked: bool = False
    alarms: tuple[str, ...] = ()

    @property
    def lost(self) -> bool:
        """A clear block is on the tape."""
        return self.clear > 0 or self.seen


def broken(outcomes: Iterable[Outcome]) -> list[str]:
    """Every promise that was not kept, in words."""
    found = []
    for each in outcomes:
        name = f"{each.release} round {each.round}, {each.cartridge}, {each.run.guard.value}, {each.health.value}"
        if each.lost and each.health in HOLDS[each.run.guard]:
            found.append(f"{name}: {each.clear} clear blocks")
        if each.lost and not each.alarms:
            found.append(f"{name}: {each.clear} clear blocks, and nobody was told")
        if each.seen and not each.clear:
            found.append(f"{name}: content in clear in the cartridge's files, and not among its blocks")
        if each.strange:
            found.append(f"{name}: encrypted with a key that the keystore does not know")
    return found


HEAD: Final = (
    "| guard | agent | runs | software wrote | clear tapes | clear blocks | told | not told | under a parked key |"
)


def table(outcomes: Iterable[Outcome]) -> list[str]:
    """A row for each guard and state of the agent, in Markdown."""
    groups: dict[tuple[Guard, Health], list[Outcome]] = {}
    for each in outcomes:
        groups.setdefault((each.run.guard, each.health), []).append(each)
    ordered = [(guard, health) for guard in Guard for health in Health if (guard, health) in groups]
    return [HEAD, f"|{'---|' * HEAD.count(' |')}", *(_row(key, groups[key]) for key in ordered)]


def _row(key: tuple[Guard, Health], group: list[Outcome]) -> str:
    lost = [each for each in group if each.lost]
    told = sum(bool(each.alarms) for each in lost)
    cells = (
        key[0].value,
        key[1].value,
        len(group),
        sum(each.clear + each.encrypted > 0 and each.written > 0 for each in group),
        len(lost),
        sum(each.clear for each in group),
        told,
        len(lost) - told,
        sum(each.parked for each in group),
    )
    return f"| {' | '.join(map(str, cells))} |"
