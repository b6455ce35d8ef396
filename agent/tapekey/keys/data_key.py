"""The random AES-256 key that a drive encrypts one cartridge with, and its identifier."""

import secrets
from dataclasses import dataclass

from tapekey.errors import Malformed
from tapekey.secret import Secret

DATA_KEY_SIZE = 32
KEY_ID_SIZE = 16


@dataclass(frozen=True, slots=True, order=True)
class KeyId:
    """A random, globally unique name of 16 bytes; printed as 32 hex digits everywhere."""

    raw: bytes

    def __post_init__(self) -> None:
        if len(self.raw) != KEY_ID_SIZE:
            raise Malformed("a key id has 16 bytes", why=f"this has {len(self.raw)}")

    def __str__(self) -> str:
        return self.raw.hex()


@dataclass(frozen=True, slots=True)
class DataKey:
    """A data key with its name; exactly 32 bytes, or it is refused."""

    id: KeyId
    secret: Secret

    def __post_init__(self) -> None:
        if len(self.secret) != DATA_KEY_SIZE:
            raise Malformed("a data key has 32 bytes", why=f"this has {len(self.secret)}")


def new_data_key() -> DataKey:
    """Make a key from the system's random source, the one randomness that nobody may inject."""
    return DataKey(KeyId(secrets.token_bytes(KEY_ID_SIZE)), Secret.taken_from(bytearray(secrets.token_bytes(32))))
