"""Full feature phase beside the commands: pings, text, task management, logout, rejects, digests (RFC 7143, 11)."""

from typing import Any

import pytest

from tapekey.iscsi import lun, pdu, text
from tapekey.iscsi.codes import (
    NO_TAG,
    AsyncEvent,
    LogoutReason,
    LogoutResponse,
    ManageFunction,
    ManageResponse,
    RejectReason,
)
from tapekey.iscsi.config import Config
from tapekey.iscsi.events import Closed, Event, Execute, Manage
from tapekey.iscsi.reports import LoggedOut, Managed, Notified, Pong, Said
from tapekey.iscsi.request import (
    DataOut,
    LoginRequest,
    LogoutRequest,
    ManageRequest,
    NopOut,
    ScsiCommand,
    Snack,
    TextRequest,
)
from tapekey.iscsi.response import LogoutReply, ManageReply, NopIn, Reject, TextResponse
from tapekey.iscsi.target import TargetSession
from tests.iscsi.conversation import (
    FIRST,
    INITIATOR,
    PORTAL,
    TARGET,
    Conversation,
    feed,
    joined,
    logged_in,
    login_request,
    pdus,
    sent,
)

BOTH = {"HeaderDigest": "CRC32C", "DataDigest": "CRC32C"}
F = ManageFunction


def image(header: Any, data: bytes = b"") -> bytes:
    return joined(pdu.parts(header, data))


def answered(session: TargetSession, header: Any, data: bytes = b"") -> tuple[Any, bytes]:
    """The one PDU that answers a request."""
    (found,) = sent(feed(session, image(header, data)))
    return found


def rejected(events: list[Event], reason: RejectReason, header: bytes) -> None:
    (found, data), *_ = sent(events)
    assert isinstance(found, Reject)
    assert (found.reason, found.tag, data) == (reason, NO_TAG, header)


def command(number: int, unit: int = 0, **fields: Any) -> bytes:
    return image(ScsiCommand(**{"tag": 100 + number, "command_number": number, "lun": lun.encode(unit), **fields}))


def manage(session: TargetSession, function: ManageFunction, **fields: Any) -> list[Event]:
    request = ManageRequest(**{"immediate": True, "function": function, "tag": 9, "command_number": FIRST, **fields})
    return feed(session, image(request))


# --- pings ---------------------------------------------------------------------------------------------------


def test_ping_is_echoed() -> None:
    header, data = answered(logged_in(), NopOut(tag=5, command_number=FIRST, lun=lun.encode(2)), b"hello")
    assert header == NopIn(tag=5, lun=lun.encode(2), data_length=5, status_number=1, expected_command=2, max_command=33)
    assert data == b"hello"


def test_echo_is_cut_to_what_the_initiator_takes() -> None:
    session = logged_in(None, MaxRecvDataSegmentLength="512")
    assert answered(session, NopOut(tag=5, immediate=True), bytes(1000))[1] == bytes(512)


def test_answer_to_a_ping_is_not_answered() -> None:
    assert feed(logged_in(), image(NopOut(tag=NO_TAG, immediate=True, transfer_tag=1), b"data")) == []


def test_silent_peer_is_pinged_and_then_left() -> None:
    session = logged_in(Config(TARGET, ping_after=30, ping_within=10))
    assert [session.wake(now) for now in (0.0, 29.0, 30.0)] == [[], [], []]
    ((header, _),) = sent(session.wake(31.0))
    assert (type(header), header.tag, header.transfer_tag, header.status_number) == (NopIn, NO_TAG, 1, 1)
    assert session.wake(40.0) == []
    assert session.wake(42.0) == [Closed("the peer did not answer a ping")]


def test_peer_that_answers_stays() -> None:
    session = logged_in(Config(TARGET, ping_after=30, ping_within=10))
    session.wake(0.0)
    session.wake(31.0)
    feed(session, image(NopOut(tag=NO_TAG, immediate=True, transfer_tag=1)))
    assert [session.wake(now) for now in (42.0, 70.0)] == [[], []]
    assert len(session.wake(73.0)) == 1


def test_peer_that_dribbles_is_silent() -> None:
    session = logged_in(Config(TARGET, ping_after=30, ping_within=10))
    session.wake(0.0)
    for now in range(1, 42):
        assert feed(session, b"\0") == []
        session.wake(float(now))
    assert isinstance(session.wake(43.0)[0], Closed)


