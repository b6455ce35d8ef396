"""What moves cartridges, and what hinders it (reference 8.1 and 8.2)."""

import threading
import time
from pathlib import Path

import pytest

from tapekey.exchange import Command
from tapekey.scsi import changer, media
from tapekey.scsi.changer import ElementType, ExchangeMedium, InitializeRange, MoveMedium, PositionToElement
from tapekey.scsi.sense import decode_sense
from tapekey.target import library
from tapekey.target.tray import Place
from tapekey.target.unit_attention import Attention
from tapekey.wire.layout import encode
from tests.target.libraries import ARM, DRIVE, MAIL, SLOT, ask, elements, made, run, told, where

START = {SLOT: "ENC001L8", SLOT + 1: "ENC002L8", SLOT + 2: "ENC003L8", SLOT + 3: "CLN001L8"}

REFUSED = {
    "from an empty slot": (changer.move(SLOT + 4, DRIVE), "5/3B/0E", 4),
    "into a full slot": (changer.move(SLOT, SLOT + 1), "5/3B/0D", 6),
    "from an element that is not there": (changer.move(SLOT + 6, DRIVE), "5/21/01", None),
    "into an element that is not there": (changer.move(SLOT, DRIVE + 2), "5/21/01", None),
    "into the arm": (changer.move(SLOT, ARM), "5/21/01", None),
    "out of the arm": (changer.move(ARM, SLOT + 4), "5/21/01", None),
    "by another arm": (Command(encode(MoveMedium(transport=2, source=SLOT, destination=DRIVE))), "5/21/01", 2),
    "turned over": (Command(encode(MoveMedium(source=SLOT, destination=DRIVE, invert=True))), "5/24/00", 10),
    "exchange with an empty element": (changer.exchange(SLOT, SLOT + 4, SLOT + 5), "5/3B/0E", 4),
    "exchange into a third that is full": (changer.exchange(SLOT, SLOT + 1, SLOT + 2), "5/3B/0D", 6),
    "exchange of an element with itself": (changer.exchange(SLOT, SLOT, SLOT + 4), "5/21/01", 6),
    "exchange, turned over": (
        Command(encode(ExchangeMedium(source=SLOT, first=SLOT + 1, second=SLOT, invert_second=True))), "5/24/00", 10
    ),
    "position before an element that is not there": (changer.position(0x7777), "5/21/01", 4),
    "position, turned over": (Command(encode(PositionToElement(destination=SLOT, invert=True))), "5/24/00", 8),
    "look at elements that are not there": (changer.initialize_range(0x7777, 1), "5/21/01", 2),
    "status of elements above the highest": (changer.read_status(first=0x7777), "5/21/01", 2),
    "status of a type that is not there": (changer.read_status(ElementType(5)), "5/24/00", 1),
}  # fmt: skip


