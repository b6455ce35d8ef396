"""Rows of a wire structure, and the only code that slices wire bytes by them.

A structure is a frozen dataclass whose fields are declared with `uint`, `sint`, `bits`, `octets`, `text` or
`rest`, and which is closed with `@wire(size=N)`. All numbers are big-endian, as SCSI has them. Reserved bits are
written as zero and ignored when read. `decode` needs at least `size` bytes and raises `Malformed` otherwise.
"""

from collections.abc import Callable, Container, Iterator
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
        cls.WIRE_READERS = tuple(_reader(item.metadata["row"]) for item in fields(cls))  # type: ignore[arg-type, attr-defined]
        cls.WIRE_WRITERS = tuple(_writer(cls.__name__, item.name, item.metadata["row"], size) for item in fields(cls))  # type: ignore[arg-type, attr-defined]
        return cls

    return close


def size_of(structure: type) -> int:
    """The fixed size of a structure in bytes, without its `rest`."""
    return int(structure.WIRE_SIZE)  # type: ignore[attr-defined]


def mask_of(structure: type, without: Container[str] = ()) -> bytes:
    """Ones where the structure has a field, save those of the given names; zeroes where it is reserved."""
    size, mask = size_of(structure), 0
    for item in fields(structure):
        row: Row = item.metadata["row"]
        if row.form != "rest" and item.name not in without:
            mask |= row.mask() << 8 * (size - row.offset - row.size)
    return mask.to_bytes(size, "big")


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
    return structure(*[read(image) for read in structure.WIRE_READERS])  # type: ignore[attr-defined]


def encode(value: object) -> bytes:
    """Write a structure. A value that its row cannot hold is the caller's mistake: ValueError."""
    image, tail = 0, b""
    for name, write in value.WIRE_WRITERS:  # type: ignore[attr-defined]
        written = write(getattr(value, name))
        if isinstance(written, int):
            image |= written
        else:
            tail = written
    return image.to_bytes(size_of(type(value)), "big") + tail


def _reader(row: Row) -> Callable[[bytes], Any]:
    """What reads a row: chosen once, since every command is decoded by these."""
    start, end, kind, low, mask = row.offset, row.offset + row.size, row.kind, row.low, row.mask()
    if row.form == "rest":
        return lambda image: kind(image[start:])
    if row.form == "octets":
        return lambda image: image[start:end]
    if row.form == "text":
        return lambda image: image[start:end].decode("ascii", "replace").rstrip(" \0")
    if row.form == "sint":
        return lambda image: int.from_bytes(image[start:end], "big", signed=True)
    if row.size == 1:
        return lambda image: kind((image[start] & mask) >> low)
    return lambda image: kind((int.from_bytes(image[start:end], "big") & mask) >> low)


def _writer(owner: str, field_name: str, row: Row, size: int) -> tuple[str, Callable[[Any], int | bytes]]:
    """What writes a row: its bits in their place in a number of the structure's size, or the bytes of a `rest`."""
    name, place = f"{owner}.{field_name}", 8 * (size - row.offset - row.size)
    width, low, most = row.size, row.low + place, row.mask() >> row.low

    def number(content: Any) -> int:
        if not 0 <= (value := int(content)) <= most:
            raise ValueError(f"{name} cannot hold {value}")
        return value << low

    def signed(content: Any) -> int:
        return int.from_bytes(int(content).to_bytes(width, "big", signed=True), "big") << place

    def octets(content: Any) -> int:
        if len(content) != width:
            raise ValueError(f"{name} takes {width} bytes, not {len(content)}")
        return int.from_bytes(content, "big") << place

    def text(content: Any) -> int:
        if len(content) > width or not content.isascii():
            raise ValueError(f"{name} takes {width} ASCII characters")
        return int.from_bytes(content.encode("ascii").ljust(width), "big") << place

    writers: dict[str, Callable[[Any], int | bytes]] = {
        "uint": number,
        "sint": signed,
        "octets": octets,
        "text": text,
        "rest": row.unkind,
    }
    return field_name, writers[row.form]


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
