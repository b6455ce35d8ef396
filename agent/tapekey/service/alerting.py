"""Runs the administrator's command for each alarm: with the facts, for a bounded time, and without anybody waiting.

A program and its arguments, never a shell: names that came from a cartridge or a drive are in the environment and, as
one JSON object, on standard input.
"""

import json
import logging
import os
import queue
import signal
import subprocess
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass

log = logging.getLogger(__name__)

SECONDS = 30.0  # that one run may take
MOST_WAITING = 64
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass(frozen=True, slots=True)
class Alarm:
    """What somebody should look at now. `at` is in seconds since 1970."""

    what: str
    at: float
    drive: str = ""
    cartridge: str = ""
    volser: str = ""
    state: str = ""
    cause: str = ""
    mend: str = ""


class Alerts:
    """Alarms on their way to the command. `tell` never waits."""

    def __init__(self, command: Sequence[str], seconds: float = SECONDS) -> None:
        self._command = tuple(command)
        self._seconds = seconds
        self._waiting: queue.Queue[Alarm | None] = queue.Queue(MOST_WAITING)

    def tell(self, alarm: Alarm) -> bool:
        """Have the command run for an alarm; False: too many wait already, and this one is in the log only."""
        if not self._command:
            return True
        try:
            self._waiting.put_nowait(alarm)
        except queue.Full:
            log.error("%s: the alert command is too slow, an alarm was not told to it: %s", alarm.drive, alarm.what)
            return False
        return True

    def work(self) -> None:
        """Run the command for one alarm after the other, until told to end."""
        while (alarm := self._waiting.get()) is not None:
            run(self._command, alarm, self._seconds)

    def end(self) -> None:
        """Have `work` end after what it does now; what waits is dropped."""
        with suppress(queue.Empty):
            while True:
                self._waiting.get_nowait()
        self._waiting.put_nowait(None)


@contextmanager
def alerting(command: Sequence[str], seconds: float = SECONDS) -> Iterator[Alerts]:
    """Alerts and the thread that works them off. Leaving waits for a run that has begun."""
    alerts = Alerts(command, seconds)
    thread = threading.Thread(target=alerts.work, name="alerts", daemon=True)
    thread.start()
    try:
        yield alerts
    finally:
        alerts.end()
        thread.join(seconds + 1)


def run(command: Sequence[str], alarm: Alarm, seconds: float) -> int | None:
    """Run the command for one alarm; None: it did not start or did not end in time. Its failure is logged, no more."""
    facts = asdict(alarm)
    environment = {f"TAPEKEY_{name.upper()}": _text(value) for name, value in facts.items()}
    try:
        with subprocess.Popen(  # a group of its own, so that what it started ends with it
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={"PATH": PATH, "LANG": os.environ.get("LANG", "C.UTF-8"), **environment},
            start_new_session=True,
        ) as process:
            return _await(process, json.dumps({"schema": "tapekey.alarm/1", **facts}).encode(), seconds)
    except (OSError, ValueError) as error:
        log.error("the alert command %s did not start: %s", command[0], error)
        return None


def _await(process: subprocess.Popen[bytes], told: bytes, seconds: float) -> int | None:
    try:
        process.communicate(told, timeout=seconds)
    except subprocess.TimeoutExpired:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        log.error("the alert command took more than %g s and was ended", seconds)
        return None
    if process.returncode:
        log.error("the alert command failed with status %d", process.returncode)
    return process.returncode


def _text(value: object) -> str:
    """What an environment can hold."""
    return str(value).replace("\0", "?")