def test_no_ping_is_sent_when_none_is_wanted() -> None:
    session = logged_in(Config(TARGET, ping_after=0))
    assert session.wake(0.0) == session.wake(1e6) == []


def test_login_has_its_time() -> None:
    session = TargetSession(Config(TARGET, login_within=15), portal=PORTAL, tsih=1, now=100.0)
    assert session.wake(115.0) == []
    assert session.wake(115.1) == [Closed("the login took too long")]
    assert session.wake(200.0) == []


def test_missing_command_is_not_waited_for_without_end() -> None:
    session = logged_in(Config(TARGET, ping_within=10))
    session.wake(0.0)
    feed(session, command(FIRST + 1))
    assert session.wake(9.0) == []
    assert session.wake(11.0) == [Closed("a command that later ones wait for never came")]


# --- text ----------------------------------------------------------------------------------------------------


def targets(session: TargetSession, wanted: str) -> list[tuple[str, str]]:
    request = TextRequest(tag=5, command_number=FIRST)
    header, data = answered(session, request, text.image([("SendTargets", wanted)]))
    assert (type(header), header.final, header.transfer_tag) == (TextResponse, True, NO_TAG)
    return text.pairs(data)


def discovery() -> TargetSession:
    session = TargetSession(Config(TARGET), portal=PORTAL, tsih=7, now=0.0)
    feed(session, login_request({"InitiatorName": INITIATOR, "SessionType": "Discovery"}))
    return session


OURS = [("TargetName", TARGET), ("TargetAddress", "127.0.0.1:3260,1")]
REJECTED = [("SendTargets", "Reject")]


@pytest.mark.parametrize(
    ("wanted", "found"), [("All", OURS), (TARGET, OURS), ("iqn.2026-11.org.tapekey:x", []), ("", REJECTED)]
)
def test_discovery_tells_the_address_it_was_asked_on(wanted: str, found: list[tuple[str, str]]) -> None:
    assert targets(discovery(), wanted) == found


@pytest.mark.parametrize(
    ("wanted", "found"), [("All", REJECTED), (TARGET, OURS), ("iqn.2026-11.org.tapekey:x", []), ("", OURS)]
)
def test_normal_session_tells_of_its_own_target(wanted: str, found: list[tuple[str, str]]) -> None:
    assert targets(logged_in(), wanted) == found


def test_long_answer_comes_in_pieces() -> None:
    talk = Conversation().begin()
    entries = [(f"X-{'a' * 50}{number}", "1") for number in range(100)]
    tag, parts = talk.initiator.say([("MaxRecvDataSegmentLength", "512"), *entries])
    talk.say(parts)
    assert talk.reports[-1] == Said(tag, tuple((name, "NotUnderstood") for name, _ in entries))
    assert len([header for header, _ in pdus(talk.to_initiator) if isinstance(header, TextResponse)]) == 14


def test_segment_declared_anew_holds_for_data_too() -> None:
    session = logged_in()
    answered(session, TextRequest(tag=5, command_number=FIRST), text.image([("MaxRecvDataSegmentLength", "512")]))
    feed(session, command(FIRST + 1, read=True, expected_length=1024))
    assert [len(data) for _, data in pdus(joined(session.answer(102, 0, bytes(1024))))] == [512, 512]


def test_long_question_comes_in_pieces() -> None:
    session = logged_in()
    whole = text.image([("SendTargets", TARGET)])
    first, _ = answered(session, TextRequest(tag=5, command_number=FIRST, final=False, more=True), whole[:7])
    assert not first.final
    last = TextRequest(tag=5, command_number=FIRST + 1, transfer_tag=first.transfer_tag)
    header, data = answered(session, last, whole[7:])
    assert header.final
    assert text.pairs(data) == OURS


BAD_TEXTS = {
    "no text": (TextRequest(tag=5, command_number=FIRST), b"SendTargets"),
    "a key twice": (TextRequest(tag=5, command_number=FIRST), b"SendTargets=\0SendTargets=\0"),
    "an exchange that is not": (TextRequest(tag=5, command_number=FIRST, transfer_tag=77), b""),
    "the end in the middle": (TextRequest(tag=5, command_number=FIRST, more=True), b""),
    "too much of it": (TextRequest(tag=5, command_number=FIRST, more=True, final=False), bytes(65537)),
}


