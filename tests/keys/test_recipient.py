import contextlib
import hashlib

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from hypothesis import given
from hypothesis import strategies as st

from tapekey.errors import Malformed
from tapekey.keys import recipient
from tapekey.keys.recipient import PublicRecipient
from tapekey.keys.suite import Suite
from tapekey.secret import Secret
from tests.keys.people import SUITES, entry, person

SIZES = {
    "rsa-3072": 384,
    "x25519": 80,
    "p256": 113,
    "p384": 145,
    "mlkem768-x25519": 1168,
    "mlkem1024-p384": 1713,
}


@pytest.mark.parametrize(("name", "size"), SIZES.items(), ids=SIZES)
def test_wrapped_data_key_has_the_size_that_the_design_counts_on(name: str, size: int) -> None:
    assert len(person(name).recipient.wrap(Secret(bytes(32)), b"info")) == size


@pytest.mark.parametrize("name", SUITES)
def test_fingerprint_is_the_published_one(name: str) -> None:
    assert person(name).recipient.fingerprint.hex() == entry(name)["fingerprint"]


@pytest.mark.parametrize("name", SIZES)
def test_public_form_reads_back_and_is_what_the_fingerprint_hashes(name: str) -> None:
    public = person(name).recipient
    assert isinstance(public, PublicRecipient)
    assert recipient.from_public_form(public.public_form) == public
    assert hashlib.sha256(public.public_form).digest() == public.fingerprint


def test_wrapping_twice_gives_different_bytes() -> None:
    for name in SIZES:
        wrap = person(name).recipient.wrap
        assert wrap(Secret(bytes(32)), b"") != wrap(Secret(bytes(32)), b"")


@pytest.mark.parametrize("bits", [1024, 1536])
def test_short_rsa_key_is_refused(bits: int) -> None:
    numbers = rsa.RSAPublicNumbers(65537, (1 << bits) - 1)
    with pytest.raises(Malformed, match=f"{bits} bits"):
        recipient.from_public_key(numbers.public_key())


def test_overlong_rsa_key_is_refused() -> None:
    numbers = rsa.RSAPublicNumbers(65537, (1 << 8200) - 1)
    with pytest.raises(Malformed, match="8200 bits"):
        recipient.from_public_key(numbers.public_key())


@pytest.mark.parametrize(
    "key",
    [ed25519.Ed25519PrivateKey.generate().public_key(), ec.generate_private_key(ec.SECP521R1()).public_key(), "text"],
    ids=["ed25519", "p521", "no key"],
)
def test_key_of_another_kind_is_refused(key: object) -> None:
    with pytest.raises(Malformed):
        recipient.from_public_key(key)


@pytest.mark.parametrize("size", [0, 16, 31, 33])
def test_kek_has_exactly_32_bytes(size: int) -> None:
    with pytest.raises(Malformed):
        recipient.for_kek(Secret(bytes(size)))


def test_kek_does_not_show() -> None:
    kek = recipient.for_kek(Secret(b"K" * 32))
    assert "KKKK" not in repr(kek)
    assert kek.suite is Suite.AES_KW


@given(st.binary(max_size=400))
def test_any_bytes_are_a_recipient_or_malformed(form: bytes) -> None:
    with pytest.raises(Malformed):
        recipient.from_public_form(form)


@given(st.sampled_from(list(SIZES)), st.integers(0, 2000), st.integers(1, 255))
def test_changed_public_form_is_another_recipient_or_malformed(name: str, at: int, change: int) -> None:
    public = person(name).recipient
    assert isinstance(public, PublicRecipient)
    form = bytearray(public.public_form)
    form[at % len(form)] ^= change
    with contextlib.suppress(Malformed):
        assert recipient.from_public_form(bytes(form)) != public
