"""Which command a reservation stops: the table of SPC-4 5.12.1, command by command."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tapekey.exchange import Command
from tapekey.scsi import media, reserve
from tapekey.scsi.codes import Status
from tapekey.scsi.reserve import OutAction
from tapekey.target import machine
from tapekey.target.drive import COMMANDS
from tapekey.target.reservations import NOTHING, Kept, Reservations

MINE, MEMBER, STRANGER = "mine", "member", "stranger"
KEYS = {MINE: 1, MEMBER: 2}

# Commands of a stranger: stopped by RESERVE, by write exclusive, by exclusive access.
TABLE = {
    "INQUIRY": ("12 00 00 00 24 00", False, False, False),
    "REQUEST SENSE": ("03 00 00 00 12 00", False, False, False),
    "LOG SENSE": ("4d 00 40 00 00 00 00 00 10 00", False, False, False),
    "PERSISTENT RESERVE IN": ("5e 00 00 00 00 00 00 00 10 00", False, False, False),
    "RELEASE": ("17 00 00 00 00 00", False, False, False),
    "allowing removal": ("1e 00 00 00 00 00", False, False, False),
    "REPORT TIMESTAMP": ("a3 0f 00 00 00 00 00 00 00 0c 00 00", False, False, False),
    "TEST UNIT READY": ("00 00 00 00 00 00", True, False, False),
    "PERSISTENT RESERVE OUT": ("5f 00 00 00 00 00 00 00 18 00", True, False, False),
    "READ BLOCK LIMITS": ("05 00 00 00 00 00", True, False, False),
    "REPORT DENSITY SUPPORT": ("44 00 00 00 00 00 00 00 10 00", True, False, False),
    "READ": ("08 00 00 00 10 00", True, False, True),
    "REWIND": ("01 00 00 00 00 00", True, False, True),
    "LOCATE": ("2b 00 00 00 00 00 00 00 00 00", True, False, True),
    "MODE SENSE": ("1a 00 3f 00 ff 00", True, False, True),
    "READ ATTRIBUTE": ("8c" + " 00" * 15, True, False, True),
    "SECURITY PROTOCOL IN": ("a2 20" + " 00" * 10, True, False, True),
    "REPORT SUPPORTED OPERATION CODES": ("a3 0c 00 00 00 00 00 00 00 10 00 00", True, False, True),
    "preventing removal": ("1e 00 00 00 01 00", True, True, True),
    "WRITE": ("0a 00 00 00 10 00", True, True, True),
    "WRITE FILEMARKS": ("10 00 00 00 01 00", True, True, True),
    "ERASE": ("19 00 00 00 00 00", True, True, True),
    "FORMAT MEDIUM": ("04 00 00 00 00 00", True, True, True),
    "LOAD UNLOAD": ("1b 00 00 00 00 00", True, True, True),
    "MODE SELECT": ("15 10 00 00 04 00", True, True, True),
    "LOG SELECT": ("4c 02 40 00 00 00 00 00 00 00", True, True, True),
    "SECURITY PROTOCOL OUT": ("b5 20" + " 00" * 10, True, True, True),
    "WRITE ATTRIBUTE": ("8d" + " 00" * 15, True, True, True),
    "ALLOW OVERWRITE": ("82" + " 00" * 15, True, True, True),
    "SET CAPACITY": ("0b 00 00 ff ff 00", True, True, True),
    "WRITE BUFFER": ("3b 0a 00 00 00 00 00 00 00 00", True, True, True),
    "SEND DIAGNOSTIC": ("1d 04 00 00 00 00", True, True, True),
    "SET TIMESTAMP": ("a4 0f 00 00 00 00 00 00 00 0c 00 00", True, True, True),
}


@pytest.mark.parametrize(("cdb", "simple", "writing", "all_access"), TABLE.values(), ids=TABLE)
def test_stranger_is_stopped(cdb: str, simple: bool, writing: bool, all_access: bool) -> None:
    command = bytes.fromhex(cdb)

    assert Reservations(simple=MINE).stop(STRANGER, command[0], command) is simple
    for kind in (1, 5, 7):
        assert Reservations(keys=KEYS, holder=MINE, kind=kind).stop(STRANGER, command[0], command) is writing
    for kind in (3, 6, 8):
        assert Reservations(keys=KEYS, holder=MINE, kind=kind).stop(STRANGER, command[0], command) is all_access


@pytest.mark.parametrize(("cdb", "simple", "writing", "all_access"), TABLE.values(), ids=TABLE)
def test_member_is_stopped_like_a_stranger_unless_registrants_pass(
    cdb: str, simple: bool, writing: bool, all_access: bool
) -> None:
    command = bytes.fromhex(cdb)
    found = {
        kind: Reservations(keys=KEYS, holder=MINE, kind=kind).stop(MEMBER, command[0], command)
        for kind in (1, 3, 5, 6, 7, 8)
    }

    assert found == {1: writing, 3: all_access, 5: False, 6: False, 7: False, 8: False}


@given(st.sampled_from(sorted(COMMANDS)), st.integers(0, 8))
def test_holder_is_never_stopped(opcode: int, kind: int) -> None:
    cdb = bytes([opcode]) + bytes(15)

    assert not Reservations(keys=KEYS, holder=MINE, kind=kind).stop(MINE, opcode, cdb)
    assert not Reservations(simple=MINE).stop(MINE, opcode, cdb)
    assert not Reservations(keys=KEYS).stop(STRANGER, opcode, cdb)


def test_only_what_was_registered_so_outlasts_the_power() -> None:
    held = Reservations(generation=4, keys=dict(KEYS), holder=MINE, kind=3)
    assert held.kept() == NOTHING
    held.through_power_loss = True

    back = Reservations.restored(held.kept())

    assert held.kept() == Kept(KEYS, MINE, 3)
    assert (back.keys, back.holder, back.kind, back.generation) == (KEYS, MINE, 3, 0)
    assert Reservations.restored(NOTHING) == Reservations()


@pytest.mark.parametrize(("through", "stopped"), [(1, True), (0, False)], ids=["APTPL", "without"])
def test_reservation_outlasts_the_power_if_it_was_asked_to(tmp_path: Path, through: int, stopped: bool) -> None:
    machine.create(tmp_path / "drive", "ibm-lto6")
    register = Command(
        bytes.fromhex("5f000000000000001800"), bytes(15) + b"\x07" + bytes(4) + bytes([through, 0, 0, 0])
    )

    with machine.open(tmp_path / "drive") as drive:
        host = drive.transport("host")
        while host.execute(media.test_unit_ready()).sense[2:3] == b"\x06":
            pass
        assert host.execute(register).status == Status.GOOD
        assert host.execute(reserve.persistent_out(OutAction.RESERVE, 7)).status == Status.GOOD
        drive.power_cycle(orderly=False)
        other = drive.transport("other")
        other.execute(media.test_unit_ready())
        answer = other.execute(media.rewind()).status

    assert (answer == Status.RESERVATION_CONFLICT) is stopped
