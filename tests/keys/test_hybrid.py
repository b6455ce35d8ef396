"""The vectors are the working group's, as the `cryptography-vectors` package carries them (HPKE/hpke-pq)."""

import json
from typing import Any

import cryptography_vectors
import pytest

from tapekey.errors import Malformed
from tapekey.keys import hybrid
from tapekey.keys.suite import Suite
from tapekey.secret import Secret

KEM_IDS = {Suite.HPKE_MLKEM768_X25519: 0x647A, Suite.HPKE_MLKEM1024_P384: 0x0051}
SUITES = pytest.mark.parametrize("suite", KEM_IDS, ids=lambda suite: suite.name)


def vectors(suite: Suite) -> list[dict[str, Any]]:
    with cryptography_vectors.open_vector_file("HPKE/hpke-pq-test-vectors.json", "r") as file:
        found = [case for case in json.load(file) if case["kem_id"] == KEM_IDS[suite]]
    assert found
    return found


@SUITES
def test_seed_expands_to_the_drafts_public_key(suite: Suite) -> None:
    for case in vectors(suite):
        seed = Secret(bytes.fromhex(case["skRm"]))
        assert hybrid.public_bytes(suite, seed).hex() == case["pkRm"]


@SUITES
def test_public_key_of_another_length_is_malformed(suite: Suite) -> None:
    raw = hybrid.public_bytes(suite, Secret(bytes(32)))
    for wrong in (raw[:-1], raw + b"\0", b""):
        with pytest.raises(Malformed):
            hybrid.public_key(suite, wrong)


@SUITES
def test_public_key_out_of_range_is_malformed(suite: Suite) -> None:
    with pytest.raises(Malformed):
        hybrid.public_key(suite, b"\xff" * hybrid.PUBLIC_SIZE[suite])