@pytest.mark.parametrize(("request_", "data"), BAD_TEXTS.values(), ids=BAD_TEXTS)
def test_bad_text_is_rejected_and_the_session_goes_on(request_: TextRequest, data: bytes) -> None:
    session = logged_in()
    whole = image(request_, data)
    rejected(feed(session, whole), RejectReason.PROTOCOL_ERROR, whole[:48])
    assert answered(session, NopOut(tag=6, command_number=FIRST + 1))[0].tag == 6


def test_login_key_is_rejected_afterwards() -> None:
    request = TextRequest(tag=5, command_number=FIRST)
    data = text.image([("MaxBurstLength", "512"), ("TargetAlias", "a"), ("InitiatorAlias", "b"), ("IFMarker", "No")])
    assert text.pairs(answered(logged_in(), request, data)[1]) == [
        ("MaxBurstLength", "Reject"),
        ("TargetAlias", "Reject"),
        ("IFMarker", "No"),
    ]


# --- discovery sessions --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "header",
    [ScsiCommand(tag=5, command_number=FIRST), ManageRequest(function=F.ABORT_TASK, tag=5, immediate=True)],
    ids=["command", "task management"],
)
def test_discovery_runs_nothing(header: Any) -> None:
    rejected(feed(discovery(), image(header, b"data")), RejectReason.PROTOCOL_ERROR, image(header, b"data")[:48])


# --- logout --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reason", "connection", "response", "closes"),
    [
        (LogoutReason.CLOSE_SESSION, 1, LogoutResponse.CLOSED, True),
        (LogoutReason.CLOSE_SESSION, 9, LogoutResponse.CLOSED, True),
        (LogoutReason.CLOSE_CONNECTION, 1, LogoutResponse.CLOSED, True),
        (LogoutReason.CLOSE_CONNECTION, 9, LogoutResponse.CID_NOT_FOUND, False),
        (LogoutReason.REMOVE_FOR_RECOVERY, 1, LogoutResponse.RECOVERY_NOT_SUPPORTED, False),
    ],
)
def test_logout_is_answered(reason: LogoutReason, connection: int, response: LogoutResponse, closes: bool) -> None:
    session = logged_in()
    events = feed(session, image(LogoutRequest(reason=reason, connection=connection, tag=5, command_number=FIRST)))
    ((header, _),) = sent(events)
    assert (type(header), header.response, header.tag, header.time_to_wait) == (LogoutReply, response, 5, 2)
    assert isinstance(events[-1], Closed) == closes


def test_logout_for_no_known_reason_is_rejected() -> None:
    whole = image(LogoutRequest(reason=LogoutReason(77), connection=1, tag=5, command_number=FIRST))
    rejected(feed(logged_in(), whole), RejectReason.INVALID_FIELD, whole)


# --- rejects -------------------------------------------------------------------------------------------------

REJECTS = {
    "SNACK": (Snack(tag=5), RejectReason.SNACK, False),
    "a second login": (LoginRequest(tag=5), RejectReason.PROTOCOL_ERROR, True),
    "a header of a target's": (NopIn(tag=5), RejectReason.PROTOCOL_ERROR, False),
}


@pytest.mark.parametrize(("header", "reason", "closes"), REJECTS.values(), ids=REJECTS)
@pytest.mark.parametrize("data", [b"", b"data to drop"], ids=["bare", "with data"])
def test_pdu_is_rejected(header: Any, reason: RejectReason, closes: bool, data: bytes) -> None:
    whole = image(header, data)
    events = feed(logged_in(), whole)
    rejected(events, reason, whole[:48])
    assert isinstance(events[-1], Closed) == closes


@pytest.mark.parametrize("opcode", [0x07, 0x0F, 0x11, 0x1C, 0x1F, 0x27, 0x3E])
def test_opcode_that_nobody_knows_is_rejected_with_its_additional_headers(opcode: int) -> None:
    whole = bytes([opcode, 0x80, 0, 0, 1, 0, 0, 3]) + bytes(40) + b"\0\1\x3f\0" + b"abc\0"
    session = logged_in()
    rejected(feed(session, whole), RejectReason.NOT_SUPPORTED, whole[:52])
    assert answered(session, NopOut(tag=6, command_number=FIRST))[0].tag == 6


