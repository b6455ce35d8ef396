"""Faults of the iSCSI sessions: what a peer could do to a target that does not look."""

from collections.abc import Callable
from typing import Any, Final

from tapekey.iscsi import answers, chap, digest
from tapekey.iscsi.buffers import Buffers
from tapekey.iscsi.outgoing import Outgoing
from tests.faults.fault import Fault, replaced, skipped


def _always(shipped: Callable[..., memoryview | None], buffers: Buffers, whole: int) -> Any:
    return shipped(buffers, whole) or memoryview(bytearray(whole))


FAULTS: Final = {
    "CHAP proves nothing": Fault(
        skipped(chap, "proves", True),
        "tests/iscsi/test_authentication.py::test_wrong_secret_and_wrong_name_fail_alike",
        "any response to a challenge is taken for the right one",
    ),
    "own challenge answered": Fault(
        skipped(chap, "same", False),
        "tests/iscsi/test_authentication.py::test_our_own_challenge_is_not_answered",
        "a peer may have its proof made by the target that asks for it",
    ),
    "command window not kept": Fault(
        skipped(Outgoing, "admits", True),
        "tests/iscsi/test_task_set.py::test_command_outside_the_window_is_ignored",
        "commands of any number are taken",
    ),
    "residual not told": Fault(
        skipped(answers, "residual_of", (0, 0)),
        "tests/iscsi/test_task_set.py::test_residual_of_a_write_is_what_the_cdb_asks_for[6-0-2]",
        "a short transfer looks whole",
    ),
    "digests not compared": Fault(
        skipped(digest, "crc", bytes(4)),
        "tests/iscsi/test_full_feature.py::test_command_with_broken_data_may_be_sent_again",
        "what was spoilt on the way is taken for good",
    ),
    "session's memory not bounded": Fault(
        replaced(Buffers, "_make", _always),
        "tests/iscsi/test_task_set.py::test_memory_of_a_session_is_bounded",
        "a peer has as much memory as it asks for",
    ),
}
