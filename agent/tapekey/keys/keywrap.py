"""AES key wrap, RFC 3394 and RFC 5649, for one key at a time: the one place where a symmetric key wraps another.

`NotThisKey` means the integrity check failed: another key-encrypting key may open it. `kek` does the work, and keeps
the key-encrypting key open where many keys are wrapped.
"""

from tapekey.keys import kek as encrypting
from tapekey.secret import Secret


def wrap(kek: Secret, key: Secret) -> bytes:
    """Wrap a key of whole 8-byte blocks, 16 bytes at least (RFC 3394)."""
    with encrypting.opened(kek) as opened:
        return opened.wrap(key)


def unwrap(kek: Secret, wrapped: bytes) -> Secret:
    """Undo `wrap`."""
    with encrypting.opened(kek) as opened:
        return opened.unwrap(wrapped)


def wrap_padded(kek: Secret, key: Secret) -> bytes:
    """Wrap a key of any length, one byte at least (RFC 5649)."""
    with encrypting.opened(kek) as opened:
        return opened.wrap_padded(key)


def unwrap_padded(kek: Secret, wrapped: bytes) -> Secret:
    """Undo `wrap_padded`."""
    with encrypting.opened(kek) as opened:
        return opened.unwrap_padded(wrapped)
