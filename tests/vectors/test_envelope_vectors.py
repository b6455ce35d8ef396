"""The package agrees with every published envelope vector. They are frozen: a version of the format has one set."""

import hashlib
import json

import pytest

from tapekey.errors import EnvelopeRefused, KeyUnavailable, Malformed, NotThisKey
from tapekey.keys import brief, envelope
from tapekey.keys.data_key import DataKey
from tests.keys.people import person
from tests.vectors.envelope_cases import VECTORS, Case, cases

CASES = cases()
FROZEN = {
    "keys.json": "f462a0b9086efd0ce5ad1c963542970e9e10580cb26d48a3ad006bd0540027bc",
    "full.json": "f6613e1be2d4ee39d857397f8153d44f94e536b1b843534a3b694eb3e79627fe",
    "brief.json": "8cef42f853edda643badf9c63a88946d94ae6d78d86671eff66a422a0a27ca66",
}


def opened(case: Case) -> DataKey:
    if case.serial is None:
        return brief.open_brief(brief.read_brief(case.data), person(case.key))
    return envelope.open_envelope(envelope.read(case.data), person(case.key), case.serial)


def outcome(case: Case) -> str:
    try:
        key = opened(case)
    except (NotThisKey, EnvelopeRefused, Malformed, KeyUnavailable) as error:
        return type(error).__name__
    return f"{key.id} {key.secret.reveal().hex()}"


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_package_agrees_with_the_vector(case: Case) -> None:
    assert outcome(case) == case.outcome


def test_signed_vector_verifies() -> None:
    signer = json.loads((VECTORS / "keys.json").read_text())["signer"]
    signed = envelope.read(CASES["full: signed, within 469 bytes"].data)
    envelope.verify_signature(signed, bytes.fromhex(signer["public"]))


@pytest.mark.parametrize("name", FROZEN)
def test_vectors_are_frozen(name: str) -> None:
    assert hashlib.sha256((VECTORS / name).read_bytes()).hexdigest() == FROZEN[name]


def test_vectors_cover_every_outcome() -> None:
    assert {case.error for case in CASES.values()} == {
        None,
        "NotThisKey",
        "EnvelopeRefused",
        "Malformed",
        "KeyUnavailable",
    }
