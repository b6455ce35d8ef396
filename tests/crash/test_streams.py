"""A drive killed in a stream has what was answered, but for the block under way; all of it whole, none in clear."""

import os
import random
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tapekey.errors import Conflict
from tapekey.exchange import Command
from tapekey.target import cartridge, machine
from tapekey.target.machine import Machine
from tests import told
from tests.crash import tally
from tests.octets import octets
from tests.target import apart
from tests.target.peer import Gone, Peer

KILLS: Final = 200 if os.environ.get(tally.SOAK) else 12
NAME: Final = "iqn.2026-11.invalid.tapekey:stream"
SIZE: Final = 16_384
FILE: Final = 40  # blocks between two filemarks
WRITE, READ = octets("0a 00 00 40 00 00"), octets("08 00 00 40 00 00")
MARK, REWIND, READY = octets("10 00 00 00 01 00"), octets("01 00 00 00 00 00"), bytes(6)
SELECT, PLAIN = octets("15 10 00 00 14 00"), octets("00 00 00 00 0f 0e 40 80 000000ff 000000ff 00000000")
PAGE = octets("00 10 00 30 40 00 02 03 03 000000000000000000 0020") + bytes(range(32))
SET_KEY = octets("b5 20 00 10 00 00") + len(PAGE).to_bytes(4, "big") + bytes(2)
MARKER: Final = b"in clear this would be seen"


def block(number: int) -> bytes:
    return MARKER + random.Random(number).randbytes(SIZE - len(MARKER))


@dataclass(slots=True)
class Told:
    """What was written (None is a filemark), how much of it was answered, and up to where it must last."""

    sent: list[int | None] = field(default_factory=list)
    answered: int = 0
    lasting: int = 0


@contextmanager
def serving(drive: Path) -> Iterator[tuple["subprocess.Popen[str]", tuple[str, int]]]:
    command = [
        sys.executable,
        "-m",
        "tapekey",
        "target",
        "serve",
        str(drive),
        "--listen",
        "127.0.0.1:0",
        "--name",
        NAME,
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        try:
            assert process.stdout is not None
            place = process.stdout.readline().split("/")[2]
            yield process, ("127.0.0.1", int(place.rpartition(":")[2]))
        finally:
            process.kill()


def made(place: Path) -> Path:
    machine.create(place / "drive", "ibm-lto6", serial="DRIVE00001")
    cartridge.create(place / "tape", "lto6", "ENC001L6", capacity=1 << 30, margin=1 << 20)
    with machine.open(place / "drive") as powered:
        powered.insert(place / "tape")
    return place / "drive"


def write(peer: Peer, kept: Told) -> None:
    """Blocks and filemarks until the drive dies; far more than it can take in its life."""
    for number in range(20_000):
        kind = None if number % FILE == FILE - 1 else number
        kept.sent.append(kind)
        found = peer.command(0, MARK) if kind is None else peer.command(0, WRITE, block(kind))
        assert found.status == 0
        kept.answered += 1
        if kind is None:
            kept.lasting = kept.answered


def prepared(powered: Callable[[bytes, bytes], int]) -> None:
    """Attentions taken, compression off, a key set."""
    for _ in range(5):
        powered(READY, b"")
    assert powered(SELECT, PLAIN) == 0
    assert powered(SET_KEY, PAGE) == 0


def lived(drive: Path, delay: float) -> Told:
    kept = Told()
    with serving(drive) as (process, address), Peer.login(address, TargetName=NAME) as peer:
        prepared(lambda cdb, out: peer.command(0, cdb, out).status)
        timer = threading.Timer(delay, os.kill, (process.pid, signal.SIGKILL))
        timer.start()
        with suppress(Gone, ConnectionError):
            write(peer, kept)
        timer.join()
        process.wait(10)
    assert apart.soon(lambda: free(drive))
    return kept


def free(drive: Path) -> bool:
    try:
        with machine.held(drive):
            return True
    except Conflict:
        return False


def judged(powered: Machine, kept: Told) -> int:
    """What the tape holds is the beginning of what was sent; how many objects."""

    def host(cdb: bytes, out: bytes = b"") -> int:
        return powered.execute("host", Command(cdb, out, SIZE)).status

    prepared(host)
    objects = powered.drive.tape.objects
    assert max(kept.lasting, kept.answered - 1) <= objects <= len(kept.sent)
    for number in kept.sent[:objects]:
        found = powered.execute("host", Command(READ, b"", SIZE))
        if number is None:
            assert found.sense[2] & 0x80, "a filemark"
        else:
            assert (found.status, found.data_in) == (0, block(number))
    assert powered.execute("host", Command(READ, b"", SIZE)).sense[2] & 0x0F == 8
    assert host(WRITE, block(1 << 20)) == 0
    assert host(REWIND) == 0
    return objects


def test_what_was_answered_is_on_the_tape_after_a_kill(
    tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    chance, blocks, under_way = random.Random("streams"), 0, 0
    for number in range(KILLS):
        place = tmp_path / str(number)
        place.mkdir()
        drive = made(place)
        kept = lived(drive, chance.uniform(0.0, 0.25))
        with machine.open(drive) as powered:
            objects = judged(powered, kept)
        blocks += objects
        under_way += objects != kept.answered
        assert not any(MARKER in file.read_bytes() for file in (place / "tape").iterdir() if file.is_file())
        shutil.rmtree(place)
    counts = f"{KILLS}, {blocks} blocks and filemarks, {under_way} with one stored or lost that was under way"
    record_property(told.PROPERTY, f"kills of a drive in a stream: {counts}")
    assert blocks > 20 * KILLS
