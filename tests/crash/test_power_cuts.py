"""The power goes before every single change of the disk, and what was not synced is lost: every promise holds.

Two of three disks lose all that was not synced; the third has written back some files unasked, and others not. The
short form leaves every fourth change out; the soak cuts before each.
"""

import random
from collections.abc import Callable

import pytest

from tests.crash import tally
from tests.crash.conftest import Crashes
from tests.crash.job import Job, Result

CHUNKS = 8
AT_LEAST = 300
LEFT_OUT = 4
SHARES = (0.0, 0.5, 0.0)

Count = Callable[[Job, Result], None]


@pytest.mark.long
@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_promises_hold_after_a_power_cut_before_any_change(chunk: int, crashes: Crashes, count: Count) -> None:
    cuts = 0
    for turn in range(tally.rounds()):
        chance = random.Random(f"power {chunk} {turn}")
        for call in range(1 + chunk, 1 + crashes.whole.calls, CHUNKS):
            if tally.rounds() == 1 and call // CHUNKS % LEFT_OUT == chunk % LEFT_OUT:
                continue
            share = SHARES[(call + turn) % len(SHARES)]
            job = Job(chance.randrange(1 << 30), power=True, call=call, unsynced=share)
            result = crashes.run(job)
            count(job, result)
            cuts += result.killed
    assert cuts >= AT_LEAST // CHUNKS * tally.rounds()
