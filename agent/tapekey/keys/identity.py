"""The private half of a recipient: what opens a wrapped data key.

`open` raises NotThisKey when the bytes do not open; whether they should have is for the envelope to judge.
"""

import secrets
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from cryptography.exceptions import InvalidTag, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa, x25519
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_der_private_key

from tapekey.errors import Malformed, NotThisKey
from tapekey.keys import hybrid, keywrap, recipient
from tapekey.keys.recipient import OAEP, KekRecipient, PublicRecipient
from tapekey.keys.suite import HPKE, Suite
from tapekey.secret import Secret

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | x25519.X25519PrivateKey


class Kind(StrEnum):
    """What can be generated, by the name that the command line uses."""

    RSA_3072 = "rsa-3072"
    X25519 = "x25519"
    P256 = "p256"
    P384 = "p384"
    MLKEM768_X25519 = "mlkem768-x25519"
    MLKEM1024_P384 = "mlkem1024-p384"
    KEK = "kek"


HYBRIDS: Final = {
    Kind.MLKEM768_X25519: Suite.HPKE_MLKEM768_X25519,
    Kind.MLKEM1024_P384: Suite.HPKE_MLKEM1024_P384,
}


@dataclass(frozen=True, slots=True)
class Identity:
    """A private key. `secret` is PKCS#8 DER; for a hybrid its 32-byte seed; for a group KEK its 32 bytes."""

    recipient: PublicRecipient | KekRecipient
    secret: Secret = field(compare=False)

    @property
    def suite(self) -> Suite:
        return self.recipient.suite

    def open(self, wrapped: bytes, info: bytes) -> Secret:
        """Decrypt what `recipient.wrap` made with the same `info`."""
        if self.suite is Suite.AES_KW:
            return keywrap.unwrap(self.secret, wrapped)
        try:
            return Secret.taken_from(bytearray(self._decrypt(wrapped, info)))
        except (InvalidTag, ValueError) as refused:
            raise NotThisKey("the private key does not open this") from refused

    def _decrypt(self, wrapped: bytes, info: bytes) -> bytes:
        if self.suite.hybrid:
            return HPKE[self.suite].decrypt(wrapped, hybrid.private_key(self.suite, self.secret), info=info)
        # Checked once, when the identity was made.
        key = load_der_private_key(self.secret.reveal(), None, unsafe_skip_rsa_key_validation=True)
        if isinstance(key, rsa.RSAPrivateKey):
            return key.decrypt(wrapped, OAEP)
        assert isinstance(key, ec.EllipticCurvePrivateKey | x25519.X25519PrivateKey)
        return HPKE[self.suite].decrypt(wrapped, key, info=info)


def generate(kind: Kind) -> Identity:
    """Make a new private key from the system's random source."""
    match kind:
        case Kind.KEK:
            return of_secret(Suite.AES_KW, Secret.taken_from(bytearray(secrets.token_bytes(recipient.KEK_SIZE))))
        case Kind.MLKEM768_X25519 | Kind.MLKEM1024_P384:
            return of_secret(HYBRIDS[kind], Secret.taken_from(bytearray(secrets.token_bytes(hybrid.SEED_SIZE))))
        case Kind.RSA_3072:
            return of_private_key(rsa.generate_private_key(65537, 3072))
        case Kind.X25519:
            return of_private_key(x25519.X25519PrivateKey.generate())
        case Kind.P256:
            return of_private_key(ec.generate_private_key(ec.SECP256R1()))
        case Kind.P384:
            return of_private_key(ec.generate_private_key(ec.SECP384R1()))


def of_private_key(key: object) -> Identity:
    """Make an identity of a private key object, if its kind and strength are allowed."""
    if not isinstance(key, PrivateKey):
        raise Malformed("this kind of private key opens no envelope", why="its public half cannot be a recipient")
    public = recipient.from_public_key(key.public_key())
    return Identity(public, Secret(key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())))


def of_secret(suite: Suite, secret: Secret) -> Identity:
    """Read an identity back from its suite and `secret`."""
    if suite is Suite.AES_KW:
        return Identity(recipient.for_kek(secret), secret)
    if suite.hybrid:
        return _of_seed(suite, secret)
    try:
        found = of_private_key(load_der_private_key(secret.reveal(), None))
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise Malformed("this is not a private key", why="its PKCS#8 form cannot be read") from error
    if found.suite is not suite:
        raise Malformed("this private key is of another kind than it says", why=f"it is for {found.suite.name}")
    return found


def _of_seed(suite: Suite, seed: Secret) -> Identity:
    if len(seed) != hybrid.SEED_SIZE:
        raise Malformed("a hybrid private key is a seed of 32 bytes", why=f"this has {len(seed)}")
    form = bytes([suite]) + hybrid.public_bytes(suite, seed)
    return Identity(recipient.from_public_form(form), seed)
