"""An inquest finds a broken promise: each fault planted in the process that crashes is told of."""

import pytest

from tests.crash.conftest import Crashes
from tests.crash.job import Job
from tests.crash.witness import Gap, Point

ENTER = Point.ENTER.value
# fmt: off
FAULTS = {
    "released before commit": (Gap.SPOUT, 1, False, "was released, and that is not on record"),
    "store does not sync":    (Gap.WRITE, 1, True,  "was prepared and is not on record"),
    "filemark before sync":   (Gap.WRITE, 5, True,  "the tape is not as it was acknowledged"),
}
# fmt: on


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_found(fault: str, crashes: Crashes) -> None:
    gap, nth, power, finding = FAULTS[fault]
    job = Job(1, gap=gap.value, nth=nth, point=ENTER, power=power)
    assert crashes.run(job).findings == []

    planted = crashes.run(Job(1, gap=gap.value, nth=nth, point=ENTER, power=power, fault=fault))

    assert any(finding in told for told in planted.findings), planted
