"""`tapekey status` against a socket that tells a view, and what it may load for that."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tapekey import cli
from tapekey.cli import status
from tapekey.service import control
from tapekey.service.view import AgentView, DriveView, State, as_json

DRIVE = DriveView(
    "HU1",
    "/dev/sg3",
    state=State.READY_TO_WRITE,
    since=1.0,
    guards=("drive", "watched"),
    volser="ENC001L6",
    key="0011223344556677",
)
REFUSED = replace(
    DRIVE,
    serial="HU2",
    state=State.REFUSED,
    volser="CLR\x1b[2J",
    alarm=True,
    guards=(),
    why="it holds clear data",
    mend="another cartridge",
    prognosis=("its cartridge is refused",),
)
VIEW = AgentView("0.1.0", 7, 1.0, "/ks", drives=(DRIVE, REFUSED), alarms=("HU2: clear data",))


@pytest.fixture
def agent(tmp_path: Path) -> Iterator[str]:
    path = tmp_path / "agent.sock"
    with control.serving(path, {"status": lambda _caller, _arguments: as_json(VIEW)}):
        yield str(path)


def test_each_drive_has_its_line_and_what_is_wrong_its_own(agent: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["status", "--socket", agent]) == 0
    said = capsys.readouterr().out
    lines = said.splitlines()
    assert lines[1] == "keystore /ks answers"
    assert lines[4].split()[:4] == ["HU1", "ready", "to", "write"]
    assert "drive, watched" in lines[4]
    assert "00112233 " in lines[4]
    assert "0011223344" not in said
    assert lines[5].split()[:2] == ["HU2", "REFUSED"]
    assert lines[6:] == [
        "HU2: it holds clear data",
        "HU2: the next job will fail because its cartridge is refused",
        "HU2: try: another cartridge",
        "alarm: HU2: clear data",
    ]
    assert "\x1b" not in said


def test_the_facts_are_the_agents(agent: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["status", "--json", "--socket", agent]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told.pop("schema") == "tapekey.status/1"
    assert told == json.loads(json.dumps(as_json(VIEW)))


def test_watching_shows_it_again(agent: str) -> None:
    command = [sys.executable, "-c", "from tapekey.cli import main; main()", "status"]
    with subprocess.Popen(
        [*command, "--watch", "--every", "0.1", "--socket", agent],
        stdout=subprocess.PIPE,
        env={"PYTHONUNBUFFERED": "1"},
    ) as watching:
        assert watching.stdout
        seen = b""
        while seen.count(b"keystore /ks answers") < 2:
            piece = os.read(watching.stdout.fileno(), 1 << 16)
            assert piece
            seen += piece
        watching.terminate()


@pytest.mark.parametrize(
    ("seconds", "told"), [(-3, "0 s"), (59, "59 s"), (60, "1 min"), (3599, "60 min"), (7200, "2 h"), (172800, "2 d")]
)
def test_ages_are_told_in_their_largest_unit(seconds: float, told: str) -> None:
    assert status.age(seconds) == told


FORBIDDEN = ("sqlalchemy", "pyudev", "asyncio", "cryptography", "ctypes", "pathlib", "prometheus_client")
LOADED = "import sys; from tapekey.cli import run; run(sys.argv[1:]); print(*sys.modules, file=sys.stderr)"


def test_it_loads_nothing_heavy(agent: str) -> None:
    command = [sys.executable, "-c", LOADED, "status", "--socket", agent]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    assert "HU1" in done.stdout
    loaded = set(done.stderr.split())
    assert "tapekey.service.asking" in loaded
    assert not {name for name in loaded if name.split(".")[0] in FORBIDDEN}
    assert not loaded & {"tapekey.config", "tapekey.wiring", "tapekey.cli.exit_status", "tapekey.service.view"}
