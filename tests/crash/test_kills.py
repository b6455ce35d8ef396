"""Whatever instant a process is killed at while it saves and writes, every promise holds and the next save works.

The kill takes the agent and the virtual drive at once, so that the drive's keys are gone too; the disk stays as it was.
"""

import random
from collections import Counter
from collections.abc import Callable

import pytest

from tests.crash import tally
from tests.crash.conftest import Crashes
from tests.crash.job import Job, Result
from tests.crash.witness import Gap, Point

CHUNKS = 6
BY_THE_CLOCK = 21  # in each chunk
CROSSED = [Gap.COMMIT, Gap.MAM_WRITE, Gap.READ_BACK, Gap.RELEASE, Gap.SPOUT, Gap.VERIFY]
POINTS = [Point.ENTER, Point.INSIDE, Point.INSIDE, Point.LEAVE]
WRITTEN = [Gap.WRITE, Gap.FILEMARK, Gap.UNLOAD]
IN_EACH_GAP = len(POINTS)

Count = Callable[[Job, Result], None]


@pytest.mark.long
@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_promises_hold_after_a_kill_in_each_gap(chunk: int, crashes: Crashes, count: Count) -> None:
    for turn in range(tally.rounds()):
        chance = random.Random(f"gaps {chunk} {turn}")
        met = Counter[str]()
        for gap, point in [
            *((gap, point) for gap in CROSSED for point in POINTS),
            *((gap, point) for gap in WRITTEN for point in (Point.INSIDE, chance.choice(POINTS))),
        ]:
            nth = chance.randint(1, crashes.whole.met[gap.value])
            job = Job(chance.randrange(1 << 30), gap=gap.value, nth=nth, point=point.value, call=chance.randint(1, 12))
            result = crashes.run(job)
            count(job, result)
            assert result.killed
            met[result.gap] += 1
        assert all(met[gap.value] >= IN_EACH_GAP for gap in CROSSED), met


@pytest.mark.long
@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_promises_hold_after_a_kill_at_any_time(chunk: int, crashes: Crashes, count: Count) -> None:
    chance = random.Random(f"clock {chunk}")
    killed, longest = 0, crashes.whole.seconds
    while killed < BY_THE_CLOCK * tally.rounds():
        job = Job(chance.randrange(1 << 30), seconds=chance.uniform(0.001, longest))
        result = crashes.run(job)
        count(job, result)
        killed += result.killed
        if not result.killed:
            longest = result.seconds
