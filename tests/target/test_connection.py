"""A session over a real socket: data of every length, task management, slow and dying peers, keys, pings in time."""

import socket
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from tapekey.iscsi.config import Config
from tapekey.iscsi.events import Execute
from tapekey.secret import Secret
from tapekey.target import connection, connection_link, portal
from tests.target import portals
from tests.target.peer import ASYNC, FINAL, HOST, NOP_IN, R2T, RESPONSE, WRITE, Gone, Peer
from tests.target.portals import SLOW, TAKE, Held, give

OTHER = "iqn.2026-11.invalid.tapekey:other"
SIZES = (1, 3, 4, 511, 4096, 65535, 65536, 65537, 262144, 262145, 1 << 20, (1 << 20) + 7)
SET_KEY = bytes([0xB5, 0x20, 0, 0x10, 0, 0, 0, 0, 0, 52, 0, 0])
PATTERN = bytes(range(251)) * 5000


def until(done: Callable[[], bool], patience: float = 5.0) -> None:
    end = time.monotonic() + patience
    while not done():
        assert time.monotonic() < end, "it did not come about"
        time.sleep(0.01)


def test_data_out_of_every_length_arrives_whole() -> None:
    unit = Held()
    with portals.listening(unit) as address, Peer.login(address) as peer:
        for size in SIZES:
            result = peer.command(0, TAKE, PATTERN[:size])
            assert (result.status, result.residual) == (0, 0)
            assert unit.seen[-1][2] == PATTERN[:size]


def test_data_in_of_every_length_comes_back_with_its_residual() -> None:
    with portals.listening(Held()) as address, Peer.login(address) as peer:
        for size in SIZES:
            result = peer.command(0, give(size), room=size + 10)
            assert (result.status, len(result.data), result.residual) == (0, size, -10)


def test_unit_knows_an_initiator_by_its_port() -> None:
    unit = Held()
    with portals.listening(unit) as address, Peer.login(address) as peer:
        peer.command(0, TAKE)
    assert unit.seen[0][0] == f"{HOST},i,0x800000000001"
    assert unit.lost == [f"{HOST},i,0x800000000001"]


def test_commands_are_answered_in_the_order_they_came() -> None:
    unit = Held()
    with portals.listening(unit) as address, Peer.login(address) as peer:
        tags = [peer.send_command(0, TAKE, bytes([place])) for place in range(20)]
        assert all(peer.answer(tag).status == 0 for tag in tags)
    assert [data for _, _, data in unit.seen] == [bytes([place]) for place in range(20)]


def test_pings_are_answered_while_a_command_runs() -> None:
    unit = Held()
    with portals.listening(unit) as address, Peer.login(address) as peer:
        tag = peer.send_command(0, SLOW)
        assert unit.begun.wait(5)
        assert peer.ping(b"are you there?") == b"are you there?"
        queued = peer.send_command(0, TAKE, b"meanwhile")
        assert peer.ping(b"still?") == b"still?"
        unit.go.set()
        assert (peer.answer(tag).status, peer.answer(queued).status) == (0, 0)
    assert unit.seen[-1][2] == b"meanwhile"


def test_slow_command_of_one_initiator_is_no_matter_to_another() -> None:
    busy, free = Held(), Held()
    with portals.listening(busy, free) as address, Peer.login(address) as one, Peer.login(address, OTHER) as other:
        tag = one.send_command(0, SLOW)
        assert busy.begun.wait(5)
        began = time.monotonic()
        assert all(other.command(1, TAKE, b"x").status == 0 for _ in range(100))
        assert time.monotonic() - began < 5
        busy.go.set()
        assert one.answer(tag).status == 0


def test_unit_that_takes_long_keeps_no_other_unit_of_its_session_waiting() -> None:
    busy, free = Held(), Held()
    with portals.listening(busy, free) as address, Peer.login(address) as peer:
        slow = peer.send_command(0, SLOW)
        behind = [peer.send_command(0, TAKE, bytes([place])) for place in range(5)]
        assert busy.begun.wait(5)
        for place in range(20):
            assert peer.command(1, TAKE, bytes([place])).status == 0
        assert len(busy.seen) == 1
        busy.go.set()
        assert [peer.answer(tag).status for tag in (slow, *behind)] == [0] * 6
    assert [data for _, _, data in busy.seen] == [b"", *(bytes([place]) for place in range(5))]
    assert [data for _, _, data in free.seen] == [bytes([place]) for place in range(20)]


