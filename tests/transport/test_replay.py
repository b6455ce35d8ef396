"""The replay: a trace answers as the device did, and strays are told."""

import contextlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tapekey.errors import Malformed, TransportFailed
from tapekey.exchange import Command
from tapekey.scsi import inquiry, media
from tapekey.scsi.encryption import InPage, read_page
from tapekey.transport.replay import Replay, load
from tapekey.transport.trace import Trace
from tests.bench import powered
from tests.target.initiator import KEY, OTHER_KEY, parameters


def test_recorded_session_is_played_back(tmp_path: Path) -> None:
    bench, lines = powered(tmp_path), list[str]()
    commands = [
        inquiry.inquire(),
        parameters(bench),
        read_page(InPage.STATUS),
        media.write_block(b"block"),
        media.rewind(),
        media.read_block(5),
        media.read_block(5),
    ]
    trace = Trace(bench, lines.append)
    replies = [trace.execute(command) for command in commands]
    (tmp_path / "trace").write_text("".join(lines))

    replay = load(tmp_path / "trace")
    played = [replay.execute(command) for command in commands]

    assert [reply.status for reply in played] == [reply.status for reply in replies]
    assert [reply.sense for reply in played] == [reply.sense for reply in replies]
    assert played[2] == replies[2]
    assert (replies[5].data_in, played[5].data_in) == (b"block", bytes(5))


def test_key_that_the_trace_left_out_is_not_compared(tmp_path: Path) -> None:
    bench, lines = powered(tmp_path), list[str]()
    Trace(bench, lines.append).execute(parameters(bench, key=KEY))

    assert Replay(lines).execute(parameters(bench, key=OTHER_KEY)).status == 0


LINE = '{"cdb": "000000000000", "out": "0102", "in_max": 0, "timeout": 1, "status": 0, "in": "", "sense": ""}'
STRAYS = {
    "another command": Command(bytes([1, 0, 0, 0, 0, 0]), b"\1\2"),
    "other data": Command(bytes(6), b"\1\3"),
    "no data": Command(bytes(6)),
}


@pytest.mark.parametrize("command", STRAYS.values(), ids=STRAYS)
def test_stray_is_told_and_does_not_use_the_step_up(command: Command) -> None:
    replay = Replay([LINE])
    with pytest.raises(TransportFailed, match="step 1"):
        replay.execute(command)

    assert replay.execute(Command(bytes(6), b"\1\2")).status == 0
    with pytest.raises(TransportFailed, match="ended"):
        replay.execute(Command(bytes(6), b"\1\2"))


def test_recorded_failure_fails_again() -> None:
    replay = Replay(['{"cdb": "000000000000", "out": "", "failed": "TimedOut"}'])

    with pytest.raises(TransportFailed):
        replay.execute(Command(bytes(6)))


BROKEN = {
    "no JSON": "{",
    "no object": "[]",
    "no CDB": '{"status": 0}',
    "CDB of another type": '{"cdb": 1, "status": 0, "in": "", "sense": ""}',
    "status of another type": '{"cdb": "00", "status": "0", "in": "", "sense": ""}',
    "sense that is no hex": '{"cdb": "00", "status": 0, "in": "", "sense": "xy"}',
    "block that is too long": '{"cdb": "00", "status": 0, "in": 99999999999, "sense": ""}',
    "negative block": '{"cdb": "00", "status": 0, "in": -1, "sense": ""}',
}


@pytest.mark.parametrize("line", BROKEN.values(), ids=BROKEN)
def test_broken_trace_is_malformed(line: str) -> None:
    with pytest.raises(Malformed, match="line 2"):
        Replay([LINE, line])


@given(st.text(max_size=200))
def test_any_line_is_a_step_or_malformed(line: str) -> None:
    with contextlib.suppress(Malformed):
        Replay([line])
