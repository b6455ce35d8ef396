"""Two initiators at one drive over the wire: attentions, reservations, keys, resets, and one that dies in mid-write."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tapekey.scsi.encryption import DecryptionMode, EncryptionMode, Scope
from tapekey.scsi.set_encryption import SetDataEncryption, set_data_encryption
from tapekey.secret import Secret
from tapekey.target.machine import Machine
from tests.target import portals
from tests.target.peer import HOST, Peer, Result
from tests.target.portals import Address

OTHER = "iqn.2026-11.invalid.tapekey:other"
READY = bytes(6)
RESERVE, RELEASE, REWIND = bytes.fromhex("160000000000"), bytes.fromhex("170000000000"), bytes.fromhex("010000000000")
UNLOAD, LOAD, FILEMARK = bytes.fromhex("1b0000000000"), bytes.fromhex("1b0000000100"), bytes.fromhex("100000000100")
PREVENT, POSITION = bytes.fromhex("1e0000000100"), bytes.fromhex("34000000000000000000")
KEY = bytes(range(0x41, 0x61))
CONFLICT = 0x18


def write(size: int) -> bytes:
    return b"\x0a\0" + size.to_bytes(3, "big") + b"\0"


def read(size: int) -> bytes:
    return b"\x08\0" + size.to_bytes(3, "big") + b"\0"


def said(result: Result) -> str:
    return result.code if result.status == 2 else {0: "good", CONFLICT: "conflict"}[result.status]


def settled(peer: Peer) -> Peer:
    """With its attentions heard and the cartridge loaded."""
    for _ in range(10):
        if peer.command(0, READY).status == 0:
            return peer
    raise AssertionError("it does not become ready")


@contextmanager
def two(place: Path, personality: str = "ibm-lto6") -> Iterator[tuple[Peer, Peer, Machine, Address]]:
    """Both have heard what there was to hear."""
    with (
        portals.drive(place, personality) as powered,
        portals.listening(powered) as address,
        Peer.login(address) as one,
        Peer.login(address, OTHER) as other,
    ):
        yield settled(one), settled(other), powered, address


def test_every_initiator_hears_of_a_new_medium(tmp_path: Path) -> None:
    with two(tmp_path) as (one, other, _, _):
        assert said(one.command(0, UNLOAD)) == "good"
        assert said(one.command(0, LOAD)) == "good"
        assert said(other.command(0, READY)) == "6/28/00"
        assert said(other.command(0, READY)) == "good"


def test_reset_of_the_unit_is_heard_by_both_and_releases_what_was_reserved(tmp_path: Path) -> None:
    with two(tmp_path) as (one, other, _, _):
        assert said(one.command(0, RESERVE)) == "good"
        assert said(other.command(0, READY)) == "conflict"
        assert one.manage(5) == 0
        assert [said(peer.command(0, READY)) for peer in (one, other)] == ["6/29/03", "6/29/03"]
        assert [said(peer.command(0, RESERVE)) for peer in (other, one)] == ["good", "conflict"]


@pytest.mark.parametrize("leaves", ["by logout", "without a word"])
def test_reservation_ends_with_its_session(tmp_path: Path, leaves: str) -> None:
    with two(tmp_path) as (one, other, _, address):
        assert said(one.command(0, RESERVE)) == "good"
        assert said(one.command(0, PREVENT)) == "good"
        assert said(other.command(0, RESERVE)) == "conflict"
        if leaves == "by logout":
            assert one.logout() == 0
        one.link.close()
        for _ in range(100):
            if said(other.command(0, RESERVE)) == "good":
                break
        assert said(other.command(0, UNLOAD)) == "good"
        with Peer.login(address) as again:
            assert said(again.command(0, READY)) == "6/29/07"


def test_initiator_hears_that_another_has_changed_its_key(tmp_path: Path) -> None:
    with two(tmp_path) as (one, other, powered, _):
        for peer in (one, other):
            status = peer.command(0, bytes.fromhex("a220002000000000200000 00"), room=8192)
            assert said(status) == "good"
        assert said(set_key(one, powered)) == "good"
        assert said(other.command(0, READY)) == "6/2A/11"
        assert said(one.command(0, READY)) == "good"


def set_key(peer: Peer, powered: Machine) -> Result:
    """Install a key for all nexuses."""
    page = SetDataEncryption(
        scope=Scope.ALL,
        encryption=EncryptionMode.ENCRYPT,
        decryption=DecryptionMode.DECRYPT,
        algorithm_index=powered.drive.personality.algorithms[-1].index,
    )
    command = set_data_encryption(page, Secret(KEY))
    assert isinstance(command.data_out, Secret)
    with command.data_out.reveal() as view:
        return peer.command(0, command.cdb, bytes(view))


def test_what_is_written_by_one_under_a_key_is_read_by_the_other(tmp_path: Path) -> None:
    block = bytes(range(256)) * 1024
    with two(tmp_path) as (one, other, powered, _):
        assert said(set_key(one, powered)) == "good"
        while said(other.command(0, READY)) != "good":
            pass
        assert said(one.command(0, write(len(block)), block)) == "good"
        assert said(one.command(0, REWIND)) == "good"
        assert other.command(0, read(len(block)), room=len(block)).data == block
    stored = b"".join(path.read_bytes() for path in (tmp_path / "tape").iterdir() if path.is_file())
    assert block[:64] not in stored
    assert KEY not in stored


@pytest.mark.parametrize("size", [30, 48, 1000, 65535])
def test_initiator_that_dies_in_a_write_leaves_no_part_of_a_block(tmp_path: Path, size: int) -> None:
    with two(tmp_path) as (one, other, _, _):
        assert said(one.command(0, write(100), bytes(100))) == "good"
        one.link.sendall(one.pdu_of(0, write(262144), bytes(262144))[:size])
        one.link.close()
        assert said(other.command(0, FILEMARK)) == "good"
        assert said(other.command(0, REWIND)) == "good"
        assert len(other.command(0, read(100), room=100).data) == 100
        assert said(other.command(0, read(100), room=100)) == "0/00/01"


def test_two_initiators_write_at_once_and_every_block_is_whole(tmp_path: Path) -> None:
    with two(tmp_path) as (one, other, _, _):
        for number in range(40):
            tags = [
                (peer, peer.send_command(0, write(4096), bytes([number | mark]) * 4096))
                for peer, mark in ((one, 0), (other, 0x80))
            ]
            assert [said(peer.answer(tag)) for peer, tag in tags] == ["good", "good"]
        assert said(one.command(0, REWIND)) == "good"
        blocks = [one.command(0, read(4096), room=4096).data for _ in range(80)]
    assert all(len(block) == 4096 and len(set(block)) == 1 for block in blocks)
    assert {block[0] for block in blocks} == {number | mark for number in range(40) for mark in (0, 0x80)}


def test_same_port_that_logs_in_again_is_told_what_it_lost(tmp_path: Path) -> None:
    with two(tmp_path) as (one, other, _, address):
        assert said(one.command(0, RESERVE)) == "good"
        with Peer.login(address, HOST) as again:
            assert said(again.command(0, READY)) == "6/29/07"
            assert said(other.command(0, RESERVE)) == "good"


# Types of persistent reservations (SPC-4 5.12.1): what the other initiator may do, registered and not. These are the
# cases of iscsi-test-cu's ProutReserve.Access*, which uses a disk's READ and WRITE.
TYPES = {
    "write exclusive": (1, ("good", "conflict"), ("good", "conflict")),
    "exclusive access": (3, ("conflict", "conflict"), ("conflict", "conflict")),
    "write exclusive, registrants only": (5, ("good", "good"), ("good", "conflict")),
    "exclusive access, registrants only": (6, ("good", "good"), ("conflict", "conflict")),
    "write exclusive, all registrants": (7, ("good", "good"), ("good", "conflict")),
    "exclusive access, all registrants": (8, ("good", "good"), ("conflict", "conflict")),
}


def register(peer: Peer, key: int, *, old: int = 0) -> str:
    return said(
        peer.command(
            0, bytes.fromhex("5f000000000000001800"), old.to_bytes(8, "big") + key.to_bytes(8, "big") + bytes(8)
        )
    )


def access(peer: Peer) -> tuple[str, str]:
    """What comes of reading the first block, and of writing after it."""
    if said(peer.command(0, READY)) == "6/2A/03":
        raise AssertionError("a reservation was preempted")
    peer.command(0, REWIND)
    return said(peer.command(0, read(100), room=100)), said(peer.command(0, write(100), bytes(100)))


@pytest.mark.parametrize(("kind", "registered", "stranger"), TYPES.values(), ids=TYPES)
def test_persistent_reservation_lets_in_whom_its_type_lets_in(
    tmp_path: Path, kind: int, registered: tuple[str, str], stranger: tuple[str, str]
) -> None:
    with two(tmp_path, "hpe-lto6") as (one, other, _, _):
        assert said(one.command(0, write(100), bytes(100))) == "good"
        assert (register(one, 0x11), register(other, 0x22)) == ("good", "good")
        reserve = bytes([0x5F, 1, kind, 0, 0, 0, 0, 0, 24, 0])
        assert said(one.command(0, reserve, (0x11).to_bytes(8, "big") + bytes(16))) == "good"
        assert access(one) == ("good", "good")
        one.command(0, REWIND)
        assert access(other) == registered
        assert register(other, 0, old=0x22) == "good"
        one.command(0, REWIND)
        assert access(other) == stranger


ENDS_PREVENTION = {
    "ALLOW": lambda peer: peer.command(0, bytes(4).join([b"\x1e", b"\0"])),
    "logout": lambda peer: peer.logout(),
    "loss of the nexus": lambda peer: peer.link.close(),
    "reset of the unit": lambda peer: peer.manage(5),
    "warm reset of the target": lambda peer: peer.manage(6),
    "cold reset of the target": lambda peer: peer.manage(7),
}


@pytest.mark.parametrize("end", ENDS_PREVENTION.values(), ids=ENDS_PREVENTION)
def test_prevention_of_removal_ends_as_the_standard_says(tmp_path: Path, end: Callable[[Peer], object]) -> None:
    with two(tmp_path) as (one, other, _, _):
        assert said(one.command(0, PREVENT)) == "good"
        assert said(other.command(0, UNLOAD)) == "5/53/02"
        end(one)
        for _ in range(200):
            came = said(other.command(0, UNLOAD))
            if came == "good":
                break
        assert came == "good"


def test_prevention_lasts_while_one_of_two_still_prevents(tmp_path: Path) -> None:
    with two(tmp_path) as (one, other, _, _):
        assert [said(peer.command(0, PREVENT)) for peer in (one, other)] == ["good", "good"]
        one.link.close()
        assert [said(other.command(0, UNLOAD)) for _ in range(20)] == ["5/53/02"] * 20
