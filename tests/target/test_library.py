"""A library as a thing: made whole or not at all, powered on once, and what an operator can do at its front."""

import shutil
from pathlib import Path

import pytest

from tapekey.errors import Conflict, Malformed, NotFound, Usage
from tapekey.scsi import changer, inquiry, media
from tapekey.target import cartridge, library, machine, memory
from tapekey.target.cartridge import Kind
from tapekey.target.library_barcodes import expand
from tapekey.target.library_description import Description
from tapekey.target.library_inventory import Inventory
from tapekey.target.library_label import promised, scan
from tapekey.target.library_layout import Layout
from tapekey.target.machine import Machine
from tapekey.target.tray import Place
from tests.bench import made as cartridge_made
from tests.target.libraries import BARCODES, DRIVE, MAIL, SERIAL, SLOT, ask, elements, made, run, where
from tests.target.power import PowerLost

# --- making one ---


def test_library_is_made_whole(tmp_path: Path) -> None:
    place = made(tmp_path)

    assert sorted(path.name for path in place.iterdir()) == [
        "cartridges", "drive-1", "drive-2", "inventory", "library", "lock"
    ]  # fmt: skip
    assert sorted(path.name for path in (place / "cartridges").iterdir()) == sorted(BARCODES)
    assert library.is_library(place)
    assert not library.is_library(place / "drive-1")
    with library.open(place) as opened:
        assert where(opened) == {SLOT + at: barcode for at, barcode in enumerate(BARCODES)}


def test_making_that_fails_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise PowerLost

    monkeypatch.setattr(cartridge, "create", fail)
    with pytest.raises(PowerLost):
        library.create(tmp_path / "lib", personality="quantum-lto4", drives=1, slots=2, barcodes=["A"])

    assert list(tmp_path.iterdir()) == []


WRONG = {
    "no drive": {"drives": 0},
    "too many drives": {"drives": 256},
    "no slot": {"slots": 0},
    "too many mail slots": {"mail_slots": 241},
    "more cartridges than slots": {"slots": 1, "barcodes": ["A", "B"]},
    "a barcode twice": {"barcodes": ["A", "A"]},
    "a barcode that is a path": {"barcodes": ["../A"]},
    "a barcode that hides": {"barcodes": [".A"]},
    "an empty barcode": {"barcodes": [""]},
    "a serial that no page could tell": {"serial": "x" * 13},
    "a knob that there is not": {"knobs": {"speed": 1}},
}


@pytest.mark.parametrize("facts", WRONG.values(), ids=WRONG)
def test_library_that_cannot_be_is_refused(tmp_path: Path, facts: dict[str, object]) -> None:
    wanted = {"personality": "quantum-lto4", "drives": 1, "slots": 2, **facts}
    with pytest.raises(Usage):
        library.create(tmp_path / "lib", **wanted)  # type: ignore[arg-type]
    assert not (tmp_path / "lib").exists()


def test_existing_directory_is_not_made_a_library(tmp_path: Path) -> None:
    with pytest.raises(Conflict):
        library.create(tmp_path, personality="quantum-lto4", drives=1, slots=1)


PROMISES = {
    "ENC001L8": ("lto8", Kind.DATA, False),
    "ENC001L5": ("lto5", Kind.DATA, False),
    "ENC001M8": ("lto7", Kind.DATA, False),
    "WRM001LY": ("lto8", Kind.DATA, True),
    "CLN001L1": ("lto1", Kind.CLEANING, False),
    "CLNU01CU": ("lto6", Kind.CLEANING, False),
    "SCRATCH": ("lto6", Kind.DATA, False),
}


@pytest.mark.parametrize("barcode", PROMISES)
def test_barcode_says_what_its_cartridge_is(barcode: str) -> None:
    made_of = promised(barcode, "lto6")
    assert (made_of.generation, made_of.kind, made_of.worm) == PROMISES[barcode]


EXPANDED = {
    "ENC001L8..ENC003L8": ["ENC001L8", "ENC002L8", "ENC003L8"],
    "A1, B2 ,A9..A9": ["A1", "B2", "A9"],
    "E098L8..E101L8": ["E098L8", "E099L8", "E100L8", "E101L8"],
    "": [],
}


@pytest.mark.parametrize("text", EXPANDED)
def test_barcodes_are_written_as_lists_and_ranges(text: str) -> None:
    assert expand(text) == EXPANDED[text]


@pytest.mark.parametrize("text", ["A..B", "A1..A10", "A1L5..A2L8", "A2..A1", "A1..", "..A1", "A00000..A99999"])
def test_range_that_does_not_count_is_refused(text: str) -> None:
    with pytest.raises(Usage, match="no range"):
        expand(text)


