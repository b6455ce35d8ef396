"""Every opcode over the wire, with room for nothing, too little, enough and too much, and flags that are wrong.

Whatever is asked, there is one answer with a residual that adds up, the server lives, and no command's data shows in
another's (RFC 7143 sections 11.3.4 and 11.4.5). A well-known target dies of READ POSITION with no room.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.target import portals
from tests.target.peer import DATA_IN, FINAL, R2T, READ, REJECT, RESPONSE, WRITE, Gone, Peer, Result

ROOMS = (0, 1, 4, 17, 96, 4096, 70000)
SECRET = b"\xa5\x5aNOT FOR OTHERS\x5a\xa5" * 16
FILEMARK, REWIND = bytes.fromhex("100000000100"), bytes.fromhex("010000000000")
WRITE_BLOCK, READ_BLOCK, INQUIRY, READ_POSITION = 0x0A, 0x08, 0x12, 0x34
GIVING_BACK = frozenset({READ_BLOCK, 0x3C})  # READ(6) and READ BUFFER give what was written


@pytest.fixture
def peer(tmp_path: Path) -> Iterator[Peer]:
    with portals.drive(tmp_path) as powered, portals.listening(powered) as address, Peer.login(address) as logged_in:
        while logged_in.command(0, bytes(6)).status:  # attentions, and the load
            pass
        yield logged_in


def cdb_of(opcode: int, room: int) -> bytes:
    """A CDB of the opcode's group, with the room in each place where a length may stand."""
    group = opcode >> 5
    cdb = bytearray(16)
    cdb[0] = opcode
    size = {0: 6, 1: 10, 2: 10, 4: 16, 5: 12}.get(group, 16)
    if size == 6:
        cdb[2:5] = room.to_bytes(3, "big") if opcode in (READ_BLOCK, WRITE_BLOCK) else bytes([0, 0, min(room, 255)])
    elif size == 10:
        cdb[7:9] = min(room, 65535).to_bytes(2, "big")
    elif size == 12:
        cdb[6:10] = room.to_bytes(4, "big")
    else:
        cdb[10:14] = room.to_bytes(4, "big")
    return bytes(cdb[:size])


def adds_up(result: Result, expected: int) -> bool:
    """What came and what is missing are what was expected; what overflowed came up to the brim."""
    if result.residual > 0:
        return len(result.data) == expected
    return len(result.data) - result.residual == expected


def test_every_opcode_is_answered_whatever_room_it_is_given(
    peer: Peer, record_property: Callable[[str, object], None]
) -> None:
    asked = 0
    for opcode in range(256):
        for room in ROOMS:
            for announced in {room, max(room, 96)}:
                assert peer.command(0, cdb_of(WRITE_BLOCK, len(SECRET)), SECRET).status in (0, 2)
                result = peer.command(0, cdb_of(opcode, announced), room=room, flags=FINAL | READ | 1)
                assert adds_up(result, room), f"opcode {opcode:02X}h, room {room}: {result}"
                assert opcode in GIVING_BACK or SECRET[:12] not in result.data, f"opcode {opcode:02X}h"
                asked += 1
        peer.command(0, REWIND)
    assert peer.command(0, bytes([INQUIRY, 0, 0, 0, 36, 0]), room=36).status == 0
    record_property("told", f"{asked} commands of every opcode with data-in were answered over the wire")


# name: flags of the PDU, whether data is sent with it
FLAGS = {
    "no direction": (FINAL | 1, False),
    "to the target, with data": (FINAL | WRITE | 1, True),
    "to the target, data only when asked": (FINAL | WRITE | 1, False),
    "both directions": (FINAL | READ | WRITE | 1, True),
    "from the target, with data": (FINAL | READ | 1, True),
}


@pytest.mark.parametrize(("flags", "sends"), FLAGS.values(), ids=FLAGS)
def test_every_opcode_with_wrong_flags_is_answered_or_refused_and_the_target_lives(
    tmp_path: Path, flags: int, sends: bool
) -> None:
    data = bytes(96)
    with portals.drive(tmp_path) as powered, portals.listening(powered) as address:
        peer = Peer.login(address)
        for opcode in range(256):
            try:
                tag = peer.send_command(0, cdb_of(opcode, 96), data if sends else b"", flags=flags, expected=96)
                answered(peer, tag, data)
            except Gone:
                peer.link.close()
                peer = Peer.login(address)
        peer.link.close()
        with Peer.login(address) as good:
            assert good.command(0, bytes([INQUIRY, 0, 0, 0, 36, 0]), room=36).residual == 0


def answered(peer: Peer, tag: int, data: bytes) -> None:
    """Wait for the answer; a Reject PDU is one too."""
    peer.asides.clear()
    while True:
        pdu = peer.receive()
        if pdu.opcode in (DATA_IN, RESPONSE) and (pdu.opcode == RESPONSE or pdu.header[1] & 1):
            assert pdu.tag == tag
            return
        if pdu.opcode == R2T:
            peer.serve(pdu, data)
        elif pdu.opcode == REJECT:
            return


# Room, and what INQUIRY's 36 bytes leave of it or want beyond it; READ POSITION's 20 bytes likewise.
RESIDUALS = {0: (36, 20), 1: (35, 19), 19: (17, 1), 20: (16, 0), 36: (0, -16), 100: (-64, -80)}


@pytest.mark.parametrize(("room", "left"), RESIDUALS.items(), ids=map(str, RESIDUALS))
def test_residual_is_what_was_requested_less_what_came(peer: Peer, room: int, left: tuple[int, int]) -> None:
    inquiry = peer.command(0, bytes([INQUIRY, 0, 0, 0, 36, 0]), room=room, flags=FINAL | READ | 1)
    position = peer.command(0, bytes([READ_POSITION]).ljust(10, b"\0"), room=room, flags=FINAL | READ | 1)
    assert (inquiry.residual, position.residual) == left
    assert (len(inquiry.data), len(position.data)) == (min(36, room), min(20, room))
    assert (inquiry.status, position.status) == (0, 0)


def test_write_that_announces_less_than_its_cdb_writes_no_part_of_a_block(peer: Peer) -> None:
    short = peer.command(0, cdb_of(WRITE_BLOCK, 4096), bytes(4000))
    assert (short.status, short.code) == (2, "B/4B/00")
    assert peer.command(0, bytes([READ_POSITION]).ljust(10, b"\0"), room=20).data[4:8] == bytes(4)


def test_write_that_announces_more_than_its_cdb_tells_what_was_not_taken(peer: Peer) -> None:
    assert peer.command(0, cdb_of(WRITE_BLOCK, 4000), bytes(4096)).residual == -96
