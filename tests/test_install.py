"""`make install` into a directory: what lies where, and that it runs from there."""

import os
import re
import subprocess
import sysconfig
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
HOME = "usr/local/lib/tapekey"


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """DESTDIR. The locked dependencies are left to the interpreter's own packages: nothing is fetched."""
    place = tmp_path_factory.mktemp("destdir")
    environment = {**os.environ, "DEPENDENCIES": "none"}
    command = ["make", "--no-print-directory", "install", f"DESTDIR={place}"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return place


def test_every_file_is_in_its_place(installed: Path) -> None:
    files = {str(path.relative_to(installed)) for path in installed.rglob("*") if path.is_file()}
    assert {
        "usr/local/bin/tapekey",
        "usr/local/share/man/man1/tapekey.1",
        "usr/local/share/man/man1/tapekey-drive.1",
        "usr/local/share/bash-completion/completions/tapekey",
        "usr/local/share/zsh/site-functions/_tapekey",
        "usr/local/share/fish/vendor_completions.d/tapekey.fish",
        "usr/lib/udev/rules.d/61-tapekey.rules",
        "usr/lib/sysusers.d/tapekey.conf",
        "usr/lib/tmpfiles.d/tapekey.conf",
        "usr/local/share/tapekey/udev/72-tapekey-private.rules",
    } <= files


def test_what_is_opt_in_is_not_in_force(installed: Path) -> None:
    assert [path.name for path in (installed / "usr/lib/udev/rules.d").iterdir()] == ["61-tapekey.rules"]


def test_no_file_knows_where_it_was_put_together(installed: Path) -> None:
    knowing = [
        path
        for path in installed.rglob("*")
        if path.is_file() and not path.is_symlink() and str(installed).encode() in path.read_bytes()
    ]
    assert knowing == []


def test_it_runs_from_there_with_its_own_package(installed: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": sysconfig.get_path("purelib"), "PYTHONDONTWRITEBYTECODE": "1"}
    program = (
        "import sys, tapekey, tapekey.native; from tapekey.cli import run; print(tapekey.__file__); run(['--version'])"
    )
    python = installed / HOME / "bin/python"
    done = subprocess.run(
        [python, "-c", program], env=environment, cwd="/", capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    file, version = done.stdout.splitlines()
    assert file.startswith(str(installed / HOME))
    assert re.fullmatch(r"tapekey \d+\.\d+\.\d+", version)


def test_the_launcher_trusts_neither_environment_nor_home(installed: Path) -> None:
    launcher = installed / "usr/local/bin/tapekey"
    assert launcher.read_text().splitlines()[0] == f"#!/{HOME}/bin/python -I"
    assert launcher.stat().st_mode & 0o777 == 0o755
