"""The log of one partition on disk: append, cut, read by object number, and make it last.

What is overwritten is first given up: the header says, durably, that a new epoch begins there, and only then do new
records take the place of the old ones. So after a kill or a loss of power the file is the old tape, or the new one up
to some whole record, and nothing else. The room of what was overwritten stays the file's until the tape is unloaded:
writing into pages that the system has already costs a third of what new ones do.
"""

import os
import secrets
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Self

from tapekey.errors import Malformed, MediumDamaged
from tapekey.target import medium_header, medium_index_file
from tapekey.target.medium_header import LOG_HEADER, LogHeader
from tapekey.target.medium_index import Index
from tapekey.target.medium_mould import Mould
from tapekey.target.medium_record import (
    FIXED,
    LONGEST_BLOCK,
    LONGEST_HEADER,
    Block,
    Buffer,
    Header,
    Kind,
    checksum,
    decode,
    image,
)
from tapekey.target.medium_scan import scan

_MARKS_AT_ONCE: Final = 4096
# Bytes of an overwritten tape that stay allocated: more would hardly be in memory still, and is given back.
KEPT: Final = 2 << 30
# A tape that has grown to this asks for room ahead, a quarter of itself at a time and at most so much: a write into
# blocks that are allocated already is cheaper by a fifth (256 KiB on ext4: 57 us of processor, else 73).
_GROWN: Final = 16 << 20
_AHEAD: Final = 64 << 20


def create(path: Path, partition: int) -> None:
    """Make the file of an empty partition; the caller makes the directory last."""
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        os.write(fd, medium_header.copies(LogHeader(partition, secrets.token_bytes(16))))
        os.fsync(fd)
    finally:
        os.close(fd)


