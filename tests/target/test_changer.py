"""The changer as a device server: what comes before a command, reservations, what it says of itself."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tapekey.exchange import Command
from tapekey.scsi import changer, changer_mode, inquiry, log, media, mode, opcodes, reserve, tape_alert, vital
from tapekey.scsi.changer import Opcode
from tapekey.scsi.changer_mode import ElementAddresses
from tapekey.scsi.codes import DeviceType, Status
from tapekey.scsi.inquiry import VitalPage
from tapekey.scsi.log import LogPage
from tapekey.scsi.mode_page import ModePage
from tapekey.scsi.reserve import InAction, OutAction, ReservationType
from tapekey.scsi.sense import decode_sense
from tapekey.target import changer as device
from tapekey.target import library
from tapekey.target.library_front import Library
from tapekey.wire.layout import decode, encode
from tests.octets import octets
from tests.target.libraries import DRIVE, SERIAL, SLOT, ask, made, run, told


def data(opened: Library, command: Command) -> bytes:
    answer = ask(opened, command)
    assert told(answer) == "good"
    return bytes(answer.data)


def test_standard_inquiry_is_a_medium_changers(tmp_path: Path) -> None:
    with library.open(made(tmp_path)) as opened:
        found = inquiry.decode_standard(data(opened, inquiry.inquire()))

    assert (found.device_type, found.removable, found.vendor, found.product) == (
        DeviceType.CHANGER,
        True,
        "TAPEKEY",
        "VIRTUAL LIBRARY",
    )


def test_vital_pages_are_the_changers_own_and_one_says_that_it_is_virtual(tmp_path: Path) -> None:
    with library.open(made(tmp_path)) as opened:
        pages = vital.decode_supported(data(opened, inquiry.inquire_vital(VitalPage.SUPPORTED)))
        images = {page: data(opened, inquiry.inquire_vital(page)) for page in pages}

    assert list(pages) == [0x00, 0x80, 0x83, 0xD0]
    assert {image[0] for image in images.values()} == {DeviceType.CHANGER}
    assert vital.decode_serial(images[VitalPage.SERIAL]) == SERIAL
    assert vital.decode_virtual(images[VitalPage.VIRTUAL]) == "TAPEKEY VIRTUAL library"
    designators = vital.decode_designators(images[VitalPage.IDENTIFICATION])
    assert vital.t10_id(designators) == f"TAPEKEY VIRTUAL LIBRARY {SERIAL}"
    assert vital.naa(designators)


def test_drives_tell_their_library_and_their_place_in_it(tmp_path: Path) -> None:
    with library.open(made(tmp_path)) as opened:
        second = opened.drives[1].transport()
        serial = second.execute(inquiry.inquire_vital(VitalPage.AUTOMATION_SERIAL)).data_in
        address = second.execute(inquiry.inquire_vital(VitalPage.ELEMENT_ADDRESS)).data_in

    assert vital.decode_serial(serial, VitalPage.AUTOMATION_SERIAL) == SERIAL
    assert vital.decode_element_address(address) == DRIVE + 1


@pytest.mark.parametrize("page", [0x81, 0xB0, 0xFF])
def test_vital_page_that_it_lacks_is_refused(tmp_path: Path, page: int) -> None:
    with library.open(made(tmp_path)) as opened:
        assert run(opened, inquiry.inquire_vital(VitalPage(page))) == "5/24/00"


def test_element_addresses_are_what_mtx_asks_for(tmp_path: Path) -> None:
    with library.open(made(tmp_path)) as opened:
        image = data(opened, Command(octets("1a 08 1d 00 88 00"), data_in_max=0x88))

    assert image == octets("17 00 00 00  1d 12  00 01 00 01  10 00 00 06  00 10 00 02  01 00 00 02  00 00")
    assert decode(ElementAddresses, image[4:]).storages == 6


def test_all_pages_come_in_both_lengths_of_header(tmp_path: Path) -> None:
    with library.open(made(tmp_path)) as opened:
        long = mode.decode_answer_10(data(opened, mode.mode_sense(ModePage.ALL)))
        short = mode.decode_answer_6(data(opened, mode.mode_sense_6(ModePage.ALL)))
        changeable = Command(octets("5a 08 7f 00 00 00 00 00 ff 00"), data_in_max=255)
        mask = mode.decode_answer_10(data(opened, changeable))

    assert long.pages == short.pages
    assert [page.image[0] for page in long.pages] == [0x0A, 0x1D, 0x1E, 0x1F]
    assert [set(page.image[2:]) for page in mask.pages] == [{0}] * 4


@pytest.mark.parametrize(
    ("cdb", "sense"),
    [("1a 08 02 00 ff 00", "5/24/00"), ("1a 08 1d 01 ff 00", "5/24/00"), ("1a 08 dd 00 ff 00", "5/39/00")],
    ids=["another page", "a subpage", "saved values"],
)
def test_mode_page_that_it_lacks_is_refused(tmp_path: Path, cdb: str, sense: str) -> None:
    with library.open(made(tmp_path)) as opened:
        assert run(opened, Command(octets(cdb), data_in_max=255)) == sense


def test_mode_page_is_taken_only_as_it_is(tmp_path: Path) -> None:
    with library.open(made(tmp_path)) as opened:
        found = mode.decode_answer_10(data(opened, mode.mode_sense(ModePage(changer_mode.ELEMENT_ADDRESSES))))
        other = decode(ElementAddresses, found.pages[0].image)
        moved = encode(replace(other, first_drive=0x200))

        assert run(opened, mode.mode_select(found)) == "good"
        assert run(opened, mode.mode_select(mode.Answer(pages=(mode.RawPage(moved),)))) == "5/26/00"
        assert run(opened, Command(octets("55 10 00 00 00 00 00 00 0a 00"), data_out=bytes(10))) == "5/26/00"
        assert run(opened, Command(octets("15 11 00 00 04 00"), data_out=bytes(4))) == "5/24/00"


def test_log_pages_are_the_list_and_tape_alert_with_nothing_raised(tmp_path: Path) -> None:
    with library.open(made(tmp_path)) as opened:
        assert log.decode_supported(data(opened, log.log_sense(LogPage.SUPPORTED))) == (0x00, 0x2E)
        assert tape_alert.decode_tape_alerts(data(opened, tape_alert.take_tape_alerts())) == frozenset()
        assert run(opened, log.log_sense(LogPage.DEVICE_STATISTICS)) == "5/24/00"


def test_every_command_is_reported_with_its_time_out_and_its_bits(tmp_path: Path) -> None:
    with library.open(made(tmp_path)) as opened:
        entries = opcodes.decode_all(data(opened, opcodes.report_opcodes()))
        one = opcodes.decode_one(data(opened, opcodes.report_opcode(Opcode.MOVE_MEDIUM, timeouts=True)))  # type: ignore[arg-type]
        none = opcodes.decode_one(data(opened, opcodes.report_opcode(Opcode(0x08))))  # type: ignore[arg-type]

    assert [entry.opcode for entry in entries] == sorted(device.COMMANDS)
    assert all(entry.timeouts and entry.timeouts.recommended >= 60 for entry in entries)
    assert one.usage == octets("a5 00 ff ff ff ff ff ff 00 00 01 00")
    assert one.timeouts is not None
    assert one.timeouts.recommended == changer.MOVING
    assert not none.supported


def test_new_nexus_is_told_of_the_power_on_once(tmp_path: Path) -> None:
    with library.open(made(tmp_path)) as opened:
        serve = opened.changer.serve
        assert told(serve("a", inquiry.inquire())) == "good"
        assert told(serve("a", media.test_unit_ready())) == "6/29/00"
        assert told(serve("a", media.test_unit_ready())) == "good"
        assert decode_sense(bytes(serve("b", media.request_sense()).data)).code == "6/29/00"
        assert told(serve("b", media.test_unit_ready())) == "good"


def test_reset_forgets_what_hosts_have_set_and_tells_them(tmp_path: Path) -> None:
    with library.open(made(tmp_path)) as opened:
        run(opened, reserve.reserve())
        run(opened, media.prevent_removal())
        run(opened, changer.move(SLOT, DRIVE))

        assert opened.rack.reset(0)

        assert told(opened.changer.serve("host", media.test_unit_ready())) == "6/29/03"
        assert run(opened, media.test_unit_ready(), "other") == "good"
        assert not opened.changer.changer.prevented
        assert opened.drives[0].drive.mounted


def test_reservation_keeps_others_out_until_the_session_ends(tmp_path: Path) -> None:
    with library.open(made(tmp_path)) as opened:
        assert run(opened, reserve.reserve()) == "good"

        assert run(opened, changer.move(SLOT, DRIVE), "other") == "conflict"
        assert run(opened, changer.read_status(current=False), "other") == "conflict"
        assert run(opened, changer.read_status(), "other") == "good"
        assert run(opened, changer.move(SLOT, DRIVE)) == "good"

        opened.rack.nexus_lost("host")
        assert run(opened, changer.move(DRIVE, SLOT), "other") == "good"


def test_persistent_reservation_is_the_drives_own_code(tmp_path: Path) -> None:
    with library.open(made(tmp_path)) as opened:
        register = reserve.persistent_out(OutAction.REGISTER, action_key=7)
        hold = reserve.persistent_out(OutAction.RESERVE, 7, type=ReservationType.EXCLUSIVE_ACCESS)
        assert [run(opened, register), run(opened, hold)] == ["good", "good"]

        assert reserve.decode_keys(data(opened, reserve.persistent_in(InAction.READ_KEYS))) == (7,)
        assert run(opened, changer.move(SLOT, DRIVE), "other") == "conflict"
        assert run(opened, changer.move(SLOT, DRIVE)) == "good"


def test_prevented_removal_locks_the_mail_slots_to_operators(tmp_path: Path) -> None:
    with library.open(made(tmp_path)) as opened:
        run(opened, media.prevent_removal())
        assert opened.status()["removal_prevented"]
        run(opened, media.allow_removal())
        assert not opened.status()["removal_prevented"]
        assert run(opened, Command(octets("1e 00 00 00 02 00"))) == "5/24/00"


@pytest.mark.parametrize("cdb", ["", "08 00 00 00 10 00", "b5 00", "a2 20 00 10 00 00 00 00 00 ff 00 00", "ff"])
def test_command_of_another_device_is_unknown(tmp_path: Path, cdb: str) -> None:
    with library.open(made(tmp_path)) as opened:
        assert run(opened, Command(octets(cdb))) == "5/20/00"


def test_self_test_passes_and_diagnostic_pages_are_refused(tmp_path: Path) -> None:
    with library.open(made(tmp_path)) as opened:
        assert run(opened, Command(octets("1d 04 00 00 00 00"))) == "good"
        assert run(opened, Command(octets("1d 10 00 00 04 00"), data_out=bytes(4))) == "5/26/00"


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    opcode=st.sampled_from(sorted(device.COMMANDS)) | st.integers(0, 255),
    rest=st.binary(max_size=15),
    out=st.binary(max_size=64),
    room=st.sampled_from([0, 1, 7, 255, 70_000]),
)
def test_any_command_is_answered_within_its_room(
    any_library: Library, opcode: int, rest: bytes, out: bytes, room: int
) -> None:
    answer = any_library.changer.serve("host", Command(bytes([opcode]) + rest, out, room))

    assert answer.status in (Status.GOOD, Status.CHECK_CONDITION, Status.RESERVATION_CONFLICT)
    assert len(answer.data) <= room


@pytest.fixture
def any_library(tmp_path: Path):  # type: ignore[no-untyped-def]
    with library.open(made(tmp_path)) as opened:
        yield opened
