"""What came, changed and went, from udev's events; sysfs alone is believed.

An event says when to look, not what is there: udev's adds can arrive after the kernel has removed the device again,
and its removes after the next device has taken the number. So each batch of events is followed by a scan, and what
differs from the last one is told. Two things only an event tells: that a node of a known name was another device
before, and that a drive reported power-on or reset (SDEV_UA of a change, from the kernel's scsi_lib.c): its keys may
be gone.
"""

import errno
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tapekey.discovery.sysfs import SYS, Node, scan
from tapekey.errors import TransportFailed

if TYPE_CHECKING:
    import pyudev

POWER_ON: Final = "POWER_ON_RESET_OCCURRED"
SUBSYSTEMS: Final = ("scsi", "scsi_generic", "scsi_tape")
ROOM: Final = 8 << 20  # bytes of events that may wait: 16 drives send some 250 at once
SETTLE: Final = 0.05  # seconds without an event that end a batch
LONGEST: Final = 1024  # events, however fast the next ones come
HELD: Final = 0.5  # seconds that the first of a batch waits for the others at most


@dataclass(frozen=True, slots=True)
class Uevent:
    """What is used of one: its action, subsystem, path in sysfs and, of a change, SDEV_UA."""

    action: str
    subsystem: str
    place: str
    attention: str = ""

    @property
    def name(self) -> str:
        return self.place.rpartition("/")[2]


@dataclass(frozen=True, slots=True)
class Came:
    node: Node


@dataclass(frozen=True, slots=True)
class Changed:
    """The node is the same device; what is known of it, or who may open it, may have changed."""

    node: Node


@dataclass(frozen=True, slots=True)
class PowerOn:
    """The device was powered on or reset: keys, locks and mode values may be gone."""

    node: Node


@dataclass(frozen=True, slots=True)
class Went:
    node: Node


Event = Came | Changed | PowerOn | Went


@dataclass(slots=True)
class Watch:
    """The nodes as they were told last; `look` is a scan."""

    look: Callable[[], tuple[Node, ...]]
    told: dict[str, Node]

    def receive(self, batch: tuple[Uevent, ...]) -> list[Event]:
        """What a batch of events, and the look that it calls for, amounts to."""
        before, now = self.told, {node.sg: node for node in self.look()}
        self.told = now
        removed = {each.name for each in batch if (each.subsystem, each.action) == ("scsi_generic", "remove")}
        gone = {sg: node for sg, node in before.items() if sg in removed or _other(node, now.get(sg))}
        fresh = {sg: node for sg, node in now.items() if sg not in before or sg in gone}
        stayed = {sg: node for sg, node in now.items() if sg not in fresh}
        return [
            *map(Went, gone.values()),
            *map(Came, fresh.values()),
            *(Changed(node) for sg, node in stayed.items() if node != before[sg] or _touched(node, batch)),
            *(PowerOn(node) for node in stayed.values() if _powered_on(node, batch)),
        ]


def _other(before: Node, now: Node | None) -> bool:
    return now is None or (now.place, now.kind) != (before.place, before.kind)


def _touched(node: Node, batch: tuple[Uevent, ...]) -> bool:
    """udev has done with the node (it may be opened now), or the device said that its data changed."""
    for each in batch:
        if each.subsystem == "scsi_generic" and each.name == node.sg and each.action in {"add", "change"}:
            return True
        if each.attention and each.attention != POWER_ON and each.place == node.place:
            return True
    return False


def _powered_on(node: Node, batch: tuple[Uevent, ...]) -> bool:
    return any(each.attention == POWER_ON and each.place == node.place for each in batch)


@dataclass(frozen=True, slots=True)
class Feed:
    """Events as they come. An empty list: there is nothing to tell."""

    monitor: "pyudev.Monitor"
    watch: Watch
    clock: Callable[[], float] = time.monotonic

    @property
    def descriptor(self) -> int:
        """For select and epoll: when it is readable, `receive` has something to look at."""
        return int(self.monitor.fileno())

    def receive(self) -> list[Event]:
        """Tell what came of the events that are there, without waiting for more."""
        return self._batch(0.0, settle=0.0)

    def wait(self, seconds: float | None = None) -> list[Event]:
        """Wait for a batch of udev's events and tell what came of it; a storm is told of in the middle."""
        return self._batch(seconds, settle=SETTLE)

    def _batch(self, patience: float | None, settle: float) -> list[Event]:
        batch: list[Uevent] = []
        overrun, latest = False, float("inf")
        while len(batch) < LONGEST and self.clock() < latest:
            try:
                device = self.monitor.poll(patience)
            except OSError as error:
                if error.errno != errno.ENOBUFS:
                    raise
                overrun, device = True, None
            if device is None:
                break
            if not batch:
                latest = self.clock() + HELD
            batch.append(_uevent(device))
            patience = settle
        return self.watch.receive(tuple(batch)) if batch or overrun else []


@contextmanager
def follow(sys: Path = SYS) -> Iterator[tuple[tuple[Node, ...], Feed]]:
    """What is there now, and a feed of what happens from now on: nothing falls between the two."""
    import pyudev

    try:
        monitor = pyudev.Monitor.from_netlink(pyudev.Context(), source="udev")
        for name in SUBSYSTEMS:
            monitor.filter_by(name)
        _make_room(monitor)
        monitor.start()
    except (OSError, ImportError) as error:
        raise TransportFailed("udev's events cannot be received", why=str(error)) from error
    nodes = scan(sys)
    yield nodes, Feed(monitor, Watch(lambda: scan(sys), {node.sg: node for node in nodes}))


def _make_room(monitor: "pyudev.Monitor") -> None:
    try:
        monitor.set_receive_buffer_size(ROOM)
    except OSError:
        return  # only root may; an overrun is noticed and answered by a scan


def _uevent(device: "pyudev.Device") -> Uevent:
    attention = device.properties.get("SDEV_UA", "")
    return Uevent(device.action or "", device.subsystem or "", device.device_path, attention)