def test_every_unit_may_take_long_at_once() -> None:
    units = [Held() for _ in range(4)]
    with portals.listening(*units) as address, Peer.login(address) as peer:
        tags = [peer.send_command(lun, SLOW) for lun in range(4)]
        assert all(unit.begun.wait(5) for unit in units)
        for unit, tag in reversed(list(zip(units, tags, strict=True))):
            unit.go.set()
            assert peer.answer(tag).status == 0
        assert [peer.command(lun, TAKE, b"x").status for lun in range(4)] == [0] * 4
    assert [len(unit.lost) for unit in units] == [1] * 4


def test_target_reset_waits_for_every_unit() -> None:
    one, two = Held(), Held()
    with portals.listening(one, two) as address, Peer.login(address) as peer:
        peer.send_command(0, SLOW)
        assert one.begun.wait(5)
        peer.send_manage(6)
        peer.send_ping(b"")
        until_pinged(peer)
        assert (one.resets, two.resets) == (0, 0)
        one.go.set()
        assert peer.managed() == 0
        assert (one.resets, two.resets) == (1, 1)


def test_session_that_ends_while_units_are_busy_is_lost_when_they_are_not() -> None:
    one, two = Held(), Held()
    with portals.listening(one, two) as address:
        with Peer.login(address) as peer:
            for lun in range(2):
                peer.send_command(lun, SLOW)
            peer.send_command(0, TAKE, b"for nobody")
            assert one.begun.wait(5)
            assert two.begun.wait(5)
        time.sleep(0.1)
        assert one.lost == []
        two.go.set()
        one.go.set()
        until(lambda: bool(one.lost and two.lost))
    assert (len(one.lost), len(two.lost)) == (1, 1)


def test_peer_that_takes_no_answer_is_dropped_and_others_are_served(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection_link, "SENDING", 1.0)
    unit = Held()
    with portals.listening(unit) as address, Peer.login(address) as deaf, Peer.login(address, OTHER) as other:
        deaf.link.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        for _ in range(8):
            deaf.send_command(0, give(4 << 20), room=4 << 20)
        while not unit.lost:
            began = time.monotonic()
            assert other.command(0, TAKE, b"x").status == 0
            assert time.monotonic() - began < 1
        assert unit.lost == [f"{HOST},i,0x800000000001"]


@pytest.mark.parametrize("size", [20, 48, 60, 1000])
def test_peer_that_dies_in_a_write_leaves_nothing_behind(size: int) -> None:
    unit = Held()
    with portals.listening(unit) as address:
        with Peer.login(address) as dying:
            dying.link.sendall(dying.pdu_of(0, TAKE, bytes(4096))[:size])
        until(lambda: bool(unit.lost))
        assert unit.seen == []
        with Peer.login(address) as peer:
            assert peer.command(0, TAKE, b"good").status == 0


def test_aborted_command_is_not_answered_but_its_abort_is() -> None:
    unit = Held()
    with portals.listening(unit) as address, Peer.login(address) as peer:
        tag = peer.send_command(0, SLOW)
        assert unit.begun.wait(5)
        peer.send_manage(1, tag=tag)
        peer.send_ping(b"")
        until_pinged(peer)
        unit.go.set()
        assert peer.managed() == 0
        assert peer.command(0, TAKE, b"next").status == 0
        assert RESPONSE not in [pdu.opcode for pdu in peer.asides]


def test_command_that_is_aborted_before_its_turn_is_never_carried_out() -> None:
    unit = Held()
    with portals.listening(unit) as address, Peer.login(address) as peer:
        first = peer.send_command(0, SLOW)
        assert unit.begun.wait(5)
        doomed, kept = peer.send_command(0, TAKE, b"doomed"), peer.send_command(0, TAKE, b"kept")
        peer.send_manage(1, tag=doomed)
        peer.send_ping(b"")
        until_pinged(peer)
        unit.go.set()
        assert (peer.answer(first).status, peer.answer(kept).status) == (0, 0)
        assert peer.managed() == 0
    assert [data for _, _, data in unit.seen] == [b"", b"kept"]


def until_pinged(peer: Peer) -> None:
    while (pdu := peer.receive()).opcode != NOP_IN:
        peer.aside(pdu)


def test_reset_of_a_unit_reaches_that_unit_only() -> None:
    one, two = Held(), Held()
    with portals.listening(one, two) as address, Peer.login(address) as peer:
        assert peer.manage(5, lun=1) == 0
        assert (one.resets, two.resets) == (0, 1)
        assert peer.manage(5, lun=7) == 2