def test_data_of_a_rejected_pdu_are_dropped_to_their_end() -> None:
    session = logged_in()
    (header, _), (answer, echo) = sent(
        feed(session, image(Snack(tag=5), bytes(200_001)) + image(NopOut(tag=6, immediate=True), b"hi"))
    )
    assert header.reason is RejectReason.SNACK
    assert (answer.tag, echo) == (6, b"hi")


def test_segment_longer_than_declared_is_rejected_and_closes() -> None:
    header = bytearray(image(NopOut(tag=5, command_number=FIRST)))
    header[5:8] = (1024 * 1024 + 1).to_bytes(3, "big")
    events = feed(logged_in(), bytes(header))
    rejected(events, RejectReason.PROTOCOL_ERROR, bytes(header))
    assert isinstance(events[-1], Closed)


@pytest.mark.parametrize("header", [TextRequest(tag=NO_TAG), LogoutRequest(tag=NO_TAG), ManageRequest(tag=NO_TAG)])
def test_request_without_a_tag_is_rejected(header: Any) -> None:
    rejected(feed(logged_in(), image(header)), RejectReason.INVALID_FIELD, image(header))


# --- digests -------------------------------------------------------------------------------------------------


def digested(header: Any, data: bytes = b"", *, spoil: int | None = None) -> bytes:
    whole = bytearray(joined(pdu.parts(header, data, digests=(True, True))))
    if spoil is not None:
        whole[spoil] ^= 0x10
    return bytes(whole)


@pytest.mark.parametrize("spoil", range(52))
def test_broken_header_closes(spoil: int) -> None:
    events = feed(logged_in(None, **BOTH), digested(NopOut(tag=5, command_number=FIRST), spoil=spoil) + bytes(2048))
    assert events[-1] == Closed("a header digest is wrong")


@pytest.mark.parametrize("spoil", [52, 55, 57, 60, 63])
def test_broken_data_of_a_request_reject_it(spoil: int) -> None:
    session = logged_in(None, **BOTH)
    header = NopOut(tag=5, command_number=FIRST)
    whole = digested(header, b"hello", spoil=spoil)
    ((found, data),) = pdus(
        b"".join(joined(event.parts) for event in feed(session, whole)),
        digests=(True, True),
    )
    assert (found.reason, data) == (RejectReason.DATA_DIGEST_ERROR, whole[:48])
    events = feed(session, digested(header, b"hello"))
    assert len(events) == 1


def test_command_with_broken_data_may_be_sent_again() -> None:
    session = logged_in(None, **BOTH)
    header = ScsiCommand(tag=5, command_number=FIRST, write=True, expected_length=4)
    assert not any(isinstance(event, Execute) for event in feed(session, digested(header, b"data", spoil=53)))
    (event,) = feed(session, digested(header, b"data"))
    assert isinstance(event, Execute)
    assert bytes(event.data_out) == b"data"


def test_broken_data_out_end_their_command() -> None:
    session = logged_in(None, **BOTH, InitialR2T="No")
    feed(session, digested(ScsiCommand(tag=5, command_number=FIRST, write=True, final=False, expected_length=4)))
    events = feed(session, digested(DataOut(tag=5), b"data", spoil=53))
    found = pdus(b"".join(joined(event.parts) for event in events), digests=(True, True))
    assert [type(header).__name__ for header, _ in found] == ["Reject", "ScsiResponse"]
    assert found[1][1][14:16] == b"\x47\x05"


# --- task management -----------------------------------------------------------------------------------------


def reply(events: list[Event]) -> ManageResponse:
    ((header, _),) = sent(events)
    assert isinstance(header, ManageReply)
    assert header.tag == 9
    return header.response


@pytest.mark.parametrize(
    ("function", "response"),
    [
        (F.CLEAR_ACA, ManageResponse.NOT_SUPPORTED),
        (F.TASK_REASSIGN, ManageResponse.REASSIGN_NOT_SUPPORTED),
        (F(9), ManageResponse.NOT_SUPPORTED),
        (F(127), ManageResponse.NOT_SUPPORTED),
        (F(0), ManageResponse.NOT_SUPPORTED),
        (F.ABORT_TASK, ManageResponse.TASK_DOES_NOT_EXIST),
        (F.ABORT_TASK_SET, ManageResponse.COMPLETE),
        (F.CLEAR_TASK_SET, ManageResponse.COMPLETE),
    ],
)
def test_function_without_a_task_is_answered_at_once(function: ManageFunction, response: ManageResponse) -> None:
    assert reply(manage(logged_in(), function)) is response


