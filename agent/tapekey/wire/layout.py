"""Rows of a wire structure, and the only code that slices wire bytes by them.

A structure is a frozen dataclass whose fields are declared with `uint`, `sint`, `bits`, `octets`, `text` or
`rest`, and which is closed with `@wire(size=N)`. All numbers are big-endian, as SCSI has them. Reserved bits are
written as zero and ignored when read. `decode` needs at least `size` bytes and raises `Malformed` otherwise.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import MISSING, dataclass, field, fields
from typing import Any, TypeVar

from tapekey.errors import Malformed

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Row:
    """Where a field lies: bytes [offset, offset + size), and of these the bits high..low counted from the end."""

    form: str
    offset: int
    size: int
    high: int
    low: int
    kind: Callable[[Any], Any]
    unkind: Callable[[Any], bytes] = bytes

    def mask(self) -> int:
        return ((1 << (self.high - self.low + 1)) - 1) << self.low


def _row(row: Row, default: Any) -> Any:
    return field(default=default, metadata={"row": row})


def uint(offset: int, size: int, kind: Callable[[Any], Any] = int, *, default: int = 0, high: int | None = None) -> Any:
    """An unsigned number of `size` bytes, or of their lowest bits from `high` down."""
    return _row(Row("uint", offset, size, 8 * size - 1 if high is None else high, 0, kind), kind(default))


def sint(offset: int, size: int, *, default: int = 0) -> Any:
    """A two's complement number of `size` bytes."""
    return _row(Row("sint", offset, size, 8 * size - 1, 0, int), default)


def bits(byte: int, high: int, low: int, kind: Callable[[Any], Any] = int, *, default: int = 0) -> Any:
    """Bits `high` to `low` (7 is the most significant) of one byte."""
    return _row(Row("uint", byte, 1, high, low, kind), kind(default))


def octets(offset: int, size: int, *, default: bytes | None = None) -> Any:
    """`size` bytes as they are."""
    return _row(Row("octets", offset, size, 8 * size - 1, 0, bytes), bytes(size) if default is None else default)


def text(offset: int, size: int, *, default: str = "") -> Any:
    """ASCII, left-aligned, padded with spaces; NUL padding is read too, other bytes become U+FFFD."""
    return _row(Row("text", offset, size, 8 * size - 1, 0, str), default)


def rest(offset: int, kind: Callable[[bytes], Any] = bytes, unkind: Callable[[Any], bytes] = bytes) -> Any:
    """All bytes from `offset`, which must be the structure's size, to the end; a list brings its reader and writer."""
    return _row(Row("rest", offset, 0, 0, 0, kind, unkind), kind(b""))


def wire(*, size: int) -> Callable[[type[T]], type[T]]:
    """Close a structure: refuse rows that overlap, overrun or are missing, at import."""

    def close(cls: type[T]) -> type[T]:
        taken = 0
        for item in fields(cls):  # type: ignore[arg-type]
            row = item.metadata.get("row")
            if row is None or item.default is MISSING:
                raise TypeError(f"{cls.__name__}.{item.name} has no row")
            if row.form == "rest":
                if row.offset != size:
                    raise TypeError(f"{cls.__name__}.{item.name} does not start at the end")
                continue
            if row.offset + row.size > size:
                raise TypeError(f"{cls.__name__}.{item.name} overruns {size} bytes")
            claim = row.mask() << 8 * (size - row.offset - row.size)
            if taken & claim:
                raise TypeError(f"{cls.__name__}.{item.name} overlaps another row")
            taken |= claim
        cls.WIRE_SIZE = size  # type: ignore[attr-defined]
        return cls

    return close


def size_of(structure: type) -> int:
    """The fixed size of a structure in bytes, without its `rest`."""
    return int(structure.WIRE_SIZE)  # type: ignore[attr-defined]


def field_at(structure: type, byte: int, bit: int | None = None) -> str | None:
    """The field that lies at a byte (and bit, 7 being the most significant); None where nothing is declared."""
    for item in fields(structure):
        row: Row = item.metadata["row"]
        place = 8 * (row.offset + row.size - 1 - byte)
        inside = row.form != "rest" and row.offset <= byte < row.offset + row.size
        wanted = 0xFF if bit is None else 1 << bit
        if inside and row.mask() >> place & wanted:
            return item.name
    return None


