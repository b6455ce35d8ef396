"""PERSISTENT RESERVE OUT: registrations, their changes, and who is told (reference 1.8; SPC-4 5.12)."""

from pathlib import Path

import pytest

from tapekey.exchange import Command
from tapekey.scsi import media, reserve
from tapekey.scsi.encryption import DecryptionMode, EncryptionMode
from tapekey.scsi.reserve import InAction, OutAction, ReservationType
from tapekey.scsi.transport_id import decode_transport_id, encode_transport_id
from tapekey.target import drive_register
from tests.bench import Bench, powered
from tests.octets import octets
from tests.target.initiator import code, install, sense_of, status

T = ReservationType
EXCLUSIVE, MEMBERS, ALL = T.EXCLUSIVE_ACCESS, T.EXCLUSIVE_ACCESS_REGISTRANTS_ONLY, T.EXCLUSIVE_ACCESS_ALL_REGISTRANTS
PORT = "iqn.2020-01.org.example:b,i,0x400001370000"


def order(bench: Bench, action: OutAction, key: int = 0, action_key: int = 0, **more: ReservationType) -> str:
    return code(bench.execute(reserve.persistent_out(action, key, action_key, **more)))


def pair(directory: Path, name: str = "ibm-lto6") -> tuple[Bench, Bench]:
    bench = powered(directory, name)
    other = Bench(bench.drive, PORT).settle()
    assert order(bench, OutAction.REGISTER, action_key=1) == "good"
    assert order(other, OutAction.REGISTER, action_key=2) == "good"
    return bench, other


def told(bench: Bench) -> str:
    return code(bench.execute(media.test_unit_ready()))


def keys(bench: Bench) -> list[int]:
    return sorted(reserve.decode_keys(bench.execute(reserve.persistent_in(InAction.READ_KEYS)).data_in))


def generation(bench: Bench) -> int:
    return reserve.generation(bench.execute(reserve.persistent_in(InAction.READ_KEYS)).data_in)


def holder(bench: Bench) -> reserve.Holder | None:
    return reserve.decode_holder(bench.execute(reserve.persistent_in(InAction.READ_RESERVATION)).data_in)


def raw(bench: Bench, cdb: str, key: int, action_key: int, flags: int) -> str:
    data = key.to_bytes(8, "big") + action_key.to_bytes(8, "big") + bytes(4) + bytes([flags]) + bytes(3)
    return code(bench.execute(Command(octets(cdb), data)))


REGISTER = "5f 00 00 00 00 00 00 00 18 00"

# action, key, action key by one who is not registered; answer, keys afterwards
NEWCOMER = {
    "register": (OutAction.REGISTER, 0, 3, "good", [1, 2, 3]),
    "register with a key it has not": (OutAction.REGISTER, 9, 3, "conflict", [1, 2]),
    "unregister what is not": (OutAction.REGISTER, 0, 0, "good", [1, 2]),
    "register and ignore": (OutAction.REGISTER_AND_IGNORE_EXISTING_KEY, 9, 3, "good", [1, 2, 3]),
    "unregister and ignore": (OutAction.REGISTER_AND_IGNORE_EXISTING_KEY, 9, 0, "good", [1, 2]),
    "reserve": (OutAction.RESERVE, 0, 0, "conflict", [1, 2]),
    "clear": (OutAction.CLEAR, 1, 0, "conflict", [1, 2]),
    "preempt": (OutAction.PREEMPT, 1, 2, "conflict", [1, 2]),
}


@pytest.mark.parametrize(("action", "key", "new", "answer", "left"), NEWCOMER.values(), ids=NEWCOMER)
def test_newcomer(tmp_path: Path, action: OutAction, key: int, new: int, answer: str, left: list[int]) -> None:
    bench, _ = pair(tmp_path)
    newcomer = Bench(bench.drive, "newcomer").settle()

    assert order(newcomer, action, key, new) == answer

    assert keys(bench) == left


def test_registrations_are_counted_and_the_last_place_is_the_last(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drive_register, "MOST", 2)
    bench, _ = pair(tmp_path)
    newcomer = Bench(bench.drive, "newcomer").settle()

    assert order(newcomer, OutAction.REGISTER, action_key=3) == "5/55/04"
    assert order(bench, OutAction.REGISTER, 1, 0) == "good"
    assert order(newcomer, OutAction.REGISTER, action_key=3) == "good"


def test_generation_counts_registrations_and_not_reservations(tmp_path: Path) -> None:
    bench, _ = pair(tmp_path)
    counted = [generation(bench)]
    for action, new in (
        (OutAction.RESERVE, 0),
        (OutAction.RELEASE, 0),
        (OutAction.REGISTER, 1),
        (OutAction.PREEMPT, 2),
        (OutAction.CLEAR, 0),
    ):
        assert order(bench, action, 1, new) == "good"
        counted.append(generation(bench))

    assert counted == [2, 2, 2, 3, 4, 5]


