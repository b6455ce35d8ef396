"""Cartridge memory through the drive: what is refused, and whose it is when the drive is empty (reference 4)."""

import random
from pathlib import Path

import pytest

from tapekey.exchange import Command
from tapekey.scsi import attribute, media
from tapekey.scsi.attribute import Attribute
from tapekey.scsi.attribute_table import AttributeId, Format
from tapekey.scsi.encryption import DecryptionMode, EncryptionMode
from tapekey.target import cartridge
from tests.bench import Bench, made, powered
from tests.target.initiator import code, install, write

A, T, B = Format.ASCII, Format.TEXT, Format.BINARY


def put(bench: Bench, *items: Attribute, through: bool = True) -> str:
    return code(bench.execute(attribute.write_attributes(items, write_through=through)))


def get(bench: Bench, number: int) -> bytes | str:
    reply = bench.execute(attribute.read_attribute(number))
    if code(reply) != "good":
        return code(reply)
    found = attribute.decode_attribute(reply.data_in, number)
    assert found is not None
    return found.value


def test_written_attribute_is_read_back_and_removed(tmp_path: Path) -> None:
    bench = powered(tmp_path)
    assert put(bench, attribute.attribute(0x1400, b"an envelope")) == "good"
    assert get(bench, 0x1400) == b"an envelope"

    assert put(bench, Attribute(AttributeId(0x1400), b"")) == "good"

    assert get(bench, 0x1400) == "5/24/00"


# attribute: what WRITE ATTRIBUTE answers
WRITES = {
    "barcode": (Attribute(AttributeId.BARCODE, b"X".ljust(32), A), "good"),
    "label": (Attribute(AttributeId.USER_LABEL, b"x".ljust(160), T), "good"),
    "barcode too short": (Attribute(AttributeId.BARCODE, b"X", A), "5/26/00"),
    "barcode as binary": (Attribute(AttributeId.BARCODE, b"X".ljust(32), B), "5/26/00"),
    "medium serial": (Attribute(AttributeId.MEDIUM_SERIAL, b"X".ljust(32), A), "5/26/00"),
    "load count": (Attribute(AttributeId.LOAD_COUNT, bytes(8)), "5/26/00"),
    "removal of a read-only one": (Attribute(AttributeId.MEDIUM_SERIAL, b""), "5/26/00"),
    "reserved host number": (Attribute(AttributeId(0x0890), b"x"), "5/26/00"),
    "device vendor range": (Attribute(AttributeId(0x0C00), b"x"), "5/26/00"),
    "medium vendor range": (Attribute(AttributeId(0x1001), b"x"), "5/26/00"),
    "host vendor range, first": (Attribute(AttributeId(0x1400), b"x"), "good"),
    "host vendor range, last": (Attribute(AttributeId(0x17FF), b"x"), "good"),
    "beyond": (Attribute(AttributeId(0x1800), b"x"), "5/26/00"),
    "reserved format": (Attribute(AttributeId(0x1400), b"x", Format(3)), "5/26/00"),
    "partition label, unknown to LTO": (Attribute(AttributeId.PARTITION_LABEL, b"x".ljust(16), A), "5/26/00"),
    "removal of what is not there": (Attribute(AttributeId.MEDIA_POOL, b""), "good"),
}


@pytest.mark.parametrize(("item", "answer"), WRITES.values(), ids=WRITES)
def test_write_is_answered(tmp_path: Path, item: Attribute, answer: str) -> None:
    assert put(powered(tmp_path), item) == answer


def test_personality_may_refuse_the_vendor_range(tmp_path: Path) -> None:
    bench = powered(tmp_path, mam_vendor_range=False)

    assert put(bench, attribute.attribute(0x1400, b"x")) == "5/26/00"
    supported = attribute.decode_ids(bench.execute(attribute.list_supported()).data_in)
    assert not [number for number in supported if 0x1400 <= number <= 0x17FF]
    assert AttributeId.BARCODE in supported


