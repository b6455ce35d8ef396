"""In the guest: `python -m tests.kernel.race.conductor PORT/PORT SEED RUNS DRIVES SECONDS [WORDS]`, one result a line.

A round: cartridges are brought, software starts when its time comes, the agent suffers what the round says; then it is
left to find out what happened, the cartridges go back, and the host says what is on them.
"""

import json
import os
import shutil
import socket
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, Final

from tapekey import cli
from tapekey.discovery.sysfs import Node
from tapekey.keystore import audit
from tapekey.scsi import changer
from tapekey.scsi.run import perform
from tapekey.target.library_layout import FIRST_DRIVE, FIRST_SLOT
from tapekey.transport import sgio
from tests.kernel.cases import initiator, simulated
from tests.kernel.cases.library import bench
from tests.kernel.race import runs, software
from tests.kernel.race.guest_agent import KEYSTORE, PLACE, ROOT_KEY, RUNTIME, Agent, View
from tests.kernel.race.runs import Guard, Health, Round, Scale
from tests.kernel.race.software import Software

RESULTS: Final = Path("/mnt/results.jsonl")
NANO: Final = 1_000_000_000
APART: Final = 0.15  # seconds between loads: one arm
LEAD: Final = 3.0  # seconds to have all software waiting
NOTHING: Final[View] = {"drives": []}
EMPTY: Final = frozenset({"empty"})
CHECK: Final = 0.05
SLOW_FOR: Final = 12.0  # seconds behind the tape's being ready; what is slow under emulation already must end some time

Action = Callable[[], object]


@dataclass(slots=True)
class Hall:
    """The library as this host has it, its agent, and the line to the host."""

    library: sgio.Device
    drives: tuple[Node, ...]
    agent: Agent
    line: int
    judged: int = 0

    def ask(self, verb: str, **arguments: object) -> Any:
        with socket.create_connection((bench.GATEWAY, self.line), timeout=60) as line:
            line.sendall(f"{json.dumps({'verb': verb, **arguments})}\n".encode())
            return json.loads(line.makefile().readline())

    def load(self, drive: int) -> None:
        self._move(FIRST_SLOT + drive, FIRST_DRIVE + drive)

    def unload(self, drive: int) -> None:
        self._move(FIRST_DRIVE + drive, FIRST_SLOT + drive)

    def _move(self, source: int, destination: int) -> None:
        for _ in range(4):  # attentions of the changer, which are told to each nexus
            reply = self.library.execute(changer.move(source, destination))
            if reply.status == 0:
                return
        perform(self.library, changer.move(source, destination))


def main(words: list[str]) -> int:
    portal, line = words[0].split("/")
    seed, wanted, drives, seconds = map(int, words[1:5])
    ends = time.monotonic() + seconds
    scale = runs.BRIEF if "brief" in words else runs.UNGATED if "ungated" in words else runs.FULL
    changer_node, tapes = _prepared(f"{bench.GATEWAY}:{portal}", drives)
    with sgio.open_device(changer_node.path) as library:
        hall = Hall(library, tapes, Agent(absent="absent" in words), int(line))
        try:
            for round in runs.plan(seed, len(scale.order) if scale is runs.BRIEF else wanted, drives, scale):
                if time.monotonic() > ends or hall.judged >= wanted:
                    break
                _play(hall, round, scale, seed)
        finally:
            hall.agent.end(gently=True)
            shutil.copytree(KEYSTORE, "/mnt/keystore-after", dirs_exist_ok=True)
    return 0


def _prepared(portal: str, drives: int) -> tuple[Node, tuple[Node, ...]]:
    """Log in, and approve the drives on this host; what they can do was found out on the other."""
    PLACE.mkdir()
    RUNTIME.mkdir(exist_ok=True)
    shutil.copytree("/mnt/keystore", KEYSTORE)
    shutil.copy("/mnt/root.key", ROOT_KEY)
    shutil.copy("/mnt/writer", software.WRITER)
    found = _login(portal, drives)
    for drive in found[1:]:
        access = ("--store", str(KEYSTORE), "--key-file", str(ROOT_KEY))
        assert cli.run(["drive", "approve", drive.path, "--allow", "iscsi", "--allow-virtual", *access]) == 0
    return found[0], tuple(found[1:])


