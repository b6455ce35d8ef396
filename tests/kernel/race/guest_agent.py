"""The agent in the guest: a process of its own, which is slowed down, killed and started again."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from tapekey.errors import TapekeyError
from tapekey.service import asking

PLACE: Final = Path("/run/race")
KEYSTORE: Final = PLACE / "keystore"
ROOT_KEY: Final = PLACE / "root.key"
RUNTIME: Final = Path("/run/tapekey")
SOCKET: Final = RUNTIME / "agent.sock"
CONFIG: Final = PLACE / "tapekey.toml"
LOG: Final = Path("/mnt/agent.log")
UP: Final = 120.0  # seconds; its modules alone take ten under emulation
SETTLED: Final = 90.0
UNSETTLED: Final = frozenset({"pending", "becoming ready", "working", "to be verified again", "held by software"})
STOPPED, RUNNING = 0.3, 0.3  # seconds, of an agent that is slow

SETTINGS: Final = """\
store = "{store}"
key_file = "{key}"
allow_virtual = true
allow_clear_key = "iscsi"
[agent]
runtime = "{runtime}"
gate = {gate}
"""

View = dict[str, Any]


@dataclass(slots=True)
class Agent:
    """Whether it runs, and with the gate or without. `absent`: there is none, to show what the race is without one."""

    absent: bool = False
    gate: bool = True
    process: subprocess.Popen[bytes] | None = None
    starts: int = 0
    started: list[float] = field(default_factory=list)

    def start(self, *, gate: bool) -> None:
        """Start it, and do not wait."""
        if self.absent:
            return
        settings = {"store": KEYSTORE, "key": ROOT_KEY, "runtime": RUNTIME, "gate": str(gate).lower()}
        CONFIG.write_text(SETTINGS.format(**settings))
        self.gate = gate
        self.starts += 1
        with LOG.open("ab") as log:
            log.write(f"--- start {self.starts}, gate {gate}, at {time.monotonic():.1f}\n".encode())
            log.flush()
            line = [sys.executable, "-m", "tapekey", "agent", "run", "-v"]
            environ = os.environ | {"TAPEKEY_CONFIG": str(CONFIG)}
            self.process = subprocess.Popen(line, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environ)

    def end(self, *, gently: bool = False) -> None:
        """Kill it."""
        if self.process is not None:
            self.process.send_signal(signal.SIGTERM if gently else signal.SIGKILL)
            try:
                self.process.wait(15.0)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
            self.process = None

    def view(self) -> View | None:
        """What it tells of itself; None: it does not answer."""
        try:
            return asking.ask(SOCKET, "status", timeout=20.0)
        except TapekeyError:
            return None

    def await_up(self, drives: int) -> None:
        if self.absent:
            return
        deadline = time.monotonic() + UP
        while (view := self.view()) is None or len(view["drives"]) < drives:
            if self.process is None or self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"the agent is not up: {LOG.read_text()[-3000:]}")
            time.sleep(0.3)

    def settled(self, states: frozenset[str] | None = None) -> View:
        """What it tells once no drive is being worked on (or all are in one of these states), or patience is over."""
        if self.absent:
            return {"drives": [], "settled": True}
        deadline = time.monotonic() + SETTLED
        while True:
            view = self.view()
            if view is not None:
                now = {drive["state"] for drive in view["drives"]}
                rested = all(drive["guards"] for drive in view["drives"])  # an empty drive's are told when it rests
                if now <= states and rested if states is not None else not now & UNSETTLED:
                    return view | {"settled": True}
            if time.monotonic() > deadline:
                return (view or {"drives": []}) | {"settled": False}
            time.sleep(1.5)

    @contextmanager
    def slowed(self) -> Iterator[None]:
        """Stopped half of the time, in the middle of whatever it does."""
        over, process = threading.Event(), self.process

        def pulse() -> None:
            while process is not None and process.poll() is None and not over.wait(RUNNING):
                process.send_signal(signal.SIGSTOP)
                over.wait(STOPPED)
                process.send_signal(signal.SIGCONT)

        thread = threading.Thread(target=pulse)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()
