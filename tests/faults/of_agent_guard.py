"""Faults of what stands before a clear write while nobody looks: rest, parked keys, the witness."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

import pytest

from tapekey.cartridge import change_reference
from tapekey.drive import guard, modes, parameters
from tapekey.drive.identity import DriveId
from tapekey.errors import DeviceError, NotSafe
from tapekey.exchange import Transport
from tapekey.keystore import guard_originals, parked_keys
from tapekey.keystore.records import GuardOriginal
from tapekey.keystore.rows import Transaction
from tapekey.manager import parking
from tapekey.manager.questions import GuardPage, KeyManager, KeyMaterial, Mount
from tapekey.mount import again, guarding, install, owner, park, witness
from tapekey.mount.witness import Finding
from tapekey.policy import guards
from tapekey.policy.facts import Guard, Parameters
from tests.faults.fault import Fault, replaced, skipped

_REST = "tests/mount/test_rest.py::"
_PARK = "tests/mount/test_park.py::"
_WITNESS = "tests/mount/test_witness.py::"


def _our_own(_: object, transaction: Transaction, serial: str, naa: bytes, current: bytes, saved: bytes) -> None:
    known = guard_originals.get(transaction, serial)
    record = GuardOriginal(serial, naa, current, saved, transaction.now())
    (transaction.insert if known is None else transaction.replace)(record)


def _kept_each_time(_: object, transport: Transport, manager: KeyManager, drive: DriveId) -> None:
    found = guard.look(transport)
    manager.keep_guard_page(drive.serial, drive.naa, GuardPage(found.current, found.saved))


def _kept_anew(patch: pytest.MonkeyPatch) -> None:
    replaced(guarding, "_keep", _kept_each_time)(patch)
    replaced(guard_originals, "keep", _our_own)(patch)


def _early(_: object, keystore: Any, drive: str, rule: Any, room: Any, wrap: Any) -> Any:
    """The key goes out, and its record is never committed."""
    with suppress(NotSafe), keystore.writing() as transaction:
        record = parking._make(transaction, drive, rule, room)
        key = parked_keys.open_key(transaction, record)
        raise NotSafe("rolled back")
    return parking.as_parked(record, None), KeyMaterial(key.id, plain=key.secret)


def _whatever_stands(_: object, transport: Transport, able: Any, manager: Any, mount: Any) -> Parameters:
    off = modes.in_force(parameters.status(transport)) == modes.OFF
    return Parameters.NONE if off else Parameters.OURS


def _polling(shipped: Callable[..., Any], transport: Transport, manager: Any, mount: Mount) -> Any:
    change_reference.read(transport)
    return shipped(transport, manager, mount)


def _nothing(*_: object) -> Finding:
    return Finding.NOTHING


def _error_is_clear(shipped: Callable[..., Any], transport: Transport, *rest_: Any) -> Any:
    try:
        return shipped(transport, *rest_)
    except DeviceError:
        return Parameters.NONE


def _opened_between(shipped: Callable[..., Any], transport: Transport, scene: Any, *rest_: Any) -> Any:
    if scene.parked is not None:
        parameters.clear_key(transport, scene.abilities)
    return shipped(transport, scene, *rest_)


def _out_for_good(_: object, transport: Transport, manager: Any, scene: Any, decision: Any) -> None:
    parameters.clear_key(transport, scene.abilities)


def _whatever_was_tried(_: object, basis: Any) -> frozenset[Guard]:
    return frozenset({Guard.DRIVE, Guard.PARKED, Guard.WATCHED})


# fmt: off
FAULTS: Final = {
    "guard not restored on release": Fault(
        skipped(guard, "put_back"),
        _REST + "test_release_puts_the_page_back_and_leaves_the_drive_alone",
        "a drive that is given back stays closed, and the page that stood there before is forgotten"),
    "originals overwritten by our own page": Fault(
        _kept_anew,
        _REST + "test_first_page_is_kept_and_our_own_never_takes_its_place",
        "the page that we set ourselves is kept as the drive's own"),
    "parked key not committed before sending": Fault(
        replaced(parking, "park", _early),
        _PARK + "test_key_is_on_record_before_it_leaves_the_store",
        "the key stands in the drive, and nothing here knows it"),
    "key parked without anybody outside": Fault(
        skipped(parking, "why_not", ""),
        _PARK + "test_without_anybody_outside_nothing_is_parked",
        "blocks are written under a key of which the keystore has the only copy"),
    "foreign key cleared at rest": Fault(
        replaced(owner, "of_parameters", _whatever_stands),
        _REST + "test_what_is_not_ours_to_close_is_not_touched[ibm-lto6-foreign]",
        "another program's key is taken out of the empty drive"),
    "volume change reference polled": Fault(
        replaced(again, "standing", _polling),
        _WITNESS + "test_it_is_asked_once_at_each_moment_and_never_by_a_look_at_the_key",
        "MAM 0009h is read whenever somebody asks whether the key still stands"),
    "lost race taken for nothing": Fault(
        replaced(witness, "_changed", _nothing),
        _WITNESS + "test_a_write_between_load_and_key_is_a_lost_race",
        "a clear block that was written before the key is not told of"),
    "unknown reference taken for unchanged": Fault(
        replaced(witness, "compare", _nothing),
        _WITNESS + "test_what_was_not_told_is_unknown_and_never_unchanged",
        "a drive that does not tell passes for one on which nothing was written"),
    "error read as clear in resume": Fault(
        replaced(owner, "of_parameters", _error_is_clear),
        "tests/mount/test_resume.py::test_an_error_is_not_taken_for_an_empty_set[_saved]",
        "a drive whose status cannot be read is treated as one without a key, in the middle of a job"),
    "parked taken for foreign": Fault(
        skipped(owner, "of_status", None),
        _PARK + "test_a_parked_key_is_ours_before_any_mount_and_after_a_restart",
        "our own parked key is an alarm, and every load after it is refused"),
    "parked key cleared before the cartridge's is set": Fault(
        replaced(install, "send", _opened_between),
        _PARK + "test_it_becomes_the_key_of_a_blank_cartridge_and_the_drive_is_never_open",
        "between parked key and the cartridge's the drive writes in clear"),
    "parked key out over a refused cartridge": Fault(
        replaced(park, "settle", _out_for_good),
        _PARK + "test_it_stays_in_over_a_refused_cartridge_and_is_not_used_again",
        "a cartridge that was refused is written in clear"),
    "guards believed whatever the trials said": Fault(
        replaced(guards, "effective", _whatever_was_tried),
        "tests/policy/test_guards.py::test_guards_follow_from_what_is_known[a clear write passed]",
        "a drive that let a clear write pass counts as one that refuses them"),
}
# fmt: on
