"""Faults of the flows and of what they decide."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

from tapekey.cartridge import contents, identity
from tapekey.cartridge.contents import Contents, Recorded
from tapekey.drive import guard, modes, parameters
from tapekey.drive.parameters import kads_of
from tapekey.exchange import Transport
from tapekey.manager.questions import Account, KeyManager, Mount
from tapekey.mount import account, first_block, install, outcome, owner, save, scene, unload, unwritten
from tapekey.policy import table
from tapekey.policy.decision import GuardMove, MakeKey, Modes, UseKey
from tapekey.policy.facts import Parameters
from tapekey.policy.situation import Situation
from tests.faults.fault import Fault, entry, replaced, skipped

_OUTCOME = "tests/mount/test_outcome.py::"
_UNLOAD = "tests/mount/test_unload.py::"


def _as_blank(*kinds: Contents) -> Callable[..., Recorded]:
    def look(shipped: Callable[..., Recorded], transport: Transport) -> Recorded:
        found = shipped(transport)
        return replace(found, contents=Contents.BLANK) if found.contents in kinds else found

    return look


def _by_kad(_: object, transport: Transport, __: Any, ___: KeyManager, mount: Mount | None) -> Parameters:
    now = parameters.status(transport)
    if modes.in_force(now) == modes.OFF or mount is None:
        return Parameters.NONE
    return Parameters.OURS if mount.kad == kads_of(now.kads) else Parameters.FOREIGN


def _whoever_set_it(_: object, transport: Transport, __: KeyManager, ___: Any, able: Any, *____: Any) -> bool:
    parameters.clear_key(transport, able)
    return True


def _declared_early(
    shipped: Callable[..., Any], transport: Any, manager: Any, mount: Mount, *rest: Any, **more: Any
) -> Any:
    last = shipped(transport, manager, mount, *rest, **more)
    if last.unwritten:
        unwritten.declare_again(manager, mount)
    return last


def _unverified(_: object, transport: Transport, *__: Any) -> bytes:
    return identity.identify(transport).change_reference


def _promised(_: object, __: Transport, prepared: Any) -> bytes:
    return bytes(prepared.envelope)


def _kept_open(shipped: Callable[..., None], transport: Any, manager: Any, seen: Any, decision: Any, way: Any) -> None:
    kept = replace(decision, guard=GuardMove.KEEP) if decision.guard is GuardMove.CLOSE else decision
    shipped(transport, manager, seen, kept, way)


FAULTS: Final = {
    "envelope not carried": Fault(
        replaced(save, "_carry", _promised),
        "tests/mount/test_save.py::test_envelope_is_in_memory_or_said_not_to_be[ibm-lto6, range taken]",
        "the envelope is said to be on the cartridge, and is not",
    ),
    "not verified after setting": Fault(
        replaced(install, "verify", _unverified),
        "tests/mount/test_install.py::test_failed_key_is_taken_out_again_and_the_guard_stays_closed"
        "[counter differs when read again]",
        "the drive is called ready without a second look",
    ),
    "key left in after a failure": Fault(
        skipped(install, "withdraw"),
        "tests/mount/test_install.py::test_failed_key_is_taken_out_again_and_the_guard_stays_closed"
        "[status cannot be read afterwards]",
        "a failure leaves the drive keyed",
    ),
    "MIXED where DECRYPT belongs": Fault(
        entry(install.PAIRS, Modes.READ, modes.READ_WITH_CLEAR_LABELS),  # type: ignore[arg-type]
        "tests/mount/test_restore.py::test_key_is_set_for_reading_only[ibm-lto6, range taken]",
        "a restore reads clear blocks that were planted",
    ),
    "unwrapped key used for writing": Fault(
        entry(install.PAIRS, Modes.READ, modes.WRITE),  # type: ignore[arg-type]
        "tests/mount/test_restore.py::test_reading_drive_lets_no_clear_write_pass[ibm-lto6]",
        "a key that anyone can have wrapped for us encrypts what is written",
    ),
    "stranger's cartridge written under": Fault(
        entry(table.SAVE, Situation.STRANGER, UseKey(16, "it carries a key")),  # type: ignore[arg-type]
        "tests/mount/test_adopt.py::test_cartridge_of_another_site_is_read_at_once_and_written_after_adoption[ibm-lto6]",
        "an envelope that is not on record is as good as one that is",
    ),
    "planted envelope ignored": Fault(
        entry(table.SAVE, Situation.PLANTED, UseKey(13, "it has a key on record")),  # type: ignore[arg-type]
        f"{_OUTCOME}test_planted_envelope_is_never_written_under_and_alarms[ibm-lto6-differs]",
        "an envelope that differs from the record is written over",
    ),
    "foreign data overwritten": Fault(
        entry(table.SAVE, Situation.FOREIGN, MakeKey(14, "nothing on it is ours")),  # type: ignore[arg-type]
        f"{_OUTCOME}test_foreign_encrypted_cartridge_is_left_readable_to_its_owner[ibm-lto6, range taken]",
        "a cartridge that someone else encrypted gets a new key",
    ),
    "unknown contents treated as blank": Fault(
        replaced(contents, "look", _as_blank(Contents.UNKNOWN)),
        f"{_OUTCOME}test_unknown_contents_are_never_scratch[ibm-lto6, range taken]",
        "what could not be found out passes for nothing",
    ),
    "no encrypted block treated as blank": Fault(
        replaced(contents, "look", _as_blank(Contents.CLEAR)),
        f"{_OUTCOME}test_clear_data_is_not_written_over[ibm-lto6, range taken]",
        "a tape full of clear data passes for an empty one",
    ),
    "disagreeing names ignored": Fault(
        skipped(scene, "agree", instead=True),
        f"{_OUTCOME}test_disagreeing_names_are_an_alarm[ibm-lto6]",
        "the first word for the volume is believed",
    ),
    "approval by serial number only": Fault(
        replaced(scene, "_approved", lambda _, __, record: record),
        f"{_OUTCOME}test_drive_with_a_known_serial_and_another_naa_is_refused",
        "whatever gives an approved serial number gets keys",
    ),
    "guard not closed": Fault(
        skipped(install, "close_guard"),
        "tests/mount/test_save.py::test_no_clear_block_passes_the_guard_once_the_key_is_gone[ibm-lto6]",
        "clear writes pass once the key is gone",
    ),
    "guard left open after a refusal": Fault(
        replaced(outcome, "settle", _kept_open),
        f"{_OUTCOME}test_refusal_closes_the_guard[ibm-lto6]",
        "what is refused can be written in clear",
    ),
    "guard left open after an unload": Fault(
        skipped(guard, "close"),
        f"{_UNLOAD}test_guard_is_closed_again_behind_a_forbidden_cartridge",
        "the guard that was opened for one cartridge is open for the next",
    ),
    "owner told by KAD alone": Fault(
        replaced(owner, "of_parameters", _by_kad),
        "tests/mount/test_owner.py::test_same_data_under_another_counter_is_foreign",
        "the key instance counter does not count",
    ),
    "foreign key cleared": Fault(
        replaced(unload, "after_demount", _whoever_set_it),
        f"{_UNLOAD}test_key_of_somebody_else_is_not_cleared",
        "an unload takes out whatever stands in the drive",
    ),
    "late clear hits the next mount": Fault(
        skipped(unload, "_still_newest", instead=True),
        f"{_UNLOAD}test_late_clear_does_not_hit_the_next_cartridge",
        "the mount's generation does not count",
    ),
    "account skipped at unload": Fault(
        skipped(account, "ask", instead=Account()),
        f"{_UNLOAD}test_unloaded_cartridge_is_accounted_and_leaves_no_key[ibm-lto6]",
        "nobody asks the drive what it did",
    ),
    "scratch again before the cartridge is out": Fault(
        replaced(unload, "_last_things", _declared_early),
        "tests/mount/test_unwritten.py::test_unload_that_was_refused_makes_nothing_scratch",
        "the word to overwrite is given while software may still write",
    ),
    "superseded envelope removed too early": Fault(
        skipped(first_block, "is_under", instead=True),
        "tests/mount/test_superseded.py::test_old_envelope_stays_while_its_data_are_on_the_tape",
        "data lose their envelope while they are still on the tape",
    ),
}
