"""What a whole save costs outside its SCSI commands."""

import statistics
import tempfile
import time
from pathlib import Path

from tapekey.exchange import Command, Reply, Transport
from tests.benchmarks.figures import ROUNDS, Figures, timed
from tests.rig import rig


class Stopwatch:
    """A transport that counts commands and the time inside them."""

    def __init__(self, inner: Transport) -> None:
        self.inner, self.commands, self.seconds = inner, 0, 0.0

    def execute(self, command: Command) -> Reply:
        began = time.perf_counter()
        try:
            return self.inner.execute(command)
        finally:
            self.seconds += time.perf_counter() - began
            self.commands += 1


def save_overhead() -> Figures:
    """Milliseconds of a whole save outside SCSI commands, the store's commits included."""
    outside, commands = [], 0
    for _ in range(ROUNDS):
        with tempfile.TemporaryDirectory() as place, rig(Path(place), "ibm-lto6") as bench:
            watch = Stopwatch(bench.host)
            took = timed(lambda bench=bench, watch=watch: bench.save(over=watch))  # type: ignore[misc]
            outside.append((took - watch.seconds) * 1e3)
            commands = watch.commands
    value = statistics.median(outside)
    against = f"a save's total less its {commands} SCSI commands"
    return {"save_overhead_ms": {"value": value, "unit": "ms", "against": against, "rounds": ROUNDS}}
