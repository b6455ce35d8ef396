"""The portal: logins good and bad, discovery, who takes whose place, and crowds that never log in."""

import contextlib
import logging
import socket
import struct
import time

import pytest

from tapekey.iscsi.config import Chap, Credential
from tapekey.target import portal, portal_sessions
from tapekey.target.rack import Rack
from tests.target import portals
from tests.target.peer import (
    BHS,
    FINAL,
    HOST,
    LOGGED_IN,
    NO_TAG,
    TARGET,
    TEXT,
    TEXT_ANSWER,
    Gone,
    Peer,
    header,
    keys_of,
    login_pdu,
    padded,
)
from tests.target.portals import SLOW, TAKE, Held

OTHER = "iqn.2026-11.invalid.tapekey:other"
CHAP = Chap((Credential("host", b"correct horse battery"),))


def discovered(address: tuple[str, int]) -> bytes:
    """What SendTargets=All gives."""
    keys = {"InitiatorName": HOST, "SessionType": "Discovery"}
    with contextlib.closing(socket.create_connection(address, timeout=5)) as link:
        peer = Peer(link)
        link.sendall(login_pdu(keys))
        assert peer.receive().opcode == LOGGED_IN
        asked = b"SendTargets=All\0"
        link.sendall(header(TEXT, FINAL, 2, asked, rest=NO_TAG + struct.pack(">II", 1, 1)) + padded(asked))
        answer = peer.receive()
        assert answer.opcode == TEXT_ANSWER
        return answer.data


def test_discovery_gives_the_address_it_was_asked_on() -> None:
    with portals.listening(Held()) as address:
        assert discovered(address) == f"TargetName={TARGET}\0TargetAddress=127.0.0.1:{address[1]},1\0".encode()


def test_discovery_gives_the_address_that_is_to_be_announced() -> None:
    with portal.listening(Rack({0: Held()}, "x"), name=TARGET, announce="10.0.2.2:3260") as address:
        assert b"TargetAddress=10.0.2.2:3260,1\0" in discovered(address)


def test_portal_listens_on_ipv6_too() -> None:
    with portal.listening(Rack({0: Held()}, "x"), ("::1", 0), name=TARGET) as address:
        assert f"TargetAddress=[::1]:{address[1]},1\0".encode() in discovered(address)


# name: keys that replace good ones, status class and detail (RFC 7143 section 11.13.5)
REFUSED = {
    "another target": ({"TargetName": "iqn.2026-11.invalid.tapekey:none"}, "0203"),
    "a session type of its own": ({"SessionType": "Sideways"}, "0209"),
}


