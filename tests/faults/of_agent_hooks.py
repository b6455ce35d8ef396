"""Faults of hooks, of commands with a drive, and of looking without touching."""

from collections.abc import Callable
from typing import Any, Final

from tapekey import wiring
from tapekey.cartridge import contents
from tapekey.cli import agent_call, hook, with_drive
from tapekey.drive import abilities, load, parameters
from tapekey.drive.in_library import Bay
from tapekey.errors import TapekeyError
from tapekey.exchange import Transport
from tapekey.manager import reuse
from tapekey.mount import survey
from tapekey.service.inbox import Ask
from tests.faults.fault import Fault, other, replaced, skipped

_HOOK = "tests/cli/test_hook.py::"
_ASK = "tests/cli/test_agent_call.py::"
_WITH = "tests/cli/test_with_drive.py::"
_SURVEY = "tests/mount/test_survey.py::"


def _no_answer_is_no_agent(shipped: Callable[..., Any], *words: Any, **more: Any) -> Any:
    try:
        return shipped(*words, **more)
    except TapekeyError:
        return None


def _cleaned_up(shipped: Callable[..., None], access: Any, drive: str, **more: Any) -> None:
    shipped(access, drive, **more)
    with wiring.drive(drive) as transport:
        load.presence(transport)
        parameters.clear_key(transport, abilities.abilities(transport))


def _cleared(shipped: Callable[..., str], transport: Transport) -> str:
    parameters.clear_key(transport, abilities.abilities(transport))
    return shipped(transport)


def _run_all_the_same(shipped: Callable[..., Any], *words: Any, **more: Any) -> Any:
    try:
        return shipped(*words, **more)
    except TapekeyError:
        return {"phase": "ready to write", "drive": "DRIVE00001"}


FAULTS: Final[dict[str, Fault]] = {
    "hook_returns_before_the_drive_is_ready": Fault(
        skipped(hook, "_key"),
        _HOOK + "test_load_fails_with_all_that_is_no_word_for_ready[a refusal]",
        "A hook is done when the changer is, and nobody waits for the key.",
    ),
    "agents_silence_is_taken_for_no_agent": Fault(
        replaced(agent_call, "ask", _no_answer_is_no_agent),
        _ASK + "test_agent_that_does_not_answer_is_an_error[False-TimedOut]",
        "An agent that does not answer is passed by.",
    ),
    "any_word_of_the_agent_is_ready": Fault(
        other(agent_call, "ALONE", frozenset({"left alone", "working", "refused", "empty"})),
        _ASK + "test_only_a_phase_in_which_software_may_open_is_a_success[working]",
        "Software is let in while the agent still works.",
    ),
    "agent_is_asked_for_the_wrong_drive": Fault(
        skipped(Bay, "holds", True),
        _HOOK + "test_wrong_drive_is_never_asked_for",
        "The archive device is not compared with the drive that the library has loaded.",
    ),
    "command_runs_although_the_drive_is_not_ready": Fault(
        replaced(agent_call, "ready", _run_all_the_same),
        _WITH + "test_command_does_not_run_unless_the_agent_says_ready[no]",
        "A refusal is passed by, and the command writes.",
    ),
    "key_cleared_after_a_command": Fault(
        replaced(with_drive, "_afterwards", _cleaned_up),
        _WITH + "test_command_runs_with_the_drive_ready_and_the_key_stays",
        "The end of a command takes the key out of a drive with its cartridge in it.",
    ),
    "agent_in_the_way_of_who_was_let_in": Fault(
        other(Ask, "is_let_in", property(lambda _: False)),
        "tests/service/test_worker.py::test_who_was_told_that_he_may_open_does_not_meet_us_at_the_door",
        "The agent opens the node for a look just when software that it has let in wants to open it.",
    ),
    "looking_moves_the_tape": Fault(
        replaced(contents, "told", lambda _, transport: contents.look(transport)),
        _SURVEY + "test_only_questions_are_asked_and_nothing_changes[a blank cartridge]",
        "Under observe the tape is wound to find out what is on it.",
    ),
    "looking_clears_a_foreign_key": Fault(
        replaced(survey, "_by", _cleared),
        _SURVEY + "test_only_questions_are_asked_and_nothing_changes[a key of stenc]",
        "The key of other software is taken out of a drive that is only looked at.",
    ),
    "scratch_while_it_is_written": Fault(
        skipped(reuse, "_demand_idle"),
        "tests/manager/test_reuse.py::test_cartridge_that_is_in_use_is_never_given_free",
        "A cartridge is given free while software may write on it.",
    ),
}
