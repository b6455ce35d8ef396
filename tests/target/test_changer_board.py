"""READ ELEMENT STATUS of a library: which elements come, in which form, and how fast with a thousand of them."""

import statistics
import time
from pathlib import Path

import pytest

from tapekey.scsi import changer, changer_status
from tapekey.scsi.changer import ElementType
from tapekey.scsi.changer_status import MediumType
from tapekey.scsi.vital import CodeSet, DesignatorType
from tapekey.target import library
from tapekey.target.changer_board import Board
from tapekey.target.library_description import Description
from tapekey.target.library_inventory import Held, Inventory
from tapekey.target.library_label import Label
from tapekey.target.library_layout import Layout
from tapekey.target.library_robot import Robot
from tapekey.wire.layout import decode
from tests.octets import octets
from tests.target.libraries import ARM, DRIVE, MAIL, SLOT, ask, elements, made, run

ALL = [ARM, MAIL, MAIL + 1, DRIVE, DRIVE + 1, *range(SLOT, SLOT + 6)]

WANTED = {
    "all": (changer.read_status(), ALL),
    "storage": (changer.read_status(ElementType.STORAGE), ALL[5:]),
    "drives": (changer.read_status(ElementType.DRIVE), ALL[3:5]),
    "import/export": (changer.read_status(ElementType.IMPORT_EXPORT), ALL[1:3]),
    "transport": (changer.read_status(ElementType.TRANSPORT), ALL[:1]),
    "the first four, of whatever type": (changer.read_status(count=4), ALL[:4]),
    "from an address between": (changer.read_status(first=0x200, count=2), ALL[5:7]),
    "storage from the fourth": (changer.read_status(ElementType.STORAGE, SLOT + 3), ALL[8:]),
    "none": (changer.read_status(count=0), []),
}


@pytest.mark.parametrize(("command", "addresses"), WANTED.values(), ids=WANTED)
def test_elements_come_as_they_are_asked_for(tmp_path: Path, command: object, addresses: list[int]) -> None:
    with library.open(made(tmp_path)) as opened:
        data = bytes(ask(opened, command).data)  # type: ignore[arg-type]

    header = decode(changer_status.StatusHeader, data)
    found = [element.state.address for page in changer_status.decode_status(data) for element in page.elements]
    assert found == addresses
    assert (header.first, header.count) == (addresses[0] if addresses else 0, len(addresses))
    assert header.length == len(data) - 8


def test_a_slot_and_a_drive_are_byte_for_byte_as_the_reference_has_them(tmp_path: Path) -> None:
    with library.open(made(tmp_path)) as opened:
        run(opened, changer.move(SLOT + 2, DRIVE))
        slot = bytes(ask(opened, changer.read_status(ElementType.STORAGE, SLOT, 1)).data)
        drive = bytes(ask(opened, changer.read_status(ElementType.DRIVE, DRIVE, 1, drive_names=True)).data)
        serial = opened.drives[0].description.serial.encode()

    assert slot == octets(
        f"""10 00 00 01 00 00 00 3c  02 80 00 34 00 00 00 34
        10 00 09 00 00 00 00 00 00 01 00 00  {b"ENC001L8".ljust(32).hex(" ")} 00 00 00 00  00 00 00 00"""
    )
    assert drive == octets(
        f"""01 00 00 01 00 00 00 46  04 80 00 3e 00 00 00 3e
        01 00 01 00 00 00 00 00 00 81 10 02  {b"ENC003L8".ljust(32).hex(" ")} 00 00 00 00
        02 00 00 0a {serial.hex(" ")}"""
    )


def test_answer_is_cut_at_the_room_and_says_how_much_there_is(tmp_path: Path) -> None:
    with library.open(made(tmp_path)) as opened:
        whole = bytes(ask(opened, changer.read_status()).data)
        head = bytes(ask(opened, changer.read_status(room=8)).data)

    assert head == whole[:8]
    assert changer_status.announced(head) == len(whole)


FORMS = {
    "serial": (CodeSet.ASCII, DesignatorType.VENDOR_SPECIFIC, 10),
    "t10": (CodeSet.ASCII, DesignatorType.T10_VENDOR_ID, 34),
    "naa": (CodeSet.BINARY, DesignatorType.NAA, 8),
}


@pytest.mark.parametrize("form", FORMS)
def test_drives_are_named_in_the_form_that_the_knob_chooses(tmp_path: Path, form: str) -> None:
    with library.open(made(tmp_path, knobs={"drive_names": form})) as opened:
        name = elements(opened, ElementType.DRIVE, drive_names=True)[DRIVE].name

    assert name is not None
    assert (name.code_set, name.kind, len(name.value)) == FORMS[form]


def test_no_drive_is_named_where_none_is_asked_for_or_the_library_cannot(tmp_path: Path) -> None:
    with library.open(made(tmp_path)) as opened:
        assert elements(opened)[DRIVE].name is None
        opened.set(drive_names="none")
        assert elements(opened, drive_names=True)[DRIVE].name is None


def test_kinds_of_cartridges_are_told(tmp_path: Path) -> None:
    with library.open(made(tmp_path, ("ENC001L8", "CLN001L8", "WRM001LY"))) as opened:
        kinds = [elements(opened)[SLOT + at].state.medium_type for at in range(4)]

    assert kinds == [MediumType.DATA, MediumType.CLEANING, MediumType.WRITE_ONCE, MediumType.UNSPECIFIED]


def test_what_is_kept_encoded_follows_every_change(tmp_path: Path) -> None:
    with library.open(made(tmp_path)) as opened:
        for tags in (True, False):
            before = bytes(ask(opened, changer.read_status(volume_tags=tags)).data)
            run(opened, changer.move(SLOT, SLOT + 5))
            between = bytes(ask(opened, changer.read_status(volume_tags=tags)).data)
            run(opened, changer.move(SLOT + 5, SLOT))
            assert between != before == bytes(ask(opened, changer.read_status(volume_tags=tags)).data)


def thousand() -> Board:
    """The board of 1,000 full slots and no drives behind it; what takes the time is the encoding."""
    layout = Layout(24, 1000, 2)
    held = {SLOT + at: Held(f"cartridges/ENC{at:04}L8") for at in range(1000)}
    robot = Robot(Path("/nowhere"), Description("TKL", bytes(8), layout), Inventory(held), lambda _: None)
    robot._labels.update({cartridge.cartridge: Label(cartridge.cartridge[-8:]) for cartridge in held.values()})
    return Board(robot)


def test_status_of_a_thousand_elements_takes_less_than_fifty_milliseconds() -> None:
    asked = decode(changer.ReadElementStatus, changer.read_status(drive_names=True).cdb)
    board = thousand()
    took = []
    for _ in range(6):
        begun = time.perf_counter()
        data = board.status(asked)
        took.append((time.perf_counter() - begun) * 1000)

    print(
        f"\nREAD ELEMENT STATUS of 1,027 elements: {took[0]:.1f} ms the first time, then {statistics.median(took):.2f}"
    )
    assert data is not None
    assert len(data) > 50_000
    assert took[0] < 50
