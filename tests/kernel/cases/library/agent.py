"""The agent in the guest, over the bench's keystore: a process of its own, asked through its socket."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tapekey.discovery.sysfs import Node
from tapekey.errors import TapekeyError
from tapekey.service import asking
from tests.kernel.cases import simulated
from tests.kernel.cases.library.bench import WORK

RUNTIME: Final = Path("/run/tapekey-cases")
CONFIG: Final = Path("/run/tapekey-cases.toml")
LOG: Final = Path("/mnt/agent-of-cases.log")
PATIENCE: Final = 120.0  # seconds; its modules alone take ten under emulation

SETTINGS: Final = f"""\
store = "{WORK / "ks"}"
key_file = "{WORK / "root.key"}"
allow_virtual = true
allow_clear_key = "iscsi"
[agent]
runtime = "{RUNTIME}"
empty_seconds = 0.5
"""


@dataclass(frozen=True, slots=True)
class Agent:
    """A running one."""

    process: subprocess.Popen[bytes]

    def view(self) -> dict[str, Any]:
        """What `tapekey status` shows; nothing while it does not answer."""
        with suppress(TapekeyError):
            return asking.ask(RUNTIME / "agent.sock", "status")
        assert self.process.poll() is None, LOG.read_text()[-3000:]
        return {}

    def drive(self, node: Node) -> dict[str, Any]:
        """One drive of it."""
        serial = node.serial_page[4:].decode().strip()
        return next((each for each in self.view().get("drives", ()) if each["serial"] == serial), {})

    def await_drive(
        self, node: Node, holds: Callable[[dict[str, Any]], object], what: str, patience: float = PATIENCE
    ) -> dict[str, Any]:
        """Wait until something holds of a drive's view."""
        seen: list[dict[str, Any]] = []

        def looked() -> bool:
            time.sleep(0.2)
            seen.append(self.drive(node))
            return bool(holds(seen[-1]))

        try:
            simulated.await_(looked, what, patience)
        except AssertionError as late:
            raise AssertionError(f"{late}: {seen[-1]}\n{LOG.read_text()[-3000:]}") from late
        return seen[-1]

    def await_state(self, node: Node, *states: str) -> dict[str, Any]:
        return self.await_drive(node, lambda view: view.get("state") in states, " or ".join(states))


@contextmanager
def running() -> Iterator[Agent]:
    """Start it, and end it."""
    CONFIG.write_text(SETTINGS)
    environ = os.environ | {"TAPEKEY_CONFIG": str(CONFIG)}
    line = [sys.executable, "-m", "tapekey", "agent", "run", "-v"]
    with LOG.open("ab") as log:
        process = subprocess.Popen(line, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environ)
    try:
        agent = Agent(process)
        simulated.await_(lambda: agent.view(), "the agent", PATIENCE)
        yield agent
    finally:
        process.terminate()
        process.wait(30)
