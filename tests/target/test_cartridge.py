"""A cartridge: made whole, held by one, counted, and a thing of its own when copied."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from crc32c import crc32c
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from tapekey.errors import Conflict, Malformed, MediumDamaged, OverwriteRefused
from tapekey.scsi import attribute
from tapekey.target import cartridge, medium_log
from tapekey.target.cartridge import Cartridge
from tests.target.tapes import KEY, MARK, contents, held, made, put, put_sealed, recorded


def values(taken: Cartridge) -> dict[int, bytes]:
    return {item.id: item.value for item in taken.attributes()}


def reference(taken: Cartridge) -> int:
    return int.from_bytes(values(taken)[0x0009], "big")


def test_cartridge_describes_itself(tmp_path: Path) -> None:
    made_as = cartridge.create(tmp_path / "t", "lto8", "ENC001L8", serial="0123456789", worm=True)
    found = cartridge.read_identity(tmp_path / "t")

    assert found == made_as
    assert (found.generation.density, found.serial, found.barcode, found.worm) == (0x5E, "0123456789", "ENC001L8", True)
    assert found.capacity == 12_000 * 10**9


def test_serials_are_random(tmp_path: Path) -> None:
    serials = {cartridge.create(tmp_path / str(number), "lto8").serial for number in range(20)}
    assert len(serials) == 20


def test_nothing_is_made_over_something(tmp_path: Path) -> None:
    made(tmp_path)
    with pytest.raises(Conflict):
        made(tmp_path)


def test_failure_while_making_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(medium_log, "create", fails)
    with pytest.raises(OSError, match="No space"):
        made(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_only_one_drive_holds_a_cartridge(tmp_path: Path) -> None:
    place = made(tmp_path)
    with Cartridge.open(place), pytest.raises(Conflict):
        Cartridge.open(place)
    Cartridge.open(place).close()


@pytest.mark.parametrize("content", [b"", b"tapekey cartridge 1 00\n{}", b"\xff" * 40])
def test_another_directory_is_no_cartridge(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "cartridge").write_bytes(content)
    with pytest.raises(Malformed):
        Cartridge.open(tmp_path)


def test_loads_and_the_last_four_drives_are_counted_at_once(tmp_path: Path) -> None:
    place = made(tmp_path)
    for number in range(5):
        with Cartridge.open(place) as taken:
            taken.load("IBM", f"D{number}")
    with Cartridge.open(place) as taken:
        found = values(taken)

    assert found[0x0003][-1] == 5
    assert [found[number][8:10] for number in range(0x020A, 0x020E)] == [b"D4", b"D3", b"D2", b"D1"]


def test_volume_change_reference_changes_with_the_first_write_after_it_was_seen(tmp_path: Path) -> None:
    with held(made(tmp_path)) as taken:
        first = reference(taken)
        assert reference(taken) == first
        put(taken.tape, b"1")
        second = reference(taken)
        put(taken.tape, MARK)
        third = reference(taken)
        taken.tape.rewind()
        taken.tape.erase()

        assert len({first, second, third, reference(taken)}) == 4


def test_volume_change_reference_changes_even_if_power_is_lost_in_the_middle(tmp_path: Path) -> None:
    place = made(tmp_path)
    with held(place) as taken:
        before = reference(taken)
        put(taken.tape, b"1")
    with held(place) as taken:
        assert reference(taken) != before


def test_reading_changes_no_reference(tmp_path: Path) -> None:
    place = made(tmp_path)
    with held(place) as taken:
        put(taken.tape, b"1")
        before = reference(taken)
        taken.unload()
    assert recorded(place) == [b"1"]
    with held(place) as taken:
        assert reference(taken) == before


def test_life_of_the_medium_is_counted_over_loads(tmp_path: Path) -> None:
    place, mebibyte = made(tmp_path), 1 << 20
    with held(place) as taken:
        put(taken.tape, bytes(3 * mebibyte))
        contents(taken.tape)
        taken.unload()
    with held(place) as taken:
        put(taken.tape, bytes(2 * mebibyte))
        counted = [values(taken)[number][-1] for number in range(0x0220, 0x0224)]
        put(taken.tape, bytes(mebibyte))
        taken.unload()
        after = [values(taken)[number][-1] for number in range(0x0220, 0x0224)]

    assert (counted, after) == ([5, 3, 2, 0], [6, 3, 3, 0])


def test_chip_tells_where_encryption_begins_before_and_after_unload(tmp_path: Path) -> None:
    place = made(tmp_path)
    with held(place) as taken:
        put(taken.tape, b"label")
        put_sealed(taken.tape, b"secret")
        put(taken.tape, MARK)
        put(taken.tape, b"clear")
        taken.unload()
        assert (values(taken)[0x0224][-1], values(taken)[0x0225][-1]) == (1, 3)
    with held(place) as taken:
        assert (values(taken)[0x0224][-1], values(taken)[0x0225][-1]) == (1, 3)
        taken.tape.erase()
        assert values(taken)[0x0224] == b"\xff" * 8


def test_remaining_capacity_falls_with_what_is_written(tmp_path: Path) -> None:
    with held(made(tmp_path)) as taken:
        put(taken.tape, bytes(10 << 20))
        assert values(taken)[0x0001][-1] == 64
        assert values(taken)[0x0000][-1] == 53


def test_a_copied_directory_is_a_cartridge_of_its_own(tmp_path: Path) -> None:
    place = made(tmp_path)
    with held(place) as taken:
        put_sealed(taken.tape, b"secret")
        taken.unload()
    shutil.copytree(place, tmp_path / "copy")
    with held(tmp_path / "copy") as other, held(place) as taken:
        other.tape.space_to_end()
        put(other.tape, b"more")
        assert contents(taken.tape) == [b"secret"]
        assert contents(other.tape) == [b"secret", b"more"]


def test_slid_tab_keeps_the_tape_as_it_is(tmp_path: Path) -> None:
    place = made(tmp_path)
    with held(place) as taken:
        put(taken.tape, b"1")
        taken.unload()
    cartridge.protect(place, True)
    with held(place) as taken:
        assert taken.protected
        with pytest.raises(OverwriteRefused):
            put(taken.tape, b"2")
        taken.unload()
    cartridge.protect(place, False)
    with held(place) as taken:
        assert not taken.protected
        assert contents(taken.tape) == [b"1"]


def test_tape_works_without_its_chip(tmp_path: Path) -> None:
    place = made(tmp_path)
    (place / "memory").write_bytes(b"rubbish")
    with held(place) as taken:
        put(taken.tape, b"1")
        with pytest.raises(MediumDamaged):
            taken.attributes()
        taken.unload()
    assert recorded(place) == [b"1"]


def test_what_was_not_written_through_is_lost_without_an_unload(tmp_path: Path) -> None:
    place = made(tmp_path)
    with held(place) as taken:
        taken.memory.write([attribute.attribute(0x0803, b"label")], through=False)
        put(taken.tape, b"1")
        assert 0x0803 in values(taken)
    with held(place) as taken:
        assert 0x0803 not in values(taken)


def test_attributes_come_in_ascending_order(tmp_path: Path) -> None:
    with held(made(tmp_path)) as taken:
        taken.memory.write([attribute.attribute(0x1400, b"x"), attribute.attribute(0x0800, b"y")], through=True)
        numbers = [item.id for item in taken.attributes()]
    assert numbers == sorted(numbers)
    assert numbers[-1] == 0x1400


def number(image: bytes, start: int, end: int) -> int:
    return int.from_bytes(image[start:end], "big")


def by_the_document(log: bytes) -> Iterator[bytes | str]:
    """The objects of an undamaged log, read by nothing but the tables of docs/formats/medium.md."""
    assert log[:16] == b"tapekey tape log"
    copies = [log[copy : copy + 128] for copy in (0, 4096)]
    assert all(number(copy, 124, 128) == crc32c(copy[:124]) for copy in copies)
    header = max(copies, key=lambda copy: number(copy, 40, 48))
    at = 8192
    while at < number(header, 64, 72):
        kads = sum(log[at + 68 : at + 71])
        assert log[at : at + 24] == b"tkrecord" + log[24:40]
        assert number(log, at + 24, at + 32) == at
        assert number(log, at + 124, at + 128) == crc32c(log[at : at + 124] + log[at + 128 : at + 128 + kads])
        start = at + 128 + kads
        stored = log[start : start + number(log, at + 64, at + 68)]
        if log[at + 52] == 2:
            yield MARK
        elif log[at + 52] == 1:
            assert number(log, at + 120, at + 124) == crc32c(stored)
            yield _opened(log[at : at + 128 + kads], stored) if log[at + 53] & 0x80 else stored
        at = start + len(stored)


def _opened(header: bytes, stored: bytes) -> bytes:
    u_kad, a_kad = header[68], header[69]
    bound = b"tapekey block 1" + header[56:60] + header[54:56] + header[60:64]
    bound += (len(stored) - 16).to_bytes(4, "big") + bytes([a_kad]) + header[128 + u_kad : 128 + u_kad + a_kad]
    return AESGCM(KEY).decrypt(header[72:84], stored, bound)


def test_the_document_is_enough_to_read_a_cartridge(tmp_path: Path) -> None:
    place = made(tmp_path)
    items: list[bytes | str] = [b"label", MARK, b"secret" * 100, MARK, MARK, b"end"]
    with held(place) as taken:
        for item in items:
            if isinstance(item, bytes) and len(item) == 600:
                put_sealed(taken.tape, item, authenticated=b"A-KAD")
            else:
                put(taken.tape, item)
            taken.tape.sync()
        taken.unload()

    assert list(by_the_document((place / "partition-0.log").read_bytes())) == items
