"""The process from which every crash is forked: everything is imported already, and nothing is open.

Jobs come in as lines of JSON, results go out the same way. For each job a copy of the template is made, one child
lives through the story in it and is killed, and another one holds the inquest.
"""

import gc
import json
import os
import random
import select
import shutil
import signal
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import pytest

from tests.crash import faults, inquest, replay, shim, story
from tests.crash.inquest import Inquest
from tests.crash.job import Job, Result
from tests.crash.witness import Doom, Gap, Point, Witness

FAR = 1 << 40
PATIENCE = 60.0


def serve(work: Path) -> None:
    """Answer jobs until the input ends."""
    template = work / "template"
    story.template(template)
    _plant_what_is_asked()
    _warm(template, work / "warm")
    for line in sys.stdin:
        result = _crash(template, work / "run", Job(**json.loads(line)))
        print(json.dumps(asdict(result)), flush=True)


def _warm(template: Path, tree: Path) -> None:
    """Live through it all here once, so that the children find everything loaded and compiled."""
    shutil.copytree(template, tree)
    receiving, sending = os.pipe()
    story.tell(tree, 0, Witness(sending))
    os.close(sending)
    with open(receiving, "rb") as told:
        inquest.hold(Inquest(tree, 0, [json.loads(line) for line in told]))
    gc.collect()
    gc.freeze()


def _plant_what_is_asked() -> None:
    """The same fault as in the process that tests."""
    name = os.environ.get("TAPEKEY_TEST_FAULT")
    if name:
        from tests.faults.planted import FAULTS

        FAULTS[name].plant(pytest.MonkeyPatch())


def _crash(template: Path, run: Path, job: Job) -> Result:
    shutil.rmtree(run, ignore_errors=True)
    tree, shadow = run / "tree", run / "shadow"
    shadow.mkdir(parents=True)
    shutil.copytree(template, tree)
    began = time.monotonic()
    told, status = _fork(lambda pipe: _live(tree, shadow, job, pipe), began + job.seconds if job.seconds else None)
    seconds = time.monotonic() - began
    events = [json.loads(line) for line in told.splitlines() if line.endswith(b"]")]
    killed = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
    if job.power:
        _cut_power(tree, shadow, job)
    findings, notes = _hold(tree, job, events)
    if not killed and status:
        findings = [f"the story failed: {told.decode(errors='replace')[-2000:]}", *findings]
    calls = max((event[1] for event in events if event[0] == "end"), default=0)
    met = {gap.value: sum(event == ["enter", gap.value] for event in events) for gap in Gap}
    return Result(killed, _last_gap(events), calls, seconds, findings, notes, met)


def _live(tree: Path, shadow: Path, job: Job, pipe: int) -> None:
    shim.watch(tree, shadow if job.power else None)
    if job.power:
        shim.sync_all(tree)
    if job.fault:
        faults.PLANTS[job.fault](pytest.MonkeyPatch())
    doom = Doom(Gap(job.gap), job.nth, Point(job.point), job.call) if job.gap else None
    witness = Witness(pipe, doom)
    shim.arm(job.call if job.call and not doom else FAR)
    story.tell(tree, job.seed, witness)
    witness.tell("end", shim.calls())


def _cut_power(tree: Path, shadow: Path, job: Job) -> None:
    """Put in place of the tree what its disk is found to hold."""
    chance = random.Random(job.seed)
    top = shim.name(tree)
    gone = tree.rename(tree.with_name("gone"))
    cached = replay.cache(gone) if job.unsynced else {}
    disk = replay.Disk(shadow, cached, lambda: chance.random() < job.unsynced)
    replay.replay(disk, top, tree)


def _hold(tree: Path, job: Job, events: list[list[object]]) -> tuple[list[str], dict[str, int]]:
    held = Inquest(tree, job.seed, events)

    def look(pipe: int) -> None:
        shim.watch(tree, None)  # nothing is going to crash now, so that nothing need be synced
        try:
            inquest.hold(held)
        except Exception:  # noqa: BLE001 (what was found before it counts too)
            held.findings.append(f"the inquest failed: {traceback.format_exc()}")
        os.write(pipe, json.dumps([held.findings, held.notes]).encode())

    told, status = _fork(look, None)
    if status:
        return [f"the inquest ended: {told.decode(errors='replace')[-2000:]}"], {}
    findings, notes = json.loads(told)
    return findings, notes


def _fork(work: Callable[[int], None], until: float | None) -> tuple[bytes, int]:
    """Do it in a child; what it wrote, and how it ended. At the time `until` it is killed."""
    receiving, sending = os.pipe()
    child = os.fork()
    if not child:
        _in_child(work, sending)
    os.close(sending)
    told = b""
    deadline = until or time.monotonic() + PATIENCE
    while True:
        ready, _, _ = select.select([receiving], [], [], max(deadline - time.monotonic(), 0))
        if not ready:
            os.kill(child, signal.SIGKILL)
            deadline += PATIENCE
            continue
        piece = os.read(receiving, 1 << 16)
        if not piece:
            break
        told += piece
    os.close(receiving)
    return told, os.waitpid(child, 0)[1]


def _in_child(work: Callable[[int], None], pipe: int) -> None:
    try:
        work(pipe)
        os._exit(0)
    except BaseException:  # noqa: BLE001 (nothing may return into the server's loop)
        os.write(pipe, traceback.format_exc().encode())
        os._exit(1)


def _last_gap(events: list[list[object]]) -> str:
    """The innermost gap that was entered and not left."""
    inside: list[object] = []
    for kind, *what in events:
        if kind == "enter":
            inside.append(what[0])
        elif kind == "leave" and what[0] in inside:
            inside.remove(what[0])
    return str(inside[-1]) if inside else "elsewhere"


if __name__ == "__main__":
    serve(Path(sys.argv[1]))
