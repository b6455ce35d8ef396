"""Finding out what a log holds, after any end: orderly, killed, power lost, or bytes gone bad.

Everything that the log's header vouches for had reached the disk when that was written: what does not verify there is
damage, and is kept as a lost object. Behind it nothing was promised: the log ends before the first record that is not
whole. Records of another epoch than their place has are remains of an overwritten tape and are never taken.
"""

import os
from dataclasses import dataclass
from typing import Final

from tapekey.target.medium_header import LOG_HEADER, LogHeader
from tapekey.target.medium_index import Index
from tapekey.target.medium_record import LONGEST_HEADER, Glance, checksum, glance, marker

_WINDOW: Final = 2048
_STRIDE: Final = 1 << 20


@dataclass(slots=True)
class Found:
    """What a scan found: the objects, and where the log ends."""

    index: Index
    end: int = LOG_HEADER


@dataclass(slots=True)
class _File:
    """A file's bytes through a window, so that small records do not cost a system call each."""

    fd: int
    size: int
    start: int = 0
    held: bytes = b""

    def at(self, offset: int) -> bytes:
        if not self.start <= offset or offset + LONGEST_HEADER > self.start + len(self.held):
            self.start, self.held = offset, os.pread(self.fd, _WINDOW, offset)
        return self.held[offset - self.start : offset - self.start + LONGEST_HEADER]


def scan(fd: int, header: LogHeader, known: Found | None = None) -> Found:
    """Read a log, from its start or from where a kept index ends."""
    found = known or Found(Index())
    file = _File(fd, os.fstat(fd).st_size)
    _vouched(found, file, header)
    while (
        (record := _record(file, header, found.end, file.size)) and _continues(found, record) and _whole(file, record)
    ):
        _take(found, found.end, record)
    return found


def _vouched(found: Found, file: _File, header: LogHeader) -> None:
    """Take what the header vouches for; what is missing of it is lost."""
    limit = min(header.vouched, file.size)
    while found.end < limit:
        offset = found.end
        record = _record(file, header, offset, limit)
        if record is None or not _follows(found, record, header):
            offset, record = _search(file, header, found, limit)
            if record is None:
                break
        _lose(found, record.object_number, record.file_number)
        _take(found, offset, record)
    _lose(found, header.objects, header.filemarks)
    found.end = max(found.end, header.vouched)


def _take(found: Found, offset: int, record: Glance) -> None:
    found.index.add(offset, filemark=record.filemark, encrypted=record.encrypted)
    found.end = record.end


def _lose(found: Found, objects: int, filemarks: int) -> None:
    """Count what is missing before an object of that number, before which lie so many filemarks."""
    missing = objects - found.index.objects
    marks = max(min(missing, filemarks - len(found.index.marks)), 0)
    if missing > 0:
        found.index.add_lost(found.end, missing - marks, marks)


def _follows(found: Found, record: Glance, header: LogHeader) -> bool:
    return found.index.objects <= record.object_number < header.objects


def _continues(found: Found, record: Glance) -> bool:
    return record.object_number == found.index.objects and record.file_number == len(found.index.marks)


def _record(file: _File, header: LogHeader, offset: int, limit: int) -> Glance | None:
    record = glance(header.log_id, offset, file.at(offset))
    if record is None or record.end > limit or not header.belongs(offset, record.end, record.epoch):
        return None
    return record


def _search(file: _File, header: LogHeader, found: Found, limit: int) -> tuple[int, Glance | None]:
    """The next record behind a damaged one, and where it is."""
    sought, at = marker(header.log_id), found.end + 1
    while at < limit:
        piece = os.pread(file.fd, _STRIDE + len(sought), at)
        place = piece.find(sought)
        if place < 0:
            at += _STRIDE
            continue
        record = _record(file, header, at + place, limit)
        if record is not None and _follows(found, record, header):
            return at + place, record
        at += place + 1
    return limit, None


def _whole(file: _File, record: Glance) -> bool:
    at, found = record.start, 0
    while at < record.end and (piece := os.pread(file.fd, min(record.end - at, _STRIDE), at)):
        found = checksum(piece, found)
        at += len(piece)
    return at == record.end and found == record.checksum
