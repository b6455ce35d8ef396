"""Faults under which the race would show nothing: drives and tapes that are not what the table says they are."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

from tapekey.service.visit import Visit
from tapekey.target import drive_set_encryption
from tapekey.target.nexus import Nexus
from tapekey.target.state import Drive
from tests.faults.fault import Fault, replaced
from tests.kernel.race import outcome, verdict
from tests.kernel.race.verdict import Verdict

OF_KEYS: Final = "tests/target/test_drive_set_encryption.py::"
OF_RACE: Final = "tests/kernel/race/test_race.py::"


def _always_parks(shipped: Callable[..., None], drive: Drive, nexus: Nexus, asked: Any) -> None:
    drive.personality = replace(drive.personality, takes_key_when_empty=True)
    shipped(drive, nexus, asked)


def _always_locks(shipped: Callable[..., None], drive: Drive, nexus: Nexus, page: Any) -> None:
    drive.personality = replace(drive.personality, locks=True)
    shipped(drive, nexus, page)


def _all_encrypted(shipped: Callable[..., Verdict], *words: Any) -> Verdict:
    found = shipped(*words)
    return Verdict(0, found.clear + found.encrypted, seen=False, kads=found.kads)


def _late(shipped: Callable[[Visit], None], visit: Visit) -> None:
    if visit.rested is None:
        visit._come_to_rest()
    shipped(visit)


def _forgiving(shipped: Callable[..., list[str]], outcomes: Any) -> list[str]:
    return shipped([each for each in outcomes if each.alarms])


FAULTS: Final[dict[str, Fault]] = {
    "a bare drive keeps a parked key": Fault(
        replaced(drive_set_encryption, "_check_fields", _always_parks),
        OF_KEYS + "test_drive_that_takes_no_key_when_empty_refuses_the_index_until_a_volume_is_mounted",
        "the race of the gate would be one of the parked key, which cannot be lost",
    ),
    "a bare drive locks": Fault(
        replaced(drive_set_encryption, "_check_clear_conditions", _always_locks),
        OF_KEYS + "test_drive_without_lock_says_so_and_refuses_it",
        "the lock of the mount before keeps the next software out, whatever the guard is worth",
    ),
    "the judge takes clear blocks for encrypted ones": Fault(
        replaced(verdict, "judge", _all_encrypted),
        OF_RACE + "test_verdict_tells_a_clear_block_from_an_encrypted_one[False-counts0]",
        "no race would ever be lost",
    ),
    "the gate is shut behind the rest": Fault(
        replaced(Visit, "empty", _late),
        "tests/service/test_visit.py::test_others_are_kept_out_before_the_empty_drive_is_brought_to_rest",
        "software that comes with the next cartridge is in before the agent, as was seen in the guest",
    ),
    "a lost race that nobody was told of is passed over": Fault(
        replaced(outcome, "broken", _forgiving),
        OF_RACE + "test_broken_promise_is_found[a lost race that nobody was told of]",
        "the guard `watched` would be worth nothing and look well",
    ),
}