@pytest.mark.parametrize("function", [F.ABORT_TASK_SET, F.CLEAR_TASK_SET, F.LOGICAL_UNIT_RESET])
def test_function_on_no_unit_is_refused(function: ManageFunction) -> None:
    response = reply(manage(logged_in(), function, lun=b"\xc1\1" + bytes(6)))
    assert response is ManageResponse.LUN_DOES_NOT_EXIST


# which of the commands 1 (unit 1), 2 (unit 2) and 3 (unit 1) a function ends
ENDED = {
    "ABORT TASK": (F.ABORT_TASK, {"referenced_tag": 102}, {102}),
    "ABORT TASK SET": (F.ABORT_TASK_SET, {"lun": lun.encode(1)}, {101, 103}),
    "CLEAR TASK SET": (F.CLEAR_TASK_SET, {"lun": lun.encode(2)}, {102}),
    "LOGICAL UNIT RESET": (F.LOGICAL_UNIT_RESET, {"lun": lun.encode(1)}, {101, 103}),
    "TARGET WARM RESET": (F.TARGET_WARM_RESET, {}, {101, 102, 103}),
    "TARGET COLD RESET": (F.TARGET_COLD_RESET, {}, {101, 102, 103}),
}


@pytest.mark.parametrize(("function", "fields", "tags"), ENDED.values(), ids=ENDED)
def test_running_commands_are_ended_without_an_answer(
    function: ManageFunction, fields: dict[str, Any], tags: set[int]
) -> None:
    session = logged_in()
    for number, unit in ((1, 1), (2, 2), (3, 1)):
        feed(session, command(number, unit))
    (event,) = manage(session, function, **{"command_number": 4, **fields})
    assert isinstance(event, Manage)
    assert (event.tag, event.function, set(event.running)) == (9, function, tags)
    assert {tag for tag in (101, 102, 103) if session.answer(tag, 0) == []} == tags
    ((header, _),) = pdus(joined(session.managed(9, ManageResponse.COMPLETE)))
    assert (header.response, header.expected_command, header.max_command) == (ManageResponse.COMPLETE, 4, 35)


def test_command_that_waits_for_data_is_ended_at_once() -> None:
    session = logged_in()
    feed(session, command(FIRST, write=True, expected_length=8192))
    feed(session, command(FIRST + 1))
    (send, execute) = manage(session, F.ABORT_TASK, referenced_tag=101, command_number=3)
    assert reply([send]) is ManageResponse.COMPLETE
    assert isinstance(execute, Execute)
    assert execute.tag == 102
    assert feed(session, image(DataOut(tag=101, transfer_tag=1), bytes(8192))) == []


def test_reset_is_given_out_though_nothing_runs() -> None:
    (event,) = manage(logged_in(), F.LOGICAL_UNIT_RESET, lun=lun.encode(3))
    assert event == Manage(9, F.LOGICAL_UNIT_RESET, 3, ())


def test_task_that_never_came_counts_as_come() -> None:
    session = logged_in()
    feed(session, command(FIRST + 1))
    events = manage(session, F.ABORT_TASK, referenced_tag=101, referenced_number=FIRST, command_number=3)
    assert reply(events[:1]) is ManageResponse.COMPLETE
    assert [event.tag for event in events if isinstance(event, Execute)] == [102]
    assert feed(session, command(FIRST)) == []


def test_task_that_is_yet_to_come_is_not_counted() -> None:
    session = logged_in()
    events = manage(session, F.ABORT_TASK, referenced_tag=101, referenced_number=FIRST, command_number=FIRST)
    assert reply(events) is ManageResponse.TASK_DOES_NOT_EXIST
    assert len(feed(session, command(FIRST))) == 1


