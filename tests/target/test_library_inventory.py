"""The inventory: one file that is one state or the next, and no cartridge in two elements."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tapekey.errors import Malformed
from tapekey.target import memory
from tapekey.target.library_inventory import FILE, Held, Inventory
from tapekey.target.library_layout import Layout
from tests.target.libraries import DRIVE, MAIL, SLOT
from tests.target.power import PowerLost, lose_power_after

LAYOUT = Layout(drives=2, slots=6, mail_slots=2)
TWO = Inventory({SLOT: Held("cartridges/A"), DRIVE: Held("cartridges/B", SLOT + 3)})


def test_what_was_saved_is_loaded(tmp_path: Path) -> None:
    TWO.save(tmp_path)

    assert Inventory.load(tmp_path, LAYOUT) == TWO


def test_file_is_what_the_format_says(tmp_path: Path) -> None:
    Inventory({SLOT: Held("cartridges/A"), DRIVE: Held("/elsewhere/B", SLOT)}).save(tmp_path)

    first, _, body = (tmp_path / FILE).read_bytes().partition(b"\n")
    assert first.startswith(b"tapekey inventory 1 ")
    assert body == (
        b'{\n "elements": {\n  "256": [\n   "/elsewhere/B",\n   4096\n  ],\n'
        b'  "4096": [\n   "cartridges/A",\n   0\n  ]\n }\n}\n'
    )


SPOILT = {
    "an element that is not there": {"elements": {"4102": ["A", 0]}},
    "a cartridge in two elements": {"elements": {"4096": ["A", 0], "4097": ["A", 0]}},
    "no cartridge": {"elements": {"4096": ["", 0]}},
    "no source": {"elements": {"4096": ["A", None]}},
    "no pair": {"elements": {"4096": "A"}},
    "no number": {"elements": {"slot": ["A", 0]}},
    "no object": [1],
    "nothing": {},
}


@pytest.mark.parametrize("content", SPOILT.values(), ids=SPOILT)
def test_inventory_that_cannot_be_true_is_malformed(tmp_path: Path, content: object) -> None:
    memory.replace_checked(tmp_path / FILE, FILE, content)

    with pytest.raises(Malformed):
        Inventory.load(tmp_path, LAYOUT)


def test_missing_or_damaged_file_is_malformed(tmp_path: Path) -> None:
    with pytest.raises(Malformed):
        Inventory.load(tmp_path, LAYOUT)
    TWO.save(tmp_path)
    image = bytearray((tmp_path / FILE).read_bytes())
    image[-10] ^= 1
    (tmp_path / FILE).write_bytes(image)
    with pytest.raises(Malformed):
        Inventory.load(tmp_path, LAYOUT)


def test_source_is_kept_on_the_way_through_drives_only() -> None:
    moved = TWO.moved([(SLOT, DRIVE + 1)], LAYOUT)
    assert moved.elements[DRIVE + 1] == Held("cartridges/A", SLOT)
    assert moved.moved([(DRIVE, MAIL)], LAYOUT).elements[MAIL] == Held("cartridges/B")


def test_exchange_is_one_change() -> None:
    swapped = TWO.moved([(SLOT, DRIVE), (DRIVE, SLOT)], LAYOUT)

    assert swapped.elements == {DRIVE: Held("cartridges/A", SLOT), SLOT: Held("cartridges/B")}


@pytest.mark.parametrize("steps", [[(SLOT, DRIVE)], [(SLOT, 7)], [(SLOT, MAIL), (DRIVE, MAIL)]])
def test_move_into_what_is_full_or_not_there_is_the_callers_mistake(steps: list[tuple[int, int]]) -> None:
    with pytest.raises(ValueError, match="cannot take"):
        TWO.moved(steps, LAYOUT)


def test_cartridge_is_added_once_and_taken_away() -> None:
    with pytest.raises(ValueError, match="cannot be put"):
        TWO.with_(MAIL, "cartridges/A")
    with pytest.raises(ValueError, match="cannot be put"):
        TWO.with_(SLOT, "cartridges/C")
    assert TWO.with_(MAIL, "cartridges/C").without(MAIL) == TWO


def test_kill_at_every_call_leaves_the_old_inventory_or_the_new(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    TWO.save(tmp_path)
    after = TWO.moved([(SLOT, MAIL)], LAYOUT)
    kills = seen = 0
    while True:
        with monkeypatch.context() as patch:
            lose_power_after(patch, kills)
            try:
                after.save(tmp_path)
            except PowerLost:
                kills += 1
            else:
                break
        found = Inventory.load(tmp_path, LAYOUT)
        assert found in (TWO, after)
        seen += found == after
        TWO.save(tmp_path)

    print(f"\n{kills} kills in one replacement of the inventory; the new one stood after {seen}")
    assert kills == 3
    assert 0 < seen < kills


@given(st.dictionaries(st.integers(0, 0x1010), st.tuples(st.text(max_size=4), st.integers(-1, 5000)), max_size=8))
def test_any_content_is_an_inventory_or_malformed(
    tmp_path_factory: pytest.TempPathFactory, rows: dict[int, object]
) -> None:
    place = tmp_path_factory.mktemp("inventory")
    memory.replace_checked(place / FILE, FILE, {"elements": rows})
    try:
        found = Inventory.load(place, LAYOUT)
    except Malformed:
        return
    assert len({held.cartridge for held in found.elements.values()}) == len(found.elements)
