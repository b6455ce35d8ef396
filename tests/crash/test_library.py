"""A library killed under a host's hands, at any instant of any step: every promise that it made by iSCSI holds.

Half of the deaths are in the middle of what takes longest to make good: filemarks, FORMAT MEDIUM, unload and moves.
"""

import json
import os
import random
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import pytest

from tests import told
from tests.crash import library_story, shim, tally
from tests.crash.job import KILL, POWER_CUT, STOP, LibraryJob, Result

ROOT: Final = Path(__file__).parents[2]
CHUNKS: Final = 2  # for as many processors
DEATHS: Final = 100 if os.environ.get(tally.SOAK) else 12  # of each kind, in each chunk
DELICATE: Final = ("filemark", "format", "unload", "move", "exchange")
SHARES: Final = (0.0, 0.5, 0.0)  # of files whose latest state reached the disk unasked

NAMES: Final = [step.name for step in library_story.steps(0)]


@dataclass(slots=True)
class Libraries:
    """Libraries to be killed on demand."""

    server: "subprocess.Popen[str]"
    lived: bool = False  # a story nobody cut off came to its end

    def live(self) -> None:
        """Let nobody die, once: everything is as it was told, and the server learns how long each step takes."""
        if not self.lived:
            assert self.run(LibraryJob(seed=0)).notes == {"as it was told": len(library_story.BARCODES)}
            self.lived = True

    def run(self, job: LibraryJob) -> Result:
        assert self.server.stdin is not None
        assert self.server.stdout is not None
        self.server.stdin.write(json.dumps(asdict(job)) + "\n")
        self.server.stdin.flush()
        result = Result(**json.loads(self.server.stdout.readline()))
        assert not result.findings, "\n".join([f"after {job}:", *result.findings])
        return result


@pytest.fixture(scope="module")
def libraries(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Libraries]:
    work = tmp_path_factory.mktemp("library")
    environ = {**os.environ, "LD_PRELOAD": str(shim.build(work))}
    command = [sys.executable, "-m", "tests.crash.library_server", str(work)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=ROOT, env=environ, text=True, stdin=pipe, stdout=pipe) as server:
        yield Libraries(server)


def _deaths(chance: random.Random, end: str, count: int) -> Iterator[LibraryJob]:
    for number in range(count):
        delicate = DELICATE[number // 2 % len(DELICATE)]
        steps = [at for at, name in enumerate(NAMES) if name == delicate] if number % 2 else range(len(NAMES))
        step = chance.choice(steps)
        unsynced = SHARES[number % len(SHARES)] if end == POWER_CUT else 0.0
        yield LibraryJob(chance.randrange(1 << 30), step, chance.uniform(0.0, 1.2), end, unsynced)


@pytest.mark.long
@pytest.mark.parametrize("end", [KILL, POWER_CUT, STOP])
@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_promises_hold_after_a_death(
    chunk: int, end: str, libraries: Libraries, record_property: Callable[[str, object], None]
) -> None:
    libraries.live()
    met = Counter[str]()
    for job in _deaths(random.Random(f"library {chunk} {end}"), end, DEATHS if end != STOP else DEATHS // 3):
        met[libraries.run(job).gap] += 1
    steps = ", ".join(f"{name} {count}" for name, count in met.most_common())
    record_property(told.PROPERTY, f"{end}s of a library served by iSCSI: {met.total()} (before or in: {steps})")
