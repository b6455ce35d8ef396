"""Faults of an agent that ends or begins while a cartridge is in a drive."""

from collections.abc import Callable
from typing import Any, Final

import pytest

from tapekey.drive import abilities, parameters
from tapekey.mount import again
from tapekey.mount.resume import Unkeyed
from tapekey.service import moments
from tapekey.service.drives import Drives
from tapekey.service.ledger import Upshot
from tapekey.service.rounds import Rounds
from tests.faults.fault import Fault, other, replaced, skipped

_WORKER = "tests/service/test_worker.py::"
_ADOPTED = _WORKER + "test_a_mount_of_ours_goes_on_after_a_restart_by_questions_alone"


def _cleared(shipped: Callable[..., None], rounds: Any) -> None:
    device = rounds._hands.transport
    parameters.clear_key(device, abilities.abilities(device))
    shipped(rounds)


def _sent_again(shipped: Callable[..., Any], transport: Any, *rest: Any, **more: Any) -> Any:
    """What stands there is set once more: its counter rises."""
    upshot = shipped(transport, *rest, **more)
    if isinstance(upshot, Upshot) and upshot.mount is not None:
        parameters.clear_key(transport, abilities.abilities(transport))
    return upshot


def _of_another(shipped: Callable[..., Any], *args: Any, **more: Any) -> Any:
    """A mount whose books are open is not taken for the one that goes on: another generation begins."""
    found = shipped(*args, **more)
    return Unkeyed(found.mount.medium_serial, "") if hasattr(found, "mount") else found


def _another_generation(patch: pytest.MonkeyPatch) -> None:
    replaced(moments, "look_who_it_is", _of_another)(patch)
    skipped(again, "for_writing")(patch)


# fmt: off
FAULTS: Final[dict[str, Fault]] = {
    "stop clears the key": Fault(
        replaced(Rounds, "leave", _cleared),
        _WORKER + "test_ending_the_worker_sends_nothing_to_a_drive_with_a_cartridge[stopped]",
        "takes the key out of a drive in the middle of a job when the agent ends"),
    "adoption sends parameters again": Fault(
        replaced(moments, "resume", _sent_again),
        _ADOPTED,
        "sets a drive's parameters when the agent starts in the middle of a job"),
    "a start leaves the open books to another generation": Fault(
        _another_generation,
        _ADOPTED,
        "begins a new mount for a cartridge whose books are open"),
    "unknown at the start is refused at once": Fault(
        other(Drives, "is_beginning", False),
        "tests/service/test_verbs.py::test_a_job_that_comes_before_the_drive_is_known_waits_for_it",
        "ends a job whose hook asks an agent that has just begun"),
}
# fmt: on
