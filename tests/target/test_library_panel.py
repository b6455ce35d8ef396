"""The library's panel, and its sockets: its own leads to changer and panel, one more to each drive."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tapekey.errors import Conflict
from tapekey.scsi import changer, changer_status, inquiry, media
from tapekey.scsi.codes import Status
from tapekey.target import library, library_panel, machine, server
from tapekey.target.library_front import Library
from tapekey.transport.socket import connect
from tests.target.initiator import code
from tests.target.libraries import DRIVE, SLOT, made, where


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return made(tmp_path)


@pytest.fixture
def held(place: Path) -> Iterator[Library]:
    with library.open(place, power=False) as opened:
        yield opened


REFUSED = {
    "no request": (None, "Usage"),
    "no verb": ({}, "Usage"),
    "another verb": ({"verb": "juggle"}, "Usage"),
    "a drive's verb": ({"verb": "eject"}, "Usage"),
    "move of nothing": ({"verb": "move", "element": "slot-5"}, "Usage"),
    "move of a number": ({"verb": "move", "cartridge": 7, "element": "slot-5"}, "Usage"),
    "move of what is not there": ({"verb": "move", "cartridge": "XYZ", "element": "slot-5"}, "NotFound"),
    "move to what is not there": ({"verb": "move", "cartridge": "ENC001L8", "element": "shelf"}, "NotFound"),
    "move into a full slot": ({"verb": "move", "cartridge": "ENC001L8", "element": "slot-2"}, "Stuck"),
    "insert of nothing": ({"verb": "insert"}, "Usage"),
    "insert of what is no cartridge": ({"verb": "insert", "cartridge": "/"}, "Malformed"),
    "export with a NUL": ({"verb": "export", "cartridge": "a\0b"}, "Usage"),
    "export of a long name": ({"verb": "export", "cartridge": "x" * 5000}, "Usage"),
    "a knob that there is not": ({"verb": "set", "speed": 1}, "Usage"),
}


@pytest.mark.parametrize(("request_", "error"), REFUSED.values(), ids=REFUSED)
def test_what_goes_wrong_is_part_of_the_answer(held: Library, request_: object, error: str) -> None:
    before = held.inventory()

    answer = library_panel.press(held, request_)

    assert (answer["ok"], answer["error"]) == (False, error)
    assert answer["what"]
    assert held.inventory() == before


def test_verbs_do_what_they_say(held: Library) -> None:
    for request in (
        {"verb": "move", "cartridge": "ENC001L8", "element": "drive-1"},
        {"verb": "export", "cartridge": "ENC002L8"},
        {"verb": "insert", "cartridge": "ENC002L8"},
        {"verb": "set", "move_time": 2},
        {"verb": "rescan"},
        {"verb": "reset"},
    ):
        answer = library_panel.press(held, request)
        assert answer["ok"], answer
        json.dumps(answer)

    status = library_panel.press(held, {"verb": "status"})
    assert (status["drives_full"], status["slots_full"], status["mail_slots_full"], status["move_time"]) == (1, 2, 1, 2)
    rows = library_panel.press(held, {"verb": "inventory"})["elements"]
    assert isinstance(rows, list)
    assert [row["element"] for row in rows] == ["mail-1", "drive-1", "drive-2", "slot-3", "slot-4"]


def test_every_socket_leads_where_it_says(place: Path) -> None:
    with server.powered_library(place) as opened:
        assert machine.served(place)
        with connect(place / "socket") as arm, connect(place / "drive-1" / "socket") as drive:
            assert code(arm.execute(media.test_unit_ready())) == "6/29/00"
            assert code(arm.execute(changer.move(SLOT, DRIVE))) == "good"
            status = changer_status.decode_status(arm.execute(changer.read_status()).data_in)
            assert [page.type for page in status] == [1, 3, 4, 2]
            assert inquiry.decode_standard(drive.execute(inquiry.inquire()).data_in).product == "ULT3580-TD8"
            assert drive.control("status")["barcode"] == "ENC001L8"
            assert arm.control("move", cartridge="drive-1", element="slot-1")["element"] == "slot-1"
            assert drive.execute(media.test_unit_ready()).status == Status.CHECK_CONDITION
        assert SLOT in where(opened)
    assert not machine.served(place)
    assert not list(place.rglob("socket"))


def test_mouth_of_a_drive_in_a_library_cannot_be_reached(place: Path) -> None:
    with server.powered_library(place), connect(place / "drive-1" / "socket", "panel") as panel:
        for verb in ("insert", "eject"):
            answer = panel.control(verb, cartridge=str(place / "cartridges" / "ENC001L8"))
            assert (answer["ok"], answer["error"]) == (False, Conflict.__name__)
            assert "library" in str(answer["why"])
        assert panel.control("power-cycle")["ok"]


def test_drive_that_was_switched_off_and_on_keeps_what_the_inventory_says(place: Path) -> None:
    with server.powered_library(place) as opened:
        opened.move("ENC001L8", "drive-1")
        opened.drives[0].power_cycle()
        assert opened.drives[0].status()["barcode"] == "ENC001L8"
        opened.move("drive-1", "slot-1")
        opened.drives[0].power_cycle()
        assert opened.drives[0].status()["barcode"] is None