FLAGS = {
    "SPEC_I_PT is refused": ("ibm-lto6", 0x08, "5/26/00", (20, 3)),
    "ALL_TG_PT changes nothing": ("ibm-lto6", 0x04, "good", None),
    "APTPL where it is kept": ("ibm-lto6", 0x01, "good", None),
    "APTPL where it is not": ("hpe-lto6", 0x01, "5/26/00", (20, 0)),
}


@pytest.mark.parametrize(("name", "flags", "answer", "place"), FLAGS.values(), ids=FLAGS)
def test_flags(tmp_path: Path, name: str, flags: int, answer: str, place: tuple[int, int] | None) -> None:
    bench = powered(tmp_path, name)
    data = bytes(8) + (7).to_bytes(8, "big") + bytes(4) + bytes([flags]) + bytes(3)

    reply = bench.execute(Command(octets(REGISTER), data))

    assert code(reply) == answer
    if place is not None:
        field = sense_of(reply).field
        assert field is not None
        assert (field.byte, field.bit) == place
        assert keys(bench) == []


CAPABLE = {"ibm-lto6": "00 08 15 80 48 01", "hpe-lto6": "00 08 14 80 EA 01"}


@pytest.mark.parametrize(("name", "image"), CAPABLE.items())
def test_capabilities_say_what_there_is(tmp_path: Path, name: str, image: str) -> None:
    """CRH, ATP_C and where it is kept PTPL_C; the types of the personality in the mask."""
    reply = powered(tmp_path, name).execute(reserve.persistent_in(InAction.REPORT_CAPABILITIES))

    assert reply.data_in[:6] == octets(image)


def test_unregistering_the_holder_releases(tmp_path: Path) -> None:
    bench, other = pair(tmp_path)
    assert order(bench, OutAction.RESERVE, 1, type=MEMBERS) == "good"

    assert order(bench, OutAction.REGISTER, 1, 0) == "good"

    assert holder(bench) is None
    assert told(other) == "6/2A/04"


def test_reservation_of_all_registrants_ends_with_the_last(tmp_path: Path) -> None:
    bench, other = pair(tmp_path)
    assert order(bench, OutAction.RESERVE, 1, type=ALL) == "good"
    found = holder(bench)
    assert found is not None
    assert (found.key, found.type) == (0, ALL)

    assert order(bench, OutAction.REGISTER, 1, 0) == "good"
    assert holder(bench) is not None
    assert order(other, OutAction.REGISTER, 2, 0) == "good"
    assert holder(bench) is None


def test_release_of_another_type_is_refused(tmp_path: Path) -> None:
    bench, _ = pair(tmp_path)
    assert order(bench, OutAction.RESERVE, 1, type=EXCLUSIVE) == "good"

    assert order(bench, OutAction.RELEASE, 1, type=MEMBERS) == "5/26/04"
    assert holder(bench) is not None


def test_clear_tells_all_who_were_registered(tmp_path: Path) -> None:
    bench, other = pair(tmp_path)
    assert order(other, OutAction.RESERVE, 2, type=EXCLUSIVE) == "good"

    assert order(bench, OutAction.CLEAR, 1) == "good"

    assert (keys(bench), holder(bench)) == ([], None)
    assert told(other) == "6/2A/03"


def test_preempting_a_mere_registration_leaves_the_reservation(tmp_path: Path) -> None:
    bench, other = pair(tmp_path)
    assert order(bench, OutAction.RESERVE, 1, type=EXCLUSIVE) == "good"

    assert order(bench, OutAction.PREEMPT, 1, 2, type=MEMBERS) == "good"

    found = holder(bench)
    assert found is not None
    assert (keys(bench), found.type) == ([1], EXCLUSIVE)
    assert told(other) == "6/2A/05"


def test_preempting_all_registrants_with_key_0_leaves_one(tmp_path: Path) -> None:
    bench, other = pair(tmp_path)
    assert order(other, OutAction.RESERVE, 2, type=ALL) == "good"

    assert order(bench, OutAction.PREEMPT, 1, 0, type=EXCLUSIVE) == "good"

    found = holder(bench)
    assert found is not None
    assert (keys(bench), found.key, found.type) == ([1], 1, EXCLUSIVE)
    assert told(other) == "6/2A/05"


def test_preempting_with_key_0_elsewhere_is_refused(tmp_path: Path) -> None:
    bench, other = pair(tmp_path)
    assert order(other, OutAction.RESERVE, 2, type=EXCLUSIVE) == "good"

    assert order(bench, OutAction.PREEMPT, 1, 0) == "5/26/00"


