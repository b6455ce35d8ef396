"""Faults of the virtual tape and its library that show only in a history: a model, or a death, notices."""

from collections.abc import Callable
from typing import Any, Final

from tapekey.scsi.media import SpaceCode
from tapekey.target import crypt, drive_motion, drive_read, early_warning, memory
from tapekey.target.medium import Moved, Stop, Tape
from tapekey.target.medium_log import Log
from tapekey.target.medium_record import Block
from tests.faults.fault import Fault, entry, replaced, skipped

AGREEMENT: Final = "tests/model/test_agreement.py::test_drive_and_model_agree"
KILL: Final = "tests/crash/test_library.py::test_promises_hold_after_a_death[0-kill]"
POWER_CUT: Final = "tests/crash/test_library.py::test_promises_hold_after_a_death[0-power cut]"


def _before_the_mark(tape: Tape, count: int) -> Moved:
    moved = Tape.space_filemarks(tape, count)
    if count > 0 and moved.stop is Stop.DONE:
        tape.position -= 1
    return moved


def _one_more(shipped: Callable[..., Any], *code: Any, **flags: Any) -> Any:
    if flags.get("filemark"):
        flags["information"] += 1
    return shipped(*code, **flags)


def _in_clear(_: Callable[..., Any], __: Any, ___: Any, data: Any) -> Any:
    return Block(len(data)), data


FAULTS: Final = {
    "filemark not passed": Fault(
        entry(drive_motion.MOTIONS, SpaceCode.FILEMARKS, _before_the_mark),  # type: ignore[arg-type]
        AGREEMENT,
        "SPACE stops before the filemark that it says it has passed",
    ),
    "residual of a filemark": Fault(
        replaced(drive_read, "sense", _one_more),
        AGREEMENT,
        "a read that meets a filemark says that it read one less than it did",
    ),
    "early warning kept quiet": Fault(
        skipped(early_warning, "tell"),
        AGREEMENT,
        "a host learns of the end of the tape when nothing goes on it any more",
    ),
    "filemark promised too early": Fault(
        skipped(Log, "sync"),
        POWER_CUT,
        "WRITE FILEMARKS is answered before anything is on disk",
    ),
    "names not synced": Fault(
        skipped(memory, "sync_directory"),
        POWER_CUT,
        "a move is answered before the new inventory has its name on the disk",
    ),
    "library's blocks in clear": Fault(
        replaced(crypt, "to_store", _in_clear),
        KILL,
        "what a host wrote under a key lies in clear on the disk",
    ),
}
