"""Faults of what goes over a network, and of what a drive does when it has answered."""

from collections.abc import Callable
from typing import Any, Final

from tapekey import wiring
from tapekey.errors import TimedOut
from tapekey.mount import scene
from tapekey.mount.options import Options
from tapekey.policy import decide
from tapekey.target import drive_write, owed
from tapekey.target.machine import Machine
from tapekey.target.medium import Tape
from tapekey.target.owed import Owed
from tapekey.target.refusal import Refusal
from tapekey.transport import iscsi
from tests.faults.fault import Fault, other, replaced, skipped

_WAY = "tests/mount/test_options.py::"
_SESSION = "tests/transport/test_iscsi.py::"
_OWED = "tests/target/test_owed.py::"


def _any_record(_: Callable[..., Any], __: object, record: object, ___: Options) -> object:
    return record


def _again(shipped: Callable[..., Any], device: iscsi.Device, command: Any) -> Any:
    try:
        return shipped(device, command)
    except TimedOut:
        return shipped(device, command)


def _stale(_: Callable[..., Any], tape: Tape) -> Any:
    ahead = tape._ahead
    if ahead is not None and ahead.at == tape.position:
        return ahead.header
    return tape.log.read_header(tape.position)


def _silent(store: Callable[[], None]) -> Callable[[], None]:
    def work() -> None:
        try:
            store()
        except (OSError, Refusal):
            return

    return work


def _without_after(answer: Any) -> Any:
    return type(answer)(answer.status, answer.data, answer.sense, answer.taken)


FAULTS: Final[dict[str, Fault]] = {
    "a key in clear over the network": Fault(
        skipped(decide, "_exposed"),
        f"{_WAY}test_no_key_crosses_the_network_in_clear[save]",
        "sends a Set Data Encryption page with the key itself over iSCSI, unasked",
    ),
    "approved anywhere": Fault(
        replaced(scene, "_approved", _any_record),
        f"{_WAY}test_a_drive_that_was_approved_elsewhere_is_not_approved_on_the_network[save]",
        "takes whoever answers on the network under a known serial number for the drive that was approved",
    ),
    "nodes of the kernel's iSCSI are local": Fault(
        skipped(wiring, "link", ""),
        "tests/cli/test_options.py::test_a_node_of_the_kernels_iscsi_is_on_the_network_too",
        "does not see that a device node is reached over a network",
    ),
    "a command is sent twice": Fault(
        replaced(iscsi.Device, "execute", _again),
        f"{_SESSION}test_time_out_ends_the_session_and_nothing_is_sent_again",
        "tries again after a time-out, when nobody knows what the first try did",
    ),
    "owed work is forgotten": Fault(
        skipped(Owed, "settle"),
        f"{_OWED}test_what_was_written_reads_back_whoever_stored_it",
        "answers writes and never stores them",
    ),
    "early answers near the end": Fault(
        skipped(drive_write, "certain", True),
        f"{_OWED}test_near_the_end_every_write_waits_for_what_it_has_to_tell",
        "answers a write before it knows of early warning",
    ),
    "a failing disk is not told": Fault(
        other(owed, "storing", lambda nexus, store: _silent(store)),
        f"{_OWED}test_failing_disk_is_a_deferred_error_of_the_next_command_which_is_not_carried_out",
        "drops a block that the disk refused, without a word",
    ),
    "what was read ahead outlives an overwrite": Fault(
        replaced(Tape, "next", _stale),
        f"{_OWED}test_what_was_read_ahead_is_forgotten_when_it_is_overwritten",
        "gives a block that is not on the tape any more",
    ),
    "the data's memory is not waited for": Fault(
        replaced(Machine, "serve", lambda shipped, *args: _without_after(shipped(*args))),
        f"{_OWED}test_block_is_answered_and_then_stored",
        "lets the session put the next block where the last one still lies",
    ),
}