@pytest.mark.parametrize(("command", "sense", "byte"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_is_refused_and_changes_nothing(
    tmp_path: Path, command: Command, sense: str, byte: int | None
) -> None:
    with library.open(made(tmp_path)) as opened:
        answer = ask(opened, command)

        assert told(answer) == sense
        if byte is not None:
            field = decode_sense(answer.sense).field
            assert field is not None
            assert (field.byte, field.in_cdb) == (byte, True)
        assert where(opened) == START


def test_cartridge_goes_into_a_drive_and_back(tmp_path: Path) -> None:
    with library.open(made(tmp_path)) as opened:
        assert run(opened, changer.move(SLOT, DRIVE)) == "good"

        element = elements(opened)[DRIVE]
        assert (element.barcode, element.state.source_valid, element.state.source) == ("ENC001L8", True, SLOT)
        assert opened.drives[0].drive.mounted
        assert opened.drives[0].status()["barcode"] == "ENC001L8"

        assert run(opened, changer.move(DRIVE, SLOT + 5)) == "good"

        assert where(opened) == {SLOT + 5: "ENC001L8"} | {at: tag for at, tag in START.items() if at != SLOT}

        assert opened.drives[0].drive.place is Place.EMPTY


def test_drive_is_told_of_its_new_medium_and_other_drives_are_not(tmp_path: Path) -> None:
    with library.open(made(tmp_path)) as opened:
        for drive in opened.drives:
            drive.execute("host", media.test_unit_ready())

        run(opened, changer.move(SLOT, DRIVE))

        assert told(opened.rack.serve("host", 1, media.test_unit_ready())) == "6/28/00"
        assert told(opened.rack.serve("host", 1, media.test_unit_ready())) == "good"
        assert told(opened.rack.serve("host", 2, media.test_unit_ready())) == "2/3A/00"


def test_source_stays_known_from_drive_to_drive_and_is_forgotten_in_a_slot(tmp_path: Path) -> None:
    with library.open(made(tmp_path)) as opened:
        run(opened, changer.move(SLOT + 1, DRIVE))
        assert run(opened, changer.move(DRIVE, DRIVE + 1)) == "good"
        assert elements(opened)[DRIVE + 1].state.source == SLOT + 1

        run(opened, changer.move(DRIVE + 1, SLOT + 4))

        assert not elements(opened)[SLOT + 4].state.source_valid


def test_exchange_changes_a_drives_cartridge_in_one_motion(tmp_path: Path) -> None:
    with library.open(made(tmp_path)) as opened:
        run(opened, changer.move(SLOT, DRIVE))

        assert run(opened, changer.exchange(SLOT + 1, DRIVE, SLOT)) == "good"

        assert where(opened)[DRIVE] == "ENC002L8" == opened.drives[0].status()["barcode"]
        assert where(opened)[SLOT] == "ENC001L8"


def test_exchange_back_into_the_source(tmp_path: Path) -> None:
    with library.open(made(tmp_path)) as opened:
        assert run(opened, changer.exchange(SLOT, SLOT + 1, SLOT)) == "good"

        assert (where(opened)[SLOT], where(opened)[SLOT + 1]) == ("ENC002L8", "ENC001L8")


def test_move_onto_itself_leaves_the_cartridge(tmp_path: Path) -> None:
    with library.open(made(tmp_path)) as opened:
        assert run(opened, changer.move(SLOT, SLOT)) == "good"
        assert where(opened) == START


def test_prevented_removal_holds_the_cartridge_in_the_drive(tmp_path: Path) -> None:
    with library.open(made(tmp_path)) as opened:
        run(opened, changer.move(SLOT, DRIVE))
        opened.rack.serve("other", 1, media.test_unit_ready())
        assert told(opened.rack.serve("other", 1, media.prevent_removal())) in ("good", "6/28/00")
        opened.rack.serve("other", 1, media.prevent_removal())

        assert run(opened, changer.move(DRIVE, SLOT)) == "5/53/02"
        assert opened.drives[0].drive.mounted

        opened.rack.nexus_lost("other")
        assert run(opened, changer.move(DRIVE, SLOT)) == "good"


def test_changer_that_does_not_unload_waits_for_the_host(tmp_path: Path) -> None:
    with library.open(made(tmp_path, knobs={"changer_unloads": False})) as opened:
        run(opened, changer.move(SLOT, DRIVE))

        assert run(opened, changer.move(DRIVE, SLOT)) == "5/53/03"
        assert opened.drives[0].drive.mounted

        opened.drives[0].execute("host", media.test_unit_ready())
        opened.drives[0].execute("host", media.unload())
        assert run(opened, changer.move(DRIVE, SLOT)) == "good"


def test_drive_lets_the_gripper_in_only_when_the_cartridge_is_out(tmp_path: Path) -> None:
    with library.open(made(tmp_path)) as opened:
        run(opened, changer.move(SLOT, DRIVE))
        assert [elements(opened)[DRIVE + at].state.accessible for at in (0, 1)] == [False, True]

        opened.drives[0].execute("host", media.test_unit_ready())
        opened.drives[0].execute("host", media.unload())

        state = elements(opened)[DRIVE].state
        assert (state.full, state.accessible) == (True, True)


@pytest.mark.parametrize("damage", ["label", "gone"])
def test_cartridge_that_no_drive_takes_stays_in_its_slot(tmp_path: Path, damage: str) -> None:
    place = made(tmp_path)
    label = place / "cartridges" / "ENC001L8" / "cartridge"
    with library.open(place) as opened:
        label.unlink() if damage == "gone" else label.write_bytes(b"rubbish")

        assert run(opened, changer.move(SLOT, DRIVE)) == "4/53/00"

        assert where(opened) == START
        assert opened.drives[0].drive.place is Place.EMPTY
        assert run(opened, changer.move(SLOT + 1, DRIVE)) == "good"


def test_failed_exchange_puts_back_what_the_drive_gave(tmp_path: Path) -> None:
    place = made(tmp_path)
    with library.open(place) as opened:
        run(opened, changer.move(SLOT, DRIVE))
        (place / "cartridges" / "ENC002L8" / "cartridge").write_bytes(b"rubbish")

        assert run(opened, changer.exchange(SLOT + 1, DRIVE, SLOT)) == "4/53/00"

        assert where(opened)[DRIVE] == "ENC001L8" == opened.drives[0].status()["barcode"]
        assert opened.drives[0].drive.place is Place.MOUTH


def test_cleaning_cartridge_and_unknown_generation_are_carried_like_others(tmp_path: Path) -> None:
    with library.open(made(tmp_path, ("CLN001L8", "OLD001L4", "ODD001"))) as opened:
        assert [run(opened, changer.move(SLOT + at, DRIVE + at)) for at in (0, 1)] == ["good", "good"]
        assert run(opened, changer.move(SLOT + 2, SLOT + 5)) == "good"

        assert [opened.drives[0].drive.mounted, where(opened)[DRIVE + 1]] == [False, "OLD001L4"]
        opened.drives[1].execute("host", media.test_unit_ready())
        assert told(opened.rack.serve("host", 2, media.test_unit_ready())) == "3/30/00"


def test_inventory_that_cannot_be_written_leaves_everything(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with library.open(made(tmp_path)) as opened:

        def full(*_: object) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr("tapekey.target.library_inventory.replace_checked", full)

        assert run(opened, changer.move(SLOT, DRIVE)) == "4/44/00"

        assert where(opened) == START
        assert opened.drives[0].drive.place is Place.EMPTY


def test_library_that_looks_around_is_becoming_ready(tmp_path: Path) -> None:
    now = 100.0
    with library.open(made(tmp_path, knobs={"inventory_time": 30.0}), lambda: now) as opened:
        commands = (media.test_unit_ready(), changer.move(SLOT, DRIVE), changer.position(SLOT))
        blind = changer.read_status(current=False)
        assert [run(opened, command) for command in (*commands, blind)] == ["2/04/01"] * 4
        assert run(opened, changer.read_status()) == "good"

        now = 130.0

        assert [run(opened, command) for command in (*commands, blind)] == ["good"] * 4


def test_initialize_sees_what_has_happened_to_cartridges(tmp_path: Path) -> None:
    place = made(tmp_path)
    with library.open(place) as opened:
        (place / "cartridges" / "ENC001L8").rename(place / "cartridges" / "elsewhere")
        (place / "cartridges" / "ENC002L8" / "cartridge").write_bytes(b"rubbish")
        assert not any(element.state.exception for element in elements(opened).values())

        assert run(opened, changer.initialize_range(SLOT + 1, 1)) == "good"
        faults = {at: element.state for at, element in elements(opened).items() if element.state.exception}
        assert [(at, state.asc, state.ascq) for at, state in faults.items()] == [(SLOT + 1, 0x30, 0x01)]

        assert run(opened, changer.initialize()) == "good"
        faults = {at: element.state for at, element in elements(opened).items() if element.state.exception}
        assert [(at, state.asc, state.ascq) for at, state in faults.items()] == [
            (SLOT, 0x3A, 0x00),
            (SLOT + 1, 0x30, 0x01),
        ]
        assert where(opened) == START


def test_range_without_its_bit_is_the_whole_library(tmp_path: Path) -> None:
    place = made(tmp_path)
    with library.open(place) as opened:
        (place / "cartridges" / "ENC003L8").rename(place / "gone")
        assert run(opened, Command(encode(InitializeRange(first=SLOT, count=1)))) == "good"
        assert elements(opened)[SLOT + 2].state.exception


def test_motion_takes_its_time_and_lets_others_ask(tmp_path: Path) -> None:
    with library.open(made(tmp_path, knobs={"move_time": 0.4})) as opened:
        ask(opened, media.test_unit_ready())
        begun = time.monotonic()
        mover = threading.Thread(target=run, args=(opened, changer.move(SLOT, DRIVE)))
        mover.start()
        time.sleep(0.1)

        assert where(opened) == START
        asked = time.monotonic() - begun
        mover.join()

        assert asked < 0.35 < time.monotonic() - begun
        assert where(opened)[DRIVE] == "ENC001L8"


def test_second_motion_waits_for_the_first(tmp_path: Path) -> None:
    with library.open(made(tmp_path, knobs={"move_time": 0.2})) as opened:
        ask(opened, media.test_unit_ready())
        begun = time.monotonic()
        steps = [changer.move(SLOT, DRIVE), changer.move(SLOT + 1, DRIVE + 1)]
        movers = [threading.Thread(target=run, args=(opened, step)) for step in steps]
        for mover in movers:
            mover.start()
        for mover in movers:
            mover.join()

        assert time.monotonic() - begun > 0.39
        assert set(where(opened)) >= {DRIVE, DRIVE + 1}


def test_move_through_the_mail_slot_is_no_operator(tmp_path: Path) -> None:
    place = made(tmp_path)
    with library.open(place) as opened:
        run(opened, changer.move(SLOT, MAIL))
        assert not elements(opened)[MAIL].state.by_operator
        ask(opened, media.test_unit_ready(), "other")

        opened.export("ENC001L8")
        opened.insert(Path("ENC001L8"))

        assert elements(opened)[MAIL].state.by_operator


def test_operators_at_the_mail_slot_are_told_to_every_nexus(tmp_path: Path) -> None:
    with library.open(made(tmp_path)) as opened:
        for nexus in ("host", "other"):
            ask(opened, media.test_unit_ready(), nexus)
        opened.export("ENC002L8")

        for nexus in ("host", "other"):
            assert opened.changer.changer.nexuses.get(nexus).pending == {Attention.IMPORT_EXPORT_ACCESSED}
            assert told(opened.changer.serve(nexus, changer.read_status())) == "6/28/01"
            assert told(opened.changer.serve(nexus, changer.read_status())) == "good"
