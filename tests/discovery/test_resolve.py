import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tapekey.discovery.resolve import device_number, resolve
from tapekey.errors import NotFound, TransportFailed, Usage
from tests.discovery import tree
from tests.discovery.tree import Tree


@pytest.fixture
def sysfs(tmp_path: Path) -> Tree:
    made = Tree(tmp_path / "sys")
    made.tape(made.device(tree.SAS, sg=3), 1)
    made.tape(made.device(tree.FC, sg=0), 0)
    made.device(tree.SAS, 1, 8, sg=4)
    made.device(tree.SPI, sg=5, kind=0)
    return made


def number(*pair: int) -> Callable[[str], tuple[int, int]]:
    return lambda _: (pair[0], pair[1])


@pytest.mark.parametrize(
    ("pair", "sg"), [((21, 3), "sg3"), ((9, 1), "sg3"), ((9, 129), "sg3"), ((9, 225), "sg3"), ((9, 0), "sg0")]
)
def test_every_node_of_a_drive_leads_to_its_sg_node(sysfs: Tree, pair: tuple[int, int], sg: str) -> None:
    assert resolve("/dev/whatever", sysfs.sys, number(*pair)).sg == sg


def test_a_changer_is_resolved_too(sysfs: Tree) -> None:
    assert resolve("/dev/sch0", sysfs.sys, number(21, 4)).kind.name == "CHANGER"


def test_the_name_is_not_believed(sysfs: Tree) -> None:
    assert resolve("/dev/sg0", sysfs.sys, number(21, 3)).sg == "sg3"


def test_a_disk_is_refused(sysfs: Tree) -> None:
    with pytest.raises(Usage, match="neither a drive nor a changer"):
        resolve("/dev/sg5", sysfs.sys, number(21, 5))


def test_a_terminal_is_refused(sysfs: Tree) -> None:
    with pytest.raises(Usage, match="no SCSI device"):
        resolve("/dev/tty", sysfs.sys, number(5, 0))


def test_a_tape_node_without_sg_says_which_driver_is_missing(sysfs: Tree) -> None:
    sysfs.tape(sysfs.device(tree.USB, sg=None), 7)
    with pytest.raises(TransportFailed, match="has no sg node") as caught:
        resolve("/dev/nst7", sysfs.sys, number(9, 135))
    assert caught.value.mend == "modprobe sg"


def test_numbers_come_from_the_node(tmp_path: Path) -> None:
    link = tmp_path / "by-id"
    link.symlink_to("/dev/null")
    assert device_number(str(link)) == (1, 3)


def test_a_missing_node_and_a_dangling_link_are_told_apart(tmp_path: Path) -> None:
    link = tmp_path / "by-id"
    link.symlink_to(tmp_path / "nst0")
    with pytest.raises(NotFound, match=f"points to {tmp_path}/nst0"):
        device_number(str(link))
    with pytest.raises(NotFound) as caught:
        device_number(str(tmp_path / "other"))
    assert caught.value.why == ""


def test_a_file_is_no_device(tmp_path: Path) -> None:
    file = tmp_path / "sg0"
    file.touch()
    with pytest.raises(Usage, match="no character device"):
        device_number(str(file))


def test_a_path_that_may_not_be_looked_at_is_not_an_absent_one(monkeypatch: pytest.MonkeyPatch) -> None:
    def denied(path: str) -> os.stat_result:
        raise PermissionError(13, "Permission denied")

    with monkeypatch.context() as patched:
        patched.setattr(os, "stat", denied)
        with pytest.raises(TransportFailed, match="Permission denied"):
            device_number("/dev/sg0")
