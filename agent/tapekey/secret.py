"""Key bytes, and nothing else about them.

A `Secret` is the only form in which key material travels through tapekey. It does not print, format, hash,
pickle or compare in variable time; `reveal()` is the one way to the bytes, so that searching for it is the audit.
"""

import hmac
import mmap
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import NoReturn, Self

_KEPT_OUT_OF_CORES = mmap.MADV_DONTDUMP
_references = sys.getrefcount
_UNLENT = 2  # the attribute and the question itself; every lent view adds one


class Secret:
    """Bytes in a private page that is left out of core dumps and wiped when it is dropped.

    `reveal` lends a read-only view: it is valid until `wipe`, even if the secret itself is dropped before. Code that
    turns the view into `bytes` makes a copy that nobody wipes; do that only where an interface takes nothing else.
    """

    __slots__ = ("_page", "_size", "_wiped")

    def __init__(self, value: bytes | bytearray | memoryview) -> None:
        size = len(value)
        self._size = size
        self._wiped = False
        self._page = mmap.mmap(-1, max(size, 1), flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        self._page.madvise(_KEPT_OUT_OF_CORES)
        self._page[:size] = value

    @classmethod
    def taken_from(cls, value: bytearray) -> Self:
        """Move the bytes in: the caller's buffer is zeroed."""
        secret = cls(value)
        value[:] = bytes(len(value))
        return secret

    @classmethod
    def joined(cls, parts: "Iterable[bytes | Secret]") -> Self:
        """Concatenate plain and secret parts into one secret, straight into its page."""
        pieces = [part.reveal() if isinstance(part, Secret) else memoryview(part) for part in parts]
        whole = cls(bytes(sum(map(len, pieces))))
        at = 0
        with whole.filled() as page:
            for piece in pieces:
                page[at : at + len(piece)] = piece
                at += len(piece)
        return whole

    def reveal(self) -> memoryview:
        """Lend the bytes, read-only, until `wipe`."""
        if self._wiped:
            raise ValueError("the secret has been wiped")
        return memoryview(self._page)[: self._size].toreadonly()

    @contextmanager
    def filled(self) -> Iterator[memoryview]:
        """Lend the page for writing, to code that makes a key and would otherwise have to copy it in."""
        with memoryview(self._page)[: self._size] as page:
            yield page

    def wipe(self) -> None:
        """Zero the bytes. Views lent before show zeroes; `reveal` refuses from now on."""
        if self._wiped:
            return
        self._wiped = True
        self._page[: self._size] = bytes(self._size)
        try:  # noqa: SIM105  (no global name is left when the interpreter ends)
            self._page.close()
        except BufferError:  # a lent view is still alive; its bytes are zero by now
            pass

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.wipe()

    def __del__(self) -> None:
        """Wipe, unless a view is still lent: then the page goes back to the kernel, unreadable, when the view does."""
        if hasattr(self, "_page") and _references(self._page) <= _UNLENT:
            self.wipe()

    def __len__(self) -> int:
        return self._size

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(self.reveal(), other.reveal())

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"<secret, {self._size} bytes>"

    def __format__(self, spec: str) -> NoReturn:
        raise TypeError("a secret is not for printing")

    __str__ = __repr__

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret is not for storing")

    def __iter__(self) -> NoReturn:
        raise TypeError("a secret is not a sequence")

    def __bool__(self) -> bool:
        return self._size > 0
