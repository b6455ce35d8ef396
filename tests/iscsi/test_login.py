"""Logins to the target, over the session: stages, statuses, keys, CHAP (RFC 7143, 6.3, 11.12, 11.13, 12)."""

from itertools import product
from typing import Any

import pytest

from tapekey.iscsi import text
from tapekey.iscsi.codes import LoginStatus, Stage
from tapekey.iscsi.config import Chap, Config, Credential, Offer
from tapekey.iscsi.events import Closed, Event, LoggedIn
from tapekey.iscsi.initiator_login import Account
from tapekey.iscsi.login import Phase
from tapekey.iscsi.reports import Ready
from tapekey.iscsi.target import TargetSession
from tests.iscsi.conversation import (
    INITIATOR,
    ISID,
    LOGIN,
    PORTAL,
    TARGET,
    Conversation,
    feed,
    login_request,
    scripted,
    sent,
)

S, O, R, F = Stage.SECURITY, Stage.OPERATIONAL, Stage(2), Stage.FULL_FEATURE  # noqa: E741
USER, OWN = Credential("host", b"secret of a host"), Credential("library", b"secret of a library")
GUARDED = Config(TARGET, chap=Chap((USER,), OWN))

# every step that RFC 7143, 11.12.3 allows, by the phase in which the target is
LEGAL = {
    (Phase.START, S, None), (Phase.START, S, O), (Phase.START, S, F), (Phase.START, O, None), (Phase.START, O, F),
    (Phase.SECURITY, S, None), (Phase.SECURITY, S, O), (Phase.SECURITY, S, F),
    (Phase.OPERATIONAL, O, None), (Phase.OPERATIONAL, O, F),
}  # fmt: skip
TO_REACH: dict[Phase, list[dict[str, Any]]] = {
    Phase.START: [],
    Phase.SECURITY: [{"current": S, "transit": False, "next": S}],
    Phase.OPERATIONAL: [{"current": S, "next": O}],
}


def session(config: Config | None = None, living: int = 0) -> TargetSession:
    return TargetSession(
        config or Config(TARGET),
        portal=PORTAL,
        tsih=7,
        now=0.0,
        sessions=lambda initiator, isid: living if (initiator, isid) == (INITIATOR, ISID) else 0,
        randomness=scripted(),
    )


def tried(pairs: dict[str, str], config: Config | None = None, living: int = 0, **fields: Any) -> list[Event]:
    return feed(session(config, living), login_request(pairs, **fields))


def refused(events: list[Event], status: LoginStatus) -> None:
    """The last response carries the status and nothing else; then the connection closes."""
    (header, data) = sent(events)[-1]
    assert header.status is status
    assert not header.transit
    assert data == b""
    assert isinstance(events[-1], Closed)
    assert not any(isinstance(event, LoggedIn) for event in events)


def said(events: list[Event]) -> dict[str, str]:
    return dict(pair for _, data in sent(events) for pair in text.pairs(data))


@pytest.mark.parametrize(("phase", "current", "following"), list(product(TO_REACH, (S, O, R, F), (None, S, O, R, F))))
def test_full_product_of_stages(phase: Phase, current: Stage, following: Stage | None) -> None:
    target = session()
    names = LOGIN
    for fields in TO_REACH[phase]:
        feed(target, login_request(names, **fields))
        names = {}
    events = feed(
        target, login_request(names, current=current, transit=following is not None, next=following or Stage.SECURITY)
    )
    if (phase, current, following) in LEGAL:
        header, _ = sent(events)[-1]
        assert header.status is LoginStatus.SUCCESS
        assert (header.current, header.transit) == (current, following is not None)
        assert header.next is (following or S)
        assert target.logged_in == (following is F)
    else:
        refused(events, LoginStatus.INITIATOR_ERROR)


def test_login_in_one_exchange() -> None:
    events = tried(LOGIN)
    assert events[0] == LoggedIn(INITIATOR, ISID, 7, False, 0)
    assert events[0].nexus == f"{INITIATOR},i,0x800000000001"
    ((header, _),) = sent(events)
    assert (header.tsih, header.isid, header.tag) == (7, ISID, 1)
    assert (header.status_number, header.expected_command, header.max_command) == (0, 1, 32)
    assert said(events) == {"TargetPortalGroupTag": "1", "MaxRecvDataSegmentLength": "1048576"}


def test_session_handle_is_given_in_the_last_response_only() -> None:
    target = session()
    first = sent(feed(target, login_request(LOGIN, current=S, next=O)))
    last = sent(feed(target, login_request({})))
    assert (first[0][0].tsih, last[0][0].tsih) == (0, 7)


