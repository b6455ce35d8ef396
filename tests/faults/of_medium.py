"""Faults of the medium: what is on the tape is what was written last, or the drive says that it is not."""

from collections.abc import Callable
from typing import Any, Final

from tapekey.target import block_protection, medium_header, medium_index_file, medium_log
from tapekey.target.medium_header import LogHeader
from tapekey.target.storing import Storing
from tests.faults.fault import Fault, replaced, skipped


def _same_epoch(shipped: Callable[..., Any], header: Any, **changes: Any) -> Any:
    return shipped(header, **{name: value for name, value in changes.items() if name != "epoch"})


def _unchecked(_: Callable[..., Any], __: int, transferred: memoryview) -> memoryview:
    return transferred[: -block_protection.SIZE]


FAULTS: Final = {
    "how a block is stored outlives the key": Fault(
        skipped(Storing, "holds", instead=True),
        "tests/target/test_storing.py::test_two_nexuses_with_sets_of_their_own_take_turns",
        "blocks of one nexus are stored as another's parameters say",
    ),
    "overwritten records are taken": Fault(
        skipped(LogHeader, "belongs", instead=True),
        "tests/target/test_medium_scan.py::test_an_overwritten_tape_does_not_come_back_where_the_new_one_is_damaged",
        "what stood behind the end of data is read as the present tape",
    ),
    "a cut begins no epoch": Fault(
        replaced(medium_log, "replace", _same_epoch),
        "tests/target/test_medium_scan.py::test_records_from_before_a_cut_never_come_back",
        "old and new records cannot be told apart",
    ),
    "one copy of the header": Fault(
        skipped(medium_header, "place", instead=0),
        "tests/target/test_medium_scan.py::test_one_copy_of_the_header_is_enough_and_none_is_not",
        "the only whole copy of a log's header is written over",
    ),
    "index believed": Fault(
        skipped(medium_index_file, "_stands", instead=True),
        "tests/target/test_medium_index_file.py::test_index_that_tells_wrong_places_is_not_used",
        "objects are looked for where a damaged index says",
    ),
    "block protection unchecked": Fault(
        replaced(block_protection, "checked", _unchecked),
        "tests/target/test_drive_read.py::test_protected_blocks_are_checked_and_come_back_protected[0-2]",
        "a block that changed on its way is written",
    ),
}
