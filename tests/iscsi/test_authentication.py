"""The target's part of CHAP: every step with every set of keys, and every way to fail (RFC 7143, 12.1.3)."""

from collections.abc import Mapping
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tapekey.errors import Malformed
from tapekey.iscsi import chap, text
from tapekey.iscsi.authentication import NEXT, Authentication, Step
from tapekey.iscsi.chap import Algorithm
from tapekey.iscsi.config import Chap, Credential
from tests.iscsi.conversation import scripted

USER, TARGET = Credential("host", b"secret of a host"), Credential("library", b"secret of a library")
ONE_WAY, MUTUAL = Chap((USER,)), Chap((USER, Credential("other", b"secret of another")), TARGET)
SETS = [
    frozenset(names.split())
    for names in (
        "AuthMethod",
        "CHAP_A",
        "CHAP_N CHAP_R",
        "CHAP_N CHAP_R CHAP_I CHAP_C",
        "CHAP_N",
        "CHAP_R",
        "CHAP_N CHAP_R CHAP_I",
        "CHAP_N CHAP_R CHAP_C",
        "CHAP_I CHAP_C",
        "AuthMethod CHAP_A",
        "CHAP_A CHAP_N CHAP_R",
    )
]


def challenged(users: Chap = MUTUAL, offer: str = "8,7,5") -> tuple[Authentication, Mapping[str, str]]:
    found = Authentication(users, scripted())
    found.receive({"AuthMethod": "CHAP,None"})
    return found, dict(found.receive({"CHAP_A": offer}))


def proof(challenge: Mapping[str, str], user: Credential = USER) -> dict[str, str]:
    algorithm = Algorithm(int(challenge["CHAP_A"]))
    asked = text.binary(challenge["CHAP_C"])
    assert asked is not None
    response = chap.respond(algorithm, int(challenge["CHAP_I"]), user.secret, asked)
    return {"CHAP_N": user.name, "CHAP_R": text.of_binary(response)}


def at(step: Step) -> tuple[Authentication, dict[str, str]]:
    """An authentication at a step, with values that would be right in the next."""
    if step is Step.UNASKED:
        return Authentication(MUTUAL, scripted()), {}
    if step is Step.CHOSEN:
        found = Authentication(MUTUAL, scripted())
        found.receive({"AuthMethod": "CHAP"})
        return found, {}
    found, challenge = challenged()
    right = proof(challenge)
    if step is Step.PROVEN:
        found.receive(right)
    return found, right


def named(value: Step | frozenset[str]) -> str:
    return str(value) if isinstance(value, Step) else "+".join(sorted(value)) or "nothing"


@pytest.mark.parametrize(("step", "names"), list(product(Step, SETS)), ids=named)
def test_keys_have_their_step_and_no_other(step: Step, names: frozenset[str]) -> None:
    found, right = at(step)
    values = {
        "AuthMethod": "CHAP",
        "CHAP_A": "5",
        "CHAP_I": "1",
        "CHAP_C": "0x1234",
        "CHAP_N": "host",
        "CHAP_R": "0x00",
    }
    keys = {name: right.get(name, values[name]) for name in names}
    if (step, names) in NEXT:
        found.receive(keys)
        assert found.step is NEXT[step, names]
    else:
        with pytest.raises(Malformed, match="no place"):
            found.receive(keys)
        assert found.step is step


def test_steps_are_the_standards() -> None:
    assert {(step.name, " ".join(sorted(names))): then.name for (step, names), then in NEXT.items()} == {
        ("UNASKED", "AuthMethod"): "CHOSEN",
        ("CHOSEN", "CHAP_A"): "CHALLENGED",
        ("CHALLENGED", "CHAP_N CHAP_R"): "PROVEN",
        ("CHALLENGED", "CHAP_C CHAP_I CHAP_N CHAP_R"): "PROVEN",
    }


