"""A host with a library and the agent, as an administrator sets them up: configuration, keystore, rules, drives.

The agent is a process of its own. It can be killed and started at any time, and from another directory of code, as an
upgrade does.
"""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import pytest

from tapekey import cli
from tapekey.errors import TapekeyError
from tapekey.service import asking
from tests.kernel.cases import simulated
from tests.kernel.cases.library.bench import CHUNK, Bench, run, tape

WORK: Final = Path("/tmp/jobs")
MEDIA: Final = Path("/mnt/jobs/cartridges")
CODE: Final = Path("/run/checkout")
CONFIGURATION: Final = WORK / "tapekey.toml"
SOCKET: Final = Path("/run/tapekey/agent.sock")
GROUP: Final = "tapekey"  # whose members may ask the agent
PATIENCE: Final = 300.0  # for the agent to be up: it imports for many seconds under emulation, longer on a busy host

SETTINGS: Final = f"""\
store = "{WORK}/ks"
key_file = "{WORK}/root.key"
allow_virtual = true
allow_clear_key = "iscsi"

[agent]
runtime = "{SOCKET.parent}"
askers = ["backup"]
"""


def set_up(library: Bench) -> None:
    """A keystore that demands encryption for whatever is loaded, and both drives approved."""
    WORK.mkdir()
    for place in (WORK, CODE):
        place.chmod(0o755)  # Amanda's user runs hooks
    (WORK / "root.key").touch(mode=0o600)
    (WORK / "root.key").write_bytes(os.urandom(32))
    CONFIGURATION.write_text(SETTINGS)
    os.environ["TAPEKEY_CONFIG"] = str(CONFIGURATION)
    command("recipient", "generate", "x25519", str(WORK / "recovery.key"))
    command("keystore", "init", "--recovery-recipient", str(WORK / "recovery.key.pub"))
    command("rule", "add", "--default", "--require")
    run("groupadd", "--system", GROUP)
    run("install", "--directory", "--group", GROUP, "--mode", "0750", SOCKET.parent)
    for drive in library.drives:
        command("drive", "approve", drive.path, "--allow", "iscsi", "--allow-virtual")


def command(*words: str) -> None:
    """`tapekey` in this process: starting one takes seconds under emulation."""
    assert cli.run(list(words)) == 0, words


def script(name: str, *words: str) -> Path:
    """A program that calls `tapekey` with these words before its own, and notes how long each call took."""
    file = WORK / name
    called = " ".join((sys.executable, "-m", "tapekey", *words))
    file.write_text(
        f"#!/bin/bash\nexport TAPEKEY_CONFIG={CONFIGURATION} PYTHONPATH={CODE}/agent PYTHONDONTWRITEBYTECODE=1\n"
        f'began=$EPOCHREALTIME\n{called} "$@"\nstatus=$?\necho $began $EPOCHREALTIME $status "$@" >>{file}.log\n'
        "exit $status\n"
    )
    file.chmod(0o755)
    Path(f"{file}.log").touch()
    Path(f"{file}.log").chmod(0o666)
    return file


def calls(file: Path) -> list[tuple[float, int, list[str]]]:
    """What a script was called for: seconds, exit status, and the words."""
    lines = [line.split() for line in Path(f"{file}.log").read_text().splitlines()]
    return [(float(line[1]) - float(line[0]), int(line[2]), line[3:]) for line in lines]


