"""What `tapekey status` takes beside Python with click: it is run by hand, by scripts and by `watch`."""

import subprocess
import sys
import tempfile
from pathlib import Path

from tapekey.service import control
from tapekey.service.view import AgentView, DriveView, as_json
from tests.benchmarks.figures import Figures, paired

ROUNDS = 41
VIEW = as_json(AgentView("0", 1, 1.0, "/ks", drives=tuple(DriveView(f"HU{n}", "/dev/sg3") for n in range(8))))
COMMAND = "from tapekey.cli import main; main()"


def status_beside_click() -> Figures:
    """`tapekey status` of eight drives, asked of a socket, over `python -c "import click"`: medians of pairs."""
    with tempfile.TemporaryDirectory() as place:
        path = Path(place) / "agent.sock"
        with control.serving(path, {"status": lambda _caller, _arguments: VIEW}):
            ours = [sys.executable, "-c", COMMAND, "status", "--socket", str(path)]
            ratio = paired(lambda: _run([sys.executable, "-c", "import click"]), lambda: _run(ours), ROUNDS)
    against = 'python -c "import click"'
    return {"status_vs_click": {"ratio": ratio, "unit": "x", "against": against, "rounds": ROUNDS}}


def _run(command: list[str]) -> None:
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, timeout=60)
