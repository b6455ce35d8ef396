"""Faults between tapekey and the programs of its host: the kernel's tape driver, and backup software."""

from typing import Final

from tapekey.cli import hook
from tapekey.drive.in_library import Bay
from tapekey.transport import tape_driver
from tests.faults.fault import Fault, other, skipped

_DRIVER = "tests/transport/test_tape_driver.py::"
_HOOK = "tests/cli/test_hook.py::"

# fmt: off
FAULTS: Final[dict[str, Fault]] = {
    "the tape driver is robbed": Fault(
        other(tape_driver, "SILENT", frozenset(range(256))),
        _DRIVER + "test_driver_looks_before_the_first_command_that_takes_an_attention",
        "takes the attention of a new cartridge from the tape driver",
    ),
    "moved tape is not rewound": Fault(
        other(tape_driver, "MOVING", frozenset()),
        _DRIVER + "test_commands_that_move_tape_are_remembered",
        "moves tape, and leaves the tape driver counting where it was",
    ),
    "the hook sets no key": Fault(
        skipped(hook, "_key"),
        _HOOK + "test_loaded_cartridge_is_keyed_when_the_command_returns",
        "lets a load return before the cartridge is keyed",
    ),
    "the hook takes no account": Fault(
        skipped(hook, "_account"),
        _HOOK + "test_account_is_taken_before_the_command_unloads",
        "unloads a cartridge without its account",
    ),
    "the hook takes any drive": Fault(
        other(Bay, "holds", lambda *_: True),
        _HOOK + "test_drive_that_is_not_the_librarys_is_refused",
        "keys another drive than the one that was loaded",
    ),
}
# fmt: on
