"""Nodes joined with identities: trees of sysfs for the nodes, virtual drives for what is behind them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tapekey import host
from tapekey.discovery.sysfs import scan
from tapekey.errors import DriveUnknown
from tests.discovery import tree
from tests.discovery.bay import Bay
from tests.discovery.tree import NAA, SERIAL_PAGE, Tree, designators


@pytest.fixture
def bay(tmp_path: Path) -> Iterator[Bay]:
    made = Bay(tmp_path)
    with made.stack:
        yield made


@pytest.fixture
def sysfs(tmp_path: Path) -> Tree:
    return Tree(tmp_path / "sys")


def test_drives_are_known_by_what_they_say_of_themselves(sysfs: Tree, bay: Bay) -> None:
    sysfs.device(tree.SAS, sg=0, vpd_pg80=SERIAL_PAGE)
    sysfs.device(tree.FC, sg=1)
    sysfs.device(tree.SAS, 1, 8, sg=2)
    bay.put("/dev/sg0", "A")
    bay.put("/dev/sg1", "B")
    found = host.drives(sysfs.sys, bay.open)
    assert [str(each.sightings[0].who) for each in found] == ["A", "B"]
    assert [each.objection for each in found] == ["", ""]


def test_one_drive_by_two_adapters_is_one(sysfs: Tree, bay: Bay) -> None:
    for target, name in ((tree.SAS, "end_device-4:0"), (tree.SAS.replace("4:0", "5:0"), "end_device-5:0")):
        sysfs.file(f"class/sas_device/{name}/sas_address", "0x500104f000d0e0f1")
        sysfs.device(target, sg=int(name[11]))
    bay.put("/dev/sg4", "A")
    bay.transports["/dev/sg5"] = bay.transports["/dev/sg4"]
    (only,) = host.drives(sysfs.sys, bay.open)
    assert [each.node.sg for each in only.sightings] == ["sg4", "sg5"]
    assert not only.objection


def test_what_cannot_be_opened_is_listed_with_the_kernels_copy_and_the_reason(sysfs: Tree, bay: Bay) -> None:
    sysfs.device(tree.SAS, vpd_pg80=SERIAL_PAGE, vpd_pg83=designators((0, 3, NAA), (1, 4, b"\0\0\0\2")))
    (only,) = host.drives(sysfs.sys, bay.open)
    claim = only.sightings[0].claim
    assert (claim.serial, claim.naa, claim.relative_port) == ("10WT012345", NAA, 2)
    assert only.objection == "cannot open /dev/sg0: Permission denied"


@pytest.mark.parametrize("target", [tree.ISCSI, tree.USB, tree.MHVTL, tree.RAID])
def test_links_that_need_naming_are_told(sysfs: Tree, bay: Bay, target: str) -> None:
    sysfs.device(target)
    bay.put("/dev/sg0", "A")
    assert "--allow" in host.drives(sysfs.sys, bay.open)[0].objection


def test_a_rival_is_found_in_the_kernels_copies(sysfs: Tree, bay: Bay) -> None:
    sysfs.device(tree.SAS, sg=0)
    sysfs.device(tree.FC, sg=1, vpd_pg80=SERIAL_PAGE, vpd_pg83=designators((0, 3, NAA)))
    bay.put("/dev/sg0", "10WT012345")
    node = scan(sysfs.sys)[0]
    who = host.sight(node, bay.open).who
    assert who is not None
    with pytest.raises(DriveUnknown, match="both claim serial number 10WT012345"):
        host.demand_unique(node, who, sysfs.sys)


def test_a_rival_is_found_without_asking_either(sysfs: Tree) -> None:
    pages = {"vpd_pg80": SERIAL_PAGE, "vpd_pg83": designators((0, 3, NAA))}
    sysfs.device(tree.SAS, sg=0, **pages)  # type: ignore[arg-type]
    sysfs.device(tree.FC, sg=1, **pages)  # type: ignore[arg-type]
    sysfs.device(tree.SPI, sg=2)
    for node in scan(sysfs.sys)[:2]:
        with pytest.raises(DriveUnknown, match="/dev/sg0 and /dev/sg1"):
            host.demand_unique(node, sys=sysfs.sys)
    assert not host.demand_unique(scan(sysfs.sys)[2], sys=sysfs.sys).refused


def test_a_drive_alone_is_unique(sysfs: Tree, bay: Bay) -> None:
    sysfs.device(tree.SAS, sg=0, vpd_pg80=SERIAL_PAGE)
    bay.put("/dev/sg0", "10WT012345")
    node = scan(sysfs.sys)[0]
    who = host.sight(node, bay.open).who
    assert who is not None
    assert [claim.node for claim in host.demand_unique(node, who, sysfs.sys).claims] == [node]


@pytest.mark.parametrize("junk", [b"", b"\x01", b"\x01\x83\x00\xff", b"\x01\x80\x00\x04ABCD", bytes(300)])
def test_whatever_the_kernel_keeps_is_a_claim_or_none(sysfs: Tree, junk: bytes) -> None:
    sysfs.device(tree.SAS, vpd_pg80=junk, vpd_pg83=junk)
    assert host.remembered(scan(sysfs.sys)[0]).naa == b""
