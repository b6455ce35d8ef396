"""The index of a log as a file beside it, so that threading a tape of a million objects need not read each of them.

It is a convenience and no truth: written at unload, not waited for, and used only if its checksum holds, it is of the
log's present epoch, and some objects spread over the tape stand where it says. Otherwise the log is read.
"""

import os
import struct
import sys
from array import array
from contextlib import suppress
from pathlib import Path
from typing import Final

from crc32c import crc32c

from tapekey.target.medium_header import LOG_HEADER, LogHeader
from tapekey.target.medium_index import Index
from tapekey.target.medium_record import LONGEST_HEADER, glance
from tapekey.target.medium_scan import Found

SUFFIX: Final = ".index"
WORTH: Final = 4096  # objects; fewer are found as soon without it
_LOOKED_AT: Final = 64
_MAGIC: Final = b"tapekey tape idx"
_VERSION: Final = 2
# magic, version, log id, epoch, end, objects, filemarks, lost objects, turns; then these, 8 bytes each, and a CRC-32C
_LAYOUT: Final = struct.Struct(">16sH2x16sI4xQQQQQ")
_SUM: Final = struct.Struct(">I")
_ENCRYPTED: Final = 1 << 63  # in a turn: the block and those behind it are encrypted


def save(log: Path, header: LogHeader, index: Index, end: int) -> None:
    """Put the index beside the log; whatever prevents that costs time at the next load and nothing else."""
    turns = array("Q", (number | (_ENCRYPTED if encrypted else 0) for number, encrypted in index.turns))
    parts = [index.offsets, index.marks, array("Q", index.lost), turns]
    head = _LAYOUT.pack(_MAGIC, _VERSION, header.log_id, header.epoch, end, *map(len, parts))
    image = head + b"".join(_swapped(part).tobytes() for part in parts)
    beside = log.with_name(log.name + SUFFIX + ".new")
    with suppress(OSError):
        fd = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(fd, "wb") as file:
            file.write(image + _SUM.pack(crc32c(image)))
        os.rename(beside, log.with_name(log.name + SUFFIX))


def load(log: Path, fd: int, header: LogHeader) -> Found | None:
    """The kept index if it fits the log behind `fd`; it may end before the log does."""
    try:
        image = log.with_name(log.name + SUFFIX).read_bytes()
    except OSError:
        return None
    found = _decode(image, header)
    return found if found is not None and _stands(fd, header, found) else None


def _decode(image: bytes, header: LogHeader) -> Found | None:
    body = memoryview(image)[:-4]
    if len(body) < _LAYOUT.size or _SUM.unpack(image[-4:])[0] != crc32c(body):
        return None
    magic, version, log_id, epoch, end, *counts = _LAYOUT.unpack_from(body)
    known = (magic, version, log_id, epoch) == (_MAGIC, _VERSION, header.log_id, header.epoch)
    if not known or end > header.vouched or len(body) != _LAYOUT.size + 8 * sum(counts):
        return None
    offsets, marks, lost, turns = _parts(body[_LAYOUT.size :], counts)
    index = Index(offsets, marks, list(lost), [(turn & ~_ENCRYPTED, bool(turn & _ENCRYPTED)) for turn in turns])
    return Found(index, end)


def _parts(body: memoryview, counts: list[int]) -> list["array[int]"]:
    parts, at = [], 0
    for count in counts:
        part = array("Q")
        part.frombytes(body[at : at + 8 * count])
        parts.append(_swapped(part))
        at += 8 * count
    return parts


def _swapped(numbers: "array[int]") -> "array[int]":
    if sys.byteorder == "big":
        return numbers
    other = numbers[:]
    other.byteswap()
    return other


def _stands(fd: int, header: LogHeader, found: Found) -> bool:
    """Whether some objects, the last among them, are where the index says."""
    index, end = found.index, LOG_HEADER
    step = max(index.objects // _LOOKED_AT, 1)
    for number in range((index.objects - 1) % step, index.objects, step):
        offset = index.offsets[number]
        if offset >= header.vouched:
            return False
        record = glance(header.log_id, offset, os.pread(fd, LONGEST_HEADER, offset))
        if record is None or not header.belongs(offset, record.end, record.epoch):
            return False
        if (record.object_number, record.file_number) != (number, index.filemarks_before(number)):
            return False
        end = record.end
    return end == found.end
