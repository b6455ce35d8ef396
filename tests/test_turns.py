"""Turns on a drive: one at a time, whoever it is, with an end to all waiting."""

import os
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import pytest

from tapekey import turns
from tapekey.errors import Conflict, Taken, Usage
from tapekey.turns import turn

HOLDING = """
import sys
from pathlib import Path
from tapekey.turns import turn
with turn("D1", Path(sys.argv[1]), who="another process"):
    print("held", flush=True)
    sys.stdin.readline()
"""


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def test_a_second_one_is_told_who_has_the_turn_when_its_patience_ends(tmp_path: Path) -> None:
    clock = Clock()
    with turn("D1", tmp_path, who="the agent"), pytest.raises(Taken) as caught:  # noqa: SIM117
        with turn("D1", tmp_path, 5.0, clock=clock, sleep=clock.sleep):
            pass
    assert isinstance(caught.value, Conflict)
    assert f"the agent (process {os.getpid()})" in caught.value.why
    assert caught.value.mend
    assert 5.0 <= clock.now < 6.0


def test_another_process_is_kept_out_and_its_end_lets_go(tmp_path: Path) -> None:
    command = [sys.executable, "-c", HOLDING, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(Taken, match="another process"), turn("D1", tmp_path, 0.0):
            pass
        holder.kill()
        holder.wait()
    with turn("D1", tmp_path, 0.0):
        pass


def test_other_drives_do_not_wait(tmp_path: Path) -> None:
    with turn("D1", tmp_path), turn("D2", tmp_path, 0.0):
        pass


def test_a_turn_that_ended_with_an_error_is_free(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError), turn("D1", tmp_path):
        raise RuntimeError
    with turn("D1", tmp_path, 0.0):
        pass


def test_whoever_waits_goes_on_when_the_turn_is_free(tmp_path: Path) -> None:
    order: list[str] = []
    waiting = threading.Event()

    def second() -> None:
        waiting.set()
        with turn("D1", tmp_path, 10.0):
            order.append("second")

    with turn("D1", tmp_path):
        thread = threading.Thread(target=second)
        thread.start()
        waiting.wait(5.0)
        order.append("first")
    thread.join(10.0)
    assert order == ["first", "second"]


def test_a_serial_number_is_a_name_and_no_path(tmp_path: Path) -> None:
    with turn("../../etc/D 1", tmp_path):
        assert [file.parent for file in tmp_path.rglob("*") if file.is_file()] == [tmp_path / "turns"]


def test_a_directory_that_cannot_be_used_is_told(tmp_path: Path) -> None:
    (tmp_path / "turns").write_text("")
    with pytest.raises(Usage, match="cannot take a turn on drive D1"), turn("D1", tmp_path):
        pass


def test_without_root_the_users_own_directory_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 4711)
    absent = tmp_path / "absent"
    assert turns.directory({"XDG_RUNTIME_DIR": "/run/user/4711"}, absent) == Path("/run/user/4711/tapekey")
    assert turns.directory({}, absent) == Path(tempfile.gettempdir()) / "tapekey-4711"
    assert turns.directory({"RUNTIME_DIRECTORY": "/run/tapekey:/run/more"}) == Path("/run/tapekey")


def test_whoever_may_write_the_systems_directory_uses_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 4711)
    assert turns.directory({"XDG_RUNTIME_DIR": "/run/user/4711"}, tmp_path) == tmp_path


def test_a_directory_of_another_user_is_not_trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with turn("D1", tmp_path):
        pass
    if os.geteuid() == 0:
        os.chown(tmp_path / "turns", 4711, -1)
    else:
        monkeypatch.setattr(os, "geteuid", lambda: 4711)
    with pytest.raises(Usage, match="belongs to another user"), turn("D1", tmp_path):
        pass
