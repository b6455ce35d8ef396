"""Reservations: who is stopped by whom, and who is told (reference 1.8, 5.2)."""

from pathlib import Path

import pytest

from tapekey.exchange import Command
from tapekey.scsi import inquiry, log, media, reserve
from tapekey.scsi.encryption import InPage, read_page
from tapekey.scsi.log import LogPage
from tapekey.scsi.reserve import InAction, OutAction, ReservationType
from tests.bench import Bench, powered
from tests.target.initiator import code, parameters

EXCLUSIVE, REGISTRANTS = ReservationType.EXCLUSIVE_ACCESS, ReservationType.EXCLUSIVE_ACCESS_REGISTRANTS_ONLY
ALL = ReservationType.EXCLUSIVE_ACCESS_ALL_REGISTRANTS


def order(bench: Bench, action: OutAction, key: int = 0, action_key: int = 0, **more: ReservationType) -> str:
    return code(bench.execute(reserve.persistent_out(action, key, action_key, **more)))


def pair(directory: Path, name: str = "ibm-lto6") -> tuple[Bench, Bench]:
    bench = powered(directory, name)
    other = bench.as_other()
    assert order(bench, OutAction.REGISTER, action_key=1) == "good"
    assert order(other, OutAction.REGISTER, action_key=2) == "good"
    return bench, other


STOPPED = {
    "test unit ready": (media.test_unit_ready(), True),
    "read": (media.read_block(10), True),
    "security protocol in": (read_page(InPage.STATUS), True),
    "inquiry": (inquiry.inquire(), False),
    "log sense": (log.log_sense(LogPage.DEVICE_STATUS), False),
    "request sense": (media.request_sense(), False),
    "release": (reserve.release(), False),
    "reservation read": (reserve.persistent_in(InAction.READ_RESERVATION), False),
}


@pytest.mark.parametrize(("command", "stopped"), STOPPED.values(), ids=STOPPED)
def test_reserve_stops_other_nexuses(tmp_path: Path, command: Command, stopped: bool) -> None:
    bench = powered(tmp_path)
    other = bench.as_other()
    assert code(bench.execute(reserve.reserve())) == "good"

    assert code(other.execute(command)) == ("conflict" if stopped else "good")
    assert code(bench.execute(reserve.release())) == "good"
    assert code(other.execute(media.test_unit_ready())) == "good"


def test_key_is_not_set_under_anothers_reservation(tmp_path: Path) -> None:
    bench = powered(tmp_path)
    other = bench.as_other()
    assert code(bench.execute(reserve.reserve())) == "good"

    assert code(other.execute(parameters(other))) == "conflict"
    assert bench.drive.parameters.counter == 0


def test_release_by_another_changes_nothing(tmp_path: Path) -> None:
    bench = powered(tmp_path)
    other = bench.as_other()
    assert code(bench.execute(reserve.reserve())) == "good"
    assert code(other.execute(reserve.release())) == "good"

    assert code(other.execute(media.rewind())) == "conflict"


# type, registered: is a REWIND of another nexus stopped?
PERSISTENT = {
    "exclusive, registered": (EXCLUSIVE, True, True),
    "exclusive, stranger": (EXCLUSIVE, False, True),
    "registrants only, registered": (REGISTRANTS, True, False),
    "registrants only, stranger": (REGISTRANTS, False, True),
    "all registrants, registered": (ALL, True, False),
    "all registrants, stranger": (ALL, False, True),
}


@pytest.mark.parametrize(("kind", "member", "stopped"), PERSISTENT.values(), ids=PERSISTENT)
def test_persistent_reservation_stops_by_its_type(
    tmp_path: Path, kind: ReservationType, member: bool, stopped: bool
) -> None:
    bench, other = pair(tmp_path)
    if not member:
        assert order(other, OutAction.REGISTER, 2, 0) == "good"
    assert order(bench, OutAction.RESERVE, 1, type=kind) == "good"

    assert code(other.execute(media.rewind())) == ("conflict" if stopped else "good")
    assert code(other.execute(media.test_unit_ready())) == "good"


@pytest.mark.parametrize("kind", [1, 5, 7])
def test_ibm_takes_the_exclusive_types_only(tmp_path: Path, kind: int) -> None:
    bench, _ = pair(tmp_path)

    assert order(bench, OutAction.RESERVE, 1, type=ReservationType(kind)) == "5/24/00"
    hpe, _ = pair(tmp_path / "hpe", "hpe-lto6")
    assert order(hpe, OutAction.RESERVE, 1, type=ReservationType(kind)) == "good"


@pytest.mark.parametrize("write_allowed", [True, False])
def test_write_exclusive_lets_others_read(tmp_path: Path, write_allowed: bool) -> None:
    bench, other = pair(tmp_path, "hpe-lto6")
    kind = ReservationType.WRITE_EXCLUSIVE_REGISTRANTS_ONLY if write_allowed else ReservationType.WRITE_EXCLUSIVE
    assert order(bench, OutAction.RESERVE, 1, type=kind) == "good"

    assert code(other.execute(media.read_block(1))) == "8/00/05"
    assert code(other.execute(media.write_block(b"x"))) == ("good" if write_allowed else "conflict")


KEYS = {
    "reserve unregistered": (OutAction.RESERVE, 9),
    "release unregistered": (OutAction.RELEASE, 9),
    "register over a key with the wrong one": (OutAction.REGISTER, 9),
}