def _login(portal: str, drives: int) -> list[Node]:
    from tapekey.discovery import sysfs

    initiator.start()
    told = bench.run("iscsiadm", "-m", "discovery", "-t", "sendtargets", "-p", portal)
    name = told.strip().partition(",1 ")[2]
    bench.run("iscsiadm", "-m", "node", "-T", name, "-p", portal, "--login")

    def there() -> bool:
        nodes = sysfs.scan()
        return len(nodes) == drives + 1 and all(node.nst or node.kind is sysfs.Kind.CHANGER for node in nodes)

    simulated.await_(there, "the library", 90.0)
    bench.run("udevadm", "settle")
    return sorted(sysfs.scan(), key=lambda node: int(node.hctl.rpartition(":")[2]))


# --- a round ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Stage:
    """What is left of a race until it can be judged."""

    round: Round
    began: str
    started: float
    before: View
    cartridges: list[dict[str, Any]]
    loaded: list[float]
    written: list[Software]


def _play(hall: Hall, round: Round, scale: Scale, seed: int) -> None:
    agent = hall.agent
    if agent.process is None or agent.gate is not round.gate:
        agent.end()
        agent.start(gate=round.gate)
    agent.await_up(len(hall.drives))
    before = agent.settled(EMPTY)
    if round.health is Health.DEAD:
        agent.end()
    stage = _stage(hall, round, before)
    if agent.process is None:
        for further in runs.streak(seed, round, scale):
            stage = _further(hall, stage, further)
        agent.start(gate=_next_gate(round, scale))
        agent.await_up(len(hall.drives))
    time.sleep(1.5)  # until it has noticed that everybody is out
    during = agent.settled()
    for run in stage.round.runs:
        hall.unload(run.drive)
    _judge(hall, stage, during, agent.settled(EMPTY))


def _stage(hall: Hall, round: Round, before: View) -> Stage:
    began, started = _stamp(), time.monotonic()
    wanted = {str(run.drive): run.ours for run in round.runs}
    cartridges = hall.ask("fresh", wanted=wanted, load_time=round.load_time)
    loaded, written = _race(hall, round)
    return Stage(round, began, started, before, cartridges, loaded, written)


def _further(hall: Hall, stage: Stage, further: Round) -> Stage:
    """Judge those drives' tapes and race again in them; the others keep theirs until the agent is there to look."""
    again = {run.drive for run in further.runs}
    for drive in sorted(again):
        hall.unload(drive)
    done, kept = _split(stage, again)
    _judge(hall, done, NOTHING, NOTHING)
    new = _stage(hall, further, stage.before)
    return replace(
        new,
        round=replace(new.round, runs=new.round.runs + kept.round.runs),
        began=stage.began,
        started=stage.started,
        cartridges=new.cartridges + kept.cartridges,
        loaded=new.loaded + kept.loaded,
        written=new.written + kept.written,
    )


def _split(stage: Stage, drives: set[int]) -> tuple[Stage, Stage]:
    """The part of these drives, and the rest."""

    def part(inside: bool) -> Stage:
        at = [at for at, run in enumerate(stage.round.runs) if (run.drive in drives) is inside]
        return replace(
            stage,
            round=replace(stage.round, runs=tuple(stage.round.runs[each] for each in at)),
            cartridges=[stage.cartridges[each] for each in at],
            loaded=[stage.loaded[each] for each in at],
            written=[stage.written[each] for each in at],
        )

    return part(True), part(False)


