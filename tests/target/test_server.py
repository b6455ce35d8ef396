"""The socket in front of a powered drive: good frames, bad frames, silent clients, two initiators."""

import contextlib
import json
import os
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tapekey.errors import Conflict
from tapekey.scsi import media
from tapekey.scsi.encryption import DecryptionMode, EncryptionMode, Scope
from tapekey.scsi.set_encryption import SetDataEncryption, set_data_encryption
from tapekey.secret import Secret
from tapekey.target import machine, server
from tapekey.target.machine import Machine
from tapekey.transport.socket import connect
from tests.bench import made
from tests.octets import octets
from tests.target.initiator import KEY, code

HELLO = octets("00000007 01 0001 686f7374")  # version 1, "host"
GREETED = octets("00000003 81 0001")
READY = octets("00000010 02  00000000 00001388 06 000000000000")  # no room, 5 s, TEST UNIT READY
ATTENTION = octets("00000015 82 02 12  70000600000000 0a 00000000 2900 00 000000")


@pytest.fixture
def place(tmp_path: Path) -> Path:
    machine.create(tmp_path / "drive", "ibm-lto6")
    return tmp_path / "drive"


@pytest.fixture
def served(place: Path) -> Iterator[Machine]:
    with server.powered(place) as powered:
        yield powered


def link(place: Path) -> socket.socket:
    made_link = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    made_link.settimeout(5)
    with machine.short_path(place / "socket") as short:
        made_link.connect(short)
    return made_link


def received(client: socket.socket, size: int) -> bytes:
    """What comes until there is enough, or the other side has gone."""
    data = b""
    with contextlib.suppress(ConnectionResetError):
        while len(data) < size and (piece := client.recv(size - len(data))):
            data += piece
    return data


def test_frames_are_byte_for_byte_what_the_format_says(place: Path, served: Machine) -> None:
    with link(place) as client:
        client.sendall(HELLO)
        assert received(client, len(GREETED)) == GREETED
        client.sendall(READY)
        assert received(client, len(ATTENTION)) == ATTENTION


def test_frames_may_come_byte_by_byte_and_in_one_piece(place: Path, served: Machine) -> None:
    with link(place) as client:
        for byte in HELLO:
            client.sendall(bytes([byte]))
        assert received(client, len(GREETED)) == GREETED
        client.sendall(READY + READY)
        assert received(client, len(ATTENTION)) == ATTENTION
        not_ready = received(client, len(ATTENTION))
        assert (not_ready[9], not_ready[19:21]) == (2, bytes.fromhex("3a00"))


BAD = {
    "no greeting": READY,
    "empty frame": octets("00000000 01"),
    "greeting of another version": octets("00000007 01 0002 686f7374"),
    "greeting without a name": octets("00000003 01 0001"),
    "greeting that is not UTF-8": octets("00000005 01 0001 ffff"),
    "greeting with a name too long": struct.pack(">IBH", 68, 1, 1) + b"x" * 65,
    "greeting twice": HELLO + HELLO,
    "frame of an impossible size": HELLO + octets("ffffffff 02"),
    "control of an impossible size": HELLO + octets("00200000 03"),
    "large frame before the greeting": octets("00800000 02"),
    "unknown type": HELLO + octets("00000001 09"),
    "command cut short": HELLO + octets("00000005 02 00000000"),
    "CDB longer than the frame": HELLO + octets("00000010 02 00000000 00001388 20 000000000000"),
    "no CDB": HELLO + octets("0000000a 02 00000000 00001388 00"),
    "room beyond any": HELLO + octets("00000010 02 7fffffff 00001388 06 000000000000"),
    "control that is not JSON": HELLO + octets("00000003 03 7b7b"),
    "rubbish": b"GET / HTTP/1.0\r\n\r\n",
}


@pytest.mark.parametrize("sent", BAD.values(), ids=BAD)
def test_bad_frame_closes_the_connection_and_never_the_server(place: Path, served: Machine, sent: bytes) -> None:
    with link(place) as client:
        client.sendall(sent)
        answers = received(client, 1000)
    assert answers in (b"", GREETED)

    with connect(place / "socket") as good:
        assert code(good.execute(media.test_unit_ready())) in ("6/29/00", "2/3A/00")


