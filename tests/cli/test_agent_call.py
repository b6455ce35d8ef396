"""What commands ask the agent: that it is not there is told from every error, and no answer is no success."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tapekey.cli import agent_call
from tapekey.errors import DriveLied, Refused, TapekeyError, TimedOut, TransportFailed
from tests.cli.agent_line import answering, configured


def test_no_agent_is_none(tmp_path: Path) -> None:
    with configured(tmp_path):
        assert agent_call.ready("/dev/nst0", seconds=1, writes=True) is None


@contextmanager
def silent(place: Path, *, hangs_up: bool) -> Iterator[None]:
    """Something that takes the line and says nothing."""
    with configured(place) as path, socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        if hangs_up:
            import threading

            threading.Thread(target=lambda: listener.accept()[0].close(), daemon=True).start()
        yield


@pytest.mark.parametrize(("hangs_up", "error"), [(False, TimedOut), (True, TransportFailed)])
def test_agent_that_does_not_answer_is_an_error(
    tmp_path: Path, hangs_up: bool, error: type[TapekeyError], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(agent_call, "MARGIN", 0.1)
    with silent(tmp_path, hangs_up=hangs_up), pytest.raises(error):
        agent_call.ready("/dev/nst0", seconds=0, writes=True)


PHASES = {
    "ready to write": (True, True),
    "ready to read": (False, True),
    "closed": (False, True),
    "left alone": (True, True),
    "hands-off": (True, True),
    "working": (False, False),
    "refused": (False, False),
    "empty": (False, False),
    "held by software": (False, False),
    "to be verified again": (False, False),
    "a word of another version": (False, False),
    None: (False, False),
}


@pytest.mark.parametrize(("phase", "good"), PHASES.items(), ids=map(str, PHASES))
def test_only_a_phase_in_which_software_may_open_is_a_success(
    tmp_path: Path, phase: str, good: tuple[bool, bool]
) -> None:
    with answering(tmp_path, ready={"phase": phase}):
        for writes, wanted in zip((True, False), good, strict=True):
            try:
                agent_call.ready("/dev/nst0", seconds=1, writes=writes)
                found = True
            except DriveLied:
                found = False
            assert found == wanted


def test_refusal_is_raised_as_it_was_raised_there(tmp_path: Path) -> None:
    told = Refused("cannot save", why="clear data", mend="scratch", alarm=True)
    with answering(tmp_path, ready=told), pytest.raises(Refused, match="cannot save: clear data") as refused:
        agent_call.ready("/dev/nst0", seconds=1, writes=True)
    assert refused.value.alarm


def test_virtual_drive_is_named_for_a_process_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert agent_call.name_of("virtual:drv") == f"virtual:{tmp_path}/drv"
    assert agent_call.name_of("/dev/nst0") == "/dev/nst0"
    assert agent_call.name_of("iscsi://host/name/1") == "iscsi://host/name/1"
