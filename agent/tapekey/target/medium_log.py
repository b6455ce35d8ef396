"""The log of one partition on disk: append, cut, read by object number, and make it last.

Never written in place: what is overwritten is first cut off, and the cut is on disk before anything follows it. So
after a kill or a loss of power the file is the old tape, or the new one up to some whole record, and nothing else.
"""

import os
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from tapekey.errors import Malformed, MediumDamaged
from tapekey.target.medium_index import Index
from tapekey.target.medium_record import (
    FIXED,
    LOG_HEADER,
    LONGEST_BLOCK,
    LONGEST_HEADER,
    MAGIC,
    Block,
    Buffer,
    Header,
    Kind,
    checksum,
    decode,
    decode_log_header,
    encode,
    encode_log_header,
    marker,
)
from tapekey.target.medium_scan import scan

_MARKS_AT_ONCE = 4096


def create(path: Path, partition: int) -> None:
    """Make the file of an empty partition; the caller makes the directory last."""
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        os.write(fd, encode_log_header(partition, secrets.token_bytes(16)))
        os.fsync(fd)
    finally:
        os.close(fd)


def _log_id(image: bytes) -> bytes:
    """The id that every record carries: from the log's header or, if that is damaged, from the first record."""
    try:
        return decode_log_header(image[:LOG_HEADER])[1]
    except MediumDamaged:
        first = image[LOG_HEADER:]
        log_id = first[len(MAGIC) : len(marker(bytes(16)))]
        try:
            decode(log_id, LOG_HEADER, first)
        except Malformed:
            raise MediumDamaged("the beginning of the tape log is damaged") from None
        return log_id


@dataclass(slots=True)
class Log:
    """An open log. `end` is the offset of end-of-data; `dirty`, whether anything awaits `sync`."""

    fd: int
    log_id: bytes
    index: Index
    end: int
    epoch: int
    dirty: bool
    torn: bool

    @classmethod
    def open(cls, path: Path, *, writable: bool) -> Self:
        """Open a log and find out what it holds. Nothing is changed on disk by that."""
        fd = os.open(path, os.O_RDWR if writable else os.O_RDONLY)
        try:
            log_id = _log_id(os.pread(fd, LOG_HEADER + LONGEST_HEADER, 0))
            found = scan(fd, log_id)
            torn = os.fstat(fd).st_size != found.end
            dirty = writable and not found.settled
            return cls(fd, log_id, found.index, found.end, found.epoch, dirty, torn)
        except BaseException:
            os.close(fd)
            raise

    def close(self) -> None:
        """Give the file back; what was not synced may be lost."""
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1

    @property
    def objects(self) -> int:
        """How many blocks and filemarks there are."""
        return self.index.objects

    def offset(self, number: int) -> int:
        """Where an object starts, or would start."""
        return self.index.offsets[number] if number < self.objects else self.end

    def header(self, number: int) -> Header:
        """Read the header of an object."""
        if self.index.is_lost(number):
            raise MediumDamaged(f"object {number} is damaged", why="its header does not verify")
        offset = self.index.offsets[number]
        try:
            return decode(self.log_id, offset, os.pread(self.fd, LONGEST_HEADER, offset))
        except Malformed as error:
            raise MediumDamaged(f"object {number} is damaged", why=str(error)) from error

    def read(self, header: Header, buffer: memoryview) -> None:
        """Read a block's stored bytes into a buffer of that size, and verify them."""
        start = header.offset + header.size
        done = 0
        while done < header.stored:
            count = os.preadv(self.fd, [buffer[done : header.stored]], start + done)
            if not count:
                raise MediumDamaged(f"block {header.object_number} is damaged", why="the file ends within it")
            done += count
        if checksum(buffer[: header.stored]) != header.checksum:
            raise MediumDamaged(f"block {header.object_number} is damaged", why="its stored bytes do not verify")

    def append(self, block: Block, stored: Buffer) -> Header:
        """Write a block behind the last object."""
        if not 0 < len(stored) <= LONGEST_BLOCK:
            raise ValueError(f"a block of {len(stored)} stored bytes")
        header = self._next(Kind.BLOCK, stored=len(stored), checksum=checksum(stored), block=block)
        self._write([encode(self.log_id, header), stored], header.size + header.stored)
        self.index.add(header)
        return header

    def append_filemarks(self, count: int) -> None:
        """Write filemarks behind the last object."""
        while count:
            some = min(count, _MARKS_AT_ONCE)
            start, number, files = self.end, self.objects, len(self.index.marks)
            marks = [
                Header(Kind.FILEMARK, start + FIXED * step, number + step, files + step, self.epoch)
                for step in range(some)
            ]
            self._write([b"".join(encode(self.log_id, mark) for mark in marks)], FIXED * some)
            for mark in marks:
                self.index.add(mark)
            count -= some

    def cut(self, number: int) -> None:
        """Make the object `number` and all after it gone, durably."""
        if number >= self.objects and not self.torn:
            return
        end = self.offset(number)
        os.ftruncate(self.fd, end)
        os.fsync(self.fd)
        self.index.cut(number)
        self.end, self.torn = end, False
        self.epoch += 1
        self._checkpoint()

    def sync(self) -> None:
        """Return when everything written is on disk."""
        if self.dirty:
            self._settle()
            if not self.torn:
                self._checkpoint()

    def _settle(self) -> None:
        if self.dirty:
            os.fdatasync(self.fd)
            self.dirty = False

    def _checkpoint(self) -> None:
        """Vouch for all before it; itself it need not last, so no second wait."""
        header = self._next(Kind.CHECKPOINT)
        self._write([encode(self.log_id, header)], header.size)
        self.dirty = False

    def _next(self, kind: Kind, *, stored: int = 0, checksum: int = 0, block: Block | None = None) -> Header:
        files = len(self.index.marks)
        return Header(kind, self.end, self.objects, files, self.epoch, stored, checksum, block)

    def _write(self, parts: list[Buffer], size: int) -> None:
        """Write at the end, wholly or not at all."""
        if self.torn:
            raise ValueError("the torn end must be cut off first")
        try:
            done = os.pwritev(self.fd, parts, self.end)
            if done < size:
                rest = memoryview(b"".join(parts))
                while done < size:
                    done += os.pwrite(self.fd, rest[done:], self.end + done)
        except OSError:
            os.ftruncate(self.fd, self.end)
            raise
        self.end += size
        self.dirty = True