def test_silent_clients_do_not_keep_others_waiting(place: Path, served: Machine) -> None:
    silent = [link(place) for _ in range(10)]
    half = link(place)
    half.sendall(HELLO[:6])

    with connect(place / "socket") as good:
        assert code(good.execute(media.test_unit_ready())) == "6/29/00"
    for client in (*silent, half):
        client.close()


@pytest.mark.parametrize("sent", [b"", HELLO[:6]], ids=["nothing", "half a greeting"])
def test_client_that_does_not_greet_is_closed(
    place: Path, monkeypatch: pytest.MonkeyPatch, served: Machine, sent: bytes
) -> None:
    monkeypatch.setattr(server, "PATIENCE", 0.2)
    with link(place) as client:
        client.sendall(sent)
        assert received(client, 1) == b""


def test_client_may_be_idle_between_commands(place: Path, monkeypatch: pytest.MonkeyPatch, served: Machine) -> None:
    monkeypatch.setattr(server, "PATIENCE", 0.1)
    with connect(place / "socket") as client:
        client.execute(media.test_unit_ready())
        threading.Event().wait(0.4)
        assert code(client.execute(media.test_unit_ready())) == "2/3A/00"


def test_two_initiators_are_two_nexuses(place: Path, served: Machine, tmp_path: Path) -> None:
    served.insert(made(tmp_path, "lto6"))
    with connect(place / "socket", "first") as first, connect(place / "socket", "second") as second:
        assert [code(first.execute(media.test_unit_ready())) for _ in range(2)] == ["6/29/00", "good"]
        assert [code(second.execute(media.test_unit_ready())) for _ in range(2)] == ["6/29/00", "good"]
        page = SetDataEncryption(
            scope=Scope.LOCAL, encryption=EncryptionMode.ENCRYPT, decryption=DecryptionMode.DECRYPT, algorithm_index=3
        )
        assert code(first.execute(set_data_encryption(page, Secret(KEY)))) == "good"
        assert code(first.execute(media.write_block(b"private"))) == "good"
        assert code(first.execute(media.rewind())) == "good"

        assert code(second.execute(media.read_block(7))) == "7/74/01"
        assert first.execute(media.read_block(7)).data_in == b"private"


def test_one_name_is_one_nexus_over_all_its_connections(place: Path, served: Machine) -> None:
    with connect(place / "socket") as first:
        assert code(first.execute(media.test_unit_ready())) == "6/29/00"
    with connect(place / "socket") as again:
        assert code(again.execute(media.test_unit_ready())) == "2/3A/00"


def test_largest_block_passes(place: Path, served: Machine, tmp_path: Path) -> None:
    served.insert(made(tmp_path, "lto6"))
    data = os.urandom(0x80_0000)
    with connect(place / "socket") as client:
        client.execute(media.test_unit_ready())
        assert code(client.execute(media.write_block(data))) == "good"
        assert code(client.execute(media.rewind())) == "good"
        assert client.execute(media.read_block(len(data))).data_in == data


def test_front_panel(place: Path, served: Machine, tmp_path: Path) -> None:
    tape = made(tmp_path, "lto6")
    with connect(place / "socket") as client:
        assert client.control("status")["place"] == "empty"
        assert client.control("write-protect", cartridge=str(tape), on=True)["ok"]
        assert client.control("insert", cartridge=str(tape))["write_protected"] is True
        assert client.control("eject")["place"] == "empty"
        assert client.control("set", load_time=7)["ok"]
        assert client.control("power-cycle")["ok"]
        assert code(client.execute(media.test_unit_ready())) == "6/29/00"
        assert client.control("reset")["ok"]
        assert code(client.execute(media.test_unit_ready())) == "6/29/03"
    assert served.drive.personality.load_time == 7.0


