"""In the guest: `python -m tests.kernel.race.conductor PORT/PORT SEED ROUNDS DRIVES SECONDS`, one result a line.

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
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
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
from tests.kernel.race.guest_agent import KEYSTORE, PLACE, ROOT_KEY, RUNTIME, Agent
from tests.kernel.race.runs import Guard, Health, Round, Scale
from tests.kernel.race.software import Software

RESULTS: Final = Path("/mnt/results.jsonl")
NANO: Final = 1_000_000_000
APART: Final = 0.15  # seconds between loads: one arm
LEAD: Final = 3.0  # seconds to have all software waiting
EMPTY: Final = frozenset({"empty"})
CHECK: Final = 0.05

Action = Callable[[], object]


@dataclass(slots=True)
class Hall:
    """The library as this host has it, its agent, and the line to the host."""

    library: sgio.Device
    drives: tuple[Node, ...]
    serials: tuple[str, ...]
    agent: Agent
    line: int

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
    seed, rounds, drives, seconds = map(int, words[1:5])
    ends = time.monotonic() + seconds
    scale = runs.BRIEF if "brief" in words else runs.FULL
    hall_of = _prepared(f"{bench.GATEWAY}:{portal}", int(line), drives)
    with sgio.open_device(hall_of[0].path) as library:
        hall = Hall(library, hall_of[1], hall_of[2], Agent(absent="absent" in words), int(line))
        try:
            for round in runs.plan(seed, rounds, drives, scale):
                if time.monotonic() > ends:
                    break
                _play(hall, round, scale)
        finally:
            hall.agent.end(gently=True)
            shutil.copytree(KEYSTORE, "/mnt/keystore-after", dirs_exist_ok=True)
    return 0


def _prepared(portal: str, line: int, drives: int) -> tuple[Node, tuple[Node, ...], tuple[str, ...]]:
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
    serials = tuple(node.serial_page[4:].decode().strip() for node in found[1:])
    return found[0], tuple(found[1:]), serials


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


def _play(hall: Hall, round: Round, scale: Scale) -> None:
    began, began_at = time.monotonic(), _stamp()
    agent = hall.agent
    if agent.process is None or agent.gate is not round.gate:
        agent.end()
        agent.start(gate=round.gate)
    agent.await_up(len(hall.drives))
    before = agent.settled(EMPTY)
    cartridges = hall.ask("fresh", wanted=[run.ours for run in round.runs], load_time=round.load_time)
    if round.health is Health.DEAD:
        agent.end()
    with agent.slowed() if round.health is Health.SLOW else nullcontext():
        loaded, written = _race(hall, round)
    if agent.process is None:
        agent.start(gate=_next_gate(round, scale))
        agent.await_up(len(hall.drives))
    time.sleep(1.5)  # until it has noticed that everybody is out
    during = agent.settled()
    for drive in range(len(hall.drives)):
        hall.unload(drive)
    after = agent.settled(EMPTY)
    verdicts = hall.ask("judge", needles=[each.needles for each in written])
    result = {
        "round": runs.as_json(round),
        "seconds": time.monotonic() - began,
        "began": began_at,
        "ended": _stamp(),
        "loaded": loaded,
        "cartridges": cartridges,
        "serials": hall.serials,
        "verdicts": verdicts,
        "software": [each.account() for each in written],
        "before": before,
        "during": during,
        "after": after,
    }
    with RESULTS.open("a") as results:
        results.write(f"{json.dumps(result)}\n")
    clear = sum(verdict["clear"] for verdict in verdicts)
    wrote = sum(bool(each["written"]) for each in result["software"])
    print(
        f"round {round.number}: {round.health.value}, gate {round.gate}, {wrote} of {len(written)} wrote, "
        f"{clear} clear blocks, settled {before['settled']} {during['settled']} {after['settled']}, "
        f"{result['seconds']:.0f} s",
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
    for run in round.runs:
        at = first + APART * run.drive
        start = at + run.offset
        deadline = max(start, at + round.load_time) + round.patience
        name = f"{round.number}-{run.drive}"
        node = f"/dev/{hall.drives[run.drive].nst}"
        nanos = (int(start * NANO), int(deadline * NANO))
        made = Software(name, node, *nanos, run.way.value, software.content())
        written.append(made)
        agenda.append((at, lambda drive=run.drive: loaded.__setitem__(drive, _load(hall, drive) - first)))  # type: ignore[misc]
        if run.guard is Guard.HOOK:
            agenda.append((start, made.launch_behind_hook))
        else:
            made.launch()
    if round.health is Health.RESTARTING:
        agenda.append((first + round.killed_at, lambda: hall.agent.end(gently=round.gently)))
        agenda.append((first + round.killed_at + 0.01, lambda: hall.agent.start(gate=round.gate)))
    _keep(sorted(agenda, key=lambda entry: entry[0]))
    last = max(each.deadline for each in written) / NANO + 20.0
    while not all([each.ended for each in written]) and time.monotonic() < last:
        time.sleep(CHECK)
    for each in written:
        each.end()
    return loaded, written


def _load(hall: Hall, drive: int) -> float:
    hall.load(drive)
    return time.monotonic()


def _keep(agenda: list[tuple[float, Action]]) -> None:
    for at, action in agenda:
        time.sleep(max(0.0, at - time.monotonic()))
        action()


if __name__ == "__main__":
    os.environ.setdefault("PYTHONUNBUFFERED", "1")
    sys.exit(main(sys.argv[1:]))
