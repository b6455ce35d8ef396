"""A command runs as if it had been called without us."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tapekey.cli import child

ENDINGS = {
    "well": ("exit 0", 0),
    "with a status of its own": ("exit 7", 7),
    "by a signal": ("kill -KILL $$", 128 + 9),
}


@pytest.mark.parametrize(("script", "status"), ENDINGS.values(), ids=ENDINGS)
def test_ending_is_its_own(script: str, status: int) -> None:
    assert child.run(["sh", "-c", script]) == status


def test_command_that_cannot_run_ends_as_in_a_shell(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert child.run([str(tmp_path / "none")]) == 127
    assert child.run([str(tmp_path)]) == 126
    assert "cannot run" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["TERM", "HUP", "USR1", "USR2", "INT", "QUIT"])
def test_signal_to_us_is_passed_on(name: str) -> None:
    script = f"trap 'exit 5' {name}; kill -{name} $PPID; sleep 10 & wait"
    with heard(signal.Signals[f"SIG{name}"]):
        assert child.run(["sh", "-c", script]) == 5


@contextmanager
def heard(number: signal.Signals) -> Iterator[None]:
    """Not ignored, however these tests were started: a job in the background ignores some signals."""
    before = signal.signal(number, signal.SIG_DFL)
    try:
        yield
    finally:
        signal.signal(number, before)


def test_what_we_did_with_signals_before_is_so_again() -> None:
    before = [signal.getsignal(one) for one in child.PASSED_ON]
    child.run(["true"])
    assert [signal.getsignal(one) for one in child.PASSED_ON] == before


def test_ignored_signal_stays_ignored() -> None:
    """As `nohup` has it."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        assert child.run(["sh", "-c", "kill -HUP $$; kill -HUP $PPID; exit 3"]) == 3
    finally:
        signal.signal(signal.SIGHUP, before)


def test_it_has_our_streams_and_no_other_descriptor(tmp_path: Path) -> None:
    """In a process of its own: what pytest holds open is not ours."""
    program = "import os, sys; os.dup2(1, 9, inheritable=True); from tapekey.cli import child; child.run(sys.argv[1:])"
    listed = subprocess.run(
        [sys.executable, "-c", program, "sh", "-c", "cat; ls /proc/self/fd"],
        input="typed\n",
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": "agent"},
    ).stdout.split()
    assert listed == ["typed", "0", "1", "2", "3"]  # 3 is of ls, which lists
