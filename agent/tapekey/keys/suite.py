"""The ways in which a data key is wrapped for a recipient, by the number that envelopes carry.

Nothing here is invented: RFC 8017 OAEP, RFC 9180 HPKE in base mode, RFC 3394 key wrap. The two hybrids are those of
draft-ietf-hpke-pq-05 (KEM ids 647Ah and 0051h, X-Wing and its P-384 sibling); a later draft that changes a byte gets
a new number here. `docs/formats/envelope.md` holds the same table.
"""

from enum import IntEnum
from typing import Final

from cryptography.hazmat.primitives import hpke


class Suite(IntEnum):
    # fmt: off
    RSA_OAEP_SHA256      = 1
    HPKE_X25519          = 2
    HPKE_P256            = 3
    HPKE_P384            = 4
    HPKE_MLKEM768_X25519 = 5
    HPKE_MLKEM1024_P384  = 6
    AES_KW               = 7
    # fmt: on

    @property
    def hybrid(self) -> bool:
        """Withstands a quantum computer, as far as is known, and a classical one if that is a mistake."""
        return self in (Suite.HPKE_MLKEM768_X25519, Suite.HPKE_MLKEM1024_P384)

    @property
    def classical(self) -> bool:
        """A public-key suite that a quantum computer would open."""
        return self is not Suite.AES_KW and not self.hybrid


# RFC 9180 section 7. SHA-384 goes with the 384-bit curve; the AEAD is AES-256-GCM everywhere.
HPKE: Final[dict[Suite, hpke.Suite]] = {
    suite: hpke.Suite(kem, kdf, hpke.AEAD.AES_256_GCM)
    for suite, kem, kdf in (
        (Suite.HPKE_X25519, hpke.KEM.X25519, hpke.KDF.HKDF_SHA256),
        (Suite.HPKE_P256, hpke.KEM.P256, hpke.KDF.HKDF_SHA256),
        (Suite.HPKE_P384, hpke.KEM.P384, hpke.KDF.HKDF_SHA384),
        (Suite.HPKE_MLKEM768_X25519, hpke.KEM.MLKEM768_X25519, hpke.KDF.HKDF_SHA256),
        (Suite.HPKE_MLKEM1024_P384, hpke.KEM.MLKEM1024_P384, hpke.KDF.HKDF_SHA384),
    )
}

# fmt: off
# Bytes of a wrapped data key in the full envelope; RSA's is the size of its modulus.
WRAPPED_SIZE: Final[dict[Suite, range]] = {
    Suite.RSA_OAEP_SHA256:      range(256, 1025),
    Suite.HPKE_X25519:          range(80, 81),
    Suite.HPKE_P256:            range(113, 114),
    Suite.HPKE_P384:            range(145, 146),
    Suite.HPKE_MLKEM768_X25519: range(1168, 1169),
    Suite.HPKE_MLKEM1024_P384:  range(1713, 1714),
    Suite.AES_KW:               range(72, 73),
}
# fmt: on
