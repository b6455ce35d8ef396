"""Saved through one drive, restored through the other: with `mtx`, `tapekey` and `tar` on real nodes."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.kernel.cases.library import bench
from tests.kernel.cases.library.bench import KEYSTORE, MEANT, Bench, program, tape

SIZE = 1 << 20


@pytest.fixture
def content(tmp_path: Path) -> bytes:
    """Random, so that it is on a medium as it is wherever it is in clear."""
    made = os.urandom(SIZE)
    (tmp_path / "content").write_bytes(made)
    return made


def tar(node: str, place: Path, *words: str) -> subprocess.CompletedProcess[str]:
    line = ("tar", "--blocking-factor=128", "-f", node, "-C", str(place), *words)
    return subprocess.run(line, capture_output=True, text=True, check=False)


def test_what_is_saved_in_one_drive_is_restored_in_the_other(library: Bench, content: bytes, tmp_path: Path) -> None:
    first, other = library.drives
    with library.loaded(1, 0):
        done = program("save", first.path, *MEANT, *KEYSTORE)
        assert done.returncode == 0, done.stderr
        assert "ENC001L8" in done.stdout
        assert tar(tape(first), tmp_path, "-c", "content").returncode == 0
    assert not bench.on_medium("ENC001L8", content)
    with library.loaded(1, 1):
        without_key = tar(tape(other), tmp_path, "-t")
        assert without_key.returncode != 0, without_key.stdout
        bench.run("mt", "-f", tape(other), "rewind")
        bench.restore(other)
        compared = tar(tape(other), tmp_path, "--compare")
        assert compared.returncode == 0, compared.stdout + compared.stderr


def test_key_goes_with_the_cartridge(library: Bench, content: bytes, tmp_path: Path) -> None:
    drive = library.drives[0]
    with library.loaded(2):
        bench.save(drive)
    with library.loaded(3):
        refused = tar(tape(drive), tmp_path, "-c", "content")
        assert refused.returncode != 0
    assert not bench.on_medium("ENC003L8", content)


def test_unload_of_ours_then_of_the_changer(
    library: Bench, content: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    drive = library.drives[0]
    with library.loaded(4):
        bench.save(drive)
        assert tar(tape(drive), tmp_path, "-c", "content").returncode == 0
        bench.tapekey("unload", drive.path)
        assert "first clear behind  none" in capsys.readouterr().out


def test_cartridge_without_a_rule_is_written_in_clear_and_found_so(
    library: Bench, content: bytes, tmp_path: Path
) -> None:
    """Shows that content would be found on a medium if it were there."""
    drive = library.drives[1]
    with library.loaded(24, 1):
        bench.save(drive)
        done = tar(tape(drive), tmp_path, "-c", "content")
        assert done.returncode == 0, done.stderr
        assert bench.on_medium("CLR002L8", content)
