"""The two hybrid key pairs: a 32-byte seed, the two private keys that it expands to, and the public bytes.

As draft-ietf-hpke-pq-05 has them through draft-irtf-cfrg-concrete-hybrid-kems: SHAKE256 of the seed gives the
64-byte ML-KEM seed, then the traditional private key; public keys are written ML-KEM first.
"""

import hashlib

from cryptography.hazmat.primitives.asymmetric import ec, mlkem, x25519
from cryptography.hazmat.primitives.hpke import (
    MLKEM768X25519PrivateKey,
    MLKEM768X25519PublicKey,
    MLKEM1024P384PrivateKey,
    MLKEM1024P384PublicKey,
)
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tapekey.errors import Malformed
from tapekey.keys.suite import Suite
from tapekey.secret import Secret

SEED_SIZE = 32
_MLKEM_SEED = 64
_MLKEM_PUBLIC = {Suite.HPKE_MLKEM768_X25519: 1184, Suite.HPKE_MLKEM1024_P384: 1568}
PUBLIC_SIZE = {Suite.HPKE_MLKEM768_X25519: 1216, Suite.HPKE_MLKEM1024_P384: 1665}

HybridPrivate = MLKEM768X25519PrivateKey | MLKEM1024P384PrivateKey
HybridPublic = MLKEM768X25519PublicKey | MLKEM1024P384PublicKey


def private_key(suite: Suite, seed: Secret) -> HybridPrivate:
    """Expand a seed to the key pair that opens."""
    if suite is Suite.HPKE_MLKEM768_X25519:
        return MLKEM768X25519PrivateKey(*_expand_768(seed))
    return MLKEM1024P384PrivateKey(*_expand_1024(seed))


def public_bytes(suite: Suite, seed: Secret) -> bytes:
    """Compute the raw public key of a seed."""
    if suite is Suite.HPKE_MLKEM768_X25519:
        lattice, curve = _expand_768(seed)
        return lattice.public_key().public_bytes_raw() + curve.public_key().public_bytes_raw()
    lattice_1024, point = _expand_1024(seed)
    encoded = point.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    return lattice_1024.public_key().public_bytes_raw() + encoded


def public_key(suite: Suite, raw: bytes) -> HybridPublic:
    """Take the two public keys apart."""
    if len(raw) != PUBLIC_SIZE[suite]:
        raise Malformed("this is not a hybrid public key", why=f"it has {len(raw)} bytes, not {PUBLIC_SIZE[suite]}")
    lattice, curve = raw[: _MLKEM_PUBLIC[suite]], raw[_MLKEM_PUBLIC[suite] :]
    try:
        if suite is Suite.HPKE_MLKEM768_X25519:
            return MLKEM768X25519PublicKey(
                mlkem.MLKEM768PublicKey.from_public_bytes(lattice), x25519.X25519PublicKey.from_public_bytes(curve)
            )
        return MLKEM1024P384PublicKey(
            mlkem.MLKEM1024PublicKey.from_public_bytes(lattice),
            ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP384R1(), curve),
        )
    except ValueError as error:
        raise Malformed("this is not a hybrid public key", why=str(error).lower().rstrip(".")) from error


def _expand_768(seed: Secret) -> tuple[mlkem.MLKEM768PrivateKey, x25519.X25519PrivateKey]:
    expanded = hashlib.shake_256(seed.reveal()).digest(_MLKEM_SEED + 32)
    return (
        mlkem.MLKEM768PrivateKey.from_seed_bytes(expanded[:_MLKEM_SEED]),
        x25519.X25519PrivateKey.from_private_bytes(expanded[_MLKEM_SEED:]),
    )


def _expand_1024(seed: Secret) -> tuple[mlkem.MLKEM1024PrivateKey, ec.EllipticCurvePrivateKey]:
    # The draft would try again for a scalar out of range; with 48 bytes none is left, and the odds are 2^-190.
    expanded = hashlib.shake_256(seed.reveal()).digest(_MLKEM_SEED + 48)
    scalar = int.from_bytes(expanded[_MLKEM_SEED:], "big")
    return (
        mlkem.MLKEM1024PrivateKey.from_seed_bytes(expanded[:_MLKEM_SEED]),
        ec.derive_private_key(scalar, ec.SECP384R1()),
    )
