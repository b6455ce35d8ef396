"""The process from which libraries are forked to be killed: everything is imported already, and nothing is open.

Each job: a copy of the template is served by iSCSI as the command line does, by a child; this process is the host,
works through the story, and kills the child in the middle of a step. Then another child holds the inquest.
"""

import contextlib
import gc
import json
import os
import random
import re
import shutil
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import pytest

from tapekey import cli
from tapekey.cli import target_serve  # noqa: F401 (with what it needs, before anything is forked)
from tapekey.target import portal, server  # noqa: F401
from tests.crash import library_inquest, replay, shim
from tests.crash import library_story as story
from tests.crash.job import POWER_CUT, STOP, LibraryJob, Result
from tests.crash.library_book import Book
from tests.crash.library_inquest import Inquest
from tests.target.peer import Gone, Peer

PATIENCE = 60.0
LOG = "log"  # what the library's process says


@dataclass(slots=True)
class Host:
    """The initiator: sessions of one connection, the book it keeps, and how long each step took."""

    peer: Peer
    book: Book
    seconds: list[float]

    def live(self, seed: int, doom: Callable[[int], None]) -> None:
        """Work through the story; `doom` is called while a step is under way."""
        for lun in (story.CHANGER, *story.DRIVES):
            while self.peer.command(lun, bytes(6)).code.startswith("6/"):
                pass
        for number, step in enumerate(story.steps(seed)):
            began = time.monotonic()
            while True:
                self.book.begin(step)
                tag = self.peer.send_command(step.lun, step.cdb, step.out)
                doom(number)
                answer = self.peer.answer(tag, step.out)
                if not answer.code.startswith("6/"):
                    break
            assert answer.status == 0, f"{step.name} on LUN {step.lun}: {answer.code}"
            self.book.done()
            self.seconds.append(time.monotonic() - began)


def serve(work: Path) -> None:
    """Answer jobs until the input ends."""
    template = work / "template"
    story.template(template)
    _plant_what_is_asked()
    whole: list[float] = []
    gc.collect()
    gc.freeze()
    for line in sys.stdin:
        result = _crash(template, work / "run", LibraryJob(**json.loads(line)), whole)
        print(json.dumps(asdict(result)), flush=True)


def _plant_what_is_asked() -> None:
    """The same fault as in the process that tests."""
    name = os.environ.get("TAPEKEY_TEST_FAULT")
    if name:
        from tests.faults.planted import FAULTS

        FAULTS[name].plant(pytest.MonkeyPatch())


def _crash(template: Path, run: Path, job: LibraryJob, whole: list[float]) -> Result:
    """One death. Without a step nobody dies, and `whole` learns how long each step takes."""
    shutil.rmtree(run, ignore_errors=True)
    tree, shadow = run / "tree", run / "shadow"
    shadow.mkdir(parents=True)
    shutil.copytree(template, tree)
    began = time.monotonic()
    book = story.book(job.seed)
    served = _served(tree, shadow if job.end == POWER_CUT else None)
    with served as (child, address, target), Peer.login(address, TargetName=target) as peer:
        host = Host(peer, book, [])
        findings = _live(host, job, child, whole)
        if job.end == STOP:
            findings += _stopped(child)
    if job.step is None:
        whole[:] = host.seconds
    name = book.under_way.name if book.under_way else "between"
    places = [tree]
    if job.end == POWER_CUT:
        places = [tree, shadow, _cut_power(tree, shadow, job)]
    more, notes = _hold(Inquest(tree, book, job.end), places)
    return Result(job.step is not None, name, len(whole), time.monotonic() - began, findings + more, notes)


def _live(host: Host, job: LibraryJob, child: int, whole: list[float]) -> list[str]:
    def doom(number: int) -> None:
        if number == job.step:
            until = time.monotonic() + job.delay * whole[number]
            while time.monotonic() < until:  # a sleep is longer than most steps
                pass
            os.kill(child, signal.SIGTERM if job.end == STOP else signal.SIGKILL)

    try:
        host.live(job.seed, doom)
    except Gone:
        return [] if job.step is not None else ["the target hung up"]
    except Exception:  # noqa: BLE001 (what was found counts as a finding, not as the end of this server)
        return [traceback.format_exc()]
    return []


def _stopped(child: int) -> list[str]:
    """A library that was asked to stop does, in good order."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        found, status = os.waitpid(child, os.WNOHANG)
        if found:
            return [] if status == 0 else [f"the library stopped with status {status}"]
        time.sleep(0.005)
    return ["the library does not stop"]


@contextlib.contextmanager
def _served(tree: Path, shadow: Path | None) -> Iterator[tuple[int, tuple[str, int], str]]:
    """A library served by a child, as `tapekey target serve` does it."""
    receiving, sending = os.pipe()
    child = os.fork()
    if not child:
        _in_child(lambda: _serve(tree, shadow, sending))
    os.close(sending)
    with os.fdopen(receiving) as told:
        found = re.match(r"iscsi://(.+):(\d+)/(\S+) listens", told.readline())
        try:
            assert found is not None, told.read()
            yield child, (found[1], int(found[2])), found[3]
        finally:
            with contextlib.suppress(ProcessLookupError, ChildProcessError):  # it may have stopped by itself
                os.kill(child, signal.SIGKILL)
                os.waitpid(child, 0)


def _serve(tree: Path, shadow: Path | None, out: int) -> None:
    os.dup2(out, 1)
    os.dup2(os.open(tree.parent / LOG, os.O_WRONLY | os.O_CREAT, 0o600), 2)
    shim.watch(tree, shadow)
    if shadow is not None:
        shim.sync_all(tree)
    shim.arm(shim.FAR)
    cli.run(["target", "serve", str(tree), "--listen", "127.0.0.1:0"])


def _cut_power(tree: Path, shadow: Path, job: LibraryJob) -> Path:
    """Put in place of the tree what its disk is found to hold; gives what was there."""
    chance = random.Random(job.seed)
    top = shim.name(tree)
    gone = tree.rename(tree.with_name("gone"))
    cached = replay.cache(gone) if job.unsynced else {}
    replay.replay(replay.Disk(shadow, cached, lambda: chance.random() < job.unsynced), top, tree)
    return gone


def _hold(inquest: Inquest, places: list[Path]) -> tuple[list[str], dict[str, int]]:
    """The inquest, in a child: it opens the library, which starts threads."""
    receiving, sending = os.pipe()
    child = os.fork()
    if not child:
        os.close(receiving)
        _in_child(lambda: _look(inquest, places, sending))
    os.close(sending)
    with os.fdopen(receiving) as told:
        text = told.read()
    os.waitpid(child, 0)
    if not text:
        return ["the inquest ended without a word"], {}
    findings, notes = json.loads(text)
    return findings, notes


def _look(inquest: Inquest, places: list[Path], pipe: int) -> None:
    shim.watch(inquest.tree, None)  # nothing is going to crash now, so that nothing need be synced
    signal.alarm(int(PATIENCE))
    try:
        library_inquest.no_secret(inquest, places)
        library_inquest.hold(inquest)
    except Exception:  # noqa: BLE001 (what was found before it counts too)
        inquest.findings.append(f"the inquest failed: {traceback.format_exc()}")
    with os.fdopen(pipe, "w") as out:
        out.write(json.dumps([inquest.findings, inquest.notes]))


def _in_child(work: Callable[[], None]) -> None:
    try:
        work()
        os._exit(0)
    except BaseException:  # noqa: BLE001 (nothing may return into the server's loop)
        traceback.print_exc()
        os._exit(1)


if __name__ == "__main__":
    serve(Path(sys.argv[1]))
