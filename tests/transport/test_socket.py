"""The client of a drive's socket, against a server of literal bytes: what it sends, and what it makes of answers."""

import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tapekey.errors import TimedOut, TransportFailed
from tapekey.exchange import Command, Reply
from tapekey.secret import Secret
from tapekey.transport import socket as transport
from tests.octets import octets

ROOT = Path(__file__).parents[2]
GREETED = octets("00000003 81 0001")
HELLO = octets("00000007 01 0001 686f7374")


@contextmanager
def answering(directory: Path, *answers: bytes, hold: bool = False) -> Iterator[tuple[Path, list[bytes]]]:
    """A listener that sends one canned answer for every frame it gets, then hangs up or holds its breath."""
    path, frames, done = directory / "socket", [], threading.Event()

    def serve(listener: socket.socket) -> None:
        link, _ = listener.accept()
        with link:
            for answer in answers:
                size = int.from_bytes(link.recv(4, socket.MSG_WAITALL), "big")
                frames.append(link.recv(size, socket.MSG_WAITALL))
                link.sendall(answer)
            if hold:
                done.wait(10)

    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        listener.bind(str(path))
        listener.listen()
        thread = threading.Thread(target=serve, args=(listener,))
        thread.start()
        try:
            yield path, frames
        finally:
            done.set()
            thread.join()


def test_command_and_reply_are_the_formats_bytes(tmp_path: Path) -> None:
    reply = octets("00000009 82 02 03 700006 646174")
    with answering(tmp_path, GREETED, reply) as (path, frames), transport.connect(path) as client:
        got = client.execute(Command(bytes(6), b"out", data_in_max=16, timeout=2.5))

    assert got == Reply(2, b"dat", bytes.fromhex("700006"))
    assert frames[0] == HELLO[4:]
    assert frames[1] == octets("02 00000010 000009c4 06 000000000000 6f7574")


def test_secret_is_carried(tmp_path: Path) -> None:
    with answering(tmp_path, GREETED, octets("00000003 82 00 00")) as (path, frames), transport.connect(path) as client:
        client.execute(Command(b"\xb5" + bytes(11), Secret(b"the key")))

    assert frames[1].endswith(b"the key")


def test_front_panel_answers_with_an_object(tmp_path: Path) -> None:
    answer = octets("0000000c 83") + b'{"ok":true}'
    with answering(tmp_path, GREETED, answer) as (path, frames), transport.connect(path, "me") as client:
        assert client.control("insert", cartridge="/c") == {"ok": True}

    assert frames[0].endswith(b"me")
    assert frames[1] == b'\x03{"verb": "insert", "cartridge": "/c"}'


BROKEN = {
    "hangs up": b"",
    "half a header": octets("0000"),
    "cut short": octets("00000009 82 02"),
    "another type": octets("00000003 83 00 00"),
    "no size": octets("00000000 82"),
    "impossible size": octets("ffffffff 82"),
    "sense longer than the frame": octets("00000003 82 02 ff"),
    "no status": octets("00000001 82"),
    "more data than room": octets("00000014 82 00 00") + bytes(17),
}


@pytest.mark.parametrize("answer", BROKEN.values(), ids=BROKEN)
def test_broken_answer_is_a_failed_transport(tmp_path: Path, answer: bytes) -> None:
    with answering(tmp_path, GREETED, answer) as (path, _), transport.connect(path) as client:
        with pytest.raises(TransportFailed):
            client.execute(Command(bytes(6), data_in_max=16))
        with pytest.raises(TransportFailed):
            client.execute(Command(bytes(6)))


@pytest.mark.parametrize("body", [b"[]", b"{", b"\xff"])
def test_broken_answer_of_the_panel_is_a_failed_transport(tmp_path: Path, body: bytes) -> None:
    answer = (1 + len(body)).to_bytes(4, "big") + b"\x83" + body
    server = answering(tmp_path, GREETED, answer)
    with server as (path, _), transport.connect(path) as client, pytest.raises(TransportFailed):
        client.control("status")


@pytest.mark.parametrize("greeting", [octets("00000003 81 0002"), octets("00000001 81"), b""])
def test_other_version_is_refused(tmp_path: Path, greeting: bytes) -> None:
    with answering(tmp_path, greeting) as (path, _), pytest.raises(TransportFailed), transport.connect(path):
        pass


def test_no_answer_in_time_is_timed_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "GRACE", 0.0)
    server = answering(tmp_path, GREETED, hold=True)
    with server as (path, _), transport.connect(path) as client, pytest.raises(TimedOut):
        client.execute(Command(bytes(6), timeout=0.2))


def test_drive_that_is_off_cannot_be_reached(tmp_path: Path) -> None:
    with pytest.raises(TransportFailed) as caught, transport.connect(tmp_path / "socket"):
        pass

    assert "tapekey target serve" in caught.value.mend


def test_long_path_is_no_obstacle(tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 120)
    deep.mkdir()
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        (tmp_path / "short").symlink_to(deep)
        listener.bind(str(tmp_path / "short" / "socket"))
        with pytest.raises(TransportFailed, match="refused"), transport.connect(deep / "socket"):
            pass


def test_client_needs_the_standard_library_only() -> None:
    program = (
        "import sys; sys.path.insert(0, sys.argv[1]); import tapekey.transport.socket;"
        "print(sorted({name.split('.')[0] for name in sys.modules} - set(sys.stdlib_module_names)))"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", program, str(ROOT / "agent")], capture_output=True, text=True, check=True
    )

    assert done.stdout.strip() in ("['__main__', 'tapekey']", "['tapekey']")
