"""Faults of what is done to drives and cartridges, one verified operation at a time."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

from tapekey.cartridge import envelopes, extent, memory
from tapekey.cartridge.envelopes import Found
from tapekey.drive import abilities, guard, load, parameters
from tapekey.drive.abilities import Abilities, Management
from tapekey.errors import DeviceError, DriveLied, Malformed, StateChanged
from tapekey.exchange import Command, Transport
from tapekey.scsi import attribute, run
from tapekey.scsi.run import Outcome
from tests.faults.fault import Fault, replaced, skipped

_PARAMETERS = "tests/drive/test_parameters.py::"
_CONTENTS = "tests/cartridge/test_contents.py::"
_ENVELOPES = "tests/cartridge/test_envelopes.py::"


def _unread(_: object, transport: Transport, value: bytes) -> Found:
    identifier = envelopes._free(transport)
    envelopes._put(transport, identifier, value)
    return Found(identifier, value)


def _not_through(shipped: Callable[..., Command], items: Any, **_: bool) -> Command:
    return shipped(items, write_through=False)


def _without_kads(shipped: Callable[..., None], page: Any, _: object, after: Any) -> None:
    shipped(page, (), replace(after, kads=()))


def _same_counter(shipped: Callable[..., Any], transport: Transport, *args: Any, **asked: Any) -> Any:
    try:
        return shipped(transport, *args, **asked)
    except DriveLied as lie:
        if "counter" not in lie.why:
            raise
        return parameters.status(transport)


def _key_stays(shipped: Callable[..., Any], *args: Any, **asked: Any) -> Any:
    return shipped(*args, **asked | {"clear_on_demount": False})


def _first_index(shipped: Callable[..., Any], algorithms: Any) -> Any:
    found = shipped(algorithms)
    return found and replace(found, index=1)


def _failure_is_none(shipped: Callable[..., Abilities], transport: Transport) -> Abilities:
    try:
        return shipped(transport)
    except abilities.PASSING:
        raise
    except (DeviceError, Malformed) as error:
        return Abilities(Management.NONE, str(error))


def _error_is_absence(shipped: Callable[..., Any], *asked: Any, **more: Any) -> Any:
    try:
        return shipped(*asked, **more)
    except DeviceError:
        return None


def _attention_passed(shipped: Callable[..., Outcome], transport: Transport, command: Command, **_: int) -> Outcome:
    try:
        return shipped(transport, command)
    except StateChanged:
        return shipped(transport, command)


def _first_word(_: object, __: str, chip: Any, log: Any) -> Any:
    return (chip if chip is not None else log), ()


FAULTS: Final = {
    "envelope not read back": Fault(
        replaced(envelopes, "write", _unread),
        f"{_ENVELOPES}test_a_drive_that_takes_the_envelope_and_drops_it_lied",
        "the memory's read-back is skipped",
    ),
    "envelope not written through": Fault(
        replaced(attribute, "write_attributes", _not_through),
        f"{_ENVELOPES}test_an_envelope_is_written_through_and_read_back[ibm-lto6]",
        "WRITE ATTRIBUTE is sent with WTC = 0",
    ),
    "status not read back after SPOUT": Fault(
        skipped(parameters, "_compare"),
        f"{_PARAMETERS}test_the_lie_is_named",
        "what the drive made of the parameters is not compared",
    ),
    "KAD not compared": Fault(
        replaced(parameters, "_compare", _without_kads),
        f"{_PARAMETERS}test_a_drive_that_forgets_the_name_of_the_key_lied",
        "a drive may drop the key-associated data unnoticed",
    ),
    "key instance counter not compared": Fault(
        replaced(parameters, "set_key", _same_counter),
        f"{_PARAMETERS}test_the_same_key_set_twice_must_move_the_counter",
        "parameters that stood there before pass for those that were sent",
    ),
    "CKOD forgotten": Fault(
        replaced(parameters, "set_key", _key_stays),
        f"{_PARAMETERS}test_the_key_goes_with_its_cartridge",
        "the key stays in the drive when its cartridge goes",
    ),
    "algorithm index taken as 1": Fault(
        replaced(abilities, "choose", _first_index),
        "tests/drive/test_abilities.py::test_an_older_cartridge_gives_less_room",
        "the algorithm is addressed by a fixed index",
    ),
    "error read as no encryption": Fault(
        replaced(abilities, "_ask", _failure_is_none),
        "tests/drive/test_abilities.py::test_a_short_answer_at_any_step_is_broken_and_never_none",
        "a drive that fails passes for one that cannot encrypt",
    ),
    "error read as not encrypted": Fault(
        replaced(memory, "read", _error_is_absence),
        f"{_CONTENTS}test_a_failure_at_any_step_is_that_failure[encrypted-4/44/00]",
        "an attribute that cannot be read passes for one that is not there",
    ),
    "disagreeing sources believed": Fault(
        replaced(extent, "_agreed", _first_word),
        f"{_CONTENTS}test_sources_that_disagree_make_it_unknown_and_are_both_named[chip: none, log: 0]",
        "the memory's word on what is encrypted outweighs the log page's",
    ),
    "unit attention swallowed": Fault(
        replaced(run, "perform", _attention_passed),
        "tests/scsi/test_run.py::test_a_moved_key_counter_is_never_passed",
        "every command is sent again after a unit attention",
    ),
    "write guard not read back": Fault(
        skipped(guard, "_compare"),
        "tests/drive/test_guard.py::test_a_drive_that_ignores_the_setting_lied",
        "a drive that ignores the guard passes for a closed one",
    ),
    "demount not confirmed": Fault(
        replaced(load, "confirm_demount", lambda _, transport, __: load.presence(transport)),
        "tests/drive/test_load.py::test_a_drive_that_takes_the_unload_and_stays_mounted_lied",
        "an accepted UNLOAD passes for a demount",
    ),
}
