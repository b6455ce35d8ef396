import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tapekey import cli
from tapekey.cli import lab
from tapekey.discovery import sysfs
from tapekey.target import machine
from tests.discovery import tree
from tests.discovery.tree import Tree

Modprobe = Callable[..., list[str]]


@pytest.fixture
def kernel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Tree:
    """A tree in place of /sys."""
    made = Tree(tmp_path / "sys")
    monkeypatch.setattr(sysfs, "SYS", made.sys)
    monkeypatch.setattr(sysfs.scan, "__defaults__", (made.sys,))
    return made


@pytest.fixture
def modprobe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A modprobe that writes down what it is asked, and answers as the file `answer` says."""
    place = tmp_path / "bin"
    place.mkdir()
    program = place / "modprobe"
    program.write_text(f'#!/bin/sh\necho "$@" >>{place}/asked\n[ ! -f {place}/answer ] || . {place}/answer\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{place}{os.pathsep}{os.environ['PATH']}")
    return place


def asked(modprobe: Path) -> list[str]:
    return (modprobe / "asked").read_text().splitlines()


def test_a_virtual_bench_comes_and_goes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    place = tmp_path / "bench"
    assert cli.run(["lab", "virtual", "up", str(place)]) == 0
    try:
        assert machine.served(place / "drive")
        assert cli.run(["cartridge", "show", f"virtual:{place / 'drive'}"]) == 0
        assert "LAB001L6" in capsys.readouterr().out
        assert cli.run(["lab", "virtual", "up", str(place)]) == 115
    finally:
        assert cli.run(["lab", "virtual", "down", str(place)]) == 0
    assert not place.exists()


def test_what_is_no_bench_is_not_removed(tmp_path: Path) -> None:
    (tmp_path / "precious").mkdir()
    assert cli.run(["lab", "virtual", "down", str(tmp_path / "precious")]) == 100
    assert (tmp_path / "precious").exists()


def test_a_process_that_took_the_number_over_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "bench").mkdir()
    (tmp_path / "bench" / lab.MARK).write_text(f"{os.getpid()}\n")
    assert cli.run(["lab", "virtual", "down", str(tmp_path / "bench")]) == 0


def test_scsi_debug_makes_tape_drives_and_shows_their_nodes(
    kernel: Tree, modprobe: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kernel.host("host7", "scsi_debug")
    for number in (0, 1):
        target = tree.DEBUG.replace("7:0:0", f"7:0:{number}")
        kernel.tape(kernel.device(target, sg=number, vendor="Linux", model="scsi_debug"), number)
    assert cli.run(["lab", "scsi-debug", "up", "--drives", "2"]) == 0
    assert asked(modprobe) == ["scsi_debug ptype=1 num_tgts=2 max_luns=1 add_host=1", "sg", "st"]
    assert "/dev/sg1  /dev/nst1  Linux" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("says", "status", "words"),
    [
        ("FATAL: Module scsi_debug not found in directory /lib/modules/6.1", 116, "lab virtual up"),
        ("ERROR: could not insert 'scsi_debug': Operation not permitted", 100, "be root"),
        ("FATAL: Module scsi_debug is in use.", 115, "end what uses"),
    ],
)
def test_why_a_module_does_not_load_is_told_apart(
    kernel: Tree, modprobe: Path, capsys: pytest.CaptureFixture[str], says: str, status: int, words: str
) -> None:
    (modprobe / "answer").write_text(f'echo "modprobe: {says}" >&2; exit 1\n')
    assert cli.run(["lab", "scsi-debug", "up"]) == status
    assert words in capsys.readouterr().err


def test_a_module_that_is_there_already_is_not_loaded_twice(kernel: Tree, modprobe: Path) -> None:
    kernel.file("module/scsi_debug/parameters/ptype", "1\n")
    assert cli.run(["lab", "scsi-debug", "up"]) == 115
    assert cli.run(["lab", "scsi-debug", "down"]) == 0
    assert asked(modprobe) == ["-r scsi_debug"]


def test_somebody_elses_disks_are_not_unloaded(kernel: Tree, modprobe: Path) -> None:
    kernel.file("module/scsi_debug/parameters/ptype", "0\n")
    assert cli.run(["lab", "scsi-debug", "down"]) == 115
    assert not (modprobe / "asked").exists()


def test_there_is_nothing_to_take_down(kernel: Tree, modprobe: Path) -> None:
    assert cli.run(["lab", "scsi-debug", "down"]) == 116


def test_a_host_without_modprobe_says_so(
    kernel: Tree, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert cli.run(["lab", "scsi-debug", "up"]) == 116
    assert "install kmod" in capsys.readouterr().err