@pytest.mark.parametrize(("action", "lets_go"), [(OutAction.PREEMPT, False), (OutAction.PREEMPT_AND_ABORT, True)])
def test_preempt_and_abort_lets_the_cartridge_go(tmp_path: Path, action: OutAction, lets_go: bool) -> None:
    bench, other = pair(tmp_path)
    assert order(other, OutAction.RESERVE, 2, type=EXCLUSIVE) == "good"
    assert code(other.execute(media.prevent_removal())) == "good"

    assert order(bench, action, 1, 2, type=EXCLUSIVE) == "good"

    assert code(bench.execute(media.unload())) == ("good" if lets_go else "5/53/02")


def test_preempting_takes_a_key_that_was_bound_to_it(tmp_path: Path) -> None:
    bench, other = pair(tmp_path)
    assert order(other, OutAction.RESERVE, 2, type=EXCLUSIVE) == "good"
    install(other, EncryptionMode.ENCRYPT, DecryptionMode.DECRYPT, ckorp=True)

    assert order(bench, OutAction.PREEMPT, 1, 2, type=EXCLUSIVE) == "good"
    assert told(bench) == "good"

    assert status(bench).encryption is EncryptionMode.DISABLE


# --- register and move --------------------------------------------------------------------------------------------


def move(bench: Bench, key: int, new: int, to: str, **more: bool) -> str:
    return code(bench.execute(reserve.register_and_move(key, new, encode_transport_id(to), **more)))


def test_holder_hands_its_reservation_on(tmp_path: Path) -> None:
    bench, other = pair(tmp_path)
    assert order(bench, OutAction.RESERVE, 1, type=EXCLUSIVE) == "good"

    assert move(bench, 1, 5, PORT, unregister=True) == "good"

    found = holder(other)
    assert found is not None
    assert (keys(other), found.key, found.type) == ([5], 5, EXCLUSIVE)
    assert code(bench.execute(media.rewind())) == "conflict"
    assert code(other.execute(media.rewind())) == "good"


MOVES = {
    "the wrong key": ((9, 5, PORT), "conflict"),
    "a key of nothing": ((1, 0, PORT), "5/26/00"),
    "to itself": ((1, 5, "host"), "5/26/00"),
}


@pytest.mark.parametrize(("what", "answer"), MOVES.values(), ids=MOVES)
def test_move_that_does_not_fit(tmp_path: Path, what: tuple[int, int, str], answer: str) -> None:
    bench, _ = pair(tmp_path)
    assert order(bench, OutAction.RESERVE, 1, type=EXCLUSIVE) == "good"

    assert move(bench, *what) == answer


def test_only_the_holder_moves(tmp_path: Path) -> None:
    bench, other = pair(tmp_path)
    assert order(other, OutAction.RESERVE, 2, type=EXCLUSIVE) == "good"

    assert move(bench, 1, 5, PORT) == "conflict"


LISTS = {
    "cut short": ("5f 07 00 00 00 00 00 00 10 00", bytes(16), "5/1A/00"),
    "another length inside": ("5f 07 00 00 00 00 00 00 18 00", bytes(23) + b"\x08", "5/1A/00"),
    "register of another length": ("5f 00 00 00 00 00 00 00 1c 00", bytes(28), "5/1A/00"),
    "an action that is none": ("5f 0a 00 00 00 00 00 00 18 00", bytes(24), "5/24/00"),
}


@pytest.mark.parametrize(("cdb", "data", "answer"), LISTS.values(), ids=LISTS)
def test_list_that_does_not_fit(tmp_path: Path, cdb: str, data: bytes, answer: str) -> None:
    bench, _ = pair(tmp_path)

    assert code(bench.execute(Command(octets(cdb), data))) == answer


def test_move_to_something_else_than_an_iscsi_port_is_refused(tmp_path: Path) -> None:
    bench, _ = pair(tmp_path)
    assert order(bench, OutAction.RESERVE, 1, type=EXCLUSIVE) == "good"

    command = reserve.register_and_move(1, 5, octets("06 00 00 14") + bytes(20))

    assert sense_of(bench.execute(command)).code == "5/26/00"


def test_full_status_names_initiators_by_their_transport_ids(tmp_path: Path) -> None:
    bench, _ = pair(tmp_path)
    assert order(bench, OutAction.RESERVE, 1, type=EXCLUSIVE) == "good"

    rows = reserve.decode_registrants(bench.execute(reserve.persistent_in(InAction.READ_FULL_STATUS)).data_in)

    assert [(decode_transport_id(row.initiator), row.header.key, row.header.holder) for row in rows] == [
        ("host", 1, True),
        (PORT, 2, False),
    ]
