"""The agent's main loop, in which nothing waits for a drive.

It listens to udev, to opens and closes of tape nodes, to signals and the clock. All else is done in threads: one for
each drive, each changer, each client. Parts are put together in `composition`.
"""

import importlib.metadata
import logging
import os
import selectors
import signal
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import FrameType
from typing import Final

from tapekey.discovery import watch
from tapekey.errors import TapekeyError
from tapekey.manager.local import LocalManager
from tapekey.service import metrics, notify
from tapekey.service.alarms import Alarms
from tapekey.service.drives import Drives
from tapekey.service.events import Cause
from tapekey.service.library_watch import Bays
from tapekey.service.nodes import Nodes
from tapekey.service.notify import Notifier
from tapekey.service.prognosis import prognosis
from tapekey.service.view import AgentView

BEAT: Final = 5.0  # seconds between signs of life, at most
METRICS: Final = 15.0  # seconds between two metrics files
log = logging.getLogger(__name__)


@dataclass(slots=True)
class Agent:
    """What runs. `told` wakes the main loop: a signal, or a client's request that is for it."""

    store: Path
    manager: LocalManager
    drives: Drives
    alarms: Alarms
    nodes: Nodes
    feed: watch.Feed | None = None  # None: udev is not listened to
    notifier: Notifier = field(default_factory=lambda: Notifier(""))
    metrics_file: Path | None = None
    libraries: dict[str, Bays] = field(default_factory=dict)
    started: float = field(default_factory=time.time)
    stopping: bool = False
    told: tuple[socket.socket, socket.socket] = field(default_factory=socket.socketpair)

    def view(self) -> AgentView:
        """Everything, as it is now. Reads the keystore: not for the main loop."""
        try:
            return self.glance(single_copy=self.manager.single_copy())
        except TapekeyError as error:
            return self.glance(str(error))

    def glance(self, manager: str = "", *, single_copy: bool = False) -> AgentView:
        """The same without asking whether the keystore answers."""
        drives = tuple(replace(each, prognosis=prognosis(each, manager)) for each in self.drives.views())
        return AgentView(
            importlib.metadata.version("tapekey"),
            os.getpid(),
            self.started,
            str(self.store),
            manager,
            drives,
            self.alarms.recent(),
            self.alarms.counts(),
            single_copy,
        )

    def hush(self, changer: str, seconds: float) -> None:
        """Ask a changer nothing for so long; all of them, if that one is not known."""
        named = [bays for name, bays in self.libraries.items() if changer == name]
        for bays in named or self.libraries.values():
            bays.hush(seconds)

    def reload(self) -> None:
        """Have rules and approvals read again by everybody."""
        self.notifier.reloading(time.monotonic())
        self.drives.post_all(Cause.RULES)
        self.notifier.ready()

    def stop(self) -> None:
        """End the main loop, from any thread or signal."""
        self.stopping = True
        with suppress(OSError):  # it is awake
            self.told[1].send(b"\0")

    def watch_nodes(self) -> None:
        """Hear of opens and closes of every served drive's tape node, as it is now."""
        self.nodes.watch(*(node for worker in self.drives.workers.values() if (node := worker.way.node)))


def run(agent: Agent, environ: dict[str, str] | None = None) -> None:
    """Serve until told to stop."""
    asked = notify.watchdog_seconds(os.environ if environ is None else environ)
    beat = min(BEAT, asked / 2) if asked else BEAT
    due = time.monotonic()
    with selectors.DefaultSelector() as selector:
        for descriptor, read in _readers(agent):
            selector.register(descriptor, selectors.EVENT_READ, read)
        agent.notifier.ready()
        while not agent.stopping:
            for key, _ in selector.select(beat):
                key.data()
            agent.notifier.watchdog()
            if time.monotonic() >= due:
                due = time.monotonic() + METRICS
                _tell(agent)
    agent.notifier.stopping()


def _readers(agent: Agent) -> Iterator[tuple[int, Callable[[], None]]]:
    yield agent.told[0].fileno(), lambda: _drain(agent.told[0])
    yield agent.nodes.descriptor, lambda: _hear(agent)
    if agent.feed is not None:
        yield agent.feed.descriptor, lambda: _see(agent)


def _drain(end: socket.socket) -> None:
    with suppress(BlockingIOError):
        end.recv(1 << 10)


def _hear(agent: Agent) -> None:
    for node, cause in agent.nodes.receive():
        agent.drives.hear(node, cause)


def _see(agent: Agent) -> None:
    assert agent.feed is not None
    agent.drives.see(agent.feed.receive())
    agent.watch_nodes()


def _tell(agent: Agent) -> None:
    agent.notifier.status(notify.told(agent.glance()))
    if agent.metrics_file is None:
        return
    try:
        metrics.write(agent.metrics_file, agent.glance)
    except OSError as error:
        log.warning("the metrics file cannot be written: %s", error)


@contextmanager
def signalled(agent: Agent) -> Iterator[None]:
    """SIGTERM and SIGINT end the agent, SIGHUP has it read rules and approvals again. For the main thread."""

    def end(number: int, frame: FrameType | None) -> None:
        agent.stopping = True

    def reload(number: int, frame: FrameType | None) -> None:
        agent.reload()

    before = signal.set_wakeup_fd(agent.told[1].fileno(), warn_on_full_buffer=False)
    former = {number: signal.signal(number, end) for number in (signal.SIGTERM, signal.SIGINT)}
    former[signal.SIGHUP] = signal.signal(signal.SIGHUP, reload)
    try:
        yield
    finally:
        signal.set_wakeup_fd(before)
        for number, handler in former.items():
            signal.signal(number, handler)