@dataclass(slots=True)
class Log:
    """An open log.

    end     the offset of end-of-data; `size`, of the file's end: what lies between is nothing
    dirty   something awaits `sync`
    torn    there may be whole records of this epoch behind the end: it must be cut before anything is appended
    flying  the copy of the header that was written last may not have reached the disk
    """

    path: Path
    fd: int
    header: LogHeader
    index: Index
    end: int
    size: int
    dirty: bool
    torn: bool
    flying: bool = True

    @classmethod
    def open(cls, path: Path, *, writable: bool) -> Self:
        """Open a log and find out what it holds. Nothing is changed on disk by that."""
        fd = os.open(path, os.O_RDWR if writable else os.O_RDONLY)
        try:
            header = medium_header.latest(os.pread(fd, LOG_HEADER, 0))
            found = scan(fd, header, medium_index_file.load(path, fd, header))
            size = os.fstat(fd).st_size
            dirty = writable and found.end != header.vouched
            return cls(path, fd, header, found.index, found.end, size, dirty, torn=size != found.end)
        except BaseException:
            os.close(fd)
            raise

    def close(self) -> None:
        """Give the file back; what was not synced may be lost."""
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1

    def settle(self) -> None:
        """Sync, give back the room behind the end, and keep the index: the next opening is quick."""
        self.sync()
        if not self.torn:
            self._trim(0)
        if self.objects >= medium_index_file.WORTH:
            medium_index_file.save(self.path, self.header, self.index, self.end)

    @property
    def objects(self) -> int:
        """How many blocks and filemarks there are."""
        return len(self.index.offsets)

    def offset(self, number: int) -> int:
        """Where an object starts, or would start."""
        return self.index.offsets[number] if number < len(self.index.offsets) else self.end

    def read_header(self, number: int) -> Header:
        """Read the header of an object."""
        if self.index.is_lost(number):
            raise MediumDamaged(f"object {number} is damaged", why="its header does not verify")
        offset = self.index.offsets[number]
        try:
            header = decode(self.header.log_id, offset, os.pread(self.fd, LONGEST_HEADER, offset))
        except (Malformed, OverflowError) as error:
            raise MediumDamaged(f"object {number} is damaged", why=str(error)) from error
        if header.object_number != number:
            raise MediumDamaged(f"object {number} is damaged", why="another stands in its place")
        return header

    def read(self, header: Header, buffer: memoryview) -> None:
        """Read a block's stored bytes into a buffer of that size, and verify them."""
        start, size, done = header.offset + header.size, header.stored, 0
        while done < size:
            count = os.preadv(self.fd, [buffer[done:size] if done else buffer], start + done)
            if not count:
                raise MediumDamaged(f"block {header.object_number} is damaged", why="the file ends within it")
            done += count
        if checksum(buffer) != header.checksum:
            raise MediumDamaged(f"block {header.object_number} is damaged", why="its stored bytes do not verify")

    def span(self, number: int) -> int:
        """How many bytes there are from the start of an object to that of the next: its record, if it is whole."""
        return self.offset(number + 1) - self.index.offsets[number]

    def read_whole(self, number: int, whole: memoryview) -> tuple[Header, memoryview]:
        """Read a block with its header at once, into a buffer as long as its span, and verify both.

        MediumDamaged also for what is no block: this is for who hopes for one.
        """
        offset = self.index.offsets[number]
        if self.index.is_lost(number):
            raise MediumDamaged(f"object {number} is damaged")
        try:
            header = decode(self.header.log_id, offset, whole[: os.preadv(self.fd, [whole], offset)])
        except Malformed as error:
            raise MediumDamaged(f"object {number} is damaged", why=str(error)) from error
        stored = whole[header.size : header.size + header.stored]
        there = header.block is not None and header.object_number == number and len(stored) == header.stored
        if not there or checksum(stored) != header.checksum:
            raise MediumDamaged(f"block {number} is damaged, or none")
        return header, stored

    def read_like(self, number: int, mould: Mould) -> bool:
        """Read a whole record into a mould; False if it is another or damaged, or cannot be read: say why elsewhere."""
        offset, record = self.index.offsets[number], mould.record
        try:
            return os.preadv(self.fd, [record], offset) == len(record) and mould.holds(offset, number)
        except OSError:
            return False

    def append(self, block: Block, stored: Buffer) -> None:
        """Write a block behind the last object."""
        size = len(stored)
        if not 0 < size <= LONGEST_BLOCK:
            raise ValueError(f"a block of {size} stored bytes")
        index, end, header = self.index, self.end, self.header
        place = (end, len(index.offsets), len(index.marks), header.epoch)
        head = image(header.log_id, place, Kind.BLOCK, block, size, checksum(stored))
        self._write([head, stored], len(head) + size)
        index.add(end, filemark=False, encrypted=block.seal is not None)

    def append_stored(self, mould: Mould) -> None:
        """The same of a block whose IV and stored bytes lie in a mould."""
        index, end, record = self.index, self.end, mould.record
        mould.stamp((end, len(index.offsets), len(index.marks), self.header.epoch))
        self._write([record], len(record))
        index.add(end, filemark=False, encrypted=mould.encrypted)

    def append_filemarks(self, count: int) -> None:
        """Write filemarks behind the last object."""
        while count:
            some = min(count, _MARKS_AT_ONCE)
            start, number, files = self.end, self.objects, len(self.index.marks)
            places = [(start + FIXED * step, number + step, files + step, self.header.epoch) for step in range(some)]
            marks = b"".join(image(self.header.log_id, place, Kind.FILEMARK, None) for place in places)
            self._write([marks], FIXED * some)
            for place in places:
                self.index.add(place[0], filemark=True)
            count -= some

    def cut(self, number: int, *, keep: int = KEPT) -> None:
        """Make the object `number` and all after it gone, durably; up to `keep` bytes of room stay the file's."""
        if number >= self.objects and not self.torn:
            return
        end, files = self.offset(number), self.index.filemarks_before(number)
        if self.dirty:  # else the new epoch might reach the disk before what it keeps, over which an older tape stands
            os.fdatasync(self.fd)
            self.flying = self.dirty = False
        self.torn = True  # until the new epoch is on disk, and if that fails, for good
        self._head(replace(self.header, epoch=self.header.epoch + 1, cut=end).vouching(end, number, files))
        os.fdatasync(self.fd)
        self.flying = False
        self.index.cut(number)
        self.end, self.torn = end, False
        self._head(self.header)
        self._trim(keep)

    def sync(self) -> None:
        """Return when everything written is on disk. The header's word for it need not last and is not waited for."""
        if self.dirty:
            os.fdatasync(self.fd)
            self.flying = self.dirty = False
            if not self.torn:
                self._head(self.header.vouching(self.end, self.objects, len(self.index.marks)))

    def _head(self, header: LogHeader) -> None:
        """Write the copy of the header that is not the only one on disk."""
        turn = self.header.turn + (2 if self.flying else 1)
        self.header = replace(header, turn=turn)
        os.pwrite(self.fd, medium_header.encode(self.header), medium_header.place(turn))
        self.flying = True

    def _trim(self, keep: int) -> None:
        if self.size > self.end + keep:
            os.ftruncate(self.fd, self.end + keep)
            self.size = self.end + keep

    def _write(self, parts: Sequence[Buffer], size: int) -> None:
        """Write at the end, wholly or not at all."""
        if self.torn:
            raise ValueError("the torn end must be cut off first")
        if self.end > _GROWN and self.end + size > self.size:
            self._reserve(size)
        try:
            done = os.pwritev(self.fd, parts, self.end)
            if done < size:
                self._write_rest(b"".join(parts), done)
        except OSError:
            self.torn = True  # unless what was written of it goes
            os.ftruncate(self.fd, self.end)
            self.size, self.torn = self.end, False
            raise
        self.end += size
        self.dirty = True
        if self.end > self.size:
            self.size = self.end

    def _reserve(self, size: int) -> None:
        """Ask for room ahead; a disk that has none to spare may still have enough."""
        room = max(self.end + size, self.end + min(self.end // 4, _AHEAD))
        with suppress(OSError):
            os.posix_fallocate(self.fd, self.size, room - self.size)
            self.size = room

    def _write_rest(self, image: bytes, done: int) -> None:
        while done < len(image):
            done += os.pwrite(self.fd, image[done:], self.end + done)