@pytest.mark.parametrize("offer", ["5", "7", "8", "5,6,7,8"])
def test_right_response_proves(offer: str) -> None:
    found, challenge = challenged(ONE_WAY, offer)
    assert found.receive(proof(challenge)) == []
    assert found.step is Step.PROVEN


def test_target_proves_itself_when_asked() -> None:
    found, challenge = challenged()
    answers = dict(found.receive({**proof(challenge), "CHAP_I": "9", "CHAP_C": "0xabcdef"}))
    expected = chap.respond(Algorithm.SHA3_256, 9, TARGET.secret, b"\xab\xcd\xef")
    assert answers == {"CHAP_N": "library", "CHAP_R": text.of_binary(expected)}


def test_challenges_are_never_alike() -> None:
    randomness = scripted()
    seen = set()
    for _ in range(20):
        found = Authentication(ONE_WAY, randomness)
        found.receive({"AuthMethod": "CHAP"})
        seen.add(dict(found.receive({"CHAP_A": "5"}))["CHAP_C"])
    assert len(seen) == 20


def fails(found: Authentication, keys: Mapping[str, str], why: str) -> None:
    with pytest.raises(Malformed, match=why) as caught:
        found.receive(keys)
    assert "secret of" not in str(caught.value)
    assert found.step is Step.CHALLENGED


def test_wrong_secret_and_wrong_name_fail_alike() -> None:
    found, challenge = challenged()
    fails(found, proof(challenge, Credential("host", b"another secret..")), "did not prove")
    fails(found, proof(challenge, Credential("nobody", USER.secret)), "did not prove")


def test_response_of_one_user_does_not_prove_another() -> None:
    found, challenge = challenged()
    fails(found, {**proof(challenge), "CHAP_N": "other"}, "did not prove")


@pytest.mark.parametrize("response", ["", "0x", "0x00", "hello", "0x" + "00" * 16, "0x" + "00" * 33])
def test_response_that_is_none_fails(response: str) -> None:
    found, _ = challenged()
    fails(found, {"CHAP_N": "host", "CHAP_R": response}, "did not prove")


def test_our_own_challenge_is_not_answered() -> None:
    found, challenge = challenged()
    fails(found, {**proof(challenge), "CHAP_I": "9", "CHAP_C": challenge["CHAP_C"]}, "own challenge")


@pytest.mark.parametrize(
    ("identifier", "challenge"),
    [("256", "0x12"), ("-1", "0x12"), ("", "0x12"), ("1", ""), ("1", "0x"), ("1", "0x" + "00" * 1025)],
)
def test_peers_challenge_that_is_none_fails(identifier: str, challenge: str) -> None:
    found, ours = challenged()
    fails(found, {**proof(ours), "CHAP_I": identifier, "CHAP_C": challenge}, "not one")


def test_proof_without_a_secret_for_it_fails() -> None:
    found, challenge = challenged(ONE_WAY)
    fails(found, {**proof(challenge), "CHAP_I": "9", "CHAP_C": "0x1234"}, "no secret for")


@pytest.mark.parametrize("method", ["None", "", "KRB5,SRP", "chap"])
def test_peer_that_does_not_offer_chap_fails(method: str) -> None:
    with pytest.raises(Malformed, match="does not offer CHAP"):
        Authentication(ONE_WAY, scripted()).receive({"AuthMethod": method})


def test_algorithm_that_we_do_not_have_fails() -> None:
    found = Authentication(ONE_WAY, scripted())
    found.receive({"AuthMethod": "CHAP"})
    with pytest.raises(Malformed, match="no CHAP algorithm"):
        found.receive({"CHAP_A": "6"})


@settings(deadline=None)
@given(st.sampled_from(list(Step)), st.dictionaries(st.sampled_from(sorted(set().union(*SETS))), st.text(max_size=40)))
def test_any_keys_are_answered_or_malformed(step: Step, keys: dict[str, str]) -> None:
    found, _ = at(step)
    before = found.step
    try:
        found.receive(keys)
    except Malformed:
        assert found.step is before
