"""uninstall.sh beside a program that says what it is told to say: when it refuses, and what it then leaves alone."""

import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SCRIPT = ROOT / "uninstall.sh"
CLOSED = '{"drives": [{\n"serial": "HU1",\n"closed": true\n}, {\n"serial": "HU2",\n"closed": false\n}]}'
OPEN = CLOSED.replace("true", "false")
BOTH = ("--keep-keys", "--keep-closed")


@pytest.fixture
def destdir(tmp_path: Path) -> Path:
    """An installation of one version, whose program prints a file and ends with a status."""
    programs = tmp_path / "usr/local/lib/tapekey/0.1.0-00000000/bin"
    programs.mkdir(parents=True)
    (programs / "tapekey").write_text("")
    (programs / "python").write_text('#!/bin/sh\n[ "$3 $4" = "drive list" ] && printf %s "$TOLD"; exit "$STATUS"\n')
    (programs / "python").chmod(0o755)
    (tmp_path / "usr/local/bin").mkdir()
    (tmp_path / "usr/local/bin/tapekey").symlink_to("../lib/tapekey/0.1.0-00000000/bin/tapekey")
    return tmp_path


def uninstalled(destdir: Path, status: int, told: str, *options: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "DESTDIR": str(destdir), "STATUS": str(status), "TOLD": told}
    command = ["/bin/sh", str(SCRIPT), *options]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=30, check=False)


# status of `drive list`, what it says, options, what is said of it (empty: it goes on)
# fmt: off
CASES: dict[str, tuple[int, str, tuple[str, ...], str]] = {
    "closed":              (0,   CLOSED, (),                 "these drives are closed: HU1"),
    "closed, keys kept":   (0,   CLOSED, ("--keep-keys",),   "these drives are closed: HU1"),
    "closed, kept so":     (0,   CLOSED, ("--keep-closed",), "there is a keystore"),
    "keys":                (0,   OPEN,   (),                 "there is a keystore"),
    "keys kept":           (0,   OPEN,   ("--keep-keys",),   ""),
    "everything kept":     (0,   CLOSED, BOTH,               ""),
    "no keystore":         (110, "",     (),                 ""),
    "locked":              (111, "",     ("--keep-keys",),   "cannot be found out"),
    "locked, all kept":    (111, "",     BOTH,               ""),
    "damaged":             (112, "",     ("--keep-closed",), "cannot be found out"),
    "a program that fails": (127, "",    (),                 "cannot be found out"),
    "an option unknown":   (110, "",     ("--force",),       "options: --keep-keys, --keep-closed"),
}
# fmt: on


@pytest.mark.parametrize("name", CASES)
def test_it_goes_on_only_where_nothing_is_stranded(name: str, destdir: Path) -> None:
    status, told, options, said = CASES[name]
    done = uninstalled(destdir, status, told, *options)
    assert done.returncode == (1 if said else 0), done.stderr
    assert said in done.stderr
    assert (destdir / "usr/local/bin/tapekey").is_symlink() is bool(said)
    assert (destdir / "usr/local/lib/tapekey").exists() is bool(said)


def test_a_refusal_says_what_to_do(destdir: Path) -> None:
    assert "tapekey drive release DRIVE" in uninstalled(destdir, 0, CLOSED).stderr
    assert "try a restore there" in uninstalled(destdir, 0, OPEN).stderr
