"""Which drives have a worker: those that udev tells of and those of the configuration; they come and go.

Each place has its own worker. A device that went takes its worker with it: whatever that is still waiting for, nothing
comes of it, and the next device at the same place gets another one.
"""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final

from tapekey.discovery.sysfs import Kind, Node
from tapekey.discovery.watch import Came, Changed, PowerOn, Went
from tapekey.discovery.watch import Event as Seen
from tapekey.drive.identity import DriveId
from tapekey.drive.in_library import Bay
from tapekey.errors import NotFound
from tapekey.service.events import Cause, Event
from tapekey.service.inbox import Post
from tapekey.service.library_watch import drive_of
from tapekey.service.view import DriveView, State
from tapekey.service.worker import Company, Way, Worker

MOST_GONE: Final = 32  # that are still shown


@dataclass(slots=True)
class Drives:
    """Workers by where their drives are. Used by the main thread; `views` and `find` by anybody."""

    company: Company
    ways_of: Callable[[Iterable[Node]], tuple[Way, ...]]
    workers: dict[str, Worker] = field(default_factory=dict)
    gone: tuple[Worker, ...] = ()
    nodes: dict[str, Node] = field(default_factory=dict)
    begun: bool = True  # False: more are to come of what there is already

    @property
    def is_beginning(self) -> bool:
        """Whether a drive that is not found may be one that has not said yet who it is."""
        nameless = (worker.view for worker in self._serving() if not worker.view.serial)
        return not self.begun or any(view.state is State.PENDING for view in nameless)

    def serve(self, ways: Iterable[Way]) -> None:
        """Begin with these."""
        for way in ways:
            self._begin(way)

    def begin(self, nodes: Iterable[Node]) -> None:
        """Begin with the nodes that are there now."""
        self.nodes = {node.sg: node for node in nodes}
        self.serve(self.ways_of(self.nodes.values()))

    def see(self, events: Iterable[Seen]) -> None:
        """What udev told of: workers come and go with their devices, and hear of resets."""
        told = tuple(events)
        for event in told:
            if isinstance(event, Went):
                self.nodes.pop(event.node.sg, None)
                self._end(event.node.path)
            else:
                self.nodes[event.node.sg] = event.node
        self._regroup()
        for event in told:
            if isinstance(event, PowerOn | Changed | Came):
                self.post(event.node.path, Cause.RESET if isinstance(event, PowerOn) else Cause.CAME)

    def hear(self, node: str, cause: Cause) -> None:
        """Another program opened or closed a tape node."""
        for worker in self._serving():
            if worker.way.node and worker.way.node == node:
                worker.inbox.put(Event(cause, time.monotonic()))

    def tell(self, bay: Bay, bays: int) -> None:
        """A library tells what is in one of its drives."""
        known = {_who(worker): worker for worker in self._serving()}
        drive = drive_of(bay, tuple(known), bays)
        if drive is not None:
            event = Event(Cause.LIBRARY, time.monotonic(), bay.full, bay.barcode, bay.library)
            known[drive].inbox.put(event)

    def post(self, where: str, cause: Cause) -> None:
        """Wake one worker."""
        if where in self.workers:
            self.workers[where].inbox.put(Event(cause, time.monotonic()))

    def post_all(self, cause: Cause) -> None:
        """Wake every worker."""
        for worker in self._serving():
            worker.inbox.put(Event(cause, time.monotonic()))

    def ask(self, name: str, post: Post) -> Worker:
        """Put a post into the inbox of the drive of that name."""
        worker = self.find(name)
        worker.inbox.put(post)
        return worker

    def find(self, name: str) -> Worker:
        """The worker of a drive by serial number, URI, or any name of its node. NotFound."""
        path, serving = _resolved(name), self._serving()
        for worker in serving:
            if name in (worker.view.serial, worker.way.where, worker.way.node) or path == worker.way.where:
                return worker
        raise NotFound(
            f"the agent serves no drive {name!r}",
            why=f"it serves {', '.join(worker.view.serial or worker.way.where for worker in serving) or 'none'}",
            mend="see tapekey status; name it in agent.drives of the configuration if udev does not tell of it",
        )

    def views(self) -> tuple[DriveView, ...]:
        """Every drive, those that went last."""
        served = self._serving()
        serials = {worker.view.serial for worker in served}
        left = [worker.view for worker in self.gone if worker.view.serial not in serials]
        return (*(worker.view for worker in served), *left)

    def stop(self, seconds: float) -> tuple[str, ...]:
        """Have all workers end, within that time for all of them. Who did not: it goes with the process."""
        served = self._serving()
        until = time.monotonic() + seconds
        for worker in served:
            worker.stop()
        late = tuple(worker for worker in served if not worker.join(until - time.monotonic()))
        for worker in (*late, *self.gone):
            worker.leave()
        return tuple(worker.view.serial or worker.way.where for worker in late)

    def _serving(self) -> tuple[Worker, ...]:
        return tuple(self.workers.values())

    def _regroup(self) -> None:
        """Begin with what is new; what was free of rivals and is not, or the other way, begins anew."""
        ways = {way.where: way for way in self.ways_of(self.nodes.values())}
        for where, worker in tuple(self.workers.items()):
            local = where.startswith("/dev/")
            if local and (where not in ways or ways[where].barred != worker.way.barred):
                self._end(where)
        for where, way in ways.items():
            if where not in self.workers:
                self._begin(way)

    def _begin(self, way: Way) -> None:
        worker = Worker(way, self.company)
        self.workers[way.where] = worker
        worker.start()

    def _end(self, where: str) -> None:
        worker = self.workers.pop(where, None)
        if worker is not None:
            worker.gone()
            self.gone = (*self.gone, worker)[-MOST_GONE:]


def changers(nodes: Iterable[Node]) -> tuple[Node, ...]:
    """The media changers among these nodes."""
    return tuple(node for node in nodes if node.kind is Kind.CHANGER)


def _who(worker: Worker) -> DriveId:
    return DriveId(worker.view.vendor, worker.view.product, worker.view.serial or worker.way.where, worker.way.naa)


def _resolved(name: str) -> str:
    """The sg node behind any name of a drive in /dev; what cannot be resolved names none."""
    if not name.startswith("/dev/"):
        return name
    from tapekey.discovery.resolve import resolve
    from tapekey.errors import TapekeyError

    try:
        return resolve(name).path
    except TapekeyError:
        return ""
