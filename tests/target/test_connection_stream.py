"""Streams over a real socket: nobody can tell them from the ordinary way but by the clock."""

import os
import random
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import pytest

from tapekey.exchange import Command
from tapekey.target import connection, connection_stream
from tapekey.target.machine import Machine
from tapekey.target.stream import NOTHING
from tests import told
from tests.octets import octets
from tests.target import portals
from tests.target.peer import (
    ASYNC,
    FINAL,
    IMMEDIATE,
    NO_TAG,
    NOP_OUT,
    Gone,
    Pdu,
    Peer,
    header,
)
from tests.target.peer import number as number_at

OTHER: Final = "iqn.2026-11.invalid.tapekey:other"
NEVER: Final = 1 << 60
SIZES: Final = (512, 4096, 4096, 4096, 65536)
SCRIPTS: Final = 400 if os.environ.get("TAPEKEY_SOAK") else 15
REWIND, READY, MARK = octets("01 00 00 00 00 00"), bytes(6), octets("10 00 00 00 01 00")
POSITION = octets("34 06 00 00 00 00 00 00 00 00")
COUNTERS = octets("4d 00 4c 00 00 00 00 02 00 00")
COMPRESSION_OFF = bytes(4) + octets("0f 0e 40 80 000000ff 000000ff 00000000")
KEYS = bytes(range(32)), bytes(range(1, 33))


def block(size: int, seed: int) -> bytes:
    return random.Random(seed).randbytes(size)


def six(opcode: int, size: int, flags: int = 0) -> bytes:
    return bytes([opcode, flags]) + size.to_bytes(3, "big") + b"\0"


def key_of(number: int | None, scope: int = 2) -> tuple[bytes, bytes]:
    """SECURITY PROTOCOL OUT that sets a key, or none, and its data."""
    key = b"" if number is None else KEYS[number]
    ways = bytes([0, 0]) if number is None else bytes([2, 3])
    page = bytes([scope << 5, 0]) + ways + bytes([3]) + bytes(9) + len(key).to_bytes(2, "big") + key
    out = bytes([0, 0x10]) + len(page).to_bytes(2, "big") + page
    return bytes([0xB5, 0x20, 0, 0x10, 0, 0]) + len(out).to_bytes(4, "big") + bytes(2), out


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """How many commands must be alike; None of the numbers that streams adapt to counts."""
    shipped = connection.Connection.__init__

    def set_to(alike: int) -> None:
        def made(self: connection.Connection, *words: object, **more: object) -> None:
            shipped(self, *words, **more)  # type: ignore[arg-type]
            self.patience = alike

        monkeypatch.setattr(connection.Connection, "__init__", made)
        monkeypatch.setattr(connection, "ALIKE", alike)
        monkeypatch.setattr(connection, "PATIENT", alike)

    return set_to


