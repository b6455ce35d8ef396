import json
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519
from hypothesis import given, settings
from hypothesis import strategies as st

from tapekey.errors import Malformed, NotThisKey
from tapekey.keys import identity
from tapekey.keys.identity import Kind
from tapekey.keys.suite import Suite
from tapekey.secret import Secret
from tests.keys.people import KEY, SUITES, person

KINDS = [kind for kind in Kind if kind is not Kind.RSA_3072]  # slow to generate; the vectors have one


@pytest.mark.parametrize("kind", KINDS)
def test_generated_identity_opens_what_its_recipient_wrapped(kind: Kind) -> None:
    private = identity.generate(kind)
    wrapped = private.recipient.wrap(KEY.secret, b"info")
    assert private.open(wrapped, b"info") == KEY.secret


@pytest.mark.parametrize("kind", KINDS)
def test_two_generated_identities_differ(kind: Kind) -> None:
    assert identity.generate(kind).recipient.fingerprint != identity.generate(kind).recipient.fingerprint


@pytest.mark.long
def test_generated_rsa_key_has_3072_bits() -> None:
    private = identity.generate(Kind.RSA_3072)
    wrapped = private.recipient.wrap(KEY.secret, b"")
    assert len(wrapped) == 384
    assert private.open(wrapped, b"") == KEY.secret


@pytest.mark.parametrize("name", SUITES)
def test_suite_and_secret_make_the_same_identity_again(name: str) -> None:
    private = person(name)
    assert identity.of_secret(private.suite, private.secret).recipient == private.recipient


@pytest.mark.parametrize("name", SUITES)
def test_changed_bytes_are_not_this_key(name: str) -> None:
    wrapped = bytearray(person(name).recipient.wrap(KEY.secret, b"info"))
    wrapped[-1] ^= 1
    with pytest.raises(NotThisKey):
        person(name).open(bytes(wrapped), b"info")


@pytest.mark.parametrize("name", ["x25519", "p256", "p384", "mlkem768-x25519", "mlkem1024-p384"])
def test_hpke_binds_its_info(name: str) -> None:
    wrapped = person(name).recipient.wrap(KEY.secret, b"info")
    with pytest.raises(NotThisKey):
        person(name).open(wrapped, b"other")


@settings(max_examples=30, deadline=None)
@given(st.sampled_from(SUITES), st.binary(max_size=200))
def test_any_bytes_are_refused_by_type(name: str, wrapped: bytes) -> None:
    with pytest.raises((NotThisKey, Malformed)):
        person(name).open(wrapped, b"")


@pytest.mark.parametrize("suite", [Suite.AES_KW, Suite.HPKE_MLKEM768_X25519, Suite.HPKE_MLKEM1024_P384])
@pytest.mark.parametrize("size", [31, 33])
def test_raw_secret_has_exactly_32_bytes(suite: Suite, size: int) -> None:
    with pytest.raises(Malformed):
        identity.of_secret(suite, Secret(b"\1" * size))


def test_secret_of_another_kind_than_it_says_is_malformed() -> None:
    with pytest.raises(Malformed):
        identity.of_secret(Suite.HPKE_P256, person("p384").secret)
    with pytest.raises(Malformed):
        identity.of_secret(Suite.RSA_OAEP_SHA256, Secret(b"no key"))


def test_signing_key_is_no_identity() -> None:
    with pytest.raises(Malformed):
        identity.of_private_key(ed25519.Ed25519PrivateKey.generate())


def test_private_key_does_not_show() -> None:
    assert bytes(person("kek").secret.reveal()).hex() not in repr(person("kek"))


WYCHEPROOF = Path(__file__).parents[3] / "shared" / "vectors" / "wycheproof"


@pytest.mark.parametrize("bits", [2048, 3072, 4096])
def test_wycheproof_agrees_on_oaep(bits: int) -> None:
    if not WYCHEPROOF.exists():
        pytest.skip("the Wycheproof vectors are not beside this checkout")
    group = json.loads((WYCHEPROOF / f"rsa_oaep_{bits}_sha256_mgf1sha256_test.json").read_text())["testGroups"][0]
    private = identity.of_secret(Suite.RSA_OAEP_SHA256, Secret(bytes.fromhex(group["privateKeyPkcs8"])))
    seen = {True: 0, False: 0}
    for case in group["tests"]:
        try:
            opened = private.open(bytes.fromhex(case["ct"]), b"") == Secret(bytes.fromhex(case["msg"]))
        except NotThisKey:
            opened = False
        # An envelope's label is empty: what was made with another must not open.
        assert opened is (case["result"] == "valid" and not case["label"]), case["comment"]
        seen[opened] += 1
    assert min(seen.values()) >= 10