def test_command_held_for_its_turn_is_aborted_in_it() -> None:
    session = logged_in()
    feed(session, command(FIRST + 1))
    assert reply(manage(session, F.ABORT_TASK, referenced_tag=102, command_number=3)) is ManageResponse.COMPLETE
    (event,) = feed(session, command(FIRST))
    assert isinstance(event, Execute)
    ((header, _),) = pdus(joined(session.answer(101, 0)))
    assert header.expected_command == FIRST + 2


def test_function_with_a_number_waits_for_its_turn() -> None:
    session = logged_in()
    assert manage(session, F.LOGICAL_UNIT_RESET, immediate=False, command_number=FIRST + 1) == []
    events = feed(session, command(FIRST))
    assert [type(event) for event in events] == [Execute, Manage]


def test_functions_under_way_are_bounded() -> None:
    session = logged_in()
    for tag in range(16):
        assert isinstance(manage(session, F.LOGICAL_UNIT_RESET, tag=tag)[0], Manage)
    ((header, _),) = sent(manage(session, F.LOGICAL_UNIT_RESET, tag=77))
    assert header.reason is RejectReason.IMMEDIATE_COMMAND


def test_tag_of_a_function_is_its_own() -> None:
    session = logged_in()
    feed(session, command(FIRST))
    for tag, reason in ((101, RejectReason.TASK_IN_PROGRESS), (NO_TAG, RejectReason.INVALID_FIELD)):
        ((header, _),) = sent(manage(session, F.LOGICAL_UNIT_RESET, tag=tag))
        assert header.reason is reason


# --- numbers, messages, and the other role -------------------------------------------------------------------


def test_requests_outside_the_window_are_ignored() -> None:
    session = logged_in(Config(TARGET, commands=4, ping_after=0))
    session.wake(0.0)
    for number in (FIRST - 1, FIRST + 4):
        assert feed(session, image(NopOut(tag=5, command_number=number), b"data")) == []
    assert session.wake(1000.0) == []
    assert answered(session, NopOut(tag=5, command_number=FIRST))[0].expected_command == FIRST + 1


def test_last_number_of_the_window_is_in_it() -> None:
    session = logged_in(Config(TARGET, commands=1))
    assert answered(session, NopOut(tag=5, command_number=FIRST))[0].max_command == FIRST + 1
    session = logged_in(Config(TARGET, commands=4))
    assert feed(session, image(NopOut(tag=8, command_number=FIRST + 3))) == []
    found = [header.tag for number in range(3) for header, _ in sent(feed(session, numbered_ping(FIRST + number)))]
    assert found == [100, 101, 102, 8]


def numbered_ping(number: int) -> bytes:
    return image(NopOut(tag=99 + number, command_number=number))


def test_requests_that_come_early_wait_for_their_turn() -> None:
    session = logged_in()
    assert feed(session, image(NopOut(tag=6, command_number=FIRST + 1), b"second")) == []
    found = sent(feed(session, image(NopOut(tag=5, command_number=FIRST), b"first")))
    assert [(header.tag, data) for header, data in found] == [(5, b"first"), (6, b"second")]


def test_status_numbers_count_responses() -> None:
    session = logged_in()
    numbers = [answered(session, NopOut(tag=5, immediate=True))[0].status_number for _ in range(3)]
    assert numbers == [1, 2, 3]


def test_messages_reach_the_initiator() -> None:
    talk = Conversation().begin()
    for parts in (talk.target.ask_logout(10), talk.target.announce_drop()):
        talk.reports += feed(talk.initiator, joined(parts))
    assert talk.reports[-2:] == [
        Notified(AsyncEvent.LOGOUT_REQUESTED, (0, 0, 10)),
        Notified(AsyncEvent.CONNECTION_DROPPED, (1, 2, 0)),
    ]


@pytest.mark.parametrize("step", [0, 1, 5])
def test_both_roles_understand_each_other(step: int) -> None:
    talk = Conversation(step=step).begin()
    tag, parts = talk.initiator.ping(b"are you there")
    talk.say(parts)
    assert Pong(tag, b"are you there") in talk.reports
    tag, parts = talk.initiator.manage(F.LOGICAL_UNIT_RESET, 2)
    talk.say(parts)
    assert Managed(tag, ManageResponse.COMPLETE) in talk.reports
    talk.target.wake(0.0)
    talk.say([joined(talk.initiator.log_out()[1])])
    assert isinstance(talk.reports[-1], LoggedOut)
    assert isinstance(talk.events[-1], Closed)
