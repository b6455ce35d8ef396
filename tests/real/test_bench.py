"""The bench itself: what it starts ends, and takes along all that it started."""

import os
import subprocess
import time

import pytest

from tests.real import bench


@pytest.mark.real
def test_a_program_that_hangs_is_ended_with_its_children(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench, "SECONDS", 1.0)
    with pytest.raises(subprocess.TimeoutExpired) as ended:
        bench.run("sh", "-c", "echo $$; sleep 600 & sleep 600")
    group = int(ended.value.stdout or b"0")
    assert group > 1
    assert gone(group)


def gone(group: int) -> bool:
    """Whether the process group is empty; what was killed may take a moment to be reaped."""
    for _ in range(100):
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.05)
    return False
