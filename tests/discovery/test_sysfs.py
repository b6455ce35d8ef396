from pathlib import Path

import pytest

from tapekey.discovery.attachment import Link
from tapekey.discovery.sysfs import Kind, Node, scan
from tests.discovery import tree
from tests.discovery.tree import NAA, SERIAL_PAGE, Tree, designators


@pytest.fixture
def sysfs(tmp_path: Path) -> Tree:
    return Tree(tmp_path / "sys")


def test_a_drive_is_joined_to_its_tape_nodes_and_its_changer(sysfs: Tree) -> None:
    sysfs.file("class/sas_device/end_device-4:0/sas_address", "0x500104f000d0e0f1\n")
    drive = sysfs.device(tree.SAS, 0, sg=3, vpd_pg80=SERIAL_PAGE, vpd_pg83=designators((0, 3, NAA)))
    sysfs.tape(drive, 1)
    sysfs.device(tree.SAS, 1, 8, sg=4, model="3573-TL         ")
    found, changer = scan(sysfs.sys)
    assert found == Node(
        sg="sg3",
        kind=Kind.DRIVE,
        place=drive,
        link=Link.SAS,
        port="0x500104f000d0e0f1",
        lasting="pci-0000:2b:00.0-sas-0x500104f000d0e0f1-lun-0",
        driver="st",
        st="st1",
        nst="nst1",
        changer="sg4",
        vendor="IBM",
        product="ULT3580-TD6",
        revision="G350",
        serial_page=SERIAL_PAGE,
        designators_page=designators((0, 3, NAA)),
    )
    assert (changer.kind, changer.product, changer.changer) == (Kind.CHANGER, "3573-TL", None)
    assert (found.path, found.hctl, found.target) == ("/dev/sg3", "4:0:0:0", tree.SAS)


def test_nodes_come_in_the_order_of_their_numbers_and_only_tape(sysfs: Tree) -> None:
    sysfs.device(tree.SAS, sg=10)
    sysfs.device(tree.FC, sg=2)
    sysfs.device(tree.SPI, sg=5, kind=0)
    assert [node.sg for node in scan(sysfs.sys)] == ["sg2", "sg10"]


def test_a_changer_of_another_target_is_not_joined(sysfs: Tree) -> None:
    sysfs.device(tree.SAS, sg=0)
    sysfs.device(tree.FC, 1, 8, sg=1)
    assert scan(sysfs.sys)[0].changer is None


@pytest.mark.parametrize(
    ("target", "driver", "link"),
    [
        (tree.FC, "lpfc", Link.FIBRE_CHANNEL),
        (tree.ISCSI, "iscsi_tcp", Link.ISCSI),
        (tree.USB, "uas", Link.USB),
        (tree.DEBUG, "scsi_debug", Link.SCSI_DEBUG),
        (tree.RAID, "hpsa", Link.OTHER),
    ],
)
def test_the_host_adapters_driver_and_the_path_tell_the_link(sysfs: Tree, target: str, driver: str, link: Link) -> None:
    name = next(part for part in target.split("/") if part.startswith("host"))
    sysfs.host(name, driver)
    sysfs.device(target)
    assert scan(sysfs.sys)[0].link is link


def test_a_parallel_bus_is_seen_by_its_class(sysfs: Tree) -> None:
    sysfs.device(tree.SPI)
    sysfs.file("class/spi_transport/target1:0:5/period", "25")
    assert scan(sysfs.sys)[0].link is Link.PARALLEL


def test_port_addresses_of_fabrics_are_read(sysfs: Tree) -> None:
    sysfs.file("class/fc_remote_ports/rport-3:0-2/port_name", "0x500104f000aabbcc\n")
    sysfs.file("class/iscsi_session/session1/targetname", "iqn.2026-01.test:t\n")
    sysfs.device(tree.FC, sg=0)
    sysfs.device(tree.ISCSI, sg=1)
    assert [node.port for node in scan(sysfs.sys)] == ["0x500104f000aabbcc", "iqn.2026-01.test:t"]


def test_lin_tape_is_named(sysfs: Tree) -> None:
    place = sysfs.device(tree.FC)
    sysfs.link(f"{place}/driver", "bus/scsi/drivers/lin_tape")
    for name in ("IBMtape0", "IBMtape0n"):
        sysfs.node(place, "lin_tape", name, (253, len(name)))
    (node,) = scan(sysfs.sys)
    assert (node.driver, node.ibm, node.nst) == ("lin_tape", "IBMtape0", None)


def test_a_drive_without_tape_node_is_still_found(sysfs: Tree) -> None:
    sysfs.device(tree.SAS)
    assert (scan(sysfs.sys)[0].nst, scan(sysfs.sys)[0].driver) == (None, "")


def test_a_host_without_scsi_has_none(tmp_path: Path) -> None:
    assert scan(tmp_path) == ()


def test_a_device_that_went_while_we_looked_is_left_out(sysfs: Tree) -> None:
    sysfs.device(tree.SAS, sg=0)
    sysfs.device(tree.FC, sg=1)
    sysfs.link("class/scsi_generic/sg7", "devices/gone/scsi_generic/sg7")
    assert [node.sg for node in scan(sysfs.sys)] == ["sg0", "sg1"]
