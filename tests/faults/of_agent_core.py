"""Faults of the agent's workers: what ends, what is late, and what is said too early."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

from tapekey import turns
from tapekey.drive import abilities, parameters
from tapekey.exchange import Transport
from tapekey.service import duties, moments, stay
from tapekey.service.attentions import Attentive
from tapekey.service.door import Presence, Sight
from tapekey.service.duties import Hands
from tapekey.service.own_nexus import OwnNexus
from tapekey.service.rounds import Rounds
from tapekey.service.stay import Finding
from tapekey.service.view import State
from tapekey.service.visit import Visit
from tests.faults.fault import Fault, entry, replaced, skipped

_WORKER = "tests/service/test_worker.py::"
_STAY = "tests/service/test_stay.py::"


def _clears(_: object, rounds: Rounds) -> None:
    device = rounds._hands.transport
    parameters.clear_key(device, abilities.abilities(device))


def _no_error(shipped: Callable[[OwnNexus], Sight], door: OwnNexus) -> Sight:
    sight = shipped(door)
    return Sight(Presence.EMPTY) if sight.presence is Presence.UNKNOWN else sight


@contextmanager
def _at_any_time(_: object, hands: Hands) -> Iterator[Transport]:
    yield hands.transport


def _one_for_all(shipped: Callable[..., int], runtime: Any, serial: str) -> int:
    return shipped(runtime, "drives")


FAULTS: Final[dict[str, Fault]] = {
    "the end of a worker clears the key": Fault(
        replaced(Rounds, "leave", _clears),
        _WORKER + "test_ending_the_worker_sends_nothing_to_a_drive_with_a_cartridge[left to itself]",
        "a job that runs while the agent is restarted goes on in clear",
    ),
    "the end of an older mount acts on the newest": Fault(
        skipped(duties, "is_newest", True),
        _WORKER + "test_the_end_of_an_older_mount_does_nothing_to_a_newer_one",
        "what is late is done to the next cartridge",
    ),
    "an error of a look is an empty drive": Fault(
        replaced(OwnNexus, "look", _no_error),
        _WORKER + "test_an_error_is_never_read_as_an_empty_drive",
        "the books of a mount are closed, and the drive brought to rest, under a job",
    ),
    "ready is said without a look": Fault(
        skipped(Visit, "confirm", True),
        _WORKER + "test_ready_is_said_only_behind_a_look_at_the_parameters",
        "software opens a drive that lost its key in a reset nobody told of",
    ),
    "a device that went still acts": Fault(
        skipped(Attentive, "_demand"),
        _WORKER + "test_what_comes_of_a_device_that_went_meanwhile_acts_on_nothing",
        "the worker of a device that went goes on with the next one at its place",
    ),
    "a drive in doubt stays ready": Fault(
        entry(stay.NEXT, (State.READY_TO_WRITE, Finding.DOUBTFUL), State.READY_TO_WRITE),  # type: ignore[arg-type]
        _STAY + "test_a_doubt_ends_every_ready",
        "after a reset the drive is called ready as before",
    ),
    "a start keys over an open mount": Fault(
        skipped(moments, "resume"),
        _WORKER + "test_a_key_that_is_gone_at_the_start_is_an_alarm_and_not_set_again",
        "that the key of a mount is gone is covered up by a new one",
    ),
    "a worker does not wait its turn": Fault(
        replaced(Hands, "alone", _at_any_time),
        _WORKER + "test_while_another_process_works_on_the_drive_the_worker_waits_its_turn",
        "the agent and a command set keys in one drive at once",
    ),
    "one turn for all drives": Fault(
        replaced(turns, "_open", _one_for_all),
        "tests/test_turns.py::test_other_drives_do_not_wait",
        "a load of two hours in one drive holds up every other",
    ),
}
