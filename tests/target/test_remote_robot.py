"""The drive's end of the link to its library: when it ends, so does the drive."""

import socket
import threading
from pathlib import Path

from tapekey.target import machine, remote_robot


def test_drive_is_to_end_when_its_library_has_gone(tmp_path: Path) -> None:
    machine.create(tmp_path / "drive", "ibm-lto6")
    closed = threading.Event()
    here, there = socket.socketpair()
    with machine.open(tmp_path / "drive") as powered:
        remote_robot.answer(powered, [there.detach()], 4711, closed)
        here.sendall(b'{"do": "lets-go"}\n')
        with here, here.makefile() as lines:
            assert [next(lines), next(lines)] == ['{"port": 4711}\n', '{"ok": true, "lets_go": true}\n']
            assert not closed.is_set()
        assert closed.wait(2)