@pytest.mark.parametrize(("action", "key"), KEYS.values(), ids=KEYS)
def test_only_the_registered_key_is_heard(tmp_path: Path, action: OutAction, key: int) -> None:
    bench, _ = pair(tmp_path)

    assert order(bench, action, key, 5) == "conflict"


def test_register_and_ignore_takes_the_place_of_a_key(tmp_path: Path) -> None:
    bench, _ = pair(tmp_path)
    assert order(bench, OutAction.REGISTER_AND_IGNORE_EXISTING_KEY, 0, 7) == "good"

    found = reserve.decode_keys(bench.execute(reserve.persistent_in(InAction.READ_KEYS)).data_in)

    assert sorted(found) == [2, 7]


def test_holder_is_told(tmp_path: Path) -> None:
    bench, other = pair(tmp_path)
    assert order(bench, OutAction.RESERVE, 1) == "good"

    holder = reserve.decode_holder(other.execute(reserve.persistent_in(InAction.READ_RESERVATION)).data_in)
    full = reserve.decode_registrants(other.execute(reserve.persistent_in(InAction.READ_FULL_STATUS)).data_in)

    assert holder is not None
    assert (holder.key, holder.type) == (1, EXCLUSIVE)
    assert [(row.header.key, row.header.holder) for row in full] == [(1, True), (2, False)]


def test_preempt_takes_the_reservation_and_tells_the_victim(tmp_path: Path) -> None:
    bench, other = pair(tmp_path)
    assert order(bench, OutAction.RESERVE, 1) == "good"

    assert order(other, OutAction.PREEMPT_AND_ABORT, 2, 1, type=EXCLUSIVE) == "good"

    assert code(bench.execute(media.test_unit_ready())) == "6/2A/05"
    assert code(bench.execute(media.rewind())) == "conflict"
    assert code(other.execute(media.rewind())) == "good"


def test_release_of_a_shared_reservation_tells_the_others(tmp_path: Path) -> None:
    bench, other = pair(tmp_path)
    assert order(bench, OutAction.RESERVE, 1, type=REGISTRANTS) == "good"
    assert order(bench, OutAction.RELEASE, 1, type=REGISTRANTS) == "good"

    assert code(other.execute(media.test_unit_ready())) == "6/2A/04"


def test_release_with_another_type_is_refused(tmp_path: Path) -> None:
    bench, _ = pair(tmp_path)
    assert order(bench, OutAction.RESERVE, 1, type=REGISTRANTS) == "good"

    assert order(bench, OutAction.RELEASE, 1, type=EXCLUSIVE) == "5/26/04"


def test_clear_ends_everything(tmp_path: Path) -> None:
    bench, other = pair(tmp_path)
    assert order(bench, OutAction.RESERVE, 1) == "good"
    assert order(bench, OutAction.CLEAR, 1) == "good"

    assert code(other.execute(media.test_unit_ready())) == "6/2A/03"
    assert reserve.decode_keys(bench.execute(reserve.persistent_in(InAction.READ_KEYS)).data_in) == ()


def test_unregistering_holder_gives_the_reservation_up(tmp_path: Path) -> None:
    bench, other = pair(tmp_path)
    assert order(bench, OutAction.RESERVE, 1) == "good"
    assert order(bench, OutAction.REGISTER, 1, 0) == "good"

    assert code(other.execute(media.rewind())) == "good"


def test_list_of_another_length_is_refused(tmp_path: Path) -> None:
    bench = powered(tmp_path)

    assert code(bench.execute(Command(bytes.fromhex("5f000000000000001700"), bytes(23)))) == "5/1A/00"


THIRD = {
    "RESERVE(6) for a third party": ("16 10 00 00 00 00", 6),
    "RESERVE(6) of an extent": ("16 01 00 00 00 00", 6),
    "RELEASE(6) for a third party": ("17 10 00 00 00 00", 6),
    "RESERVE(10) for a third party": ("56 10 00 00 00 00 00 00 00 00", 10),
    "RESERVE(10) with a long id": ("56 02 00 00 00 00 00 00 00 00", 10),
    "RESERVE(10) with a list": ("56 00 00 00 00 00 00 00 08 00", 10),
    "RELEASE(10) of an extent": ("57 01 00 00 00 00 00 00 00 00", 10),
}


@pytest.mark.parametrize(("cdb", "length"), THIRD.values(), ids=THIRD)
def test_third_parties_and_extents_are_refused(tmp_path: Path, cdb: str, length: int) -> None:
    command = Command(bytes.fromhex(cdb))
    assert len(command.cdb) == length

    assert code(powered(tmp_path).execute(command)) == "5/24/00"


def test_reserve_beside_registrations_is_for_who_may_use_the_unit(tmp_path: Path) -> None:
    """CRH, SPC-4 5.12.3: GOOD and without effect for them, a conflict for the others."""
    bench, other = pair(tmp_path)
    assert code(bench.execute(reserve.reserve())) == "conflict"
    assert order(bench, OutAction.RESERVE, 1, type=EXCLUSIVE) == "good"

    assert [code(bench.execute(command)) for command in (reserve.reserve(), reserve.release())] == ["good", "good"]
    assert [code(other.execute(command)) for command in (reserve.reserve(), reserve.release())] == ["conflict"] * 2
    assert bench.drive.reservations.simple == ""
