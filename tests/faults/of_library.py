"""Faults of the virtual library: what its inventory, its robot and its changer must never do."""

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

from tapekey.scsi.changer import Opcode
from tapekey.target import changer
from tapekey.target.changer_board import Board
from tapekey.target.changer_state import Changer
from tapekey.target.library_inventory import Inventory
from tapekey.target.machine import Machine
from tests.faults.fault import Fault, entry, replaced, skipped


def _asleep(_: Callable[..., Any], machine: Machine, until: float) -> None:
    time.sleep(max(0.0, until - machine.clock()))


FAULTS: Final = {
    "inventory not kept": Fault(
        skipped(Inventory, "save"),
        "tests/target/test_library.py::test_everything_is_where_it_was_after_the_power_was_off",
        "the library forgets with the power what is where",
    ),
    "element status outdated": Fault(
        skipped(Board, "changed"),
        "tests/target/test_changer_board.py::test_what_is_kept_encoded_follows_every_change",
        "hosts are told what was where before the last motion",
    ),
    "failed exchange not undone": Fault(
        skipped(Machine, "lay_back"),
        "tests/target/test_changer_move.py::test_failed_exchange_puts_back_what_the_drive_gave",
        "a drive has lost its cartridge, and the inventory says that it is there",
    ),
    "motion stops every question": Fault(
        entry(
            changer.COMMANDS,  # type: ignore[arg-type]
            Opcode.MOVE_MEDIUM,
            replace(changer.COMMANDS[Opcode.MOVE_MEDIUM], slow=False),
        ),
        "tests/target/test_changer_move.py::test_motion_takes_its_time_and_lets_others_ask",
        "the changer answers nobody while the robot moves",
    ),
    "load holds the drive": Fault(
        replaced(Machine, "_pause", _asleep),
        "tests/target/test_machine.py::test_load_that_waits_takes_its_time_and_lets_others_in",
        "a host that waits for a load stops all others",
    ),
    "operator not told of": Fault(
        skipped(Changer, "tell"),
        "tests/target/test_changer_move.py::test_operators_at_the_mail_slot_are_told_to_every_nexus",
        "hosts do not hear that somebody was at the import/export elements",
    ),
}
