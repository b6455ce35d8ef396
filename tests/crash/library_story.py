"""What happens in a library before it is killed: cartridges are moved, keyed, divided, written and put away."""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from tapekey.target import library
from tapekey.target.library_layout import FIRST_DRIVE, FIRST_MAIL_SLOT, FIRST_SLOT
from tests.crash.library_book import Book, Object, Step, Volume

MARK: Final = b"no eye may see this"
PERSONALITY: Final = "ibm-lto8"
BARCODES: Final = ("ENC001L8", "ENC002L8", "ENC003L8")
CHANGER, ONE, TWO = 0, 1, 2  # LUNs
DRIVES: Final = {ONE: FIRST_DRIVE, TWO: FIRST_DRIVE + 1}
SLOTS: Final = 4
TWO_PARTITIONS: Final = bytes.fromhex("00 00 10 00 11 06 00 01 80 03 00 00")  # mode page 11h, FDP
ALGORITHM: Final = 3  # the index that this drive gives AES-256-GCM


def template(directory: Path) -> None:
    """A library at rest, with three blank cartridges in its slots."""
    library.create(directory, personality=PERSONALITY, drives=2, slots=SLOTS, barcodes=BARCODES, capacity=64 << 20)


def book(seed: int) -> Book:
    """The book of a library as the template has it."""
    volumes = {name: Volume(key_of(seed, name)) for name in BARCODES}
    return Book(volumes, {name: FIRST_SLOT + at for at, name in enumerate(BARCODES)}, dict(DRIVES))


def key_of(seed: int, name: str) -> bytes:
    return hashlib.sha256(f"{seed} {name}".encode()).digest()


def block(seed: int, number: int) -> bytes:
    """Bytes that are like no others and can be found; every third one can be compressed."""
    size = 100_000 if number % 5 == 1 else 300 + 997 * number % 3000
    text = MARK + hashlib.shake_128(f"{seed} {number}".encode()).digest(64)
    return (text * (size // len(text) + 1))[:size] if number % 3 == 0 else text + hashlib.shake_128(text).digest(size)


def steps(seed: int) -> Iterator[Step]:
    """The story, the same for each seed save for what is written."""
    numbers = iter(range(1000))
    first, second, third = (FIRST_SLOT + at for at in range(3))

    def write(lun: int, count: int) -> Iterator[Step]:
        for _ in range(count):
            yield written(lun, block(seed, next(numbers)))

    yield moved((first, DRIVES[ONE]))
    yield keyed(ONE, key_of(seed, BARCODES[0]))
    yield from write(ONE, 3)
    yield marked(ONE)
    yield from write(ONE, 2)
    yield marked(ONE, immediate=True)
    yield from write(ONE, 1)
    yield marked(ONE, 0)
    yield moved((second, DRIVES[TWO]))
    yield Step(
        "mode select", TWO, bytes([0x15, 0x10, 0, 0, 12, 0]), bytes.fromhex("00 00 10 00 11 06 00 01 80 03 00 00")
    )
    yield Step("format", TWO, bytes([0x04, 0, 1, 0, 0, 0]), divides=2, settles=True)
    yield keyed(TWO, key_of(seed, BARCODES[1]))
    yield from write(TWO, 2)
    yield marked(TWO)
    yield located(TWO, 1, 0)
    yield from write(TWO, 2)
    yield marked(TWO, 2)
    yield from write(TWO, 1)
    yield located(ONE, 0, 1)  # and from here on it is overwritten
    yield from write(ONE, 2)
    yield marked(ONE)
    yield from write(ONE, 1)
    yield unloaded(ONE)
    yield moved((DRIVES[ONE], first))
    yield moved((third, DRIVES[ONE]))
    yield keyed(ONE, key_of(seed, BARCODES[2]))
    yield from write(ONE, 2)
    yield located(TWO, 0, -1)
    yield from write(TWO, 2)
    yield marked(TWO)
    yield unloaded(ONE)
    yield moved((first, DRIVES[ONE]), (DRIVES[ONE], third))
    yield moved((DRIVES[TWO], FIRST_MAIL_SLOT))
    yield keyed(ONE, key_of(seed, BARCODES[0]))
    yield located(ONE, 0, -1)
    yield from write(ONE, 2)
    yield marked(ONE)


def written(lun: int, data: bytes) -> Step:
    return Step("write", lun, bytes([0x0A, 0]) + len(data).to_bytes(3, "big") + b"\0", data, puts=(data,))


def marked(lun: int, count: int = 1, *, immediate: bool = False) -> Step:
    marks: tuple[Object, ...] = (None,) * count
    return Step("filemark", lun, bytes([0x10, immediate, 0, 0, count, 0]), puts=marks, settles=not immediate)


def located(lun: int, side: int, at: int) -> Step:
    kind = 0x1A if at < 0 else 0x02  # end-of-data or an object, and the partition
    cdb = bytes([0x92, kind, 0, side]) + max(at, 0).to_bytes(8, "big") + bytes(4)
    return Step("locate", lun, cdb, to=(side, at), settles=True)


def unloaded(lun: int) -> Step:
    return Step("unload", lun, bytes([0x1B, 0, 0, 0, 0, 0]), settles=True)


def moved(*ways: tuple[int, int]) -> Step:
    """MOVE MEDIUM, or EXCHANGE MEDIUM: the first way's destination is vacated by the second."""
    source, destination = ways[0]
    places = b"".join(place.to_bytes(2, "big") for place in (0, source, destination))
    if len(ways) == 1:
        return Step("move", CHANGER, bytes([0xA5, 0]) + places + bytes(4), moves=ways)
    return Step("exchange", CHANGER, bytes([0xA6, 0]) + places + ways[1][1].to_bytes(2, "big") + bytes(2), moves=ways)


def keyed(lun: int, key: bytes) -> Step:
    """Set Data Encryption: encrypt and mixed, for all nexuses."""
    body = bytes([0x40, 0, 2, 3, ALGORITHM]) + bytes(9) + b"\0\x20" + key
    out = bytes([0x00, 0x10]) + len(body).to_bytes(2, "big") + body
    return Step("SPOUT", lun, bytes([0xB5, 0x20, 0, 0x10, 0, 0, 0, 0, 0, len(out), 0, 0]), out)
