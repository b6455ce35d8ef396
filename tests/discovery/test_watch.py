"""Events in the order, and as late, as real kernels and udev were seen to send them: sg first, st after, UDEV last."""

import errno
from dataclasses import replace
from types import SimpleNamespace

import pytest

from tapekey.discovery.sysfs import Kind, Node
from tapekey.discovery.watch import HELD, Came, Changed, Event, Feed, PowerOn, Uevent, Watch, Went
from tests.discovery.tree import DEBUG

PLACE = f"{DEBUG}/7:0:0:0"
DRIVE = Node("sg0", Kind.DRIVE, PLACE, driver="st", st="st0", nst="nst0")
BARE = replace(DRIVE, driver="", st=None, nst=None)
SECOND = Node("sg1", Kind.DRIVE, PLACE.replace("7:0:0", "7:0:1"))


def sg(action: str, node: Node = DRIVE) -> Uevent:
    return Uevent(action, "scsi_generic", f"{node.place}/scsi_generic/{node.sg}")


def st(action: str) -> Uevent:
    return Uevent(action, "scsi_tape", f"{PLACE}/scsi_tape/nst0")


def attention(what: str, place: str = PLACE) -> Uevent:
    return Uevent("change", "scsi", place, what)


POWERED = attention("POWER_ON_RESET_OCCURRED")
STRANGER = attention("POWER_ON_RESET_OCCURRED", "/devices/x/9:0:0:0")
INQUIRY = attention("INQUIRY_DATA_HAS_CHANGED")
MODE_OF_ST = Uevent("add", "scsi_tape", f"{PLACE}/scsi_tape/nst0a")

# What was known, the batch, what sysfs shows now, what is told.
# fmt: off
STEPS: dict[str, tuple[list[Node], list[Uevent], list[Node], list[Event]]] = {
    "a drive comes":                       ([], [sg("add")], [BARE], [Came(BARE)]),
    "its tape node comes later":           ([BARE], [st("add")], [DRIVE], [Changed(DRIVE)]),
    "udev has done with it":               ([DRIVE], [sg("add")], [DRIVE], [Changed(DRIVE)]),
    "a mode of st is nothing new":         ([DRIVE], [MODE_OF_ST], [DRIVE], []),
    "a drive goes":                        ([DRIVE], [sg("remove")], [], [Went(DRIVE)]),
    "it is gone before udev says so":      ([DRIVE], [st("remove")], [], [Went(DRIVE)]),
    "the late remove is nothing new":      ([], [sg("remove")], [], []),
    "an add after the remove":             ([], [sg("add")], [], []),
    "another device under the number":     ([DRIVE], [sg("remove"), sg("add")], [DRIVE], [Went(DRIVE), Came(DRIVE)]),
    "another place under the number":      ([DRIVE], [sg("add")], [replace(SECOND, sg="sg0")],
                                            [Went(DRIVE), Came(replace(SECOND, sg="sg0"))]),
    "one of two goes":                     ([DRIVE, SECOND], [sg("remove", SECOND)], [DRIVE], [Went(SECOND)]),
    "power-on or reset":                   ([DRIVE], [POWERED], [DRIVE], [PowerOn(DRIVE)]),
    "power-on of a device not ours":       ([DRIVE], [STRANGER], [DRIVE], []),
    "power-on of one that just came":      ([], [POWERED], [DRIVE], [Came(DRIVE)]),
    "power-on of one that went":           ([DRIVE], [POWERED], [], [Went(DRIVE)]),
    "its identity may have changed":       ([DRIVE], [INQUIRY], [DRIVE], [Changed(DRIVE)]),
    "another attention and power-on":      ([DRIVE], [attention("MODE_PARAMETERS_CHANGED"), POWERED], [DRIVE],
                                            [Changed(DRIVE), PowerOn(DRIVE)]),
    "events were lost":                    ([DRIVE], [], [SECOND], [Went(DRIVE), Came(SECOND)]),
}
# fmt: on


@pytest.mark.parametrize(("known", "batch", "now", "told"), STEPS.values(), ids=STEPS)
def test_a_batch_tells_what_sysfs_bears_out(
    known: list[Node], batch: list[Uevent], now: list[Node], told: list[Event]
) -> None:
    watch = Watch(lambda: tuple(now), {node.sg: node for node in known})
    assert watch.receive(tuple(batch)) == told


def test_nothing_is_told_twice() -> None:
    watch = Watch(lambda: (DRIVE,), {})
    assert watch.receive((sg("add"),)) == [Came(DRIVE)]
    assert watch.receive((st("add"),)) == []


class Storm:
    """A monitor whose events never end, each a hundredth of a second after the other."""

    def __init__(self, events: float = float("inf"), lost_at: int = -1) -> None:
        self.left, self.now, self.lost_at, self.polled = events, 0.0, lost_at, 0
        self.patience: list[float | None] = []

    def fileno(self) -> int:
        return 7

    def poll(self, patience: float | None) -> object:
        self.patience.append(patience)
        self.polled += 1
        if self.polled == self.lost_at:
            raise OSError(errno.ENOBUFS, "no buffer space available")
        if not self.left:
            return None
        self.left, self.now = self.left - 1, self.now + 0.01
        return SimpleNamespace(
            action="change", subsystem="scsi", device_path=PLACE, properties={"SDEV_UA": "POWER_ON_RESET_OCCURRED"}
        )


def feed(storm: Storm) -> Feed:
    return Feed(storm, Watch(lambda: (DRIVE,), {DRIVE.sg: DRIVE}), lambda: storm.now)


def test_storm_is_told_of_in_its_middle() -> None:
    storm = Storm()
    assert feed(storm).wait() == [PowerOn(DRIVE)]
    assert storm.now <= HELD + 0.02


def test_receive_waits_for_nothing() -> None:
    storm = Storm(events=3)
    assert feed(storm).receive() == [PowerOn(DRIVE)]
    assert set(storm.patience) == {0.0}
    assert feed(storm).receive() == []
    assert feed(storm).descriptor == 7


def test_lost_events_are_answered_by_a_look() -> None:
    storm = Storm(events=0, lost_at=1)
    watch = Feed(storm, Watch(lambda: (SECOND,), {DRIVE.sg: DRIVE}), lambda: storm.now)
    assert watch.receive() == [Went(DRIVE), Came(SECOND)]
