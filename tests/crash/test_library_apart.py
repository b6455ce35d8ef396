"""A library whose drives are processes of their own loses any of them, at any instant: every promise holds.

One drive's process, the library's, or all at once; then it is powered on again as one, for the same inquest.
"""

import os
import random
import shutil
import signal
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import pytest

from tapekey.errors import Conflict
from tapekey.target import machine
from tests import told
from tests.crash import library_inquest, tally
from tests.crash import library_story as story
from tests.crash.job import KILL
from tests.crash.library_book import Step
from tests.crash.library_inquest import Inquest
from tests.target import apart
from tests.target.peer import Gone, Peer

DEATHS: Final = 102 if os.environ.get(tally.SOAK) else 6
WHO: Final = ("a drive", "the library", "all")
NAMES: Final = [step.name for step in story.steps(0)]


@dataclass(slots=True)
class Host:
    """A session with each target, and how long each step took."""

    peers: dict[int, Peer]
    tree: Path
    inquest: Inquest
    seconds: list[float] = field(default_factory=list)

    def live(self, seed: int, doom: Callable[[int, int], None]) -> None:
        """Work through the story; `doom` is called while a step to a LUN is under way. Behind it answers may fail."""
        for peer in self.peers.values():
            while peer.command(0, bytes(6)).code.startswith("6/"):
                pass
        for number, step in enumerate(story.steps(seed)):
            began = time.monotonic()
            status = self._step(step, lambda number=number, step=step: doom(number, step.lun))  # type: ignore[misc]
            if status:
                raise Gone(f"{step.name} on LUN {step.lun}: status {status:02X}h")
            self.inquest.book.done()
            self.seconds.append(time.monotonic() - began)

    def _step(self, step: Step, doom: Callable[[], None]) -> int:
        peer = self.peers[step.lun]
        while True:
            self.inquest.book.begin(step)
            tag = peer.send_command(0, step.cdb, step.out)
            doom()
            answer = peer.answer(tag, step.out)
            if not answer.code.startswith("6/"):
                return answer.status


def lived(tree: Path, seed: int, end: Callable[[int, int, list[int]], None]) -> Host:
    """One story. `end` is given the number of a step that is under way, its LUN, and all processes."""
    story.template(tree)
    with apart.serving(tree) as (addresses, process), ExitStack() as stack:
        peers = {
            lun: stack.enter_context(Peer.login(addresses[name], TargetName=name))
            for lun, name in enumerate(apart.TARGETS)
        }
        host = Host(peers, tree, Inquest(tree, story.book(seed), KILL))
        all_of_them = [process.pid, *apart.children(process.pid)]
        try:
            host.live(seed, lambda number, lun: end(number, lun, all_of_them))
        except (Gone, ConnectionError):
            pass
        else:
            assert host.inquest.book.under_way is None
        process.kill()
        process.wait(10)
        assert apart.soon(lambda: all(let_go(tree / f"drive-{number}") for number in story.DRIVES))
    return host


def let_go(drive: Path) -> bool:
    """Whether no process has the drive any more."""
    try:
        with machine.held(drive):
            return True
    except Conflict:
        return False


def killer(at: int, delay: float, who: str) -> Callable[[int, int, list[int]], None]:
    """Kill at a step, so many seconds after it began."""

    def end(number: int, lun: int, processes: list[int]) -> None:
        if number != at:
            return
        until = time.monotonic() + delay
        while time.monotonic() < until:  # a sleep is longer than most steps
            pass
        doomed = {"a drive": [processes[lun or 1]], "the library": processes[:1], "all": processes}[who]
        for each in doomed:
            os.kill(each, signal.SIGKILL)

    return end


@pytest.mark.long
def test_promises_hold_when_processes_die(tmp_path: Path, record_property: Callable[[str, object], None]) -> None:
    whole = lived(tmp_path / "whole", 0, lambda *_: None)
    library_inquest.hold(whole.inquest)
    assert not whole.inquest.findings
    assert whole.inquest.notes == {"as it was told": len(story.BARCODES)}
    chance, met = random.Random("apart"), Counter[str]()
    for number in range(DEATHS):
        step, who = chance.randrange(len(NAMES)), WHO[number % len(WHO)]
        delay = chance.uniform(0.0, 1.2) * whole.seconds[step]
        host = lived(tmp_path / "tree", chance.randrange(1 << 30), killer(step, delay, who))
        library_inquest.hold(host.inquest)
        assert not host.inquest.findings, f"{who} killed in step {step}: {host.inquest.findings}"
        met[f"{who}: {NAMES[step]}"] += 1
        shutil.rmtree(host.tree)
    steps = ", ".join(f"{name} {count}" for name, count in met.most_common())
    record_property(told.PROPERTY, f"kills of a library with a process for each drive: {met.total()} ({steps})")
