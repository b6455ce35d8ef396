"""AES key wrap, RFC 3394 and RFC 5649: the one place where a symmetric key wraps another.

`NotThisKey` means the integrity check failed: another key-encrypting key may open it.
"""

from cryptography.hazmat.primitives import keywrap

from tapekey.errors import Malformed, NotThisKey
from tapekey.secret import Secret


def wrap(kek: Secret, key: Secret) -> bytes:
    """Wrap a key of whole 8-byte blocks, 16 bytes at least (RFC 3394)."""
    return keywrap.aes_key_wrap(kek.reveal(), key.reveal())


def unwrap(kek: Secret, wrapped: bytes) -> Secret:
    """Undo `wrap`."""
    if len(wrapped) < 24 or len(wrapped) % 8:
        raise Malformed("this is not a wrapped key", why=f"{len(wrapped)} bytes are not 24 or more in blocks of 8")
    try:
        return Secret(keywrap.aes_key_unwrap(kek.reveal(), wrapped))
    except keywrap.InvalidUnwrap as refused:
        raise NotThisKey("the key-encrypting key does not open this") from refused


def wrap_padded(kek: Secret, key: Secret) -> bytes:
    """Wrap a key of any length, one byte at least (RFC 5649)."""
    return keywrap.aes_key_wrap_with_padding(kek.reveal(), key.reveal())


def unwrap_padded(kek: Secret, wrapped: bytes) -> Secret:
    """Undo `wrap_padded`."""
    if len(wrapped) < 16 or len(wrapped) % 8:
        raise Malformed("this is not a wrapped key", why=f"{len(wrapped)} bytes are not 16 or more in blocks of 8")
    try:
        return Secret(keywrap.aes_key_unwrap_with_padding(kek.reveal(), wrapped))
    except keywrap.InvalidUnwrap as refused:
        raise NotThisKey("the key-encrypting key does not open this") from refused