def test_alias_is_told() -> None:
    assert said(tried(LOGIN, Config(TARGET, alias="library of tests")))["TargetAlias"] == "library of tests"


def test_discovery_needs_no_target() -> None:
    events = tried({"InitiatorName": INITIATOR, "SessionType": "Discovery"})
    assert events[0] == LoggedIn(INITIATOR, ISID, 7, True, 0)
    assert "TargetPortalGroupTag" not in said(events)


REFUSALS: dict[str, tuple[dict[str, str], dict[str, Any], LoginStatus]] = {
    "no initiator": ({"TargetName": TARGET}, {}, LoginStatus.MISSING_PARAMETER),
    "no target": ({"InitiatorName": INITIATOR}, {}, LoginStatus.MISSING_PARAMETER),
    "an empty initiator": ({**LOGIN, "InitiatorName": ""}, {}, LoginStatus.MISSING_PARAMETER),
    "nothing at all": ({}, {}, LoginStatus.MISSING_PARAMETER),
    "a target that is not here": ({**LOGIN, "TargetName": "iqn.2026-11.org.tapekey:x"}, {}, LoginStatus.NOT_FOUND),
    "a session of no kind": ({**LOGIN, "SessionType": "Boot"}, {}, LoginStatus.SESSION_TYPE_NOT_SUPPORTED),
    "a name that is too long": ({**LOGIN, "InitiatorName": "i" * 224}, {}, LoginStatus.INITIATOR_ERROR),
    "a version to come": (LOGIN, {"version_min": 1, "version_max": 1}, LoginStatus.UNSUPPORTED_VERSION),
    "a session that is not": (LOGIN, {"tsih": 9}, LoginStatus.SESSION_DOES_NOT_EXIST),
    "more text and the next stage at once": (LOGIN, {"more": True}, LoginStatus.INITIATOR_ERROR),
    "a security key in the operational stage": ({**LOGIN, "AuthMethod": "None"}, {}, LoginStatus.INITIATOR_ERROR),
    "a CHAP key in the operational stage": ({**LOGIN, "CHAP_A": "5"}, {}, LoginStatus.INITIATOR_ERROR),
    "an operational key in the security stage": (
        {**LOGIN, "InitialR2T": "No"},
        {"current": S, "next": O},
        LoginStatus.INITIATOR_ERROR,
    ),
    "a key of full feature phase": ({**LOGIN, "SendTargets": "All"}, {}, LoginStatus.INITIATOR_ERROR),
    "a method that is not set up": (
        {**LOGIN, "AuthMethod": "CHAP"},
        {"current": S, "next": O},
        LoginStatus.AUTHENTICATION_FAILURE,
    ),
    "CHAP out of nowhere": ({**LOGIN, "CHAP_A": "5"}, {"current": S, "next": O}, LoginStatus.AUTHENTICATION_FAILURE),
}  # fmt: skip


@pytest.mark.parametrize(("pairs", "fields", "status"), REFUSALS.values(), ids=REFUSALS)
def test_login_is_refused_with_its_status(pairs: dict[str, str], fields: dict[str, Any], status: LoginStatus) -> None:
    refused(tried(pairs, **fields), status)


def test_second_connection_of_a_session_is_one_too_many() -> None:
    refused(tried(LOGIN, living=5, tsih=5), LoginStatus.TOO_MANY_CONNECTIONS)
    refused(tried(LOGIN, living=5, tsih=6), LoginStatus.SESSION_DOES_NOT_EXIST)


def test_login_for_which_there_is_no_room_is_refused() -> None:
    target = TargetSession(Config(TARGET), portal=PORTAL, tsih=7, now=0.0, sessions=lambda initiator, isid: None)
    refused(feed(target, login_request(LOGIN)), LoginStatus.OUT_OF_RESOURCES)


def test_same_initiator_port_reinstates_its_session() -> None:
    assert tried(LOGIN, living=5)[0] == LoggedIn(INITIATOR, ISID, 7, False, 5)
    assert tried(LOGIN, living=5, isid=bytes(6))[0] == LoggedIn(INITIATOR, bytes(6), 7, False, 0)


def test_key_sent_twice_is_refused() -> None:
    target = session()
    feed(target, login_request({**LOGIN, "InitialR2T": "No"}, transit=False, next=S))
    refused(feed(target, login_request({"InitialR2T": "No"})), LoginStatus.INITIATOR_ERROR)


@pytest.mark.parametrize("change", [{"isid": bytes(6)}, {"tsih": 1}, {"connection": 2}])
def test_login_keeps_its_name_throughout(change: dict[str, Any]) -> None:
    target = session()
    feed(target, login_request(LOGIN, current=S, next=O))
    refused(feed(target, login_request({}, **change)), LoginStatus.INITIATOR_ERROR)