def test_supported_list_has_the_vendor_range_and_what_does_not_exist_yet(tmp_path: Path) -> None:
    supported = attribute.decode_ids(powered(tmp_path).execute(attribute.list_supported()).data_in)

    assert {0x1400, 0x17FF, 0x0803, 0x0401} <= set(supported)
    assert list(supported) == sorted(supported)


RAW = {
    "not ascending": ("0801 00 0020" + "20" * 32 + "0800 00 0008" + "20" * 8, "5/26/00"),
    "twice the same": ("1400 00 0001 41" * 2, "5/26/00"),
    "cut short in a value": ("1400 00 0005 41", "5/1A/00"),
    "cut short in a header": ("1400 00", "5/1A/00"),
}


@pytest.mark.parametrize(("items", "answer"), RAW.values(), ids=RAW)
def test_bad_list_changes_nothing(tmp_path: Path, items: str, answer: str) -> None:
    bench = powered(tmp_path)
    data = bytes(4) + bytes.fromhex(items)
    cdb = bytes.fromhex("8d010000000000000000") + len(data).to_bytes(4, "big") + bytes(2)

    assert code(bench.execute(Command(cdb, data))) == answer
    assert get(bench, 0x1400) == "5/24/00"


def test_full_memory_takes_nothing_of_the_list(tmp_path: Path) -> None:
    bench = powered(tmp_path)
    room = int.from_bytes(bytes(get(bench, AttributeId.MEMORY_SPACE_REMAINING)), "big")  # type: ignore[arg-type]
    first = attribute.attribute(0x1400, b"x" * 100)

    assert put(bench, first, attribute.attribute(0x1401, b"x" * (room - 100 - 8 + 1))) == "5/55/06"
    assert get(bench, 0x1400) == "5/24/00"
    assert put(bench, first, attribute.attribute(0x1401, b"x" * (room - 100 - 8))) == "good"
    assert get(bench, AttributeId.MEMORY_SPACE_REMAINING) == bytes(8)


def test_protected_cartridge_takes_no_attribute(tmp_path: Path) -> None:
    place = made(tmp_path, "lto6", "TAB")
    cartridge.protect(place, True)
    bench = powered(tmp_path, empty=True)
    bench.insert(place)

    assert put(bench, attribute.attribute(0x1400, b"x")) == "7/27/00"


@pytest.mark.parametrize(("number", "answer"), [(0x0805, "5/24/00"), (0x1600, "5/24/00"), (0x0001, "good")])
def test_first_attribute_must_exist(tmp_path: Path, number: int, answer: str) -> None:
    assert code(powered(tmp_path).execute(attribute.read_attribute(number))) == answer


def test_attributes_follow_the_first_one_in_order(tmp_path: Path) -> None:
    found = attribute.decode_attributes(powered(tmp_path).execute(attribute.read_attributes(0x0400)).data_in)
    numbers = [item.id for item in found]

    assert numbers[0] == 0x0400
    assert numbers == sorted(numbers)


@pytest.mark.parametrize("partition", [1, 255])
def test_partition_that_is_not_there_is_refused(tmp_path: Path, partition: int) -> None:
    assert code(powered(tmp_path).execute(attribute.read_attributes(0, partition))) == "5/24/00"


def test_one_volume_and_one_partition(tmp_path: Path) -> None:
    bench = powered(tmp_path)

    assert bench.execute(attribute.list_partitions()).data_in == bytes.fromhex("00020001")
    assert bench.execute(attribute.list_volumes()).data_in == bytes.fromhex("00020001")


# --- whose attributes they are ---------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "stale"), [("ibm-lto6", True), ("ibm-lto9", False), ("hpe-lto6", False)])
def test_old_ibm_drives_serve_the_last_cartridge_when_empty(tmp_path: Path, name: str, stale: bool) -> None:
    bench = powered(tmp_path, name)
    serial = get(bench, 0x0401)
    assert code(bench.execute(media.unload())) == "good"

    assert get(bench, 0x0401) == (serial if stale else "2/3A/00")
    asked = Command(attribute.read_attribute(0x0401).cdb[:14] + b"\x01\x00", data_in_max=100)
    assert bench.execute(asked).data_in[9:] == serial


