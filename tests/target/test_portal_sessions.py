"""What becomes of sessions when units do not come to an end: replaced, stopped, and never more than may be."""

import contextlib
import socket
import threading
import time

import pytest

from tapekey.target import portal_sessions
from tests.target import portals
from tests.target.peer import HOST, Gone, Peer, keys_of, login_pdu
from tests.target.portals import SLOW, TAKE, Held


def until(unit: Held, lost: int) -> None:
    end = time.monotonic() + 5
    while len(unit.lost) < lost:
        assert time.monotonic() < end
        time.sleep(0.01)


def test_stop_waits_for_a_stuck_command_so_long_and_no_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(portal_sessions, "FAREWELL", 0.3)
    unit = Held()
    with portals.listening(unit) as address:
        peer = Peer.login(address)
        peer.send_command(0, SLOW)
        assert unit.begun.wait(5)
        began = time.monotonic()
    assert 0.5 < time.monotonic() - began < 3
    unit.go.set()
    until(unit, 1)
    peer.link.close()


def test_port_that_logs_in_over_and_over_has_one_session(monkeypatch: pytest.MonkeyPatch) -> None:
    unit = Held()
    before = threading.active_count()
    with portals.listening(unit) as address:
        for _ in range(50):
            Peer.login(address).link.close()
        with Peer.login(address) as last:
            assert last.command(0, TAKE).status == 0
            assert threading.active_count() - before <= 3
        until(unit, 51)
    assert len(unit.lost) == 51


def test_replaced_sessions_do_not_pile_up_behind_a_stuck_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(portal_sessions, "MOST", 4)
    unit = Held()
    before = threading.active_count()
    with portals.listening(unit) as address, contextlib.ExitStack() as links:
        first = links.enter_context(Peer.login(address))
        first.send_command(0, SLOW)
        assert unit.begun.wait(5)
        for _ in range(20):
            link = links.enter_context(contextlib.closing(socket.create_connection(address, timeout=5)))
            link.sendall(login_pdu(keys_of(HOST)))
            time.sleep(0.02)
        assert threading.active_count() - before <= 1 + portal_sessions.MOST + 1
        unit.go.set()
        end = time.monotonic() + 5
        while True:
            with contextlib.suppress(Gone), Peer.login(address) as again:
                assert again.command(0, TAKE).status == 0
                break
            assert time.monotonic() < end


def test_new_session_that_cannot_begin_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(portal_sessions, "PATIENCE", 0.2)
    unit = Held()
    with portals.listening(unit) as address, Peer.login(address) as old, socket.create_connection(address) as new:
        old.send_command(0, SLOW)
        assert unit.begun.wait(5)
        new.settimeout(5)
        new.sendall(login_pdu(keys_of(HOST)))
        with contextlib.suppress(ConnectionError):
            assert new.recv(1) == b""
        unit.go.set()
        until(unit, 2)
        with Peer.login(address) as again:
            assert again.command(0, TAKE).status == 0