def test_text_that_is_none_is_refused() -> None:
    broken = login_request(LOGIN).replace(b"InitiatorName=", b"InitiatorName#")
    refused(feed(session(), broken), LoginStatus.INITIATOR_ERROR)


def test_another_request_during_the_login_is_refused() -> None:
    target = session()
    feed(target, login_request(LOGIN, current=S, next=O))
    refused(feed(target, bytes([0x40, 0x80]) + bytes(46)), LoginStatus.INVALID_DURING_LOGIN)


@pytest.mark.parametrize("opcode", [code for code in range(64) if code != 0x03])
def test_connection_that_begins_with_anything_else_is_closed_in_silence(opcode: int) -> None:
    (event,) = feed(session(), bytes([opcode]) + bytes(47))
    assert isinstance(event, Closed)


def test_segment_longer_than_8192_closes() -> None:
    header = bytearray(login_request(LOGIN)[:48])
    header[5:8] = (8193).to_bytes(3, "big")
    (event,) = feed(session(), bytes(header))
    assert isinstance(event, Closed)


def test_text_over_several_requests_is_one() -> None:
    whole = text.image({**LOGIN, "MaxBurstLength": "65536"}.items())
    target = session()
    for cut in range(0, len(whole), 10):
        piece = whole[cut : cut + 10]
        more = cut + 10 < len(whole)
        image = bytearray(login_request({}, more=more, transit=not more, next=S if more else F))
        image[5:8] = len(piece).to_bytes(3, "big")
        events = feed(target, bytes(image) + piece + bytes(-len(piece) % 4))
        ((header, data),) = sent(events)
        assert (header.transit, data == b"") == (not more, more)
    assert said(events)["MaxBurstLength"] == "65536"
    assert target.logged_in


def test_text_without_end_is_refused() -> None:
    target = session()
    events: list[Event] = []
    for number in range(9):
        events += feed(target, login_request({f"X-{number}": "a" * 8000}, more=True, transit=False, next=S))
    refused(events, LoginStatus.INITIATOR_ERROR)


def test_login_without_end_is_refused() -> None:
    target = session()
    for _ in range(64):
        events = feed(target, login_request({}, more=True, transit=False, next=S))
        assert len(events) == 1
    refused(feed(target, login_request({}, more=True, transit=False, next=S)), LoginStatus.INITIATOR_ERROR)


def test_answer_longer_than_a_segment_comes_in_pieces() -> None:
    target = session()
    names = [f"X-{'a' * 55}{number:03}" for number in range(120)]
    feed(target, login_request(LOGIN | {name: "1" for name in names[:60]}, more=True, transit=False, next=S))
    first = feed(target, login_request({name: "1" for name in names[60:]}))
    second = feed(target, login_request({}))
    ((head, start),) = sent(first)
    ((tail, end),) = sent(second)
    assert (head.more, head.transit, len(start)) == (True, False, 8192)
    assert (tail.more, tail.transit) == (False, True)
    assert dict(text.pairs(start + end))[names[-1]] == "NotUnderstood"
    assert target.logged_in


def test_nothing_may_be_said_in_the_middle_of_an_answer() -> None:
    target = session()
    names = [f"X-{'a' * 55}{number:03}" for number in range(120)]
    feed(target, login_request(LOGIN | {name: "1" for name in names[:60]}, more=True, transit=False, next=S))
    feed(target, login_request({name: "1" for name in names[60:]}))
    refused(feed(target, login_request({"InitialR2T": "No"})), LoginStatus.INITIATOR_ERROR)


# what open-iscsi 2.1 sends by default, as its documentation of iscsid.conf has it
OPEN_ISCSI = {
    "HeaderDigest": "None",
    "DataDigest": "None",
    "DefaultTime2Wait": "2",
    "DefaultTime2Retain": "0",
    "IFMarker": "No",
    "OFMarker": "No",
    "ErrorRecoveryLevel": "0",
    "InitialR2T": "No",
    "ImmediateData": "Yes",
    "MaxBurstLength": "16776192",
    "FirstBurstLength": "262144",
    "MaxOutstandingR2T": "1",
    "MaxConnections": "1",
    "DataPDUInOrder": "Yes",
    "DataSequenceInOrder": "Yes",
    "MaxRecvDataSegmentLength": "262144",
    "X-com.example.vendor": "1",
}


