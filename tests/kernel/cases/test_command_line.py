"""`tapekey` itself on real nodes."""

import json
import subprocess
import sys

from tests.kernel.cases import simulated


def tapekey(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "tapekey", *words], capture_output=True, text=True, check=False)


def test_drives_are_listed_by_what_they_say() -> None:
    nodes = simulated.load(2)
    done = tapekey("drive", "list", "--json")
    assert done.returncode == 0, done.stderr
    rows = json.loads(done.stdout)["drives"]
    assert [row["where"] for row in rows] == [node.path for node in nodes]
    assert {row["link"] for row in rows} == {"scsi-debug"}
    assert len({row["serial"] for row in rows}) == 2


def test_drive_is_shown_as_one_without_encryption_by_its_tape_node() -> None:
    (node,) = simulated.load()
    done = tapekey("drive", "show", f"/dev/{node.nst}", "--json")
    assert done.returncode == 0, done.stderr
    assert "no encryption" in done.stdout


def test_bench_is_set_up_and_taken_down() -> None:
    simulated.unload()
    up = tapekey("lab", "scsi-debug", "up", "--drives", "2")
    assert up.returncode == 0, up.stderr
    simulated.settled(2)
    down = tapekey("lab", "scsi-debug", "down")
    assert down.returncode == 0, down.stderr
    assert not simulated.STEERING.exists()
