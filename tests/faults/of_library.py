"""Faults of the virtual library: what its inventory, its robot and its changer must never do."""

import socket
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

from tapekey.errors import Conflict
from tapekey.scsi.changer import Opcode
from tapekey.target import changer, remote_drive, remote_robot
from tapekey.target.changer_board import Board
from tapekey.target.changer_state import Changer
from tapekey.target.library_inventory import Inventory
from tapekey.target.machine import Machine
from tests.faults.fault import Fault, entry, other, replaced, skipped


def _asleep(_: Callable[..., Any], machine: Machine, until: float) -> None:
    time.sleep(max(0.0, until - machine.clock()))


def _without_end(answer: Callable[..., Any], machine: Machine, link: socket.socket, port: int, _: Any) -> None:
    answer(machine, link, port, threading.Event())


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
    "remote drive keeps nothing back": Fault(
        other(remote_drive, "_error", lambda _: Conflict("the drive does not let the cartridge go")),
        "tests/target/test_remote_drive.py::test_prevented_removal_is_told_as_such",
        "the robot does not know why a drive in another process keeps its cartridge, and its command breaks off",
    ),
    "drive outlives its library": Fault(
        replaced(remote_robot, "_answer", _without_end),
        "tests/target/test_remote_robot.py::test_drive_is_to_end_when_its_library_has_gone",
        "the process of a drive goes on, with the drive's lock and its keys, when its library has been killed",
    ),
    "remote drive's failure not undone": Fault(
        skipped(remote_drive.RemoteDrive, "lay_back"),
        "tests/target/test_remote_drive.py::test_failed_motion_is_undone_in_a_remote_drive",
        "a drive in another process has lost its cartridge, and the inventory says that it is there",
    ),
    "operator not told of": Fault(
        skipped(Changer, "tell"),
        "tests/target/test_changer_move.py::test_operators_at_the_mail_slot_are_told_to_every_nexus",
        "hosts do not hear that somebody was at the import/export elements",
    ),
}
