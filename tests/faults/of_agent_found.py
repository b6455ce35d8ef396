"""Faults in what an agent makes of a drive and a cartridge that it finds."""

from collections.abc import Callable
from typing import Final

from tapekey.cartridge import contents, identity
from tapekey.service import loads
from tapekey.service.ledger import Upshot
from tapekey.service.queueing import Line
from tapekey.service.visit import Visit
from tapekey.service.worker import Worker
from tests.faults.fault import Fault, replaced, skipped

_CONTENTS = "tests/cartridge/test_contents.py::"
_WORKER = "tests/service/test_worker.py::"


def _told_first(shipped: Callable[[Visit, Upshot], None], visit: Visit, upshot: Upshot) -> None:
    visit.book.conclude(upshot, visit.hands.watch.timing())
    visit.hands.door.release()


def _back_to_the_last(_: object, line: Line) -> None:
    with line._turn:
        if line._waiting:
            line._waiting.pop().set()
        else:
            line._taken = False


FAULTS: Final[dict[str, Fault]] = {
    "a short tape is taken for filemarks": Fault(
        skipped(contents, "_only_marks", True),
        _CONTENTS + "test_what_may_be_more_than_a_few_filemarks_is_no_blank_tape[a filemark and a block]",
        "a cartridge with one clear block gets a key, and is written over",
    ),
    "a filemark on a write-once cartridge is overwritten": Fault(
        skipped(identity, "is_write_once", False),
        _CONTENTS + "test_a_filemark_on_a_write_once_cartridge_stays_there",
        "a key is made for a cartridge that takes none from its beginning",
    ),
    "a key that vanished in mid-mount passes for a reload": Fault(
        skipped(loads, "has_risen", True),
        _WORKER + "test_a_key_that_is_gone_at_the_start_is_an_alarm_and_not_set_again",
        "nobody is told that the drive lost its key under a job",
    ),
    "a reload passes for a key that vanished": Fault(
        skipped(loads, "keep"),
        _WORKER + "test_a_cartridge_that_was_put_in_again_while_no_agent_ran_is_keyed_again",
        "a cartridge that somebody put in again stays refused until an operator comes",
    ),
    "ready is shown before others are let in": Fault(
        replaced(Visit, "_conclude", _told_first),
        _WORKER + "test_others_are_let_in_before_anybody_is_told_that_they_are",
        "software that was told it may open the drive finds it busy, and its job fails",
    ),
    "who came last writes first": Fault(
        replaced(Line, "release", _back_to_the_last),
        "tests/service/test_queueing.py::test_who_came_first_is_served_first_and_who_lets_go_comes_last",
        "with many loads at once one worker waits until its patience is over",
    ),
    "who outlives the agent is a fault of the agent": Fault(
        skipped(Worker, "leave"),
        _WORKER + "test_who_outlives_the_agent_meets_a_closed_keystore_and_ends_with_one_line",
        "the end of a busy agent fills the journal with tracebacks about its own keystore",
    ),
}
