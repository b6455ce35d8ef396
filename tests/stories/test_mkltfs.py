"""What mkltfs and an LTFS mount send a drive, command by command (reference 11.1, 11.3, 11.6, 11.8); bytes by hand.

No LTFS is packaged for Debian or on PyPI, so this plays its part: the CDBs are those that its `sg` back end builds.
"""

from pathlib import Path

import pytest

from tapekey.exchange import Command
from tapekey.scsi.codes import Status
from tests.bench import Bench, made, powered
from tests.octets import octets
from tests.target.initiator import code

GIGABYTE = 10**9
CAPACITY = 200 * GIGABYTE
SMALL = 5 * GIGABYTE  # the least partition of a volume of this size: one in forty
LABEL = b"VOL1ENC001L".ljust(79) + b"4"
INDEX = b"<?xml version='1.0'?><ltfsindex/>" * 20
UUID = b"30a91a08-daae-48d1-ae75-69804e61d2ea"


class Ltfs:
    """The back end: raw CDBs in, data out, and nothing but GOOD accepted."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.sent = 0

    def ask(self, cdb: str, room: int) -> bytes:
        return self._send(Command(octets(cdb), data_in_max=room))

    def tell(self, cdb: str, data: bytes = b"") -> None:
        self._send(Command(octets(cdb), data))

    def _send(self, command: Command) -> bytes:
        reply = self.bench.execute(command)
        self.sent += 1
        assert reply.status == Status.GOOD, f"{command.cdb.hex(' ')}: {code(reply)}"
        return reply.data_in

    def locate(self, partition: int, block: int) -> None:
        self.tell(f"92 02 00 {partition:02x} {block:016x} 00 00 00 00")
        assert self.position() == (partition, block)

    def end_of_data(self, partition: int) -> None:
        self.tell(f"92 1a 00 {partition:02x} 0000000000000000 00 00 00 00")

    def position(self) -> tuple[int, int]:
        long = self.ask("34 06 00 00 00 00 00 00 00 00", 32)
        return int.from_bytes(long[4:8], "big"), int.from_bytes(long[8:16], "big")

    def write(self, data: bytes) -> None:
        self.tell(f"0a 00 {len(data):06x} 00", data)

    def filemark(self) -> None:
        self.tell("10 00 00 00 01 00")

    def read_attribute(self, identifier: int, size: int, partition: int = 0) -> bytes:
        room = size + 9
        data = self.ask(f"8c 00 00 00 00 00 00 {partition:02x} {identifier:04x} {room:08x} 00 00", room)
        assert int.from_bytes(data[4:6], "big") == identifier
        assert int.from_bytes(data[7:9], "big") == size
        return data[9:]

    def write_attribute(self, identifier: int, form: int, value: bytes, partition: int = 0) -> None:
        item = identifier.to_bytes(2, "big") + bytes([form]) + len(value).to_bytes(2, "big") + value
        data = len(item).to_bytes(4, "big") + item
        self.tell(f"8d 01 00 00 00 00 00 {partition:02x} 00 00 {len(data):08x} 00 00", data)


@pytest.fixture(params=["ibm-lto5", "ibm-lto6", "ibm-lto9", "hpe-lto6"])
def ltfs(request: pytest.FixtureRequest, tmp_path: Path) -> Ltfs:
    bench = powered(tmp_path, request.param, empty=True)
    generation = bench.drive.personality.generation
    bench.insert(made(tmp_path, generation, "ENC001L", capacity=CAPACITY, margin=GIGABYTE // 10))
    return Ltfs(bench.settle())


def opened(ltfs: Ltfs) -> None:
    """What the back end sends when it opens a drive."""
    for _ in range(3):
        ltfs.tell("00 00 00 00 00 00")
    identity = ltfs.ask("12 00 00 00 f0 00", 240)
    assert identity[0] == 0x01
    pages = ltfs.ask("12 01 00 00 ff 00", 255)
    assert {0x00, 0x80} <= set(pages[4:])
    assert ltfs.ask("12 01 80 00 ff 00", 255)[4:]
    _timeouts(ltfs)
    ltfs.tell("5f 06 00 00 00 00 00 00 18 00", bytes(8) + b"\x10LTFSKEY" + bytes(8))
    full = ltfs.ask("5e 03 00 00 00 00 00 04 00 00", 1024)
    assert full[8:16] == b"\x10LTFSKEY"
    ltfs.tell("5f 01 03 00 00 00 00 00 18 00", b"\x10LTFSKEY" + bytes(16)) if _exclusive(ltfs) else None
    assert ltfs.ask("05 00 00 00 00 00", 6)[1:4] == octets("80 00 00")
    ltfs.tell("1e 00 00 00 01 00")


def _exclusive(ltfs: Ltfs) -> bool:
    return 3 in ltfs.bench.drive.personality.reservation_types


def _timeouts(ltfs: Ltfs) -> None:
    """REPORT SUPPORTED OPERATION CODES with RCTD, walked as the back end does: 8 bytes, then 12 with CTDP."""
    data = ltfs.ask("a3 0c 80 00 00 00 00 00 ff ff 00 00", 65_535)
    at, found = 4, {}
    while at < 4 + int.from_bytes(data[:4], "big"):
        assert data[at + 5] & 0x02
        assert data[at + 8 : at + 10] == octets("00 0a")
        found[data[at]] = int.from_bytes(data[at + 16 : at + 20], "big")
        at += 20
    assert {0x04, 0x08, 0x0A, 0x10, 0x19, 0x1B, 0x34, 0x4D, 0x55, 0x5A, 0x5E, 0x5F, 0x8C, 0x8D, 0x91, 0x92} <= set(
        found
    )
    assert found[0x04] >= 3600
    assert all(seconds > 0 for seconds in found.values())


def formatted(ltfs: Ltfs) -> None:
    """The partitioning of mkltfs: index on partition 0, as small as it goes, data on partition 1."""
    ltfs.tell("1b 00 00 00 01 00")
    page = bytearray(ltfs.ask("5a 00 11 00 00 00 00 00 1c 00", 28).ljust(32, b"\0"))
    assert page[7] == 8  # header 8 and descriptor 8, so the page begins at 16
    assert page[16] & 0x3F == 0x11
    page[0] = page[1] = 0
    page[16] &= 0x7F
    page[19], page[20], page[22] = 0x01, 0x20 | page[20] & 0x1F, 0x09
    page[24:28] = octets("0001 ffff")
    length = 28 + max(page[17] - 0x0A, 0)
    ltfs.tell(f"55 10 00 00 00 00 00 {length:04x} 00", bytes(page[:length]))
    ltfs.tell("04 00 01 00 00 00")


def labelled(ltfs: Ltfs) -> None:
    """The label of each partition: an ANSI label, a filemark, the LTFS label, a filemark; then the index."""
    for partition in (1, 0):
        ltfs.locate(partition, 0)
        ltfs.write(LABEL)
        ltfs.filemark()
        ltfs.write(b"<ltfslabel/>")
        ltfs.filemark()
        ltfs.filemark()
        ltfs.write(INDEX)
        ltfs.filemark()
        assert ltfs.position() == (partition, 7)


def coherency(ltfs: Ltfs, generation: int) -> bytes:
    """The 70 bytes of attribute 080Ch."""
    reference = ltfs.read_attribute(0x0009, 4)
    assert reference not in (bytes(4), b"\xff" * 4)
    client = b"LTFS\0" + UUID + b"\0" + b"\x01"
    head = bytes([8]) + reference.rjust(8, b"\0") + generation.to_bytes(8, "big") + (5).to_bytes(8, "big")
    return head + len(client).to_bytes(2, "big") + client


def test_mkltfs_makes_two_partitions_and_labels_them(ltfs: Ltfs) -> None:
    opened(ltfs)
    formatted(ltfs)

    labelled(ltfs)

    sizes = [tape.capacity for tape in ltfs.bench.drive.require_cartridge().tapes]
    assert sizes == [SMALL, CAPACITY - SMALL]
    page = ltfs.ask("5a 08 11 00 00 00 00 00 ff 00", 255)[8:]
    assert (page[3], page[4] & 0x20) == (1, 0x20)
    assert page[8:12] == octets("1388 ffff") if page[6] & 0x0F == 6 else True
    print(f"{ltfs.sent} commands of mkltfs answered GOOD")


def test_mkltfs_keeps_the_volumes_coherency_in_each_partition(ltfs: Ltfs) -> None:
    opened(ltfs)
    formatted(ltfs)
    labelled(ltfs)
    ltfs.write_attribute(0x0800, 0x01, b"TAPEKEY ")
    ltfs.write_attribute(0x0801, 0x01, b"LTFS".ljust(32))
    ltfs.write_attribute(0x0803, 0x02, b"a name".ljust(160, b"\0"))
    ltfs.write_attribute(0x0805, 0x00, b"\x81")
    ltfs.write_attribute(0x0806, 0x01, b"ENC001L".ljust(32))
    ltfs.write_attribute(0x080B, 0x01, b"2.4.0".ljust(16))
    ltfs.write_attribute(0x1623, 0x00, b"\x00")
    values = [coherency(ltfs, generation) for generation in (1, 2)]

    for partition, value in enumerate(values):
        ltfs.write_attribute(0x080C, 0x00, value, partition)

    assert [len(value) for value in values] == [70, 70]
    assert [ltfs.read_attribute(0x080C, 70, partition) for partition in (0, 1)] == values
    assert coherency(ltfs, 1) == values[0]  # the change reference stays while nothing is written


def test_a_mount_finds_the_last_index_of_both_partitions(ltfs: Ltfs) -> None:
    opened(ltfs)
    formatted(ltfs)
    labelled(ltfs)
    ltfs.tell("1e 00 00 00 00 00")
    ltfs.tell("1b 00 00 00 00 00")

    ltfs.tell("1b 00 00 00 01 00")

    assert ltfs.position() == (0, 0)
    for partition in (0, 1):
        ltfs.end_of_data(partition)
        assert ltfs.position() == (partition, 7)
        ltfs.tell("91 01 00 00 ff ff ff ff ff ff ff fe 00 00 00 00")  # two filemarks back
        ltfs.tell("91 01 00 00 00 00 00 00 00 00 00 01 00 00 00 00")
        assert ltfs.ask("08 02 08 00 00 00", 0x080000) == INDEX


def test_log_pages_tell_of_each_partition(ltfs: Ltfs) -> None:
    """Parsed with the offsets that the back end uses: record length, then the counter at offset 4 of the record."""
    opened(ltfs)
    formatted(ltfs)

    data = ltfs.ask("4d 00 57 00 00 02 02 04 00 00", 1024)
    found = {}
    at = 4
    while at < len(data):
        number, length = int.from_bytes(data[at : at + 2], "big"), data[at + 3]
        value = data[at + 4 : at + 4 + length]
        found[number] = [int.from_bytes(value[start + 4 : start + 8], "big") for start in range(0, length, 8)]
        at += 4 + length

    assert found[0x0202] == [SMALL // 10**6, (CAPACITY - SMALL) // 10**6]
    assert found[0x0204] == found[0x0202]
    assert found[0x0203] == [0, 0]


def test_drive_settings_are_taken_as_the_back_end_sends_them(ltfs: Ltfs) -> None:
    opened(ltfs)
    everything = ltfs.ask("5a 00 3f 00 00 00 00 00 ff 00", 255)
    kind = ltfs.bench.drive.require_cartridge().identity.generation
    assert everything[8] == kind.density
    compression = bytearray(ltfs.ask("5a 00 0f 00 00 00 00 00 20 00", 32))
    compression[0] = compression[1] = 0
    compression[16] &= 0x7F
    compression[18] |= 0x80

    ltfs.tell("55 10 00 00 00 00 00 00 20 00", bytes(compression))

    extension = bytearray(ltfs.ask("5a 00 10 01 00 00 00 00 30 00", 48))
    extension[0] = extension[1] = 0
    extension[16] &= 0x7F
    if ltfs.bench.drive.personality.append_only:
        extension[21] = 0x10 | extension[21] & 0x0F
        extension[22:24] = octets("0005")
    ltfs.tell("55 10 00 00 00 00 00 00 30 00", bytes(extension))
    if ltfs.bench.drive.personality.protection:
        protection = bytearray(ltfs.ask("5a 00 0a f0 00 00 00 00 30 00", 48))
        protection[0] = protection[1] = 0
        protection[16] &= 0x7F
        method = max(ltfs.bench.drive.personality.protection)
        protection[20], protection[21], protection[22] = method, 0x04, 0xC0
        ltfs.tell("55 10 00 00 00 00 00 00 30 00", bytes(protection))
        now = ltfs.bench.drive.modes.protection
        assert (now.method, now.on_write, now.on_read) == (method, True, True)


def test_unformatting_leaves_one_partition(ltfs: Ltfs) -> None:
    opened(ltfs)
    formatted(ltfs)
    ltfs.tell("1b 00 00 00 01 00")
    page = bytearray(ltfs.ask("5a 00 11 00 00 00 00 00 1c 00", 28).ljust(32, b"\0"))
    page[0] = page[1] = 0
    page[16] &= 0x7F
    page[19], page[20], page[22] = 0x00, 0x20 | page[20] & 0x1F, 0x08
    page[24:28] = octets("ffff 0000")
    length = 28 + max(page[17] - 0x0A, 0)

    ltfs.tell(f"55 10 00 00 00 00 00 {length:04x} 00", bytes(page[:length]))
    ltfs.tell("04 00 01 00 00 00")

    assert [tape.capacity for tape in ltfs.bench.drive.require_cartridge().tapes] == [CAPACITY]