@dataclass(slots=True)
class Agent:
    """`tapekey agent run`, as the code directory has it that is current."""

    code: Path = CODE
    process: subprocess.Popen[bytes] | None = None
    logs: list[Path] = field(default_factory=list)

    def start(self) -> None:
        """Start it and wait until it answers."""
        assert self.process is None
        self.logs.append(WORK / f"agent-{len(self.logs)}.log")
        with self.logs[-1].open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tapekey", "agent", "run", "--verbose"],
                env={**os.environ, "PYTHONPATH": str(self.code / "agent")},
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        simulated.await_(self.answers, "the agent", PATIENCE)

    def end(self, by: signal.Signals = signal.SIGTERM) -> int:
        """Send it a signal and wait for its end; how it ended."""
        assert self.process is not None
        self.process.send_signal(by)
        status = self.process.wait(60)
        self.process = None
        return status

    def upgrade(self) -> None:
        """Let the next start run the same code from a new place, and the old place be gone."""
        new = CODE.parent / f"checkout-{len(self.logs)}"
        shutil.copytree(CODE / "agent", new / "agent")
        if self.code != CODE:
            shutil.rmtree(self.code)
        self.code = new

    def answers(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, self.said()
        try:
            self.ask("status")
        except TapekeyError:
            return False
        return True

    def ask(self, verb: str, timeout: float = 60.0, **more: object) -> dict[str, object]:
        return asking.ask(SOCKET, verb, timeout, **more)

    def drive(self, serial: str) -> Mapping[str, Any]:
        """What it tells of one drive."""
        drives: Any = self.ask("status")["drives"]
        return next((drive for drive in drives if drive["serial"] == serial), {"state": "not known"})

    def await_state(self, serial: str, *states: str, patience: float = 120.0) -> Mapping[str, Any]:
        """Wait until a drive is in one of these states."""
        try:
            simulated.await_(lambda: self.drive(serial)["state"] in states, f"{serial}: {states}", patience)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.ask('status')}\n{self.said()}") from None
        return self.drive(serial)

    def said(self) -> str:
        """The end of what it logged."""
        return "\n".join(self.logs[-1].read_text(errors="replace").splitlines()[-60:])


@contextmanager
def running() -> Iterator[Agent]:
    """An agent that is up; ended at the end, whatever it has become."""
    agent = Agent()
    try:
        agent.start()
        yield agent
    finally:
        if agent.process is not None:
            agent.end()


def audit(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    """The audit log's lines so far."""
    capsys.readouterr()
    command("audit", "show", "--json")
    lines: list[dict[str, Any]] = json.loads(capsys.readouterr().out)["lines"]
    return lines


def unaccounted(capsys: pytest.CaptureFixture[str]) -> list[tuple[str, int]]:
    """Drive and generation of each mount that was keyed and never accounted."""
    lines = audit(capsys)
    keyed, accounted = (
        [(line["facts"]["drive"], line["facts"]["generation"]) for line in lines if line["event"] == event]
        for event in ("key installed", "mount accounted")
    )
    assert keyed
    return sorted(set(keyed) - set(accounted))


def put_away(library: Bench, agent: Agent) -> None:
    """Every cartridge back in its slot, and its account taken before, as the hook does it."""
    for drive, slot in re.findall(r"Element (\d):Full \(Storage Element (\d+)", library.mtx("status")):
        agent.ask("unload", 120.0, drive=tape(library.drives[int(drive)]), seconds=100)
        library.mtx("unload", slot, drive)


def told_of(script: Path, verb: str) -> str:
    """How many changer commands of one kind there were, and between which times they took."""
    taken = sorted(seconds for seconds, _, words in calls(script) if verb in words)
    return f"{len(taken)} in {taken[0]:.1f} to {taken[-1]:.1f} s, half of them in {taken[len(taken) // 2]:.1f} s"


def serial_of(library: Bench, drive: int) -> str:
    return str(library.drives[drive].serial_page[4:].decode().strip())


def in_clear(barcode: str, *needles: bytes) -> list[bytes]:
    """Which of these lie in clear on the cartridge, anywhere in its files."""
    stored = b"\0".join(file.read_bytes() for file in sorted((MEDIA / barcode).rglob("*")) if file.is_file())
    return [needle for needle in needles if needle in stored]


def needles(content: bytes) -> list[bytes]:
    """Pieces of a content, which must be random: what compresses would not be found even where it is clear."""
    return [content[at : at + 64] for at in range(0, len(content), CHUNK)]