def test_open_iscsis_offer_is_taken_as_it_is() -> None:
    answers = said(tried(LOGIN | OPEN_ISCSI))
    expected = OPEN_ISCSI | {
        "X-com.example.vendor": "NotUnderstood",
        "MaxRecvDataSegmentLength": "1048576",
        "TargetPortalGroupTag": "1",
    }
    assert answers == expected


@pytest.mark.parametrize(
    ("offer", "first"),
    [
        ({"FirstBurstLength": "65536", "MaxBurstLength": "4096"}, "4096"),
        ({"MaxBurstLength": "1048576", "FirstBurstLength": "524288"}, "524288"),
        ({"FirstBurstLength": "1048576"}, "262144"),
        ({"FirstBurstLength": "1048576", "MaxBurstLength": "1"}, "262144"),
    ],
)
def test_first_burst_is_no_longer_than_a_burst(offer: dict[str, str], first: str) -> None:
    assert said(tried(LOGIN | offer))["FirstBurstLength"] == first


def test_key_that_only_a_target_sends_is_rejected() -> None:
    assert said(tried(LOGIN | {"TargetAlias": "mine"}))["TargetAlias"] == "Reject"


# --- CHAP ----------------------------------------------------------------------------------------------------


def account(user: Credential | None = USER, mutual: Credential | None = OWN) -> Account:
    return Account(INITIATOR, TARGET, ISID, user=user, mutual=mutual)


@pytest.mark.parametrize("mutual", [None, OWN], ids=["one-way", "mutual"])
@pytest.mark.parametrize("step", [0, 1, 5])
def test_chap_lets_in_who_knows_the_secret(mutual: Credential | None, step: int) -> None:
    talk = Conversation(GUARDED, account(mutual=mutual), step=step).begin()
    assert talk.target.logged_in
    assert isinstance(talk.reports[-1], Ready)
    assert not any(credential.secret in talk.to_target + talk.to_initiator for credential in (USER, OWN))


@pytest.mark.parametrize(
    "user",
    [None, Credential("host", b"not the secret.."), Credential("nobody", USER.secret)],
    ids=["none", "wrong", "who"],
)
def test_chap_keeps_out_who_does_not(user: Credential | None) -> None:
    talk = Conversation(GUARDED, account(user=user)).begin()
    refused(talk.events, LoginStatus.AUTHENTICATION_FAILURE)
    assert isinstance(talk.reports[-1], Closed)


@pytest.mark.parametrize(
    "expected",
    [Credential("library", b"of another library"), Credential("another", OWN.secret)],
    ids=["secret", "name"],
)
def test_initiator_leaves_a_target_that_is_not_the_one_it_expects(expected: Credential) -> None:
    talk = Conversation(GUARDED, account(mutual=expected)).begin()
    assert not any(isinstance(report, Ready) for report in talk.reports)
    assert talk.reports[-1] == Closed("the target did not prove who it is")


def test_initiator_with_a_secret_does_not_log_in_without_it() -> None:
    talk = Conversation(Config(TARGET), account()).begin()
    assert isinstance(talk.reports[-1], Closed)
    assert not talk.target.logged_in


@pytest.mark.parametrize("following", [O, F])
def test_security_stage_is_not_left_unproven(following: Stage) -> None:
    refused(tried(LOGIN, GUARDED, current=S, next=following), LoginStatus.AUTHENTICATION_FAILURE)


def test_security_stage_is_not_skipped() -> None:
    refused(tried(LOGIN, GUARDED), LoginStatus.AUTHENTICATION_FAILURE)
    refused(tried(LOGIN, GUARDED, transit=False, next=S), LoginStatus.AUTHENTICATION_FAILURE)


def test_asking_to_leave_with_the_method_alone_gets_no_further() -> None:
    target = session(GUARDED)
    ((header, _),) = sent(feed(target, login_request({**LOGIN, "AuthMethod": "CHAP,None"}, current=S, next=O)))
    assert not header.transit
    refused(feed(target, login_request({})), LoginStatus.INITIATOR_ERROR)


def test_discovery_asks_for_chap_too() -> None:
    discovery = {"InitiatorName": INITIATOR, "SessionType": "Discovery"}
    refused(tried(discovery, GUARDED), LoginStatus.AUTHENTICATION_FAILURE)


def test_offer_of_the_target_is_kept_to() -> None:
    shy = Config(TARGET, offer=Offer(initial_r2t=True, immediate_data=False, max_recv_segment=4096, max_burst=8192))
    talk = Conversation(shy).begin()
    (ready,) = (report for report in talk.reports if isinstance(report, Ready))
    agreed = ready.agreed
    assert (agreed.initial_r2t, agreed.immediate_data, agreed.max_send, agreed.max_burst) == (True, False, 4096, 8192)
