"""Answers to offers, and what holds in the end (RFC 7143, 6.2 and 13)."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tapekey.errors import Malformed
from tapekey.iscsi import negotiation
from tapekey.iscsi.config import Offer
from tapekey.iscsi.keys import KEYS, Result
from tapekey.iscsi.negotiation import Agreed

OURS = negotiation.ours(Offer())
SHY = negotiation.ours(
    Offer(
        header_digests=("None",),
        data_digests=("CRC32C", "None"),
        initial_r2t=True,
        immediate_data=False,
        max_burst=65536,
        first_burst=4096,
        time_to_wait=5,
        time_to_retain=1,
    )
)

# offer of the peer, our answer with the default offer, our answer with the shy one
ANSWERS = {
    "HeaderDigest": [("None", "None", "None"), ("CRC32C,None", "CRC32C", "None"), ("None,CRC32C", "None", "None"),
                     ("CRC32C", "CRC32C", "Reject"), ("SHA1,None", "None", "None"), ("", "Reject", "Reject")],
    "DataDigest": [("CRC32C", "CRC32C", "CRC32C"), ("X,Y", "Reject", "Reject")],
    "MaxConnections": [("1", "1", "1"), ("8", "1", "1"), ("0", "Reject", "Reject")],
    "InitialR2T": [("Yes", "Yes", "Yes"), ("No", "No", "Yes"), ("Maybe", "Reject", "Reject")],
    "ImmediateData": [("Yes", "Yes", "No"), ("No", "No", "No")],
    "MaxBurstLength": [("262144", "262144", "65536"), ("16777215", "16777215", "65536"), ("511", "Reject", "Reject")],
    "FirstBurstLength": [("65536", "65536", "4096"), ("0x1000", "4096", "4096"), ("16777216", "Reject", "Reject")],
    "DefaultTime2Wait": [("0", "2", "5"), ("9", "9", "9"), ("3601", "Reject", "Reject")],
    "DefaultTime2Retain": [("20", "0", "1"), ("0", "0", "0")],
    "MaxOutstandingR2T": [("16", "1", "1"), ("0", "Reject", "Reject")],
    "DataPDUInOrder": [("No", "Yes", "Yes"), ("Yes", "Yes", "Yes")],
    "DataSequenceInOrder": [("No", "Yes", "Yes")],
    "ErrorRecoveryLevel": [("2", "0", "0"), ("0", "0", "0"), ("3", "Reject", "Reject")],
    "TaskReporting": [("FastAbort,RFC3720", "RFC3720", "RFC3720"), ("FastAbort", "Reject", "Reject")],
    "iSCSIProtocolLevel": [("2", "1", "1"), ("0", "0", "0")],
    "IFMarker": [("No", "No", "No"), ("Yes", "No", "No")],
    "OFMarker": [("Yes", "No", "No")],
    "IFMarkInt": [("2048~8192", "Reject", "Reject")],
    "OFMarkInt": [("2048", "Reject", "Reject")],
    "RDMAExtensions": [("Yes", "NotUnderstood", "NotUnderstood")],
    "InitiatorRecvDataSegmentLength": [("262144", "NotUnderstood", "NotUnderstood")],
    "X-com.example.vendor": [("anything", "NotUnderstood", "NotUnderstood")],
}  # fmt: skip
CASES = [(name, *case) for name, cases in ANSWERS.items() for case in cases]

IN_DISCOVERY = {
    "MaxConnections", "InitialR2T", "ImmediateData", "MaxBurstLength", "FirstBurstLength", "MaxOutstandingR2T",
    "DataPDUInOrder", "DataSequenceInOrder", "TaskReporting", "iSCSIProtocolLevel",
}  # fmt: skip


@pytest.mark.parametrize(("name", "offered", "answer", "shy"), CASES)
def test_offer_gets_its_answer(name: str, offered: str, answer: str, shy: str) -> None:
    assert negotiation.answer(name, offered, OURS, discovery=False) == answer
    assert negotiation.answer(name, offered, SHY, discovery=False) == shy


def test_every_negotiated_key_has_a_case() -> None:
    negotiated = {key.name for key in KEYS.values() if key.result is not Result.DECLARED}
    assert negotiated - {"AuthMethod"} == set(ANSWERS) & set(KEYS)


@pytest.mark.parametrize("name", sorted(IN_DISCOVERY))
def test_key_of_a_normal_session_is_irrelevant_in_discovery(name: str) -> None:
    assert negotiation.answer(name, "Yes", OURS, discovery=True) == "Irrelevant"


def test_declared_key_has_no_answer() -> None:
    assert negotiation.answer("MaxRecvDataSegmentLength", "262144", OURS, discovery=False) is None
    assert negotiation.answer("MaxRecvDataSegmentLength", "100", OURS, discovery=False) == "Reject"


@pytest.mark.parametrize(
    ("name", "offered", "answered"),
    [
        ("InitialR2T", "Yes", "No"),
        ("ImmediateData", "No", "Yes"),
        ("MaxBurstLength", "65536", "65537"),
        ("DefaultTime2Wait", "5", "4"),
        ("HeaderDigest", "None", "CRC32C"),
        ("MaxOutstandingR2T", "1", "0"),
        ("FirstBurstLength", "65536", "much"),
        ("ErrorRecoveryLevel", "0", "1"),
    ],
)
def test_answer_that_does_not_follow_is_malformed(name: str, offered: str, answered: str) -> None:
    with pytest.raises(Malformed, match=name):
        negotiation.settle(name, offered, answered)


@pytest.mark.parametrize("answered", ["Reject", "Irrelevant", "NotUnderstood"])
def test_refused_key_keeps_its_default(answered: str) -> None:
    assert negotiation.settle("MaxBurstLength", "65536", answered) is None


def test_number_is_settled_in_decimal() -> None:
    assert negotiation.settle("MaxBurstLength", "65536", "0x1000") == "4096"


NEGOTIATED = sorted(name for name in ANSWERS if name in KEYS)


@settings(deadline=None)
@given(st.sampled_from(NEGOTIATED), st.text(max_size=20))
def test_any_offer_gets_an_answer_that_its_originator_accepts(name: str, offered: str) -> None:
    answered = negotiation.answer(name, offered, OURS, discovery=False)
    assert answered is not None
    result = negotiation.settle(name, offered, answered)
    assert result is None or negotiation.legal(KEYS[name], result)


@settings(deadline=None)
@given(st.sampled_from(NEGOTIATED), st.text(max_size=20))
def test_any_answer_is_settled_or_malformed(name: str, answered: str) -> None:
    try:
        negotiation.settle(name, OURS[name], answered)
    except Malformed:
        return


def test_nothing_negotiated_leaves_the_defaults() -> None:
    assert negotiation.agreed({}, 8192, 8192) == Agreed()


def test_first_burst_never_exceeds_the_burst() -> None:
    found = negotiation.agreed({"MaxBurstLength": "4096", "FirstBurstLength": "65536"}, 8192, 8192)
    assert (found.max_burst, found.first_burst) == (4096, 4096)
