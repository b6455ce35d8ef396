"""Whoever may open a data key: a public key, or a symmetric group KEK.

A recipient is a value without a name; rules name it. Its fingerprint is SHA-256 of its public form: the DER
SubjectPublicKeyInfo, or for a hybrid (which has none yet) the suite's number and the raw public key. A group KEK has
no public form: its fingerprint is HMAC-SHA256(KEK, "tapekey/kek/1").
"""

import hashlib
from dataclasses import dataclass, field
from typing import Protocol

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, x25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key

from tapekey.errors import Malformed
from tapekey.keys import hybrid, keywrap
from tapekey.keys.commitment import kek_fingerprint
from tapekey.keys.suite import HPKE, Suite
from tapekey.secret import Secret

FINGERPRINT_SIZE = 32
KEK_SIZE = 32
RSA_BITS = range(2048, 8193)
OAEP = padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), None)

PublicKey = rsa.RSAPublicKey | ec.EllipticCurvePublicKey | x25519.X25519PublicKey


class Recipient(Protocol):
    """What an envelope needs of a recipient."""

    @property
    def suite(self) -> Suite: ...

    @property
    def fingerprint(self) -> bytes:
        """32 bytes; envelopes carry the first few as a locator."""
        ...

    def wrap(self, plain: Secret, info: bytes) -> bytes:
        """Encrypt. HPKE binds `info`; OAEP and AES-KW cannot, so their callers put what binds into `plain`."""
        ...


@dataclass(frozen=True, slots=True)
class PublicRecipient:
    """A public key in its public form; made by `from_public_form` and the readers in `recipient_file`."""

    suite: Suite
    public_form: bytes = field(repr=False)
    fingerprint: bytes = field(compare=False)

    def wrap(self, plain: Secret, info: bytes) -> bytes:
        if self.suite.hybrid:
            key = hybrid.public_key(self.suite, self.public_form[1:])
            return HPKE[self.suite].encrypt(plain.reveal(), key, info=info)
        public = load_der_public_key(self.public_form)
        if isinstance(public, rsa.RSAPublicKey):
            # OAEP takes `bytes` only: one copy stays in freed memory.
            return public.encrypt(bytes(plain.reveal()), OAEP)
        assert isinstance(public, ec.EllipticCurvePublicKey | x25519.X25519PublicKey)
        return HPKE[self.suite].encrypt(plain.reveal(), public, info=info)


@dataclass(frozen=True, slots=True)
class KekRecipient:
    """A group KEK: who holds it both wraps and opens."""

    fingerprint: bytes
    kek: Secret = field(compare=False)

    @property
    def suite(self) -> Suite:
        return Suite.AES_KW

    def wrap(self, plain: Secret, info: bytes) -> bytes:
        return keywrap.wrap(self.kek, plain)


@dataclass(frozen=True, slots=True)
class Named:
    """A recipient under the name that rules, tables and messages use."""

    name: str
    recipient: Recipient


def for_kek(kek: Secret) -> KekRecipient:
    """Make a recipient of a group KEK of exactly 32 bytes."""
    if len(kek) != KEK_SIZE:
        raise Malformed("a group KEK has 32 bytes", why=f"this has {len(kek)}")
    return KekRecipient(kek_fingerprint(kek), kek)


def from_public_form(form: bytes) -> PublicRecipient:
    """Read a recipient back from its public form (DER SubjectPublicKeyInfo, or a hybrid's suite and raw key)."""
    if form and form[0] in hybrid.PUBLIC_SIZE:
        suite = Suite(form[0])
        hybrid.public_key(suite, form[1:])
        return PublicRecipient(suite, form, hashlib.sha256(form).digest())
    try:
        key = load_der_public_key(form)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise Malformed("this is not a public key", why=str(error).lower().rstrip(".")) from error
    return from_public_key(key)


def from_public_key(key: object) -> PublicRecipient:
    """Make a recipient of a public key object, if it is of a kind and strength that envelopes allow."""
    suite = suite_of(key)
    assert isinstance(key, rsa.RSAPublicKey | ec.EllipticCurvePublicKey | x25519.X25519PublicKey)
    form = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return PublicRecipient(suite, form, hashlib.sha256(form).digest())


def suite_of(key: object) -> Suite:
    """Tell the suite for a public key, or refuse it."""
    match key:
        case rsa.RSAPublicKey() if key.key_size in RSA_BITS:
            return Suite.RSA_OAEP_SHA256
        case rsa.RSAPublicKey():
            raise Malformed(
                f"an RSA key of {key.key_size} bits cannot be a recipient",
                why="envelopes take 2048 to 8192 bits",
                mend="make one of 3072 bits",
            )
        case x25519.X25519PublicKey():
            return Suite.HPKE_X25519
        case ec.EllipticCurvePublicKey() if isinstance(key.curve, ec.SECP256R1):
            return Suite.HPKE_P256
        case ec.EllipticCurvePublicKey() if isinstance(key.curve, ec.SECP384R1):
            return Suite.HPKE_P384
    raise Malformed(
        "this kind of key cannot be a recipient",
        why="data keys are wrapped for RSA, X25519, P-256, P-384 and the ML-KEM hybrids",
        mend="make a key of one of those kinds",
    )
