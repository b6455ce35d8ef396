"""An initiator's session: its window, its data, and targets that lie (RFC 7143)."""

import os
import random
from collections.abc import Callable
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tapekey.iscsi import pdu
from tapekey.iscsi.codes import Opcode
from tapekey.iscsi.config import Config
from tapekey.iscsi.events import Closed, Execute, Send
from tapekey.iscsi.initiator import InitiatorSession
from tapekey.iscsi.initiator_login import Account
from tapekey.iscsi.reports import Finished, Ready, Rejected
from tapekey.iscsi.response import DataIn, LogoutReply, NopIn, ReadyToTransfer, ScsiResponse, TextResponse
from tests import told
from tests.iscsi.conversation import INITIATOR, ISID, TARGET, Conversation, feed, joined
from tests.iscsi.mutation import InitiatorGame, Tally

SOAK: Final = bool(os.environ.get("TAPEKEY_SOAK"))
PDUS: Final = 250_000 if SOAK else 5_000
SEED: Final = 7143


def talking() -> Conversation:
    talk = Conversation().begin()
    assert isinstance(talk.reports[-1], Ready)
    return talk


def heard(talk: Conversation, header: Any, data: bytes = b"") -> list[Any]:
    """What the initiator makes of one PDU."""
    return feed(talk.initiator, joined(pdu.parts(header, data)))


def test_commands_beyond_the_window_wait() -> None:
    held: list[Execute] = []
    talk = Conversation(Config(TARGET, commands=2)).begin()
    stream = b"".join(joined(talk.initiator.command(0, bytes(6))[1]) for _ in range(5))
    held = [event for event in feed(talk.target, stream) if isinstance(event, Execute)]
    assert len(held) == 2
    for event in held:
        talk.say(feed_answer(talk, event))
    assert len([report for report in talk.reports if isinstance(report, Finished)]) == 5


def feed_answer(talk: Conversation, event: Execute) -> list[Any]:
    reports = feed(talk.initiator, joined(talk.target.answer(event.tag, 0)))
    talk.reports += reports
    return [part for report in reports if isinstance(report, Send) for part in report.parts]


def test_ping_of_the_target_is_answered() -> None:
    (report,) = heard(talking(), NopIn(transfer_tag=77, max_command=32), b"data")
    assert isinstance(report, Send)
    image = joined(report.parts)
    assert (image[0], image[16:24], image[48:]) == (0x40, b"\xff\xff\xff\xff\0\0\0\x4d", b"data")


LIES = {
    "data for a command that nobody sent": (DataIn(tag=99, final=True, with_status=True), b"data"),
    "data at the wrong place": (DataIn(tag=1, offset=4), b"data"),
    "more data than there is room for": (DataIn(tag=1), bytes(1025)),
    "a status for a command that nobody sent": (ScsiResponse(tag=99), b""),
    "a demand for data that nobody has": (ReadyToTransfer(tag=2, transfer_tag=1, offset=2000, desired=49), b""),
    "a demand for no data": (ReadyToTransfer(tag=2, transfer_tag=1), b""),
    "an answer to a question that nobody asked": (TextResponse(tag=99), b"a=b\0"),
}


@pytest.mark.parametrize(("header", "data"), LIES.values(), ids=LIES)
def test_lie_of_the_target_closes(header: Any, data: bytes) -> None:
    talk = talking()
    talk.initiator.command(0, b"\x08" + bytes(5), data_in_max=1024)
    talk.initiator.command(0, b"\x0a" + bytes(5), data_out=bytes(2048))
    assert isinstance(heard(talk, header, data)[-1], Closed)
    assert not talk.initiator.wants()


@pytest.mark.parametrize("opcode", [code for code in range(64) if Opcode(code) not in pdu.RESPONSES])
def test_opcode_that_no_target_has_closes(opcode: int) -> None:
    assert isinstance(feed(talking().initiator, bytes([opcode]) + bytes(47))[-1], Closed)


def test_reject_is_reported_with_its_header() -> None:
    talk = talking()
    talk.say([bytes([0x1F, 0x80]) + bytes(46)])
    report = talk.reports[-1]
    assert isinstance(report, Rejected)
    assert report.header[0] == 0x1F


def test_aborted_command_is_forgotten() -> None:
    talk = talking()
    tag, _ = talk.initiator.command(0, bytes(6))
    talk.initiator.aborted(tag)
    assert isinstance(heard(talk, ScsiResponse(tag=tag))[-1], Closed)


def test_logout_is_known_by_its_answer() -> None:
    assert type(heard(talking(), LogoutReply(tag=5))[0]).__name__ == "LoggedOut"


@pytest.mark.long
def test_mad_target_does_no_harm(record_property: Callable[[str, object], None]) -> None:
    tally, chance = Tally(), random.Random(SEED)
    while tally.pdus < PDUS:
        tally.sessions += 1
        InitiatorGame(chance, tally).play(chance.choice((3, 10, 30)))
    counts = ", ".join(f"{count} {name}" for name, count in sorted(tally.reports.items()))
    record_property(
        told.PROPERTY,
        f"spoilt PDUs at an initiator: {tally.pdus} in {tally.sessions} sessions; {counts}; seed {SEED}",
    )
    assert {"Ready", "Finished", "Managed", "Pong", "Said", "LoggedOut", "Rejected", "Notified"} <= set(tally.reports)


@settings(deadline=None)
@given(st.binary(max_size=2000), st.integers(0, 60))
def test_any_bytes_are_understood_or_close(data: bytes, step: int) -> None:
    session = InitiatorSession(Account(INITIATOR, TARGET, ISID))
    session.start()
    assert sum(isinstance(report, Closed) for report in feed(session, data, step)) <= 1
