"""Random and mutated PDUs over a real socket: the target answers, refuses or hangs up; it never dies or stops.

A sequence that is good (login, ping, inquiry, a write with unsolicited data, text, logout) is spoilt in a few places by
chance; TAPEKEY_SOAK=1 plays 100 times as many.
"""

import contextlib
import os
import random
import resource
import socket
import struct
import time
from collections.abc import Callable
from pathlib import Path

from tapekey.iscsi.config import Config
from tests.target import portals
from tests.target.peer import BHS, FINAL, HOST, LOGOUT, NO_TAG, NOP_OUT, TEXT, Peer, header, keys_of, login_pdu, padded

ROUNDS = 120_000 if os.environ.get("TAPEKEY_SOAK") else 400
BOUND = Config("").memory + (64 << 20)  # what a session may hold, and some that the allocator keeps


def sequence(peer: Peer) -> list[bytes]:
    """What a good initiator may say from login to logout, a PDU an entry."""
    numbers = struct.pack(">II", 1, 1)
    text = b"SendTargets=\0"
    return [
        login_pdu(keys_of(f"{HOST}-bad")),
        header(0x40 | NOP_OUT, FINAL, 5, b"ping", rest=NO_TAG + numbers) + padded(b"ping"),
        peer.pdu_of(0, bytes([0x12, 0, 0, 0, 36, 0]), room=36),
        peer.pdu_of(0, bytes([0x0A, 0, 0, 16, 0, 0]), bytes(4096)),
        peer.pdu_of(0, bytes([0x08, 0, 0, 16, 0, 0]), room=4096),
        peer.pdu_of(1, bytes([0xA0]).ljust(8, b"\0") + struct.pack(">I", 4096), room=4096),
        header(TEXT, FINAL, 9, text, rest=NO_TAG + numbers) + padded(text),
        header(0x42, FINAL | 1, 10, rest=struct.pack(">IIII", 11, 1, 1, 1)),
        header(0x40 | LOGOUT, FINAL, 12, rest=struct.pack(">HHII", 0, 0, 2, 2)),
    ]


def spoilt(pdus: list[bytes], chance: random.Random) -> bytes:
    """The sequence with some PDUs changed, lost, doubled or out of place; mostly the login stays, to get beyond it."""
    rest = pdus[1:]
    if chance.random() < 0.3:
        chance.shuffle(rest)
    images = [bytearray(pdu) for pdu in ([pdus[0]] if chance.random() < 0.9 else []) + rest]
    for _ in range(chance.randrange(1, 8)):
        image = images[chance.randrange(chance.random() < 0.8, len(images))]
        at = chance.randrange(min(len(image), BHS if chance.random() < 0.8 else len(image)))
        image[at] = chance.choice((0, 0xFF, chance.randrange(256), image[at] ^ 1 << chance.randrange(8)))
    whole = b"".join(images)
    if chance.random() < 0.1:
        whole = whole[: chance.randrange(len(whole))]
    return whole + (chance.randbytes(chance.randrange(400)) if chance.random() < 0.2 else b"")


def test_spoilt_pdus_do_no_harm(tmp_path: Path, record_property: Callable[[str, object], None]) -> None:
    chance = random.Random(7143)
    answered = 0
    with portals.drive(tmp_path) as powered, portals.listening(powered) as address, Peer.login(address) as good:
        pdus = sequence(Peer(good.link))
        before = resident()
        for number in range(ROUNDS):
            answered += play(address, spoilt(pdus, chance))
            if number % 20 == 0:
                assert good.ping(b"well?") == b"well?"
                assert good.command(0, bytes([0x12, 0, 0, 0, 36, 0]), room=36).status == 0
        grown = resident() - before
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss << 10
    assert grown < BOUND
    assert answered > ROUNDS // 2
    record_property(
        "told",
        f"{ROUNDS} spoilt iSCSI sequences ({answered} got an answer);"
        f" memory grew by {grown >> 20} MiB, at its peak to {peak >> 20} MiB",
    )


def resident() -> int:
    """Bytes that this process has now; sessions that ended while others began had more for a moment."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


def play(address: tuple[str, int], image: bytes) -> bool:
    """Send it, say that no more will come, and read to the end; whether anything came."""
    came, began = b"", time.monotonic()
    with socket.create_connection(address, timeout=10) as link, contextlib.suppress(OSError):
        link.sendall(image)
        link.shutdown(socket.SHUT_WR)
        while piece := link.recv(65536):
            came += piece
    assert time.monotonic() - began < 10, "the target neither answered nor hung up"
    return bool(came)
