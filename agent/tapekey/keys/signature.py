"""The manager's Ed25519 signature over an envelope: says who made it, which encryption to a public key does not."""

import hashlib
import secrets
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from tapekey.errors import EnvelopeRefused, Malformed, NotThisKey
from tapekey.secret import Secret

SEED_SIZE = 32
SIGNER_ID_SIZE = 8
VALUE_SIZE = 64
SIZE = SIGNER_ID_SIZE + VALUE_SIZE
_LABEL = b"tapekey/sig/1"


@dataclass(frozen=True, slots=True)
class Signature:
    signer_id: bytes  # first 8 bytes of SHA-256 of the raw public key: a locator
    value: bytes


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A manager's signing key, by its 32-byte seed."""

    public: bytes  # raw, 32 bytes
    seed: Secret = field(compare=False)

    def sign(self, message: bytes) -> Signature:
        key = Ed25519PrivateKey.from_private_bytes(self.seed.reveal())
        return Signature(signer_id(self.public), key.sign(_LABEL + message))


def generate() -> SigningKey:
    """Make a new signing key."""
    return of_seed(Secret.taken_from(bytearray(secrets.token_bytes(SEED_SIZE))))


def of_seed(seed: Secret) -> SigningKey:
    """Read a signing key back from its seed."""
    if len(seed) != SEED_SIZE:
        raise Malformed("a signing key is a seed of 32 bytes", why=f"this has {len(seed)}")
    return SigningKey(Ed25519PrivateKey.from_private_bytes(seed.reveal()).public_key().public_bytes_raw(), seed)


def signer_id(public: bytes) -> bytes:
    """Name a signer by its raw public key."""
    return hashlib.sha256(public).digest()[:SIGNER_ID_SIZE]


def verify(signature: Signature | None, message: bytes, public: bytes) -> None:
    """Return if this signer signed it. NotThisKey: somebody else did, or nobody."""
    if signature is None or signature.signer_id != signer_id(public):
        raise NotThisKey("the envelope is not signed by this manager")
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature.value, _LABEL + message)
    except (InvalidSignature, ValueError) as forged:
        raise EnvelopeRefused(
            "the envelope's signature is false",
            why="it names this manager, but the manager did not sign these bytes",
            mend="trust neither the envelope nor where it came from",
        ) from forged
