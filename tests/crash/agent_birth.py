"""Agents forked from an interpreter that has all imported, and how they ended: `python -m tests.crash.agent_birth`.

Each child is `tapekey agent run`, with its own configuration, by the command line's own door. Reads lines of JSON,
`{"config": FILE, "log": FILE}` answered with a process number and `{"pid": N}` with how that one ended.
"""

import ctypes
import gc
import importlib
import json
import os
import select
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any, Final

from tapekey import cli, config

ROOT: Final = Path(__file__).parents[2]
PACKAGE: Final = ROOT / "agent" / "tapekey"
IMPORTED: Final = ("tapekey.cli.agent", "tapekey.service.agent", "tapekey.service.composition", "tapekey.manager.local")
PATIENCE: Final = 60.0
PR_SET_PDEATHSIG: Final = 1


def main() -> None:
    """Answer until the input ends."""
    for name in IMPORTED:
        importlib.import_module(name)
    gc.freeze()
    print(metadata.version("tapekey"), flush=True)
    for line in sys.stdin:
        asked = json.loads(line)
        if "pid" in asked:
            print(os.waitstatus_to_exitcode(os.waitpid(asked["pid"], 0)[1]), flush=True)
        else:
            print(os.fork() or _live(asked), flush=True)


def _live(asked: dict[str, str]) -> int:
    """Be the agent. It does not outlive who forked it."""
    status = 70
    try:
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        log = os.open(asked["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        for descriptor in (1, 2):
            os.dup2(log, descriptor)
        os.environ[config.FILE_VARIABLE] = asked["config"]
        status = cli.run(["agent", "run"])
    finally:
        os._exit(status)


@dataclass(slots=True)
class Births:
    """One installation of the package, from which agents come. `version` is what it says of itself."""

    process: "subprocess.Popen[str]"
    version: str

    def agent(self, settings: Path, log: Path) -> int:
        """A new agent's process number."""
        return int(_ask(self.process, {"config": str(settings), "log": str(log)}))

    def end_of(self, pid: int) -> int:
        """How one ended, waited for: its exit status, or the signal's number below zero."""
        return int(_ask(self.process, {"pid": pid}))


@contextmanager
def births(package: Path | None = None) -> Iterator[Births]:
    """The package as it is here, or the copy beneath another directory."""
    path = os.pathsep.join(str(place) for place in (package, ROOT) if place)
    environ = {name: value for name, value in os.environ.items() if name != "NOTIFY_SOCKET"} | {"PYTHONPATH": path}
    pipe = subprocess.PIPE
    command = [sys.executable, "-m", "tests.crash.agent_birth"]
    with subprocess.Popen(command, cwd=ROOT, env=environ, text=True, stdin=pipe, stdout=pipe) as process:
        try:
            yield Births(process, _line(process))
        finally:
            process.kill()


def installed(directory: Path, version: str) -> Path:
    """A copy of the package as of another version; where it is found from."""
    shutil.copytree(PACKAGE, directory / "tapekey", ignore=shutil.ignore_patterns("__pycache__"))
    facts = directory / f"tapekey-{version}.dist-info"
    facts.mkdir()
    (facts / "METADATA").write_text(f"Metadata-Version: 2.1\nName: tapekey\nVersion: {version}\n")
    return directory


def _ask(process: "subprocess.Popen[str]", asked: dict[str, Any]) -> str:
    assert process.stdin is not None
    print(json.dumps(asked), file=process.stdin, flush=True)
    return _line(process)


def _line(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None
    poll = select.poll()
    poll.register(process.stdout, select.POLLIN)
    assert poll.poll(1000 * PATIENCE), "no word from where agents come from"
    return process.stdout.readline().strip()


if __name__ == "__main__":
    main()