@pytest.fixture
def streamed(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many commands each stream carried."""
    found: list[int] = []
    shipped = connection_stream.run

    def counted(*words: object) -> object:
        result = shipped(*words)  # type: ignore[arg-type]
        found.append(result[0])
        return result

    monkeypatch.setattr(connection_stream, "run", counted)
    return found


@contextmanager
def drive(place: Path) -> Iterator[tuple[Machine, tuple[str, int]]]:
    place.mkdir()
    with portals.drive(place) as machine:
        while machine.execute("maker", Command(READY)).status:
            pass
        select = Command(bytes([0x15, 0x10, 0, 0, len(COMPRESSION_OFF), 0]), COMPRESSION_OFF)
        assert machine.execute("maker", select).status == 0
        with portals.listening(machine) as address:
            yield machine, address


def ready(peer: Peer) -> Peer:
    while peer.command(0, READY).status:
        pass
    return peer


# --- the same with and without -----------------------------------------------------------------------------------


class Script:
    """What a host sends: PDUs one by one or several at once, in pieces or whole; and all that comes back."""

    def __init__(self, peer: Peer, other: Peer, seed: int) -> None:
        self.peer, self.other = peer, other
        self.chance = random.Random(seed)
        self.heard: list[tuple[bytes, bytes]] = []
        self.waiting = 0
        self.seed = 0

    def run(self) -> None:
        self.command(*key_of(0))
        for _ in range(12):
            self.chance.choice(self.STEPS)(self)
        self.command(REWIND)
        for _ in range(30):
            self.command(six(0x08, 4096, 2), room=4096)
        self.command(POSITION, room=32)
        self.command(COUNTERS, room=512)

    def send(self, image: bytes) -> None:
        """One PDU; now and then in two pieces with a pause between, now and then with its answer left for later."""
        if self.chance.random() < 0.1:
            cut = self.chance.randrange(1, len(image))
            self.peer.link.sendall(image[:cut])
            time.sleep(0.002)
            image = image[cut:]
        self.peer.link.sendall(image)
        self.waiting += 1
        if self.waiting > 8 or self.chance.random() < 0.7:
            self.hear()

    def hear(self) -> None:
        while self.waiting:
            found = self.peer.receive()
            self.heard.append((found.header, found.data))
            if found.opcode in (0x20, 0x21, 0x22) or (found.opcode == 0x25 and found.header[1] & 1):
                self.waiting -= 1

    def command(self, cdb: bytes, out: bytes = b"", room: int = 0, expected: int | None = None) -> None:
        self.send(self.peer.pdu_of(0, cdb, out, room, expected=expected))

    # steps

    def write(self) -> None:
        size = self.chance.choice(SIZES)
        for _ in range(self.chance.randrange(1, 20)):
            self.seed += 1
            self.command(six(0x0A, size), block(size, self.seed))

    def write_oddly(self) -> None:
        size = self.chance.choice([1, 3, 511, 4097])
        for _ in range(3):
            self.seed += 1
            self.command(six(0x0A, size), block(size, self.seed))

    def read(self) -> None:
        """Back some blocks, and forth again."""
        back = self.chance.randrange(1, 20)
        self.command(bytes([0x11, 0]) + (-back & 0xFF_FFFF).to_bytes(3, "big") + b"\0")
        size, silent = self.chance.choice(SIZES), self.chance.choice([0, 2])
        for _ in range(self.chance.randrange(1, 20)):
            self.command(six(0x08, size, silent), room=size)

    def read_with_other_room(self) -> None:
        for _ in range(4):
            self.command(six(0x08, 4096, 2), room=self.chance.choice([0, 100, 8192]))

    def mark(self) -> None:
        self.command(MARK)

    def rewind(self) -> None:
        self.command(REWIND)

    def to_the_end(self) -> None:
        self.command(octets("11 03 00 00 00 00"))

    def another_key(self) -> None:
        self.command(*key_of(self.chance.choice([0, 0, 1, None])))

    def ping(self) -> None:
        self.peer.tags += 1
        rest = NO_TAG + struct.pack(">II", self.peer.sequence, self.peer.status)
        self.send(header(IMMEDIATE | NOP_OUT, FINAL, self.peer.tags, b"ping", rest=rest) + b"ping")

    def reset(self) -> None:
        self.hear()
        self.peer.send_manage(5)
        self.waiting += 1
        self.hear()
        self.command(READY)
        self.command(READY)
        self.command(*key_of(0))

    def look(self) -> None:
        self.command(POSITION, room=32)
        self.command(COUNTERS, room=512)

    def the_other_writes(self) -> None:
        self.hear()
        self.heard.append((repr(self.other.command(0, six(0x0A, 4096), block(4096, 1))).encode(), b""))

    def the_other_sets_a_key(self) -> None:
        self.hear()
        self.heard.append((repr(self.other.command(0, *key_of(self.chance.choice([0, 1])))).encode(), b""))

    STEPS = (write, write, write, write, read, read, read, mark, rewind, to_the_end, another_key, ping, look,
             write_oddly, read_with_other_room, reset, the_other_writes, the_other_sets_a_key)  # fmt: skip


def test_nobody_can_tell(
    tmp_path: Path,
    patient: Callable[[int], None],
    streamed: list[int],
    record_property: Callable[[str, object], None],
) -> None:
    answers = 0
    for seed in range(SCRIPTS):
        heard = []
        for alike in (NEVER, 1):
            patient(alike)
            before = len(streamed)
            with (
                drive(tmp_path / f"{seed}-{alike}") as (_, address),
                Peer.login(address) as peer,
                Peer.login(address, OTHER) as other,
            ):
                script = Script(ready(peer), ready(other), seed)
                script.run()
                script.hear()
            heard.append(script.heard)
            assert alike == 1 or len(streamed) == before
        for step, (one, two) in enumerate(zip(*heard, strict=True)):
            assert one == two, f"script {seed}, answer {step}"
        answers += len(heard[0])
    counts = f"{SCRIPTS} scripts, {answers} answers the same with and without, {sum(streamed)} in streams"
    record_property(told.PROPERTY, f"streams: {counts}")
    assert sum(streamed) > answers // 10


# --- what comes in between ---------------------------------------------------------------------------------------


@pytest.fixture
def host(tmp_path: Path, patient: Callable[[int], None]) -> Iterator[tuple[Machine, tuple[str, int], Peer]]:
    """A host in the middle of writing, in a stream."""
    patient(1)
    with drive(tmp_path / "here") as (machine, address), Peer.login(address) as peer:
        ready(peer)
        assert peer.command(0, *key_of(0)).status == 0
        for number in range(6):
            assert peer.command(0, six(0x0A, 4096), block(4096, number)).status == 0
        yield machine, address, peer


Host = tuple[Machine, tuple[str, int], Peer]


def test_other_initiator_that_sets_a_key_is_told_of(host: Host, streamed: list[int]) -> None:
    _, address, peer = host
    with Peer.login(address, OTHER) as other:
        ready(other)
        assert other.command(0, *key_of(1)).status == 0
    assert peer.command(0, six(0x0A, 4096), block(4096, 6)).code == "6/2A/11"
    for number in range(6, 12):
        assert peer.command(0, six(0x0A, 4096), block(4096, number)).status == 0
    assert peer.command(0, REWIND).status == 0
    assert peer.command(0, six(0x08, 4096), room=4096).code == "7/74/03"
    assert peer.command(0, *key_of(0)).status == 0
    for number in range(6):
        assert peer.command(0, six(0x08, 4096), room=4096).data == block(4096, number)
    assert peer.command(0, six(0x08, 4096), room=4096).code == "7/74/03"
    assert sum(streamed) > 4


def test_two_initiators_that_take_turns_lose_nothing(host: Host) -> None:
    _, address, peer = host
    with Peer.login(address, OTHER) as other:
        ready(other)
        for number in range(6, 40):
            who = peer if number % 3 else other
            assert who.command(0, six(0x0A, 4096), block(4096, number)).status == 0
    assert peer.command(0, REWIND).status == 0
    for number in range(40):
        assert peer.command(0, six(0x08, 4096), room=4096).data == block(4096, number)


def test_two_initiators_at_once_lose_nothing(host: Host, streamed: list[int]) -> None:
    machine, address, peer = host
    wrong: list[str] = []

    def write(who: Peer, first: int) -> None:
        for number in range(first, first + 300):
            found = who.command(0, six(0x0A, 4096), block(4096, number))
            if found.status:
                wrong.append(found.code)

    with Peer.login(address, OTHER) as other:
        ready(other)
        threads = [threading.Thread(target=write, args=(who, at)) for who, at in ((peer, 1000), (other, 2000))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
    assert wrong == []
    assert machine.drive.tape.objects == 606
    assert peer.command(0, REWIND).status == 0
    found = [peer.command(0, six(0x08, 4096), room=4096).data for _ in range(606)]
    expected = [block(4096, number) for number in (*range(6), *range(1000, 1300), *range(2000, 2300))]
    assert sorted(found) == sorted(expected)
    assert sum(streamed) > 0


@pytest.mark.parametrize("cut", [1, 47, 48, 49, 3000])
def test_host_that_goes_in_the_middle_of_a_command_has_written_what_was_answered(host: Host, cut: int) -> None:
    machine, address, peer = host
    image = peer.pdu_of(0, six(0x0A, 4096), block(4096, 99))
    peer.link.sendall(image[:cut])
    peer.link.close()
    with Peer.login(address, OTHER) as other:
        ready(other)
        assert other.command(0, REWIND).status == 0
        for number in range(6):
            assert other.command(0, six(0x08, 4096), room=4096).data == block(4096, number)
        assert other.command(0, six(0x08, 4096), room=4096).code == "8/00/05"
    assert machine.drive.tape.objects == 6


@pytest.mark.parametrize("cut", [20, 48, 2000])
def test_command_that_comes_in_two_pieces_with_silence_between_is_whole(host: Host, cut: int) -> None:
    _, _, peer = host
    image = peer.pdu_of(0, six(0x0A, 4096), block(4096, 6))
    tag = peer.tags
    peer.link.sendall(image[:cut])
    time.sleep(1.3)  # longer than a tick
    peer.link.sendall(image[cut:])
    assert peer.answer(tag).status == 0
    assert peer.command(0, REWIND).status == 0
    for number in range(7):
        assert peer.command(0, six(0x08, 4096), room=4096).data == block(4096, number)


def test_silent_host_in_a_stream_lets_others_in_at_once(host: Host) -> None:
    _, address, peer = host
    with Peer.login(address, OTHER) as other:
        ready(other)
        began = time.monotonic()
        for _ in range(20):
            assert other.command(0, POSITION, room=32).data[15] == 6
        assert time.monotonic() - began < 0.9  # a tick would be a second each
    assert peer.command(0, six(0x0A, 4096), block(4096, 6)).status == 0


def test_target_that_stops_says_so_with_the_right_number(tmp_path: Path, patient: Callable[[int], None]) -> None:
    patient(1)
    asides: list[Pdu] = []
    with drive(tmp_path / "here") as (_, address):
        peer = Peer.login(address)
        ready(peer)
        for number in range(6):
            assert peer.command(0, six(0x0A, 4096), block(4096, number)).status == 0
        expected = peer.status
    with peer, suppress(Gone):
        while len(asides) < 10:
            asides.append(peer.receive())
    assert [aside.opcode for aside in asides] == [ASYNC]
    assert number_at(asides[0].header, 24) == expected


def test_lun_reset_in_a_stream_takes_the_key(host: Host) -> None:
    machine, _, peer = host
    assert peer.manage(5) == 0
    assert peer.command(0, six(0x0A, 4096), block(4096, 6)).code == "6/29/03"
    assert machine.drive.parameters.shared.key is None


def test_unlike_commands_sent_at_once_are_answered_in_order(host: Host) -> None:
    _, _, peer = host
    tags = [
        peer.send_command(0, six(0x0A, 4096), block(4096, 6)),
        peer.send_command(0, six(0x0A, 512), block(512, 7)),
        peer.send_command(0, MARK),
        *(peer.send_command(0, six(0x0A, 4096), block(4096, number)) for number in range(8, 28)),
        peer.send_command(0, POSITION, room=32),
    ]
    results = [peer.answer(tag) for tag in tags]
    assert [result.status for result in results] == [0] * 24
    assert results[-1].data[15] == 29


def test_command_out_of_order_waits_for_the_one_before(host: Host) -> None:
    _, _, peer = host
    first, second = (peer.pdu_of(0, six(0x0A, 4096), block(4096, number)) for number in (6, 7))
    peer.link.sendall(second)
    time.sleep(0.05)
    peer.link.sendall(first)
    assert peer.answer(peer.tags - 1).status == 0
    assert peer.answer(peer.tags).status == 0
    assert peer.command(0, REWIND).status == 0
    for number in range(8):
        assert peer.command(0, six(0x08, 4096), room=4096).data == block(4096, number)


def test_streams_that_are_short_are_tried_less_often(tmp_path: Path, streamed: list[int]) -> None:
    with drive(tmp_path / "here") as (_, address), Peer.login(address) as peer:
        ready(peer)
        for number in range(60):
            for _ in range(8):
                assert peer.command(0, six(0x0A, 4096), block(4096, number)).status == 0
            assert peer.command(0, MARK).status == 0
        assert 0 < len(streamed) < 4
        for number in range(200):
            assert peer.command(0, six(0x0A, 4096), block(4096, number)).status == 0
        assert peer.command(0, MARK).status == 0
        assert streamed[-1] > 100


@dataclass(slots=True)
class Slow(portals.Held):
    """A unit that takes everything, and thinks for long about a stream."""

    asked: threading.Event = field(default_factory=threading.Event)
    answer: threading.Event = field(default_factory=threading.Event)
    ended: threading.Event = field(default_factory=threading.Event)
    room: memoryview = field(default_factory=lambda: memoryview(bytearray(4)))
    data: memoryview = NOTHING

    def stream(self, nexus: str, cdb: bytes, size: int) -> "Slow":  # type: ignore[override]
        self.asked.set()
        assert self.answer.wait(20)
        return self

    def take(self) -> bool:
        raise AssertionError("the stream is used by a thread that does not read any more")

    def follow(self) -> None:
        raise AssertionError

    def end(self) -> None:
        self.ended.set()


def test_unit_that_thinks_long_about_a_stream_keeps_no_other_waiting(patient: Callable[[int], None]) -> None:
    patient(1)
    slow, other = Slow(), portals.Held()
    with portals.listening(slow, other) as address, Peer.login(address) as peer:
        for _ in range(2):
            assert peer.command(0, portals.TAKE, b"data").status == 0
        assert slow.asked.wait(5)
        for number in range(10):
            assert peer.command(1, portals.TAKE, bytes([number])).status == 0
        assert peer.ping(b"there?") == b"there?"
        slow.answer.set()
        assert slow.ended.wait(5)
        for number in range(10):
            assert peer.command(1, portals.TAKE, bytes([number])).status == 0
    assert len(other.seen) == 20


def test_session_is_told_what_was_received_elsewhere() -> None:
    """Piece by piece, in whatever pieces it wants."""

    class Wanting:
        def __init__(self) -> None:
            self.got = bytearray()
            self.pieces = [3, 5, 1, 100]
            self.room = memoryview(bytearray(100))

        def wants(self) -> memoryview:
            return self.room[: self.pieces[0]] if self.pieces else self.room[:0]

        def took(self, count: int) -> list[int]:
            self.got += self.room[:count]
            self.pieces.pop(0)
            return [count]

    session = Wanting()
    assert connection_stream.feed(session, memoryview(b"0123456789ab")) == [3, 5, 1, 3]  # type: ignore[arg-type,comparison-overlap]
    assert session.got == b"0123456789ab"
    session.pieces = []
    assert connection_stream.feed(session, memoryview(b"for nobody")) == []  # type: ignore[arg-type]