REFUSED = {
    "unknown verb": ({"verb": "explode"}, "Usage"),
    "no verb": ({}, "Usage"),
    "no object": ([], "Usage"),
    "insert of nothing": ({"verb": "insert"}, "Usage"),
    "insert of what is not there": ({"verb": "insert", "cartridge": "/nowhere/at/all"}, "Malformed"),
    "eject of nothing": ({"verb": "eject"}, "Conflict"),
    "unknown knob": ({"verb": "set", "vendor": "ACME"}, "Usage"),
    "knob of the wrong kind": ({"verb": "set", "management": []}, "Usage"),
    "path with a NUL": ({"verb": "insert", "cartridge": "a\0b"}, "Usage"),
}


@pytest.mark.parametrize(("request_", "error"), REFUSED.values(), ids=REFUSED)
def test_refusal_of_the_panel_is_an_answer(place: Path, served: Machine, request_: object, error: str) -> None:
    body = json.dumps(request_).encode()
    with link(place) as client:
        client.sendall(HELLO + struct.pack(">IB", 1 + len(body), 3) + body)
        assert received(client, len(GREETED)) == GREETED
        size, kind = struct.unpack(">IB", received(client, 5))
        answer = json.loads(received(client, size - 1))

    assert kind == 0x83
    assert (answer["ok"], answer["error"]) == (False, error)


def test_socket_is_its_owners_only_and_goes_with_the_power(place: Path) -> None:
    with server.powered(place):
        assert (place / "socket").stat().st_mode & 0o777 == 0o600
        assert machine.served(place)
        with pytest.raises(Conflict), Machine.open(place):
            pass
    assert not (place / "socket").exists()
    assert not machine.served(place)


def test_socket_left_by_a_killed_server_is_replaced(place: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as dead, machine.short_path(place / "socket") as short:
        dead.bind(short)
    assert not machine.served(place)

    with server.powered(place), connect(place / "socket") as client:
        assert client.control("status")["ok"]


def test_serve_ends_when_it_is_told_to_and_keys_end_with_it(place: Path, tmp_path: Path) -> None:
    stop, up = threading.Event(), threading.Event()
    thread = threading.Thread(target=server.serve, args=(place,), kwargs={"stop": stop, "ready": lambda _: up.set()})
    thread.start()
    assert up.wait(5)
    with connect(place / "socket") as client:
        assert client.control("insert", cartridge=str(made(tmp_path, "lto6")))["ok"]

    stop.set()
    thread.join(5)

    assert not thread.is_alive()
    with Machine.open(place) as powered:
        assert powered.status()["place"] == "mounted"


SERVE = """
import sys, threading
from pathlib import Path
from tapekey.target import server
server.serve(Path(sys.argv[1]), stop=threading.Event(), ready=lambda powered: print("on", flush=True))
"""


def test_killed_server_leaves_what_was_acknowledged_and_no_key(place: Path, tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", SERVE, str(place)], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"on\n"
        with connect(place / "socket") as client:
            client.control("insert", cartridge=str(made(tmp_path, "lto6")))
            client.execute(media.test_unit_ready())
            page = SetDataEncryption(scope=Scope.ALL, encryption=EncryptionMode.ENCRYPT, algorithm_index=3)
            assert code(client.execute(set_data_encryption(page, Secret(KEY)))) == "good"
            assert code(client.execute(media.write_block(b"kept"))) == "good"
            assert code(client.execute(media.write_filemarks(1))) == "good"
        process.kill()

    with server.powered(place) as powered, connect(place / "socket") as client:
        client.execute(media.test_unit_ready())
        assert powered.drive.tape.objects == 2
        assert code(client.execute(media.read_block(4))) == "7/74/01"
    assert KEY not in b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())


def test_many_at_once_get_whole_answers(place: Path, served: Machine, tmp_path: Path) -> None:
    served.insert(made(tmp_path, "lto6"))
    failures: list[str] = []

    def work(name: str) -> None:
        with connect(place / "socket", name) as client:
            client.execute(media.test_unit_ready())
            for _ in range(20):
                answer = code(client.execute(media.write_block(name.encode() * 1000)))
                if answer != "good":
                    failures.append(answer)

    threads = [threading.Thread(target=work, args=(f"host{number}",)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert failures == []
    assert served.drive.tape.objects == 120
