"""`tapekey target serve --apart`: a process for each drive, found by discovery, ended with the library."""

import os
import signal
import socket
from pathlib import Path

import pytest

from tapekey import cli
from tapekey.target import machine
from tests.target import libraries
from tests.target.apart import NAME, TARGETS, children, serving, soon
from tests.target.peer import FINAL, NO_TAG, TEXT, Peer, header, login_pdu, padded

INQUIRY = bytes([0x12, 0, 0, 0, 36, 0])


def discovered(address: tuple[str, int]) -> list[str]:
    with socket.create_connection(address, timeout=5) as link:
        link.sendall(login_pdu({"InitiatorName": "iqn.2026-11.com.example:host", "SessionType": "Discovery"}))
        peer = Peer(link)
        peer.receive()
        asked = b"SendTargets=All\0"
        link.sendall(header(TEXT, FINAL, 2, asked, rest=NO_TAG + bytes([0, 0, 0, 1, 0, 0, 0, 2])) + padded(asked))
        return peer.receive().data.decode().rstrip("\0").split("\0")


def test_each_drive_is_a_target_in_a_process_of_its_own(tmp_path: Path) -> None:
    place = libraries.made(tmp_path)
    with serving(place) as (addresses, process):
        assert list(addresses) == TARGETS
        drives = children(process.pid)
        assert len(drives) == 2
        told = [
            key for name in TARGETS for key in (f"TargetName={name}", f"TargetAddress=127.0.0.1:{addresses[name][1]},1")
        ]
        assert discovered(addresses[NAME]) == told
        assert cli.run(["target", "move", str(place), "ENC001L8", "drive-2"]) == 0
        types = []
        for name, address in addresses.items():
            with Peer.login(address, isid=b"\x80\0\0\0\0\1", TargetName=name) as peer:
                types.append(peer.command(0, INQUIRY, room=36).data[0])
        assert types == [0x08, 0x01, 0x01]
        os.kill(drives[0], signal.SIGKILL)
        assert soon(lambda: not machine.served(place / "drive-1"))
        assert cli.run(["target", "move", str(place), "ENC002L8", "drive-1"]) != 0
        assert cli.run(["target", "move", str(place), "ENC001L8", "slot-6"]) == 0
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
        assert not Path(f"/proc/{drives[1]}").exists()


def test_drives_end_when_their_library_is_killed(tmp_path: Path) -> None:
    place = libraries.made(tmp_path)
    with serving(place) as (_, process):
        process.kill()
        process.wait(10)
        assert soon(lambda: not any(machine.served(place / f"drive-{number}") for number in (1, 2)))
    with machine.open(place / "drive-1"):
        pass


REFUSED = {
    "a drive": ("drive-1", "127.0.0.1:0", "is a drive, and no library"),
    "the last port": (".", "127.0.0.1:65535", "there are not enough ports"),
}


@pytest.mark.parametrize(("what", "listen", "said"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_apart_is_refused(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    what: str,
    listen: str,
    said: str,
) -> None:
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    status = cli.run(["target", "serve", str(libraries.made(tmp_path) / what), "--listen", listen, "--apart"])
    assert status != 0
    assert said in capsys.readouterr().err
