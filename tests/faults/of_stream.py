"""Faults of streams: a shorter way that is not the same."""

from collections.abc import Callable
from contextlib import suppress
from types import SimpleNamespace
from typing import Any, Final

from tapekey.iscsi.repeats import Repeats
from tapekey.target import connection_stream, drive_stream
from tapekey.target.cipher import Cipher
from tapekey.target.drive_stream import Writing
from tapekey.target.medium import Tape
from tapekey.target.medium_mould import Mould
from tapekey.target.state import Drive
from tests.faults.fault import Fault, other, replaced, skipped

DRIVE: Final = "tests/target/test_drive_stream.py::"
CONNECTION: Final = "tests/target/test_connection_stream.py::"
REPEATS: Final = "tests/iscsi/test_repeats.py::"
Shipped = Callable[..., Any]


def _dropped(_: Shipped, stream: Writing) -> None:
    stream._standing = stream._owes = False
    stream.cipher = None


def _keeping_the_key(shipped: Shipped, stream: Writing) -> None:
    key = stream.cipher
    shipped(stream)
    stream.cipher = key


def _without_attention(shipped: Shipped, drive: Drive, name: str, *words: Any) -> Any:
    drive.nexuses.get(name).pending.clear()
    return shipped(drive, name, *words)


def _without_deferred(shipped: Shipped, drive: Drive, name: str, *words: Any) -> Any:
    drive.nexuses.get(name).deferred = None
    return shipped(drive, name, *words)


def _opened_anyway(shipped: Shipped, *words: Any) -> bool:
    shipped(*words)
    return True


def _in_clear(_: Shipped, __: Cipher, ___: Any, data: memoryview, ____: bytes, out: memoryview) -> None:
    out[: len(data)] = data


def _any_number(shipped: Shipped, repeats: Repeats) -> Any:
    repeats.header[24:28] = repeats._out.expected.to_bytes(4, "big")
    return shipped(repeats)


def _no_status_number(shipped: Shipped, repeats: Repeats) -> None:
    stat = repeats._out.stat
    shipped(repeats)
    repeats._out.stat = stat


def _silent(_: Shipped, __: Any, store: Callable[[], None]) -> Callable[[], None]:
    def work() -> None:
        with suppress(OSError):
            store()

    return work


def _not_counted(shipped: Shipped, tape: Tape, mould: Mould) -> None:
    before = tape.host_read
    shipped(tape, mould)
    tape.host_read = before


FAULTS: Final = {
    "stream outlives a command": Fault(
        skipped(Writing, "end"),
        DRIVE + "test_whoever_comes_ends_it[writing-a command]",
        "a session writes on while another does as well, or has changed the key",
    ),
    "answered block not stored": Fault(
        replaced(Writing, "end", _dropped),
        DRIVE + "test_whoever_comes_finds_what_was_answered_for",
        "a block is answered GOOD and is not on the tape",
    ),
    "key outlives its stream": Fault(
        replaced(Writing, "end", _keeping_the_key),
        DRIVE + "test_whoever_comes_ends_it[writing-a command]",
        "a session waits for its host with a key that is gone from the drive",
    ),
    "IV kept in a stream": Fault(
        other(drive_stream, "os", SimpleNamespace(urandom=bytes)),
        DRIVE + "test_no_iv_is_used_twice",
        "many blocks are encrypted under one IV",
    ),
    "clear blocks in a stream": Fault(
        replaced(Cipher, "seal_like", _in_clear),
        DRIVE + "test_tape_and_counters_are_as_without[kads0-encrypted]",
        "the virtual drive says that it encrypts, and does not",
    ),
    "attention passed over by a stream": Fault(
        replaced(drive_stream, "begin", _without_attention),
        DRIVE + "test_writing_does_not_begin[attention]",
        "a host is not told of a reset or of a key that another has set",
    ),
    "deferred error passed over by a stream": Fault(
        replaced(drive_stream, "begin", _without_deferred),
        DRIVE + "test_reading_does_not_begin[deferred]",
        "a host is not told that a block was lost",
    ),
    "block lost in a stream and not told": Fault(
        replaced(drive_stream, "storing", _silent),
        DRIVE + "test_block_that_the_disk_refuses_is_told_by_the_next_command[told by another]",
        "a block that the disk refused is answered GOOD, and nobody hears of it",
    ),
    "stream past early warning": Fault(
        replaced(drive_stream, "far_from_end", lambda *_: 1 << 62),
        DRIVE + "test_last_block_before_early_warning_goes_the_ordinary_way",
        "a host learns of the end of the tape too late",
    ),
    "tag not looked at in a stream": Fault(
        replaced(Cipher, "opens_like", _opened_anyway),
        DRIVE + "test_damaged_block_is_told_and_only_that[block]",
        "a damaged block is given out as zeroes",
    ),
    "header not looked at in a stream": Fault(
        skipped(Mould, "holds", True),
        DRIVE + "test_damaged_block_is_told_and_only_that[magic]",
        "whatever lies on the tape is taken for a block",
    ),
    "bytes of a stream not counted": Fault(
        replaced(Tape, "pass_like", _not_counted),
        DRIVE + "test_tape_and_counters_are_as_without[kads0-encrypted]",
        "log pages tell less than was read",
    ),
    "CmdSN not compared in a stream": Fault(
        replaced(Repeats, "came", _any_number),
        REPEATS + "test_header_that_differs_in_any_bit_is_no_repetition[write]",
        "commands are carried out in the order in which they came, and more than once",
    ),
    "StatSN stands still in a stream": Fault(
        replaced(Repeats, "number", _no_status_number),
        REPEATS + "test_answers_are_those_of_the_ordinary_way[write]",
        "the initiator gets the same StatSN again",
    ),
    "what came in a stream is thrown away": Fault(
        skipped(connection_stream, "feed", []),
        CONNECTION + "test_unlike_commands_sent_at_once_are_answered_in_order",
        "the first command that is not like the last is lost",
    ),
}