@pytest.mark.parametrize(("keys", "status"), REFUSED.values(), ids=REFUSED)
def test_refused_login_says_why(keys: dict[str, str], status: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    with portals.listening(Held()) as address, pytest.raises(Gone) as caught:
        Peer.login(address, isid=b"\x80\0\0\0\0\1", **keys)
    assert str(caught.value) == status
    assert "connection ended" in caplog.text


def test_nobody_logs_in_without_the_secret_and_the_log_names_him(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with portals.listening(Held(), chap=CHAP) as address, pytest.raises(Gone) as caught:
        Peer.login(address)
    assert str(caught.value) == "0201"
    assert "battery" not in caplog.text


def test_same_initiator_port_takes_the_place_of_its_older_session() -> None:
    unit = Held()
    with portals.listening(unit) as address, Peer.login(address) as old, Peer.login(address) as new:
        assert new.command(0, TAKE, b"new").status == 0
        with pytest.raises(Gone):
            old.ping()
        assert unit.lost == [f"{HOST},i,0x800000000001"]
    assert len(unit.lost) == 2


def test_older_session_s_command_ends_before_the_new_one_begins() -> None:
    unit = Held()
    with portals.listening(unit) as address, Peer.login(address) as old:
        old.send_command(0, SLOW)
        assert unit.begun.wait(5)
        new = socket.create_connection(address, timeout=5)
        new.sendall(login_pdu(keys_of(HOST)))
        new.settimeout(0.5)
        with pytest.raises(TimeoutError):
            new.recv(BHS)
        unit.go.set()
        new.settimeout(5)
        with contextlib.closing(new):
            assert Peer(new).receive().opcode == LOGGED_IN
        assert unit.lost[0] == f"{HOST},i,0x800000000001"


def test_initiators_and_isids_each_have_a_session() -> None:
    unit = Held()
    with portals.listening(unit) as address, contextlib.ExitStack() as all_of_them:
        names = [(HOST, b"\x80\0\0\0\0\1"), (HOST, b"\x80\0\0\0\0\2"), (OTHER, b"\x80\0\0\0\0\1")]
        peers = [all_of_them.enter_context(Peer.login(address, name, isid=isid)) for name, isid in names]
        assert [peer.command(0, TAKE).status for peer in peers] == [0, 0, 0]
        assert len({nexus for nexus, _, _ in unit.seen}) == 3


def test_there_are_so_many_sessions_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(portal_sessions, "MOST", 2)
    with portals.listening(Held()) as address:
        with Peer.login(address) as one, Peer.login(address, OTHER) as two:
            with pytest.raises(Gone, match="0302"):
                Peer.login(address, f"{HOST}-3")
            assert discovered(address)
            with Peer.login(address) as again:
                assert again.ping() == b"hello"
            with pytest.raises(Gone):
                one.ping()
            assert two.ping() == b"hello"
        end = time.monotonic() + 5
        while True:
            with contextlib.suppress(Gone), Peer.login(address, f"{HOST}-3") as late:
                assert late.ping() == b"hello"
                break
            assert time.monotonic() < end


def test_silent_connection_is_closed_at_its_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(portal, "DEADLINE", 0.5)
    with portals.listening(Held()) as address:
        links = [socket.create_connection(address, timeout=5) for _ in range(3)]
        links[1].sendall(login_pdu(keys_of(HOST))[:20])
        for link in links:
            assert link.recv(1) == b""
            link.close()


def test_login_in_single_bytes_is_a_login() -> None:
    with portals.listening(Held()) as address, socket.create_connection(address, timeout=5) as link:
        link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in login_pdu(keys_of(HOST)):
            link.sendall(bytes([byte]))
        peer = Peer(link)
        assert peer.receive().opcode == LOGGED_IN
        assert peer.command(0, TAKE, b"x").status == 0


def test_newest_of_too_many_connections_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(portal, "WAITING", 4)
    with portals.listening(Held()) as address, contextlib.ExitStack() as open_links:
        links = [
            open_links.enter_context(contextlib.closing(socket.create_connection(address, timeout=5)))
            for _ in range(10)
        ]
        for link in links[:6]:
            assert link.recv(1) == b""
        links[9].sendall(login_pdu(keys_of(HOST)))
        assert Peer(links[9]).receive().opcode == LOGGED_IN


RUBBISH = {
    "HTTP": b"GET / HTTP/1.0\r\n\r\n".ljust(BHS),
    "zeroes": bytes(200),
    "ones": b"\xff" * 200,
    "a command before login": header(0x01, 0x81, 1),
    "a login of 16 MiB": login_pdu({})[:5] + b"\xff\xff\xff" + bytes(40),
    "a login with additional headers": b"\x43\x87\0\0\xff" + bytes(43) + bytes(1020),
}


@pytest.mark.parametrize("sent", RUBBISH.values(), ids=RUBBISH)
def test_rubbish_ends_its_connection_and_nothing_else(sent: bytes) -> None:
    with portals.listening(Held()) as address:
        with socket.create_connection(address, timeout=5) as link:
            link.sendall(sent)
            with contextlib.suppress(OSError):  # the target may have hung up already
                link.shutdown(socket.SHUT_WR)
            with contextlib.suppress(ConnectionError):
                while link.recv(4096):
                    pass
        with Peer.login(address) as peer:
            assert peer.ping() == b"hello"


def test_one_log_line_tells_of_login_and_end(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    with portals.listening(Held()) as address, Peer.login(address) as peer:
        peer.logout()
    lines = [line for line in caplog.messages if HOST in line]
    assert len(lines) == 2
    assert "logged in" in lines[0]
    assert "session ended" in lines[1]
