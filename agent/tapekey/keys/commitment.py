"""What may be said of a key in public: the check value that commits to it, and the names derived from it.

Each is an HMAC-SHA256 under the key itself with a label of its own, so none tells anything of the key or of another.
"""

import hmac

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.hmac import HMAC

from tapekey.errors import EnvelopeRefused
from tapekey.keys.data_key import KEY_ID_SIZE, DataKey, KeyId
from tapekey.secret import Secret

CHECK_SIZE = 16


def check_value(key: DataKey) -> bytes:
    """Give the `kcv` that commits to a data key and its id."""
    return _hmac(key.secret, b"tapekey/kcv/1" + key.id.raw)[:CHECK_SIZE]


def confirm(key: DataKey, expected: bytes) -> DataKey:
    """Pass the key on if it is the one that `expected` commits to."""
    if not hmac.compare_digest(check_value(key), expected):
        raise EnvelopeRefused(
            f"the key that came out is not key {key.id}",
            why="its check value differs",
            mend="trust neither this envelope nor where it came from; use another copy",
        )
    return key


def derived_id(secret: Secret) -> KeyId:
    """Name a data key that came without its id: the same name each time, but not the one on record."""
    return KeyId(_hmac(secret, b"tapekey/derived-id/1")[:KEY_ID_SIZE])


def kek_fingerprint(kek: Secret) -> bytes:
    """Name a group KEK in 32 bytes."""
    return _hmac(kek, b"tapekey/kek/1")


def _hmac(key: Secret, message: bytes) -> bytes:
    mac = HMAC(key.reveal(), hashes.SHA256())
    mac.update(message)
    return mac.finalize()