def _judge(hall: Hall, stage: Stage, during: View, after: View) -> None:
    """Have the tapes looked at, which are out of the drives, and put down all that is known of these runs."""
    round = stage.round
    asked = {str(run.drive): each.needles for run, each in zip(round.runs, stage.written, strict=True)}
    verdicts = hall.ask("judge", needles=asked)
    hall.judged += len(verdicts)
    result = {
        "round": runs.as_json(round),
        "seconds": time.monotonic() - stage.started,
        "began": stage.began,
        "ended": _stamp(),
        "loaded": stage.loaded,
        "cartridges": stage.cartridges,
        "verdicts": verdicts,
        "software": [each.account() for each in stage.written],
        "before": stage.before,
        "during": during,
        "after": after,
    }
    with RESULTS.open("a") as results:
        results.write(f"{json.dumps(result)}\n")
    clear = sum(verdict["clear"] for verdict in verdicts)
    wrote = sum(bool(each["written"]) for each in result["software"])
    unsettled = sum(not view.get("settled", True) for view in (stage.before, during, after))
    print(
        f"round {round.number}: {round.health.value}, gate {round.gate}, {wrote} of {len(round.runs)} wrote, "
        f"{clear} clear blocks, {unsettled} times unsettled, {result['seconds']:.0f} s",
        flush=True,
    )


def _stamp() -> str:
    return audit.stamp(datetime.now(UTC))


def _next_gate(round: Round, scale: Scale) -> bool:
    return scale.order[(round.number + 1) % len(scale.order)][1]


def _race(hall: Hall, round: Round) -> tuple[list[float], list[Software]]:
    """Load every drive and let the software loose. When each load was over, in seconds from the plan of the first."""
    first = time.monotonic() - runs.EARLIEST + LEAD + 0.08 * len(round.runs)
    loaded = [0.0] * len(round.runs)
    written: list[Software] = []
    agenda: list[tuple[float, Action]] = []
    for place, run in enumerate(round.runs):
        at = first + APART * place
        start = at + run.offset
        deadline = max(start, at + round.load_time) + round.patience
        node = f"/dev/{hall.drives[run.drive].nst}"
        nanos = (int(start * NANO), int(deadline * NANO))
        made = Software(f"{time.monotonic_ns()}", node, *nanos, run.way.value, software.content())
        written.append(made)
        agenda.append((at, partial(_load, hall, run.drive, loaded, place, first)))
        if run.guard is Guard.HOOK:
            agenda.append((start, made.launch_behind_hook))
        else:
            made.launch()
    agenda += _suffering(hall.agent, round, first)
    _keep(sorted(agenda, key=lambda entry: entry[0]))
    last = max(each.deadline for each in written) / NANO + 20.0
    while not all([each.ended for each in written]) and time.monotonic() < last:
        time.sleep(CHECK)
    for each in written:
        each.end()
    return loaded, written


def _suffering(agent: Agent, round: Round, first: float) -> list[tuple[float, Action]]:
    """What is done to the agent, and when."""
    match round.health:
        case Health.RESTARTING:
            at = first + round.killed_at
            return [(at, partial(agent.end, gently=round.gently)), (at + 0.01, partial(agent.start, gate=round.gate))]
        case Health.SLOW:
            slowed = ExitStack()
            begin = partial(slowed.enter_context, agent.slowed())
            return [(first + runs.EARLIEST, begin), (first + round.load_time + SLOW_FOR, slowed.close)]
        case _:
            return []


def _load(hall: Hall, drive: int, loaded: list[float], place: int, first: float) -> None:
    hall.load(drive)
    loaded[place] = time.monotonic() - first


def _keep(agenda: list[tuple[float, Action]]) -> None:
    for at, action in agenda:
        time.sleep(max(0.0, at - time.monotonic()))
        action()


if __name__ == "__main__":
    os.environ.setdefault("PYTHONUNBUFFERED", "1")
    sys.exit(main(sys.argv[1:]))
