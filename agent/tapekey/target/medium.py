"""A tape: one partition with a position on it, and the motions and transfers that a drive makes.

It knows objects (blocks and filemarks), not bytes on disk; those are the log's. It knows neither keys nor SCSI: what
stops a motion is told as a value, and the drive makes sense data of it (reference 1.5).
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from typing import NamedTuple

from tapekey.errors import MediumDamaged, MediumFull, OverwriteRefused
from tapekey.target.medium_header import LOG_HEADER
from tapekey.target.medium_log import Log
from tapekey.target.medium_mould import Mould
from tapekey.target.medium_record import FIXED, LONGEST_BLOCK, LONGEST_HEADER, Block, Buffer, Header, Kind


class Stop(Enum):
    """Why a motion ended."""

    DONE = "done"
    FILEMARK = "filemark"
    END_OF_DATA = "end of data"
    BEGINNING = "beginning of partition"


@dataclass(frozen=True, slots=True)
class Moved:
    """How many of the objects asked for were passed (never negative), and why the motion ended."""

    done: int
    stop: Stop


class Ahead(NamedTuple):
    """The block before which the tape stood at `at`, read and verified; good until something is overwritten."""

    at: int
    epoch: int
    header: Header
    stored: memoryview


@dataclass(slots=True)
class Tape:
    """One partition under the head.

    position   the number of the object that comes next; `objects` means end-of-data
    capacity   bytes until the physical end; `margin`, how much of them lies behind early warning
    write_once   a WORM medium: nothing may be overwritten but filemarks that end the tape
    protected    the write-protect tab
    changing     called before every change of what is recorded
    written, read  stored bytes of blocks, since the tape was threaded; host_written, host_read the hosts' bytes
    """

    log: Log
    capacity: int
    margin: int
    write_once: bool = False
    protected: bool = False
    position: int = 0
    changing: Callable[[], None] = lambda: None
    written: int = 0
    read: int = 0
    host_written: int = 0
    host_read: int = 0
    _ahead: "Ahead | None" = field(default=None, repr=False)
    _coming: bytearray = field(default_factory=bytearray, repr=False)
    _buffer: bytearray = field(default_factory=bytearray, repr=False)

    # --- where it is ---

    @property
    def objects(self) -> int:
        """How many blocks and filemarks there are; the object number of end-of-data."""
        return self.log.objects

    @property
    def file_number(self) -> int:
        """How many filemarks lie before the position."""
        return self.log.index.filemarks_before(self.position)

    @property
    def at_end_of_data(self) -> bool:
        """Nothing is recorded from here on."""
        return self.position >= self.objects

    @property
    def used(self) -> int:
        """Bytes of the partition from its beginning to end-of-data."""
        return self.log.end - LOG_HEADER

    @property
    def passed(self) -> int:
        """Bytes of the partition from its beginning to the position."""
        return self.log.offset(self.position) - LOG_HEADER

    @property
    def past_early_warning(self) -> bool:
        """The position lies behind early warning."""
        return self.passed > self.capacity - self.margin

    @property
    def first_encrypted(self) -> int:
        """Object number of the first encrypted block; all ones if none, all ones but the last bit if unknown."""
        return self.log.index.first_encrypted()

    @property
    def first_clear_after_encrypted(self) -> int:
        """Object number of the first clear block behind the first encrypted one, or as above."""
        return self.log.index.first_clear_after()

    @property
    def holds_clear(self) -> bool:
        """At least one block is clear."""
        return any(not encrypted for _, encrypted in self.log.index.turns)

    # --- reading ---

    def next(self) -> Header | None:
        """Look at the object that comes next without moving: None at end-of-data; MediumDamaged if it is lost."""
        ahead = self._ahead
        if ahead is not None and ahead.at == self.position and ahead.epoch == self.log.header.epoch:
            return ahead.header
        return None if self.at_end_of_data else self.log.read_header(self.position)

    def look_ahead(self) -> None:
        """Read the block that comes next, for whoever wants it; what fails is left for that one to find out."""
        self._ahead = None
        if self.at_end_of_data:
            return
        size = self.log.span(self.position)
        if not FIXED < size <= LONGEST_HEADER + LONGEST_BLOCK:
            return
        if len(self._coming) < size:
            self._coming = bytearray(size)
        try:
            header, view = self.log.read_whole(self.position, memoryview(self._coming)[:size])
        except (MediumDamaged, OSError):
            return
        self._ahead = Ahead(self.position, self.log.header.epoch, header, view)

    def stored(self, header: Header) -> memoryview:
        """Lend the stored bytes of a block, verified, without moving. Valid until the next call on this tape."""
        if self._ahead is not None and self._ahead.header is header:
            self.read += header.stored
            return self._ahead.stored
        if header.stored > LONGEST_BLOCK:
            raise MediumDamaged(f"block {header.object_number} is damaged", why=f"{header.stored} bytes are no block")
        if len(self._buffer) < header.stored:
            self._buffer = bytearray(header.stored)
        view = memoryview(self._buffer)[: header.stored]
        self.stored_into(header, view)
        return view

    def stored_into(self, header: Header, buffer: memoryview) -> None:
        """Read the stored bytes of a block into a buffer of just that size, verified, without moving."""
        if self._ahead is not None and self._ahead.header is header:
            buffer[:] = self._ahead.stored
        else:
            self.log.read(header, buffer)
        self.read += header.stored

    def next_like(self, mould: Mould) -> bool:
        """Read the object that comes next into a mould, without moving; False if it is not whole, or another kind."""
        return self.position < self.log.objects and self.log.read_like(self.position, mould)

    def pass_like(self, mould: Mould) -> None:
        """Pass the block that `next_like` has found."""
        self.position += 1
        self.read += len(mould.stored)
        self.host_read += len(mould.block)

    def skip(self) -> None:
        """Pass the object that comes next."""
        if self.position < self.log.objects:
            self.position += 1

    # --- writing ---

    def write(self, block: Block, stored: Buffer) -> None:
        """Write one block at the position; whatever followed is gone. MediumFull writes nothing and does not move."""
        seal, size = block.seal, len(stored)
        kads = len(seal.unauthenticated) + len(seal.authenticated) + len(seal.metadata) if seal else 0
        self._make_way(FIXED + kads + size)
        self.log.append(block, stored)
        self.written += size
        self.host_written += block.length
        self.position += 1

    def write_like(self, mould: Mould) -> None:
        """Write a block that lies in a mould behind the last one, where there is room and nothing to give up for it."""
        self.changing()
        self.log.append_stored(mould)
        self.written += len(mould.stored)
        self.host_written += len(mould.block)
        self.position += 1

    def write_filemarks(self, count: int) -> None:
        """Write filemarks at the position; whatever followed is gone. They last only after `sync`."""
        if not count:
            return
        self._make_way(FIXED * count)
        self.log.append_filemarks(count)
        self.position = self.objects

    def erase(self) -> None:
        """Make end-of-data at the position, durably."""
        self._allow()
        self.changing()
        self.log.cut(self.position, keep=0)
        self.log.sync()

    def sync(self) -> None:
        """Return when everything written is on disk."""
        self.log.sync()

    # --- moving ---

    def rewind(self) -> None:
        """Go to the beginning of the partition."""
        self.position = 0

    def locate(self, number: int) -> bool:
        """Go before an object; beyond end-of-data it stops there and tells False."""
        self.position = min(number, self.objects)
        return number <= self.objects

    def locate_file(self, number: int) -> bool:
        """Go to the beginning of a file: behind its filemark. If there is no such file, to end-of-data and False."""
        marks = self.log.index.marks
        if number > len(marks):
            self.position = self.objects
            return False
        self.position = marks[number - 1] + 1 if number else 0
        return True

    def space_to_end(self) -> None:
        """Go to end-of-data."""
        self.position = self.objects

    def space_blocks(self, count: int) -> Moved:
        """Pass blocks, backward if negative; stops beyond the first filemark met."""
        start = self.position
        if count >= 0:
            mark = self._mark(self.file_number)
            end = min(start + count, self.objects)
            if mark is not None and mark < end:
                self.position = mark + 1
                return Moved(mark - start, Stop.FILEMARK)
            self.position = end
            return Moved(end - start, Stop.DONE if end - start == count else Stop.END_OF_DATA)
        mark = self._mark(self.file_number - 1)
        end = max(start + count, 0)
        if mark is not None and mark >= end:
            self.position = mark
            return Moved(start - mark - 1, Stop.FILEMARK)
        self.position = end
        return Moved(start - end, Stop.DONE if start - end == -count else Stop.BEGINNING)

    def space_filemarks(self, count: int) -> Moved:
        """Pass filemarks, backward if negative: then it stops on the beginning side of the last one."""
        if not count:
            return Moved(0, Stop.DONE)
        before, marks = self.file_number, self.log.index.marks
        if count > 0:
            done = min(count, len(marks) - before)
            self.position = marks[before + done - 1] + 1 if done == count else self.objects
            return Moved(done, Stop.DONE if done == count else Stop.END_OF_DATA)
        done = min(-count, before)
        self.position = marks[before - done] if done == -count else 0
        return Moved(done, Stop.DONE if done == -count else Stop.BEGINNING)

    def space_sequential_filemarks(self, count: int) -> Moved:
        """Go behind (or, if negative, before) the next run of that many filemarks."""
        if not count:
            return Moved(0, Stop.DONE)
        marks, run = self.log.index.marks, abs(count)
        step = 1 if count > 0 else -1
        at = self.file_number if count > 0 else self.file_number - 1
        length, last = 0, -2
        while 0 <= at < len(marks):
            length = length + 1 if marks[at] == last + step and length else 1
            last = marks[at]
            if length == run:
                self.position = last + 1 if count > 0 else last
                return Moved(run, Stop.DONE)
            at += step
        self.position = self.objects if count > 0 else 0
        return Moved(0, Stop.END_OF_DATA if count > 0 else Stop.BEGINNING)

    def _mark(self, file_number: int) -> int | None:
        marks = self.log.index.marks
        return marks[file_number] if 0 <= file_number < len(marks) else None

    # --- what may be lost ---

    def check_erasable(self) -> None:
        """OverwriteRefused unless all that is recorded may be lost."""
        if self.protected:
            raise OverwriteRefused("the cartridge is write-protected")
        if self.write_once and self.objects:
            raise OverwriteRefused("the cartridge is write-once", why=f"{self.objects} objects are recorded")

    def _allow(self) -> None:
        if self.protected:
            raise OverwriteRefused("the cartridge is write-protected")
        if self.write_once and self.position < self.log.objects - self._marks_behind():
            raise OverwriteRefused("the cartridge is write-once", why=f"object {self.position} is recorded")

    def _marks_behind(self) -> int:
        """How many filemarks follow: those at the end may be overwritten even on a WORM medium (SSC-4, page 1Dh)."""
        return len(self.log.index.marks) - self.file_number

    def _make_way(self, size: int) -> None:
        self._allow()
        log = self.log
        if log.offset(self.position) - LOG_HEADER + size > self.capacity:
            raise MediumFull("the end of the medium is reached", why=f"{size} bytes at {self.passed}")
        self.changing()
        if self.position < log.objects or log.torn:
            log.cut(self.position)


def is_filemark(header: Header) -> bool:
    """Whether an object is a filemark."""
    return header.kind is Kind.FILEMARK
