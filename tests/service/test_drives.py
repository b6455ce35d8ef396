"""Drives come and go with their devices: who is served, by whom, and what wakes whom."""

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import pytest

from tapekey.discovery.sysfs import Kind, Node
from tapekey.discovery.watch import Came, PowerOn, Went
from tapekey.drive.in_library import Bay
from tapekey.errors import NotFound
from tapekey.exchange import Transport
from tapekey.scsi.changer_status import DriveName
from tapekey.scsi.vital import CodeSet, DesignatorType
from tapekey.service.alarms import Alarms
from tapekey.service.drives import Drives, changers
from tapekey.service.events import Cause
from tapekey.service.own_nexus import OwnNexus
from tapekey.service.view import State
from tapekey.service.worker import Way
from tests.rig import Rig, rig
from tests.service.crew import company, until


def node(number: int, kind: Kind = Kind.DRIVE) -> Node:
    return Node(f"sg{number}", kind, f"/devices/{number}:0:0:0", nst=f"nst{number}")


def serving(bench: Rig, *, barred: Callable[[Node], str] = lambda _: "") -> Drives:
    """Every node is a way to the rig's drive, which goes by another name at each."""

    def ways(nodes: Iterable[Node]) -> tuple[Way, ...]:
        return tuple(_way(bench, each, barred(each)) for each in nodes if each.kind is Kind.DRIVE)

    return Drives(company(bench, Alarms()), ways)


def _way(bench: Rig, each: Node, barred: str) -> Way:
    def reach() -> AbstractContextManager[Transport]:
        return nullcontext(bench.machine.transport(each.sg))

    more: dict[str, Any] = {"serial": f"DRIVE-{each.sg}", "node": f"/dev/{each.nst}", "barred": barred}
    return Way(each.path, reach, OwnNexus, lambda device, _: nullcontext(device), bench.options(), **more)


def told(drives: Drives) -> dict[str, State]:
    return {view.serial: view.state for view in drives.views()}


def test_a_device_that_comes_is_served_and_one_that_went_is_told_as_gone(tmp_path: Path) -> None:
    with rig(tmp_path, inserted=False) as bench:
        drives = serving(bench)
        drives.begin([node(1)])
        drives.see([Came(node(2))])
        until(lambda: set(told(drives)) == {"DRIVE-sg1", "DRIVE-sg2"})
        drives.see([Went(node(1))])
        assert told(drives) == {"DRIVE-sg2": State.PENDING, "DRIVE-sg1": State.GONE}
        drives.see([Came(node(1))])
        assert drives.find("DRIVE-sg1").view.state is State.PENDING
        assert drives.stop(10.0) == ()


def test_a_rival_that_comes_bars_both_and_its_going_frees_the_other(tmp_path: Path) -> None:
    with rig(tmp_path, inserted=False) as bench:
        drives = serving(bench, barred=lambda each: "two go by one name" if len(drives.nodes) == 2 else "")
        drives.begin([node(1)])
        drives.see([Came(node(2))])
        until(lambda: {view.why for view in drives.views() if view.state is State.PENDING} == {"two go by one name"})
        drives.see([Went(node(2))])
        assert drives.find("DRIVE-sg1").way.barred == ""
        assert drives.stop(10.0) == ()


def test_what_happens_to_one_drive_wakes_its_worker_alone(tmp_path: Path) -> None:
    with rig(tmp_path, inserted=False) as bench:
        drives = serving(bench)
        drives.nodes = {each.sg: each for each in (node(1), node(2))}
        drives.workers = {f"/dev/{sg}": Quiet(_way(bench, each, "")) for sg, each in drives.nodes.items()}  # type: ignore[misc]
        drives.hear("/dev/nst2", Cause.OPENED)
        drives.see([PowerOn(node(1))])
        name = DriveName(CodeSet.ASCII, DesignatorType.VENDOR_SPECIFIC, b"DRIVE-sg2")
        drives.tell(Bay("LIB", 256, True, "ENC001L6", name), 2)
        assert {where: worker.heard for where, worker in drives.workers.items()} == {  # type: ignore[attr-defined]
            "/dev/sg1": [Cause.RESET],
            "/dev/sg2": [Cause.OPENED, Cause.LIBRARY],
        }


class Quiet:
    """What stands in the place of a worker where only its inbox matters."""

    def __init__(self, way: Way) -> None:
        self.way, self.inbox = way, self
        self.heard: list[Cause] = []
        self.view = type("View", (), {"serial": way.serial, "vendor": "", "product": ""})

    def put(self, post: Any) -> None:
        self.heard.append(post.cause)


def test_a_drive_goes_by_serial_number_place_and_node(tmp_path: Path) -> None:
    with rig(tmp_path, inserted=False) as bench:
        drives = serving(bench)
        drives.begin([node(1)])
        found = {drives.find(name).way.where for name in ("DRIVE-sg1", "/dev/sg1", "/dev/nst1")}
        assert found == {"/dev/sg1"}
        with pytest.raises(NotFound, match="serves no drive 'DRIVE-sg2'") as caught:
            drives.find("DRIVE-sg2")
        assert "DRIVE-sg1" in caught.value.why
        assert drives.stop(10.0) == ()


def test_changers_are_told_from_drives() -> None:
    assert changers([node(1), node(2, Kind.CHANGER)]) == (node(2, Kind.CHANGER),)
