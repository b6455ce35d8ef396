import json
import logging
import os
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from tapekey.errors import AgentMissing, Conflict, DeviceError, NotAllowed, Refused, TapekeyError, TransportFailed
from tapekey.service import asking, control
from tapekey.service.control import WHO_MAY, Caller, Who

OWN, ROOT, ASKER, STRANGER = os.geteuid(), 0, 12001, 12002
NAMES = {ASKER: "bacula", STRANGER: "mallory"}


def told(caller: Caller, arguments: Mapping[str, object]) -> Mapping[str, object]:
    return {"uid": caller.uid, "pid": caller.pid, **arguments}


def refused(caller: Caller, arguments: Mapping[str, object]) -> Mapping[str, object]:
    raise Refused("cannot make it ready", why="a rule says no", mend="see the rule", alarm=True)


def failed(caller: Caller, arguments: Mapping[str, object]) -> Mapping[str, object]:
    raise DeviceError("the drive is ill", code="4/44/00")


def broken(caller: Caller, arguments: Mapping[str, object]) -> Mapping[str, object]:
    raise ZeroDivisionError


def unspeakable(caller: Caller, arguments: Mapping[str, object]) -> Mapping[str, object]:
    return {"state": Who.ANYBODY}


VERBS = {"status": told, "ready": refused, "unload": failed, "look": broken, "verify": unspeakable}


