"""`tapekey target serve --listen`: what it says, whom it lets in, how it ends; and what it refuses to do."""

import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tapekey import cli
from tapekey.target import library, machine
from tests.target.peer import ASYNC, Gone, Peer

INQUIRY = bytes([0x12, 0, 0, 0, 36, 0])


@contextmanager
def serving(directory: Path, *words: str) -> Iterator[tuple[tuple[str, int], str, subprocess.Popen[str]]]:
    """The command as a process, once it is on: the address, the line that says so."""
    command = [sys.executable, "-m", "tapekey", "target", "serve", str(directory), "--listen", "127.0.0.1:0", *words]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            assert process.stdout.readline() == f"virtual:{directory} is on\n"
            host, port = line.split("/")[2].split(":")
            yield (host, int(port)), line, process
        finally:
            process.kill()


def test_drive_is_served_as_lun_0_and_the_end_is_announced(tmp_path: Path) -> None:
    machine.create(tmp_path / "drv", "ibm-lto6", serial="DRIVE00001")
    with serving(tmp_path / "drv") as (address, line, process):
        name = "iqn.2026-11.invalid.tapekey:drive00001"
        assert line == f"iscsi://127.0.0.1:{address[1]}/{name} listens: LUN 0\n"
        with Peer.login(address, isid=b"\x80\0\0\0\0\1", TargetName=name) as peer:
            assert peer.command(0, INQUIRY, room=36).data[8:16] == b"IBM     "
            process.send_signal(signal.SIGTERM)
            assert peer.receive().opcode == ASYNC
        assert process.wait(10) == 0
        assert process.stderr is not None
        told = process.stderr.read().splitlines()
    assert [line.split(": ")[1] for line in told] == ["logged in", "session ended"]


def test_library_is_served_with_its_changer_first(tmp_path: Path) -> None:
    library.create(tmp_path / "lib", personality="ibm-lto6", drives=2, slots=2, serial="LIB1")
    with serving(tmp_path / "lib", "--name", "iqn.2026-11.com.example:lib") as (address, line, _):
        assert line.endswith("/iqn.2026-11.com.example:lib listens: LUN 0, 1, 2\n")
        with Peer.login(address, isid=b"\x80\0\0\0\0\1", TargetName="iqn.2026-11.com.example:lib") as peer:
            assert machine.served(tmp_path / "lib" / "drive-1")
            kinds = [peer.command(lun, INQUIRY, room=36).data[0] for lun in range(4)]
    assert kinds == [0x08, 0x01, 0x01, 0x7F]


def test_nobody_gets_in_without_the_secret(tmp_path: Path) -> None:
    machine.create(tmp_path / "drv", "ibm-lto6", serial="D")
    (tmp_path / "chap").write_text("host:correct horse battery\n")
    (tmp_path / "chap").chmod(0o600)
    with serving(tmp_path / "drv", "--chap", str(tmp_path / "chap")) as (address, _, _), pytest.raises(Gone):
        Peer.login(address, isid=b"\x80\0\0\0\0\1", TargetName="iqn.2026-11.invalid.tapekey:d")


# name: words, what the refusal says
REFUSED = {
    "open to others": (["--listen", "192.0.2.1"], "any host could use the drives"),
    "a CHAP file that is not there": (["--listen", "127.0.0.1", "--chap", "none"], "the CHAP file none cannot be read"),
    "no address": (["--listen", "127.0.0.1:http"], "is no address"),
    "no name": (["--listen", "127.0.0.1", "--name", "iqn.what"], "is no iSCSI name"),
    "no listening": (["--allow-open"], "without --listen"),
    "somebody else's port": (["--listen", "{taken}"], "cannot listen on"),
}


@pytest.mark.parametrize(("words", "said"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_served_is_refused_with_a_reason(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: list[str],
    said: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    machine.create(tmp_path / "drv", "ibm-lto6")
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        mine = "{}:{}".format(*taken.getsockname())
        status = cli.run(["target", "serve", "drv", *(word.format(taken=mine) for word in words)])
    assert status != 0
    assert said in capsys.readouterr().err
