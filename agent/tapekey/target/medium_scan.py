"""Finding out what a log holds, after any end: orderly, killed, power lost, or bytes gone bad.

Everything before the last checkpoint had reached the disk when that checkpoint was written: what does not verify
there is damage, and is kept as a lost object. Behind it nothing was promised: the log ends before the first record
that is not whole.
"""

import os
from dataclasses import dataclass, field
from typing import Final

from tapekey.errors import Malformed
from tapekey.target.medium_index import Index
from tapekey.target.medium_record import (
    LOG_HEADER,
    LONGEST_HEADER,
    Header,
    Kind,
    checksum,
    decode,
    marker,
)

_WINDOW: Final = 4096
_STRIDE: Final = 1 << 20


@dataclass(slots=True)
class Found:
    """What a scan found: the objects, where the log ends, and whether the last thing in it is a checkpoint."""

    index: Index = field(default_factory=Index)
    end: int = LOG_HEADER
    epoch: int = 0
    settled: bool = True


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


def scan(fd: int, log_id: bytes) -> Found:
    """Read a log from its start."""
    file = _File(fd, os.fstat(fd).st_size)
    headers = _Walk(file, log_id)
    found = Found()
    waiting: list[Header] = []
    while (header := headers.next()) is not None:
        waiting.append(header)
        if header.kind is Kind.CHECKPOINT:
            _settle(found, waiting)
            waiting.clear()
    for header in waiting:
        if not _continues(found, header) or not _whole(file, header):
            break
        _take(found, header)
        found.settled = False
    return found


def _settle(found: Found, headers: list[Header]) -> None:
    """Take records that a checkpoint vouches for, and what is missing between them as lost."""
    for header in headers:
        missing = header.object_number - found.index.objects
        filemarks = min(missing, header.file_number - len(found.index.marks))
        if missing > 0:
            found.index.add_lost(found.end, missing - filemarks, filemarks)
        _take(found, header)


def _take(found: Found, header: Header) -> None:
    found.index.add(header)
    found.end = header.end
    found.epoch = max(found.epoch, header.epoch)


def _continues(found: Found, header: Header) -> bool:
    return header.offset == found.end and header.object_number == found.index.objects


def _whole(file: _File, header: Header) -> bool:
    left, at, found = header.stored, header.end - header.stored, 0
    while left and (piece := os.pread(file.fd, min(left, _STRIDE), at)):
        found = checksum(piece, found)
        left, at = left - len(piece), at + len(piece)
    return not left and found == header.checksum


@dataclass(slots=True)
class _Walk:
    """The headers of a log in order; over a damaged one it goes on at the next that can follow."""

    file: _File
    log_id: bytes
    offset: int = LOG_HEADER
    number: int = 0
    epoch: int = 0

    def next(self) -> Header | None:
        header = self._fits(self.offset) or self._search()
        if header is None:
            return None
        self.offset = header.end
        self.number = header.object_number + (header.kind is not Kind.CHECKPOINT)
        self.epoch = header.epoch
        return header

    def _fits(self, offset: int) -> Header | None:
        try:
            header = decode(self.log_id, offset, self.file.at(offset))
        except Malformed:
            return None
        fits = header.end <= self.file.size and header.object_number >= self.number and header.epoch >= self.epoch
        return header if fits else None

    def _search(self) -> Header | None:
        sought, at = marker(self.log_id), self.offset + 1
        while at < self.file.size:
            piece = os.pread(self.file.fd, _STRIDE + len(sought), at)
            place = piece.find(sought)
            if place < 0:
                at += _STRIDE
            elif header := self._fits(at + place):
                return header
            else:
                at += place + 1
        return None