def test_elements_have_names_and_addresses() -> None:
    layout = Layout(2, 6, 2)
    for address in (1, MAIL, MAIL + 1, DRIVE, DRIVE + 1, SLOT, SLOT + 5):
        assert address == 1 or layout.address(layout.name(address)) == address
    for name in ("slot-7", "slot-0", "drive-3", "slot", "slot--1", "shelf-1", "mail-3", "slot-1x", "slot-²"):
        with pytest.raises(NotFound):
            layout.address(name)


# --- power ---


def test_library_is_powered_on_once_and_holds_its_drives(tmp_path: Path) -> None:
    place = made(tmp_path)
    with library.open(place):
        with pytest.raises(Conflict), library.open(place):
            pass
        with pytest.raises(Conflict), library.open(place, power=False):
            pass
        with pytest.raises(Conflict), Machine.open(place / "drive-1"):
            pass
    with Machine.open(place / "drive-2"), pytest.raises(Conflict), library.open(place, power=False):
        pass


@pytest.mark.parametrize("file", ["library", "inventory"])
@pytest.mark.parametrize("content", [b"", b"rubbish", None])
def test_directory_that_is_no_library_is_refused(tmp_path: Path, file: str, content: bytes | None) -> None:
    place = made(tmp_path)
    (place / file).unlink() if content is None else (place / file).write_bytes(content)

    with pytest.raises(Malformed), library.open(place):
        pass


def test_later_version_is_refused(tmp_path: Path) -> None:
    place = made(tmp_path)
    content = memory.read_checked(place / "library", "library")
    assert isinstance(content, dict)
    memory.replace_checked(place / "library", "library", content | {"version": 2})

    with pytest.raises(Malformed, match="version 2"):
        Description.load(place)


def test_everything_is_where_it_was_after_the_power_was_off(tmp_path: Path) -> None:
    place = made(tmp_path)
    with library.open(place) as opened:
        run(opened, changer.move(SLOT, DRIVE))
        run(opened, changer.move(SLOT + 1, DRIVE + 1))
        opened.drives[1].execute("host", media.test_unit_ready())
        opened.drives[1].execute("host", media.unload())
        before = where(opened)

    with library.open(place) as opened:
        assert where(opened) == before
        assert elements(opened)[DRIVE].state.source == SLOT
        assert [drive.drive.place for drive in opened.drives] == [Place.MOUNTED, Place.MOUTH]


def test_drive_of_a_library_takes_its_content_from_the_inventory_alone(tmp_path: Path) -> None:
    place = made(tmp_path)
    with library.open(place, power=False) as held:
        held.move("ENC001L8", "drive-2")
        held.move("ENC002L8", "drive-1")
        held.move("drive-2", "slot-6")

    with Machine.open(place / "drive-1") as alone:
        assert alone.status()["barcode"] == "ENC002L8"
    with Machine.open(place / "drive-2") as alone:
        assert alone.status()["place"] == "empty"
    with library.open(place) as opened:
        assert where(opened)[DRIVE] == "ENC002L8"
        assert opened.drives[1].drive.place is Place.EMPTY


def test_copy_of_a_library_is_a_library_of_its_own(tmp_path: Path) -> None:
    place = made(tmp_path)
    with library.open(place, power=False) as held:
        held.move("ENC001L8", "drive-1")
    shutil.copytree(place, tmp_path / "copy")
    shutil.rmtree(place)

    with library.open(tmp_path / "copy") as opened:
        assert opened.drives[0].status()["cartridge"] == str(tmp_path / "copy" / "cartridges" / "ENC001L8")


def test_vanished_and_damaged_cartridges_are_shown_and_not_fatal(tmp_path: Path) -> None:
    place = made(tmp_path)
    with library.open(place, power=False) as held:
        held.move("ENC003L8", "drive-1")
    for barcode in ("ENC001L8", "ENC003L8"):
        shutil.rmtree(place / "cartridges" / barcode)
    (place / "cartridges" / "ENC002L8" / "cartridge").write_bytes(b"rubbish")

    with library.open(place) as opened:
        faults = {row["element"]: row["fault"] for row in opened.inventory() if row["fault"]}
        assert faults == {
            "drive-1": "its directory is gone",
            "slot-1": "its directory is gone",
            "slot-2": "its label cannot be read",
        }
        assert where(opened)[SLOT] == "ENC001L8"
        assert opened.drives[0].drive.place is Place.EMPTY