def test_target_reset_reaches_every_unit_and_a_cold_one_ends_the_session() -> None:
    one, two = Held(), Held()
    with portals.listening(one, two) as address, Peer.login(address) as peer:
        assert peer.manage(6) == 0
        assert (one.resets, two.resets) == (1, 1)
        assert peer.manage(7) == 0
        assert (one.resets, two.resets) == (2, 2)
        with pytest.raises(Gone):
            peer.ping()


def test_reset_waits_for_the_command_that_runs_and_withholds_its_answer() -> None:
    unit = Held()
    with portals.listening(unit) as address, Peer.login(address) as peer:
        peer.send_command(0, SLOW)
        assert unit.begun.wait(5)
        peer.send_manage(5)
        peer.send_ping(b"")
        until_pinged(peer)
        assert unit.resets == 0
        unit.go.set()
        assert peer.managed() == 0
        assert unit.resets == 1
        assert RESPONSE not in [pdu.opcode for pdu in peer.asides]


def test_key_travels_as_a_secret() -> None:
    unit = Held()
    key = bytes(range(0x61, 0x81))
    with portals.listening(unit) as address, Peer.login(address) as peer:
        assert peer.command(0, SET_KEY, bytes(20) + key).status == 0
        leftover = peer.command(0, give(65536), room=65536).data
    assert [bytes(secret.reveal()) for secret in unit.secrets] == [bytes(20) + key]
    assert unit.seen[:-1] == []
    assert key not in leftover


def test_buffer_that_a_key_came_in_is_wiped() -> None:
    buffer = bytearray(b"twenty bytes before." + bytes(range(32)))
    moved = connection._data_out(Execute(1, 0, SET_KEY, memoryview(buffer), 0, memoryview(b"")))
    assert isinstance(moved, Secret)
    assert buffer == bytes(52)


def test_key_of_a_command_that_was_aborted_is_wiped_too() -> None:
    key = bytes(range(0x61, 0x81))
    with portals.listening(Held()) as address, Peer.login(address) as peer:
        tag = peer.send_command(0, SET_KEY, bytes(20) + key, flags=FINAL | WRITE | 1, expected=1000)
        assert peer.receive().opcode == R2T
        assert peer.manage(1, tag=tag) == 0
        leftover = b"".join(peer.command(0, give(4096), room=4096).data for _ in range(4))
    assert key not in leftover


def test_logout_is_answered_and_ends_the_session() -> None:
    unit = Held()
    with portals.listening(unit) as address, Peer.login(address) as peer:
        assert peer.logout() == 0
        with pytest.raises(Gone):
            peer.receive()
        until(lambda: len(unit.lost) == 1)


def test_stop_says_goodbye_to_everybody() -> None:
    unit = Held()
    with portals.listening(unit) as address:
        peers = [Peer.login(address, f"{HOST}{place}") for place in range(5)]
    for peer in peers:
        farewell = peer.receive()
        assert (farewell.opcode, farewell.header[36]) == (ASYNC, 2)
        with pytest.raises(Gone):
            peer.receive()
        peer.link.close()
    assert len(unit.lost) == 5


def test_stop_comes_through_a_stream_of_writes() -> None:
    unit = Held()
    with ThreadPoolExecutor() as threads:
        with portals.listening(unit) as address:
            streams = [threads.submit(stream, address, f"{HOST}{place}") for place in range(3)]
            until(lambda: len(unit.seen) > 60)
            began = time.monotonic()
        assert time.monotonic() - began < 5
        assert sum(done.result(10) for done in streams) in range(len(unit.seen) - 3, len(unit.seen) + 1)
    assert all(len(data) == 262144 for _, _, data in unit.seen)


def stream(address: tuple[str, int], name: str) -> int:
    """Write until the target goes; how many writes it has acknowledged."""
    written = 0
    with Peer.login(address, name) as peer:
        try:
            while peer.command(0, TAKE, PATTERN[:262144]).status == 0:
                written += 1
        except (Gone, OSError):
            pass
    return written


def test_idle_peer_is_pinged_and_a_dead_one_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    config = Config
    monkeypatch.setattr(portal, "Config", lambda *a, **k: config(*a, **{**k, "ping_after": 1.0, "ping_within": 1.0}))
    unit = Held()
    with portals.listening(unit) as address, Peer.login(address) as dead, Peer.login(address, OTHER) as living:
        for _ in range(2):
            ping = living.receive()
            assert ping.opcode == NOP_IN
            living.aside(ping)
        until(lambda: bool(unit.lost))
        assert unit.lost == [f"{HOST},i,0x800000000001"]
        dead.link.settimeout(5)
