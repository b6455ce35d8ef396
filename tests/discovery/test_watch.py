"""Events in the order, and as late, as real kernels and udev were seen to send them: sg first, st after, UDEV last."""

from dataclasses import replace

import pytest

from tapekey.discovery.sysfs import Kind, Node
from tapekey.discovery.watch import Came, Changed, Event, PowerOn, Uevent, Watch, Went
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
