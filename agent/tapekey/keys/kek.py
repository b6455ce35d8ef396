"""A key-encrypting key that is opened once and used often: AES-KW (RFC 3394) and KWP (RFC 5649), one key or many.

With the compiled `tapekey.native` the AES context is kept, and many keys are wrapped step by step in lockstep, one AES
call for all of them; without it `cryptography` gives the same bytes. Keys that are unwrapped arrive in a `Secret`; in
a batch each failure is told by its place, because one damaged key must not hide the others.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

from cryptography.hazmat.primitives import keywrap

from tapekey.errors import Malformed, NotThisKey
from tapekey.secret import Secret

INTEGRITY = 8  # bytes that wrapping adds
LARGEST = 4096  # bytes of one key: a sealed RSA private key is one


@dataclass(frozen=True, slots=True)
class Unwrapped:
    """Keys of equal size, one behind the other; those in `failed` (their places) are zeros."""

    keys: Secret
    failed: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Rewrapped:
    """Wrapped keys of equal size, one behind the other; those in `failed` (their places) are zeros."""

    wrapped: bytearray
    failed: tuple[int, ...]


class Kek(Protocol):
    """What an opened key-encrypting key does. Sizes are bytes; a wrapped key is 8 bytes longer than its key."""

    def wrap(self, key: Secret) -> bytes:
        """Wrap one key of whole 8-byte blocks, 16 bytes at least."""
        ...

    def unwrap(self, wrapped: bytes) -> Secret:
        """Undo `wrap`. NotThisKey: the integrity check failed."""
        ...

    def wrap_padded(self, key: Secret) -> bytes:
        """Wrap one key of any size."""
        ...

    def unwrap_padded(self, wrapped: bytes) -> Secret:
        """Undo `wrap_padded`."""
        ...

    def wrap_all(self, keys: Secret, size: int) -> bytes:
        """Wrap every key of `size` bytes in `keys`."""
        ...

    def unwrap_all(self, wrapped: bytes | bytearray, size: int) -> Unwrapped:
        """Unwrap every piece of `size` bytes in `wrapped`."""
        ...

    def rewrap_all(self, to: "Kek", wrapped: bytes | bytearray, size: int) -> Rewrapped:
        """Unwrap every piece of `size` bytes and wrap it under another key, without showing it in between."""
        ...


@contextmanager
def opened(kek: Secret, *, compiled: bool | None = None) -> Iterator[Kek]:
    """Open a key-encrypting key of 16, 24 or 32 bytes. `compiled` None: the compiled way if it is there."""
    if len(kek) not in (16, 24, 32):
        raise ValueError(f"a key-encrypting key has 16, 24 or 32 bytes, not {len(kek)}")
    native = _native() if compiled is not False else None
    if compiled and native is None:
        raise ValueError("tapekey.native is not built")
    if native is None:
        yield Portable(kek)
        return
    handle = native.lib.keywrap_new(native.ffi.from_buffer(kek.reveal()), len(kek))
    if handle == native.ffi.NULL:
        raise MemoryError
    try:
        yield Compiled(native, handle)
    finally:
        native.lib.keywrap_free(handle)


def _native() -> Any:
    try:
        from tapekey import native
    except ImportError:
        return None
    return native


@dataclass(frozen=True, slots=True)
class Portable:
    """By `cryptography`, one key at a time."""

    kek: Secret

    def wrap(self, key: Secret) -> bytes:
        demand_whole(len(key))
        return keywrap.aes_key_wrap(self.kek.reveal(), key.reveal())

    def unwrap(self, wrapped: bytes) -> Secret:
        demand_wrapped(len(wrapped), 24)
        try:
            return Secret(keywrap.aes_key_unwrap(self.kek.reveal(), wrapped))
        except keywrap.InvalidUnwrap as refused:
            raise refusal() from refused

    def wrap_padded(self, key: Secret) -> bytes:
        return keywrap.aes_key_wrap_with_padding(self.kek.reveal(), key.reveal())

    def unwrap_padded(self, wrapped: bytes) -> Secret:
        demand_wrapped(len(wrapped), 16)
        try:
            return Secret(keywrap.aes_key_unwrap_with_padding(self.kek.reveal(), wrapped))
        except keywrap.InvalidUnwrap as refused:
            raise refusal() from refused

    def wrap_all(self, keys: Secret, size: int) -> bytes:
        demand_whole(size, len(keys))
        view = keys.reveal()
        return b"".join(
            keywrap.aes_key_wrap(self.kek.reveal(), view[at : at + size]) for at in range(0, len(keys), size)
        )

    def unwrap_all(self, wrapped: bytes | bytearray, size: int) -> Unwrapped:
        demand_wrapped(size, 24, len(wrapped))
        keys, failed = bytearray(), []
        for place in range(len(wrapped) // size):
            try:
                keys += keywrap.aes_key_unwrap(self.kek.reveal(), wrapped[place * size : (place + 1) * size])
            except keywrap.InvalidUnwrap:
                keys += bytes(size - INTEGRITY)
                failed.append(place)
        return Unwrapped(Secret.taken_from(keys), tuple(failed))

    def rewrap_all(self, to: Kek, wrapped: bytes | bytearray, size: int) -> Rewrapped:
        opened = self.unwrap_all(wrapped, size)
        with opened.keys as keys:
            made = bytearray(to.wrap_all(keys, size - INTEGRITY))
        for place in opened.failed:
            made[place * size : (place + 1) * size] = bytes(size)
        return Rewrapped(made, opened.failed)


@dataclass(frozen=True, slots=True)
class Compiled:
    """By native/keywrap.c: `handle` keeps OpenSSL's AES contexts."""

    native: Any
    handle: Any

    def wrap(self, key: Secret) -> bytes:
        demand_whole(len(key))
        return self._wrapped(key, len(key), 1, 0)

    def unwrap(self, wrapped: bytes) -> Secret:
        demand_wrapped(len(wrapped), 24)
        return self._one(wrapped, 0)

    def wrap_padded(self, key: Secret) -> bytes:
        if not 1 <= len(key) <= LARGEST:
            raise ValueError(f"a key to be wrapped has 1 to {LARGEST} bytes, not {len(key)}")
        return self._wrapped(key, len(key), 1, 1)

    def unwrap_padded(self, wrapped: bytes) -> Secret:
        demand_wrapped(len(wrapped), 16)
        return self._one(wrapped, 1)

    def wrap_all(self, keys: Secret, size: int) -> bytes:
        demand_whole(size, len(keys))
        return self._wrapped(keys, size, len(keys) // size, 0)

    def unwrap_all(self, wrapped: bytes | bytearray, size: int) -> Unwrapped:
        demand_wrapped(size, 24, len(wrapped))
        keys, bad, _ = self._unwrapped(wrapped, size, 0)
        return Unwrapped(keys, _places(bad))

    def rewrap_all(self, to: Kek, wrapped: bytes | bytearray, size: int) -> Rewrapped:
        demand_wrapped(size, 24, len(wrapped))
        if not isinstance(to, Compiled):
            raise TypeError("both keys are opened the same way")
        ffi, count = self.native.ffi, len(wrapped) // size
        made, bad = bytearray(len(wrapped)), bytearray(count)
        if not self.native.lib.keywrap_rewrap(
            self.handle, to.handle, ffi.from_buffer(wrapped), ffi.from_buffer(made), size, count, ffi.from_buffer(bad)
        ):
            raise _broken()
        return Rewrapped(made, _places(bad))

    def _wrapped(self, keys: Secret, size: int, count: int, padded: int) -> bytes:
        ffi = self.native.ffi
        made = bytearray(count * (-(-size // 8) * 8 + INTEGRITY))
        given = ffi.from_buffer(keys.reveal())
        if not self.native.lib.keywrap_wrap(self.handle, given, ffi.from_buffer(made), size, count, padded):
            raise _broken()
        return bytes(made)

    def _one(self, wrapped: bytes, padded: int) -> Secret:
        keys, bad, sizes = self._unwrapped(wrapped, len(wrapped), padded)
        if bad[0]:
            raise refusal()
        return keys if sizes[0] == len(keys) else Secret(keys.reveal()[: sizes[0]])

    def _unwrapped(self, wrapped: bytes | bytearray, size: int, padded: int) -> tuple[Secret, bytearray, Any]:
        """Straight into the page of a Secret."""
        ffi, count = self.native.ffi, len(wrapped) // size
        bad, sizes = bytearray(count), ffi.new("size_t[]", count)
        keys = Secret(bytes(count * (size - INTEGRITY)))
        with keys.filled() as page:
            done = self.native.lib.keywrap_unwrap(
                self.handle,
                ffi.from_buffer(wrapped),
                ffi.from_buffer(page),
                size,
                count,
                ffi.from_buffer(bad),
                sizes,
                padded,
            )
        if not done:
            raise _broken()
        return keys, bad, sizes


def demand_whole(size: int, total: int | None = None) -> None:
    """A key for RFC 3394 has whole 8-byte blocks; a batch has whole keys."""
    if size < 16 or size % 8 or size > LARGEST or (total is not None and total % size):
        raise ValueError(f"a key to be wrapped has 16 to {LARGEST} bytes in blocks of 8, not {size}")


def demand_wrapped(size: int, least: int, total: int | None = None) -> None:
    """What is to be unwrapped comes from outside: a wrong size is Malformed."""
    if size < least or size % 8 or size > LARGEST + INTEGRITY or (total is not None and total % size):
        raise Malformed("this is not a wrapped key", why=f"{size} bytes are not {least} or more in blocks of 8")


def refusal() -> NotThisKey:
    return NotThisKey("the key-encrypting key does not open this")


def _places(bad: bytearray) -> tuple[int, ...]:
    """Where a batch failed: mostly nowhere, which is found out without looking at each."""
    return tuple(place for place, wrong in enumerate(bad) if wrong) if any(bad) else ()


def _broken() -> MemoryError:
    return MemoryError("libcrypto refused an AES block")
