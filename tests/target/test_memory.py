"""The memory chip: what survives, what it costs, what is refused."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tapekey.errors import DoesNotFit, MediumDamaged
from tapekey.scsi import attribute
from tapekey.scsi.attribute_table import KINDS, AttributeId
from tapekey.target import memory
from tapekey.target.memory import Account, Memory

LTO5 = 1024
STANDARD_HOST_SET = [*range(0x0800, 0x0809), 0x080B]


def chip(directory: Path, capacity: int = LTO5, barcode: str = "ENC001L5") -> Memory:
    return memory.new(directory, capacity, 7, barcode)


def again(directory: Path, capacity: int = LTO5) -> Memory:
    return Memory.open(directory, capacity)


def vendor(size: int, identifier: int = 0x1400) -> attribute.Attribute:
    return attribute.attribute(identifier, bytes([identifier & 0xFF]) * size)


def value(held: Memory, identifier: int, partition: int = 0) -> bytes | None:
    found = held.get(identifier, partition)
    return found.value if found else None


def test_new_chip_holds_the_barcode_padded_with_spaces(tmp_path: Path) -> None:
    chip(tmp_path)
    assert value(again(tmp_path), 0x0806) == b"ENC001L5" + b" " * 24


def test_written_through_is_there_after_a_loss_of_power_and_the_rest_is_not(tmp_path: Path) -> None:
    held = chip(tmp_path)
    held.write([vendor(10, 0x1401)], through=False)
    held.write([vendor(20, 0x1402)], through=True)

    assert (value(held, 0x1401), value(held, 0x1402)) == (b"\x01" * 10, b"\x02" * 20)
    assert (value(again(tmp_path), 0x1401), value(again(tmp_path), 0x1402)) == (None, b"\x02" * 20)


def test_unload_takes_along_what_was_not_written_through(tmp_path: Path) -> None:
    held = chip(tmp_path)
    held.write([vendor(10)], through=False)
    held.settle(held.account)
    assert value(again(tmp_path), 0x1400) == b"\0" * 10


def test_the_drives_account_does_not_take_along_what_was_not_written_through(tmp_path: Path) -> None:
    held = chip(tmp_path)
    held.write([vendor(10)], through=False)
    held.keep(Account(8, loads=3))
    assert value(again(tmp_path), 0x1400) is None
    assert again(tmp_path).account == Account(8, loads=3)


def test_an_empty_value_removes_and_gives_the_room_back(tmp_path: Path) -> None:
    held = chip(tmp_path)
    before = held.room
    held.write([vendor(100)], through=True)
    assert held.room == before - 104
    held.write([attribute.attribute(0x1400, b"")], through=True)
    held.write([attribute.attribute(0x1405, b"")], through=True)

    assert held.room == before
    assert value(again(tmp_path), 0x1400) is None


def test_full_standard_host_set_leaves_what_the_reference_computes(tmp_path: Path) -> None:
    held = chip(tmp_path, barcode="")
    assert held.room == 1024 - 6 - 36
    held.write([attribute.attribute(number, b"x") for number in STANDARD_HOST_SET], through=True)

    assert held.room == 1024 - 509 - 10 * 4 - 6


def test_no_room_for_all_changes_nothing(tmp_path: Path) -> None:
    held = chip(tmp_path)
    held.write([vendor(500)], through=True)
    with pytest.raises(DoesNotFit):
        held.write([vendor(1, 0x1401), vendor(600, 0x1402)], through=True)
    with pytest.raises(DoesNotFit):
        held.write([vendor(held.room - 3, 0x1403)], through=True)

    assert [item.id for item in held.of()] == [0x0806, 0x1400]
    assert again(tmp_path).host == held.host


def test_the_last_byte_can_be_used(tmp_path: Path) -> None:
    held = chip(tmp_path)
    held.write([vendor(held.room - 4)], through=True)
    assert held.room == 0


def test_coherency_is_kept_for_each_partition_and_the_label_for_all(tmp_path: Path) -> None:
    held = chip(tmp_path, 3072)
    for partition in (0, 1):
        held.write([attribute.attribute(0x080C, b"%d" % partition * 70)], partition, through=True)
    held.write([attribute.attribute(0x0803, b"label")], 1, through=True)

    read = again(tmp_path, 3072)
    assert (value(read, 0x080C, 0), value(read, 0x080C, 1)) == (b"0" * 70, b"1" * 70)
    assert value(read, 0x0803, 0) == value(read, 0x0803, 1)
    assert [item.id for item in read.of(1)] == [0x0803, 0x0806, 0x080C]


@pytest.mark.parametrize("at", [0, 8, 30, 90, 200, -2])
def test_a_damaged_file_is_a_broken_chip(tmp_path: Path, at: int) -> None:
    chip(tmp_path)
    image = bytearray((tmp_path / "memory").read_bytes())
    image[at] ^= 1
    (tmp_path / "memory").write_bytes(image)
    with pytest.raises(MediumDamaged):
        again(tmp_path)


def test_a_missing_file_is_a_broken_chip(tmp_path: Path) -> None:
    with pytest.raises(MediumDamaged):
        again(tmp_path)


def test_failing_to_write_leaves_the_old_chip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    held = chip(tmp_path)

    def fails(*_: object) -> None:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(os, "rename", fails)
        with pytest.raises(OSError, match="Input"):
            held.write([vendor(10)], through=True)

    assert value(held, 0x1400) is None
    assert value(again(tmp_path), 0x1400) is None


def test_the_new_file_is_on_disk_before_it_takes_the_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    held = chip(tmp_path)
    calls: list[str] = []

    def watch(name: str) -> None:
        real: Callable[..., object] = getattr(os, name)

        def call(*arguments: object) -> object:
            calls.append(name)
            return real(*arguments)

        monkeypatch.setattr(os, name, call)

    watch("fsync")
    watch("rename")
    held.write([vendor(10)], through=True)

    assert calls == ["fsync", "rename", "fsync"]


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(sorted(KINDS)), st.binary(max_size=300), st.booleans()), max_size=12))
def test_every_history_comes_back_as_it_was_written(
    tmp_path_factory: pytest.TempPathFactory, writes: list[tuple[AttributeId, bytes, bool]]
) -> None:
    directory = tmp_path_factory.mktemp("chip")
    held = chip(directory)
    for identifier, data, through in writes:
        try:
            held.write([attribute.Attribute(identifier, data)], through=through)
        except DoesNotFit:
            assert len(data) + 4 > held.room
    assert again(directory).host == held.chip
    held.settle(held.account)

    assert again(directory).host == held.host
    assert held.room >= 0
