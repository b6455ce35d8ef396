"""From "medium present" to "software may open", by the agent's own worker, and what of it went where.

The worker is warm, as an agent's is that has run for a while: its first cartridge does not count. What the store's
commits take is told apart from the rest of the store, since it is the disk's; the rest is ours.
"""

import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.engine import Connection

from tapekey.policy.facts import Stance
from tapekey.service.view import State, Timing
from tests.benchmarks.figures import ROUNDS, Figures
from tests.rig import Rig, rig
from tests.service.crew import Crew, crew


@dataclass(frozen=True, slots=True)
class Mounted:
    """One mount, in milliseconds. `commits` are part of the store's time."""

    timing: Timing
    commits: float

    @property
    def overhead(self) -> float:
        """What is neither SCSI, nor waiting, nor the disk."""
        told = self.timing
        return told.ready - told.scsi - told.waiting - self.commits


def mount_ready() -> Figures:
    """Medians over mounts of blank cartridges under `require`, each on its own."""
    with tempfile.TemporaryDirectory() as place, rig(Path(place), "ibm-lto6", inserted=False) as bench:
        bench.rule(Stance.REQUIRE, "*", "site", "partner")
        with crew(bench) as seen, commits() as spent:
            mounts = [_mounted(bench, seen, spent, number) for number in range(ROUNDS + 1)][1:]
    ready = statistics.median(each.timing.ready for each in mounts)
    scsi = statistics.median(each.timing.scsi for each in mounts)
    store = statistics.median(each.timing.store for each in mounts)
    fsync = statistics.median(each.commits for each in mounts)
    waiting = statistics.median(each.timing.waiting for each in mounts)
    overhead = statistics.median(each.overhead for each in mounts)
    against = f"SCSI {scsi:.1f} ms, store {store:.1f} ms (of it commits {fsync:.1f} ms), waiting {waiting:.1f} ms"
    return {
        "mount_ready_ms": {"value": ready, "unit": "ms", "against": against, "rounds": ROUNDS},
        "mount_overhead_ms": {
            "value": overhead,
            "unit": "ms",
            "against": "15 ms outside SCSI commands, waiting and the store's commits",
            "rounds": ROUNDS,
        },
    }


def _mounted(bench: Rig, seen: Crew, spent: list[float], number: int) -> Mounted:
    place = bench.cartridge(f"tape-{number}", f"E{number:05}L6")
    seen.until(State.EMPTY)
    while not seen.worker.view.guards:  # at rest
        time.sleep(0.002)
    spent.clear()
    seen.insert(place)
    seen.until(State.READY_TO_WRITE)
    found = Mounted(seen.worker.view.timing, 1e3 * sum(spent))
    bench.eject()
    return found


@contextmanager
def commits() -> Iterator[list[float]]:
    """Seconds of each commit, in whatever thread."""
    spent: list[float] = []
    shipped = Connection.commit

    def timed(connection: Connection) -> None:
        began = time.perf_counter()
        shipped(connection)
        spent.append(time.perf_counter() - began)

    Connection.commit = timed  # type: ignore[method-assign, assignment]
    try:
        yield spent
    finally:
        Connection.commit = shipped  # type: ignore[method-assign]