def test_seated_cartridge_is_readable(tmp_path: Path) -> None:
    bench = powered(tmp_path, "ibm-lto9")
    serial = get(bench, 0x0401)
    assert code(bench.execute(media.unload())) == "good"
    assert code(bench.execute(media.seat())) == "good"

    assert get(bench, 0x0401) == serial


def test_dead_chip_is_told(tmp_path: Path) -> None:
    place = made(tmp_path, "lto6", "DEAD")
    (place / "memory").write_bytes(b"")
    bench = powered(tmp_path, empty=True)
    bench.insert(place)

    assert get(bench, 0x0401) == "3/11/12"
    assert put(bench, attribute.attribute(0x1400, b"x")) == "3/0C/0B"
    assert write(bench, b"x") == "good"


def test_first_encrypted_and_first_clear_block_are_told(tmp_path: Path) -> None:
    bench = powered(tmp_path)
    for mode in (EncryptionMode.DISABLE, EncryptionMode.ENCRYPT, EncryptionMode.DISABLE):
        install(bench, mode, DecryptionMode.DECRYPT)
        assert write(bench, b"x") == "good"

    assert get(bench, 0x0224) == (1).to_bytes(8, "big")
    assert get(bench, 0x0225) == (2).to_bytes(8, "big")


def test_change_reference_moves_with_a_write(tmp_path: Path) -> None:
    bench = powered(tmp_path)
    before = get(bench, 0x0009)
    assert get(bench, 0x0009) == before

    assert write(bench, b"x") == "good"

    assert get(bench, 0x0009) != before


# --- partitions -----------------------------------------------------------------------------------------------------


def halves(directory: Path) -> Bench:
    bench = powered(directory)
    data = bytes(4) + bytes.fromhex("110a00015c03000000000000")
    assert code(bench.execute(Command(bytes.fromhex("151000001000"), data))) == "good"
    assert code(bench.execute(media.format_medium(media.Format.PARTITION))) == "good"
    return bench


def value(bench: Bench, identifier: int, partition: int) -> bytes | None:
    reply = bench.execute(attribute.read_attribute(identifier, partition))
    found = attribute.decode_attribute(reply.data_in, identifier) if code(reply) == "good" else None
    return None if found is None else found.value


def test_capacities_are_those_of_the_partition(tmp_path: Path) -> None:
    """0000h and 0001h, in MiB."""
    bench = halves(tmp_path)
    assert write(bench, random.Random(1).randbytes(3 << 20)) == "good"

    assert [value(bench, 0x0001, partition) for partition in (0, 1)] == [bytes(7) + b"\x20"] * 2
    assert value(bench, 0x0000, 0) in (bytes(7) + b"\x1c", bytes(7) + b"\x1d")
    assert value(bench, 0x0000, 1) == bytes(7) + b"\x20"


def test_coherency_is_kept_for_each_partition(tmp_path: Path) -> None:
    bench = halves(tmp_path)
    for partition, byte in enumerate((b"0", b"1")):
        item = attribute.attribute(0x080C, byte * 70)
        assert code(bench.execute(attribute.write_attributes((item,), partition))) == "good"

    assert [value(bench, 0x080C, partition) for partition in (0, 1)] == [b"0" * 70, b"1" * 70]


def test_partitions_are_listed(tmp_path: Path) -> None:
    bench = halves(tmp_path)

    found = attribute.decode_numbering(bench.execute(attribute.list_partitions()).data_in)

    assert (found.first, found.count) == (0, 2)
    assert code(bench.execute(attribute.read_attribute(0x0001, 2))) == "5/24/00"
    assert code(bench.execute(attribute.write_attributes((attribute.attribute(0x080C, b"x"),), 2))) == "5/24/00"