@pytest.fixture
def agent(tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "agent.sock"
    with control.serving(path, VERBS):
        yield path


@contextmanager
def connected(path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
        line.settimeout(10)
        line.connect(str(path))
        yield line


def said(line: socket.socket, request: bytes) -> dict[str, dict[str, object]]:
    line.sendall(request)
    found = bytearray()
    while not found.endswith(b"\n") and (piece := line.recv(1 << 16)):
        found += piece
    answer: dict[str, dict[str, object]] = json.loads(found)
    return answer


def test_an_answer_comes_back_with_who_asked(agent: Path) -> None:
    assert asking.ask(agent, "status", drive="HU1") == {"uid": OWN, "pid": os.getpid(), "drive": "HU1"}


def test_a_refusal_is_raised_as_the_agent_raised_it(agent: Path) -> None:
    with pytest.raises(Refused, match="cannot make it ready: a rule says no") as caught:
        asking.ask(agent, "ready")
    assert (caught.value.mend, caught.value.alarm) == ("see the rule", True)


def test_what_the_drive_said_comes_with_its_code(agent: Path) -> None:
    with pytest.raises(DeviceError) as caught:
        asking.ask(agent, "unload")
    assert caught.value.code == "4/44/00"


@pytest.mark.parametrize(("verb", "said"), [("look", "ZeroDivisionError"), ("verify", "not JSON serializable")])
def test_a_fault_in_a_verb_ends_neither_agent_nor_client(
    agent: Path, caplog: pytest.LogCaptureFixture, verb: str, said: str
) -> None:
    with caplog.at_level(logging.ERROR), pytest.raises(TapekeyError, match="fault of its own"):
        asking.ask(agent, verb)
    assert said in caplog.text
    assert asking.ask(agent, "status")["uid"] == OWN


# --- who may ---

PEOPLE = {"root": ROOT, "own": OWN, "asker": ASKER, "stranger": STRANGER, "nameless": 12003}
ALLOWED = {
    Who.ANYBODY: set(PEOPLE),
    Who.ASKERS: {"root", "own", "asker"},
    Who.OWNERS: {"root", "own"},
}


@pytest.mark.parametrize("verb", WHO_MAY)
@pytest.mark.parametrize("person", PEOPLE)
def test_each_verb_is_for_whom_the_table_names(verb: str, person: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(control, "_name", NAMES.get)
    allowed = control.may(Caller(PEOPLE[person], 0, 1), verb, frozenset({"bacula"}))
    assert allowed is (person in ALLOWED[WHO_MAY[verb]])


def test_what_changes_a_drive_is_nobody_elses() -> None:
    assert {verb for verb, who in WHO_MAY.items() if who is Who.ANYBODY} == {"status"}
    assert not control.may(Caller(0, 0, 1), "erase", frozenset())


def test_a_user_who_may_not_is_told_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(control, "_caller", lambda client: Caller(STRANGER, STRANGER, 1))
    path = tmp_path / "agent.sock"
    with control.serving(path, VERBS, ["bacula"]):
        assert asking.ask(path, "status")["uid"] == STRANGER
        with pytest.raises(NotAllowed, match="only root"):
            asking.ask(path, "ready")


def test_a_verb_that_the_table_lacks_is_not_served(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="erase"), control.serving(tmp_path / "s", {"erase": told}):
        pass


# --- clients that do harm ---

RUBBISH = (
    b"\n",
    b"[]\n",
    b"7\n",
    b"{}\n",
    b'{"verb": 1}\n',
    b'{"verb": "status", "arguments": []}\n',
    b"\xff\xfe\n",
    b"[" * 9000 + b"\n",
)


@pytest.mark.parametrize("line", RUBBISH, ids=range(len(RUBBISH)))
def test_rubbish_is_refused_and_the_next_line_is_heard(agent: Path, line: bytes) -> None:
    with connected(agent) as client:
        assert said(client, line)["refused"]["kind"] == "Usage"
        assert said(client, b'{"verb": "status"}\n')["done"]["uid"] == OWN


def test_a_line_that_never_ends_is_hung_up_on(agent: Path) -> None:
    with connected(agent) as client:
        answer = said(client, b"x" * (control.LONGEST_LINE + 2))
        assert answer["refused"]["what"] == "the line is too long"
        assert client.recv(1) == b""


def test_requests_may_come_in_pieces_and_in_heaps(agent: Path) -> None:
    with connected(agent) as client:
        for octet in b'{"verb": "sta':
            client.sendall(bytes([octet]))
        client.sendall(b'tus"}\n{"verb": "status"}\n')
        found = b""
        while found.count(b"\n") < 2:
            found += client.recv(1 << 16)


def test_silent_clients_hold_up_nobody(agent: Path) -> None:
    with connected(agent), connected(agent) as dawdler:
        dawdler.sendall(b'{"verb"')
        assert asking.ask(agent, "status", timeout=5)["uid"] == OWN


def test_a_dawdler_is_hung_up_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(control, "LINE_SECONDS", 0.05)
    with control.serving(tmp_path / "s", VERBS), connected(tmp_path / "s") as client:
        client.sendall(b'{"verb"')
        assert client.recv(1) == b""


def test_one_user_cannot_take_every_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seats = iter([STRANGER, STRANGER, STRANGER, ROOT])
    monkeypatch.setattr(control, "_caller", lambda client: Caller(next(seats), 0, 1))
    monkeypatch.setattr(control, "MOST_OF_ONE_USER", 2)
    path = tmp_path / "s"
    with control.serving(path, VERBS), connected(path), connected(path):
        with pytest.raises(TransportFailed, match="too many clients"):
            asking.ask(path, "status")
        assert asking.ask(path, "status")["uid"] == ROOT


def test_a_place_is_free_again_when_its_client_has_gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(control, "MOST_CLIENTS", 1)
    path, gone = tmp_path / "s", threading.Event()
    sees_off = control._Desk.sees_off

    def sees_off_and_tells(desk: control._Desk, client: socket.socket) -> None:
        sees_off(desk, client)
        gone.set()

    monkeypatch.setattr(control._Desk, "sees_off", sees_off_and_tells)
    with control.serving(path, VERBS):
        for _ in range(5):
            gone.clear()
            assert asking.ask(path, "status")
            assert gone.wait(5)


def test_when_the_agent_ends_waiting_clients_are_let_go(tmp_path: Path) -> None:
    path = tmp_path / "s"
    with control.serving(path, VERBS), connected(path) as client:
        said(client, b'{"verb": "status"}\n')
        waiting = client.dup()
    with waiting:
        assert waiting.recv(1) == b""
    with pytest.raises(AgentMissing):
        asking.ask(path, "status")


def test_two_agents_do_not_share_a_socket(agent: Path) -> None:
    with pytest.raises(Conflict, match="another agent"), control.serving(agent, VERBS):
        pass
    assert asking.ask(agent, "status")["uid"] == OWN
