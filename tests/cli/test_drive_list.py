import json
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tapekey import cli, host
from tapekey.discovery import resolve
from tests.discovery import tree
from tests.discovery.bay import Bay
from tests.discovery.tree import NAA, SERIAL_PAGE, Tree, designators


@pytest.fixture
def sysfs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Tree:
    """A tree in place of /sys, virtual drives in place of what is behind /dev/sg0 and /dev/sg1."""
    made = Tree(tmp_path / "sys")
    bay = Bay(tmp_path)
    bay.put("/dev/sg0", "A")
    bay.put("/dev/sg1", "B")

    numbers = {f"/dev/sg{number}": (21, number) for number in range(9)} | {"/dev/tape/by-id/scsi-A": (21, 0)}
    monkeypatch.setattr(host, "open_node", bay.open)
    monkeypatch.setattr(host, "drives", partial(host.drives, made.sys, bay.open))
    monkeypatch.setattr(host, "demand_unique", partial(host.demand_unique, sys=made.sys))
    monkeypatch.setattr(resolve, "resolve", partial(resolve.resolve, sys=made.sys, number=numbers.__getitem__))
    return made


@pytest.fixture
def opening(tmp_path: Path) -> list[str]:
    key = tmp_path / "root.key"
    key.touch(mode=0o600)
    key.write_bytes(bytes(range(32)))
    words = ["--store", str(tmp_path / "store"), "--key-file", str(key)]
    assert cli.run(["keystore", "init", "--unsafe-single-copy", *words]) == 0
    return words


def listed(capsys: pytest.CaptureFixture[str], *words: str) -> list[dict[str, Any]]:
    capsys.readouterr()
    assert cli.run(["drive", "list", "--json", *words]) == 0
    rows = json.loads(capsys.readouterr().out)["drives"]
    assert isinstance(rows, list)
    return rows


def test_a_row_tells_who_and_where(sysfs: Tree, capsys: pytest.CaptureFixture[str]) -> None:
    sysfs.tape(sysfs.device(tree.SPI))
    sysfs.file("class/spi_transport/target1:0:5/period", "25")
    (row,) = listed(capsys)
    assert row.pop("naa")
    assert row == {
        "where": "/dev/sg0",
        "tape": "/dev/nst0",
        "changer": None,
        "driver": "st",
        "link": "scsi",
        "place": "pci-0000:05:01.0-scsi-0:5-lun-0",
        "vendor": "IBM",
        "product": "ULT3580-TD6",
        "serial": "A",
        "paths": ["/dev/sg0"],
        "state": None,
        "why": None,
    }


def test_people_get_a_table(sysfs: Tree, capsys: pytest.CaptureFixture[str]) -> None:
    sysfs.device(tree.USB)
    assert cli.run(["drive", "list"]) == 0
    head, line = capsys.readouterr().out.splitlines()
    assert head.split() == ["where", "tape", "vendor", "product", "serial", "naa", "link", "state", "why"]
    assert line.endswith("attached by usb: approve it with --allow usb")


def test_a_trusted_drive_is_pending_until_it_is_approved(
    sysfs: Tree, opening: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    sysfs.device(tree.SPI)
    sysfs.file("class/spi_transport/target1:0:5/period", "25")
    assert listed(capsys, *opening)[0]["state"] == "pending"
    assert cli.run(["drive", "approve", "/dev/sg0", "--allow", "virtual", *opening]) == 0
    assert listed(capsys, *opening)[0]["state"] == "approved"
    assert listed(capsys, "--approved", *opening)[0]["where"] == "pci-0000:05:01.0-scsi-0:5-lun-0"


@pytest.mark.parametrize(
    ("target", "driver", "word"),
    [
        (tree.ISCSI, "iscsi_tcp", "iscsi"),
        (tree.USB, "uas", "usb"),
        (tree.DEBUG, "scsi_debug", "scsi-debug"),
        (tree.VIRTIO, "virtio_scsi", "virtual"),
        (tree.RAID, "megaraid_sas", "other"),
    ],
)
def test_what_is_attached_otherwise_has_to_be_named(
    sysfs: Tree, opening: list[str], target: str, driver: str, word: str, capsys: pytest.CaptureFixture[str]
) -> None:
    sysfs.host(next(part for part in target.split("/") if part.startswith("host")), driver)
    sysfs.device(target)
    assert cli.run(["drive", "approve", "/dev/sg0", "--allow-virtual", *opening]) == 100
    assert f"--allow {word}" in capsys.readouterr().err
    assert cli.run(["drive", "approve", "/dev/sg0", "--allow-virtual", "--allow", word, *opening]) == 0


def test_allowing_one_kind_allows_no_other(sysfs: Tree, opening: list[str]) -> None:
    sysfs.device(tree.USB)
    assert cli.run(["drive", "approve", "/dev/sg0", "--allow-virtual", "--allow", "iscsi", *opening]) == 100


def test_two_of_one_name_are_refused(sysfs: Tree, opening: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    pages: dict[str, Any] = {"vpd_pg80": SERIAL_PAGE[:3] + bytes([1]) + b"A", "vpd_pg83": designators((0, 3, NAA))}
    sysfs.device(tree.USB)
    sysfs.device(tree.ISCSI, sg=7, **pages)
    words = ["drive", "approve", "/dev/sg0", "--allow-virtual", "--allow", "usb", *opening]
    assert cli.run(words) == 109
    assert "both claim serial number A" in capsys.readouterr().err
    assert {row["state"] for row in listed(capsys)} == {"refused"}


def test_one_of_two_with_one_name_can_be_looked_at_and_nothing_more(sysfs: Tree, opening: list[str]) -> None:
    pages: dict[str, Any] = {"vpd_pg80": SERIAL_PAGE, "vpd_pg83": designators((0, 3, NAA))}
    sysfs.device(tree.USB, **pages)
    sysfs.device(tree.ISCSI, sg=1, **pages)
    assert cli.run(["drive", "show", "/dev/sg0"]) == 0
    assert cli.run(["drive", "clear-key", "/dev/sg0", *opening]) == 109


def test_any_name_of_a_drive_leads_to_its_sg_node(sysfs: Tree, capsys: pytest.CaptureFixture[str]) -> None:
    sysfs.device(tree.USB)
    assert cli.run(["drive", "show", "/dev/tape/by-id/scsi-A", "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert (facts["serial"], facts["where"], facts["link"]) == ("A", "/dev/sg0", "usb")


def test_a_node_that_cannot_be_opened_is_listed(sysfs: Tree, capsys: pytest.CaptureFixture[str]) -> None:
    sysfs.device(tree.FC, sg=5, vpd_pg80=SERIAL_PAGE)
    (row,) = listed(capsys)
    assert (row["serial"], row["state"]) == ("10WT012345", "not asked")
    assert "Permission denied" in row["why"]


@pytest.mark.parametrize("words", [["--help"], ["drive", "list"], ["drive", "--help"]])
def test_neither_the_database_nor_x509_is_imported(words: list[str]) -> None:
    program = (
        "import sys; from tapekey import cli; status = cli.run(sys.argv[1:]); "
        "heavy = [m for m in sys.modules if m.partition('.')[0] == 'sqlalchemy' or m.startswith('cryptography.x509')]; "
        "sys.exit(status or bool(heavy))"
    )
    assert subprocess.run([sys.executable, "-c", program, *words], check=False, timeout=60).returncode == 0
