"""How much of an answer is there: what was received, or what the answer announces, whichever is less.

Some drives put the allocation length where the length of the answer belongs (Quantum LTO-7 HH does, in LOG SENSE,
READ ATTRIBUTE and others), so an announced length never extends what arrived. Bytes behind it are nobody's.
"""

from tapekey.errors import Malformed


def behind(data: bytes, header: int, announced: int) -> bytes:
    """The bytes behind a header of `header` bytes whose length field announces `announced` more."""
    return data[header : header + announced]


def fixed(data: bytes, size: int, what: str) -> bytes:
    """Exactly `size` bytes from the front; a longer answer is allowed, since newer revisions may append."""
    if len(data) < size:
        raise Malformed(f"{what} is cut short", why=f"{len(data)} bytes of {size}")
    return data[:size]


def number(value: bytes, what: str) -> int:
    """An unsigned number of as many bytes as there are; none at all is no number."""
    if not value:
        raise Malformed(f"{what} is empty")
    return int.from_bytes(value, "big")
