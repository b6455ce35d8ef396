import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from tapekey.service import notify
from tapekey.service.notify import Notifier
from tapekey.service.view import AgentView, DriveView, State

DRIVE = DriveView("HU1", "/dev/sg3", state=State.EMPTY)
VIEW = AgentView("1", 1, 0.0, "/ks", drives=(DRIVE, replace(DRIVE, serial="HU2", volser="ENC001L6", alarm=True)))


@contextmanager
def systemd(address: str | bytes) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.settimeout(5)
        listener.bind(address)
        yield listener


def test_what_systemd_is_told_is_as_its_manual_has_it(tmp_path: Path) -> None:
    path = str(tmp_path / "notify")
    with systemd(path) as listener:
        notifier = notify.from_environment({"NOTIFY_SOCKET": path})
        notifier.ready()
        notifier.status("2 drives")
        notifier.watchdog()
        notifier.stopping()
        notifier.reloading(12.5)
        heard = [listener.recv(4096).decode() for _ in range(5)]
    assert heard == ["READY=1", "STATUS=2 drives", "WATCHDOG=1", "STOPPING=1", "RELOADING=1\nMONOTONIC_USEC=12500000"]


def test_an_abstract_name_is_reached() -> None:
    name = f"tapekey-test-{os.getpid()}"
    with systemd(b"\0" + name.encode()) as listener:
        notify.from_environment({"NOTIFY_SOCKET": f"@{name}"}).ready()
        assert listener.recv(64) == b"READY=1"


@pytest.mark.parametrize("address", ["", "/no/such/socket", "@nobody-listens-here"])
def test_nobody_listening_harms_nobody(address: str) -> None:
    Notifier(address).ready()


@pytest.mark.parametrize("address", ["vsock:2:1", "relative"])
def test_an_address_of_another_kind_is_left(address: str) -> None:
    assert notify.from_environment({"NOTIFY_SOCKET": address}) == Notifier("")


def test_a_name_from_a_drive_cannot_say_more_to_systemd(tmp_path: Path) -> None:
    path = str(tmp_path / "notify")
    with systemd(path) as listener:
        Notifier(path).status("HU1\nMAINPID=1" + "x" * 9000)
        heard = listener.recv(1 << 16)
    assert heard.startswith(b"STATUS=HU1?MAINPID=1")
    assert len(heard) == len("STATUS=") + notify.LONGEST_STATUS


@pytest.mark.parametrize(
    ("environ", "seconds"),
    [
        ({}, None),
        ({"WATCHDOG_USEC": "30000000"}, 30.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "7"}, 30.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "8"}, None),
        ({"WATCHDOG_USEC": "0"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
    ],
)
def test_the_watchdog_is_this_processs_own(environ: dict[str, str], seconds: float | None) -> None:
    assert notify.watchdog_seconds(environ, pid=7) == seconds


def test_status_tells_each_drive_and_the_worst_first() -> None:
    assert notify.told(VIEW) == "HU2 ENC001L6: empty (ALARM); HU1: empty"
    assert notify.told(replace(VIEW, drives=(), manager="locked")) == "no drives"
    assert notify.told(replace(VIEW, manager="locked")).startswith("the keystore does not answer; HU2")