def test_rack_has_the_changer_first_and_then_the_drives(tmp_path: Path) -> None:
    with library.open(made(tmp_path)) as opened:
        rack = opened.rack
        luns = inquiry.decode_luns(bytes(rack.serve("host", 0, inquiry.report_luns()).data))
        types = [inquiry.decode_standard(bytes(rack.serve("host", lun, inquiry.inquire()).data)) for lun in luns]

    assert luns == (0, 1, 2)
    assert [found.device_type for found in types] == [8, 1, 1]
    assert rack.name == SERIAL


# --- the front panel ---


@pytest.mark.parametrize("power", [True, False])
def test_operator_exports_and_inserts(tmp_path: Path, power: bool) -> None:
    place = made(tmp_path)
    with library.open(place, power=power) as opened:
        assert opened.export("slot-2") == place / "cartridges" / "ENC002L8"
        with pytest.raises(NotFound):
            opened.export("ENC002L8")
        assert opened.insert(place / "cartridges" / "ENC002L8") == "mail-1"
        with pytest.raises(Conflict, match="already"):
            opened.insert(Path("ENC002L8"))

    assert Inventory.load(place, Layout(2, 6, 2)).elements[MAIL].cartridge == "cartridges/ENC002L8"


def test_cartridge_from_elsewhere_is_inserted_and_loaded(tmp_path: Path) -> None:
    foreign = cartridge_made(tmp_path, "lto8", "XYZ001L8")
    place = made(tmp_path)
    with library.open(place) as opened:
        assert opened.insert(foreign) == "mail-1"
        assert run(opened, changer.move(MAIL, DRIVE)) == "good"
    with library.open(place) as opened:
        assert opened.drives[0].status()["barcode"] == "XYZ001L8"


def test_what_is_no_cartridge_is_not_inserted(tmp_path: Path) -> None:
    with library.open(made(tmp_path)) as opened, pytest.raises(Malformed):
        opened.insert(tmp_path)


def test_full_mail_slots_take_no_more(tmp_path: Path) -> None:
    with library.open(made(tmp_path)) as opened:
        opened.move("ENC001L8", "mail-1")
        opened.move("ENC002L8", "mail-2")
        with pytest.raises(Conflict, match="no import/export element is free"):
            opened.export("ENC003L8")
        assert opened.export("ENC001L8").name == "ENC001L8"


def test_host_that_prevents_removal_locks_the_mail_slots(tmp_path: Path) -> None:
    with library.open(made(tmp_path)) as opened:
        run(opened, media.prevent_removal())
        with pytest.raises(Conflict, match="locked"):
            opened.export("ENC001L8")
        opened.rack.nexus_lost("host")
        opened.export("ENC001L8")


def test_library_without_mail_slots_is_closed(tmp_path: Path) -> None:
    place = tmp_path / "closed"
    library.create(place, personality="quantum-lto4", drives=1, slots=1, barcodes=["A"], mail_slots=0, capacity=1 << 20)
    with library.open(place) as opened:
        with pytest.raises(Conflict, match="no import/export"):
            opened.export("A")
        page = bytes(ask(opened, changer.read_status(changer.ElementType.IMPORT_EXPORT), "x").data)
        assert not page


def test_knobs_are_the_librarys_or_all_drives(tmp_path: Path) -> None:
    place = made(tmp_path)
    with library.open(place) as opened:
        opened.set(move_time=1.5, load_time=3)
        assert [drive.description.personality.load_time for drive in opened.drives] == [3.0, 3.0]
    with library.open(place, power=False) as held:
        assert held.status()["move_time"] == 1.5
        held.set(load_time=4, move_time=0)
        with pytest.raises(Usage):
            held.set(speed=3)
        with pytest.raises(Usage):
            held.set(move_time=-1, load_time=9)
    with library.open(place) as opened:
        assert opened.status()["move_time"] == 0
        assert [drive.description.personality.load_time for drive in opened.drives] == [4.0, 4.0]


def test_label_that_cannot_be_read_keeps_the_name_of_its_directory(tmp_path: Path) -> None:
    assert scan(tmp_path / "GONE01L8").barcode == "GONE01L8"
    assert scan(cartridge_made(tmp_path, "lto8", "ENC009L8")).fault is None


def test_lone_drive_knows_no_element(tmp_path: Path) -> None:
    machine.create(tmp_path / "drive", "quantum-lto4")
    assert b"element" not in (tmp_path / "drive" / "drive").read_bytes()
    with Machine.open(tmp_path / "drive") as powered:
        pages = powered.execute("host", inquiry.inquire_vital(inquiry.VitalPage.SUPPORTED)).data_in
    assert not {0xB3, 0xB4} & set(pages[4:])