def place_of(structure: type, name: str) -> tuple[int, int]:
    """The byte in which a field starts, and its most significant bit in that byte."""
    row: Row = next(item for item in fields(structure) if item.name == name).metadata["row"]
    return row.offset + row.size - 1 - row.high // 8, row.high % 8


def decode(structure: type[T], data: bytes | bytearray | memoryview) -> T:
    """Read a structure from the start of `data`; bytes behind it go to `rest`, or are left alone."""
    image = bytes(data)
    size = size_of(structure)
    if len(image) < size:
        raise Malformed(f"{structure.__name__} is cut short", why=f"{len(image)} bytes of {size}")
    return structure(**{item.name: _read(item.metadata["row"], image) for item in fields(structure)})  # type: ignore[arg-type]


def encode(value: object) -> bytes:
    """Write a structure. A value that its row cannot hold is the caller's mistake: ValueError."""
    image = bytearray(size_of(type(value)))
    tail = b""
    for item in fields(value):  # type: ignore[arg-type]
        row: Row = item.metadata["row"]
        content = getattr(value, item.name)
        if row.form == "rest":
            tail = row.unkind(content)
        else:
            _write(row, image, content, f"{type(value).__name__}.{item.name}")
    return bytes(image) + tail


def _read(row: Row, image: bytes) -> Any:
    if row.form == "rest":
        return row.kind(image[row.offset :])
    piece = image[row.offset : row.offset + row.size]
    if row.form == "octets":
        return piece
    if row.form == "text":
        return piece.decode("ascii", "replace").rstrip(" \0")
    number = int.from_bytes(piece, "big", signed=row.form == "sint")
    if row.form == "sint":
        return number
    return row.kind((number & row.mask()) >> row.low)


def _write(row: Row, image: bytearray, content: Any, name: str) -> None:
    where = slice(row.offset, row.offset + row.size)
    if row.form == "octets":
        if len(content) != row.size:
            raise ValueError(f"{name} takes {row.size} bytes, not {len(content)}")
        image[where] = content
    elif row.form == "text":
        if len(content) > row.size or not content.isascii():
            raise ValueError(f"{name} takes {row.size} ASCII characters")
        image[where] = content.encode("ascii").ljust(row.size)
    elif row.form == "sint":
        image[where] = int(content).to_bytes(row.size, "big", signed=True)
    else:
        number = int(content)
        if not 0 <= number <= row.mask() >> row.low:
            raise ValueError(f"{name} cannot hold {number}")
        old = int.from_bytes(image[where], "big")
        image[where] = (old | number << row.low).to_bytes(row.size, "big")


class Reader:
    """Takes bytes from the front and never reads past the end: a length field is believed last.

    `block` lends a reader over the next bytes, which must be used up exactly when it closes.
    """

    def __init__(self, data: bytes | bytearray | memoryview, what: str) -> None:
        self._data = bytes(data)
        self._at = 0
        self._what = what

    @property
    def left(self) -> int:
        """Bytes not yet taken."""
        return len(self._data) - self._at

    def take(self, size: int, name: str) -> bytes:
        """The next `size` bytes; `name` says what they are if they are not there."""
        if size > self.left:
            raise Malformed(f"{self._what} is cut short", why=f"{name} needs {size} bytes, {self.left} are left")
        piece = self._data[self._at : self._at + size]
        self._at += size
        return piece

    def number(self, size: int, name: str) -> int:
        """The next `size` bytes as an unsigned number."""
        return int.from_bytes(self.take(size, name), "big")

    def read(self, structure: type[T], name: str) -> T:
        """The next bytes as a structure without `rest`."""
        return decode(structure, self.take(size_of(structure), name))

    @contextmanager
    def block(self, size: int, name: str) -> Iterator["Reader"]:
        """A reader over the next `size` bytes that must be consumed exactly."""
        inner = Reader(self.take(size, name), f"{name} of {self._what}")
        yield inner
        inner.finish()

    def finish(self) -> None:
        """Refuse bytes that nobody asked for."""
        if self.left:
            raise Malformed(f"{self._what} has {self.left} bytes too many")
