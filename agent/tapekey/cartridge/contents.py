"""What is recorded on the tape, found by decoded facts only.

Blank means that the end of data is the first thing in every partition, or that nothing but a few filemarks stands
before it: `mt weof` leaves that, and so do recipes to make a used tape new. "No encrypted block" is not blank, it may
be full of clear data. What no source tells, or sources tell differently, is unknown.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final

from tapekey.cartridge import extent, identity, memory
from tapekey.cartridge.extent import Extent, Vote
from tapekey.errors import DriveLied, EndOfData, MediumFailed
from tapekey.exchange import Command, Transport
from tapekey.scsi import attribute, media, position
from tapekey.scsi.attribute_table import AttributeId
from tapekey.scsi.counter import Absent
from tapekey.scsi.media import SpaceCode
from tapekey.scsi.run import run

FEW: Final = 2  # filemarks that are looked past: as many as `st` writes behind a file at most (st(4), MT_ST_TWO_FM)


class Contents(Enum):
    """The names and words are those of the policy's facts."""

    BLANK = "blank"
    CLEAR = "clear data"
    ENCRYPTED = "encrypted"  # encrypted blocks, perhaps behind clear labels
    MIXED = "mixed"  # clear blocks behind encrypted ones, or in another partition
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Recorded:
    contents: Contents
    first_encrypted: int | None = None  # object number in partition 0; None: none there, or not told
    why: str = ""  # what it rests on, or why it is unknown


def look(transport: Transport) -> Recorded:
    """Find out what is on the tape. Moves it; leaves it at the beginning of partition 0."""
    ends = [_end(transport, number) for number in range(_partitions(transport))]
    _to_beginning(transport, 0)
    if not any(ends):
        return Recorded(Contents.BLANK, why="the end of data is at the beginning of every partition")
    extents = extent.read(transport, len(ends))
    if _may_be_marks(transport, extents, ends) and _only_marks(transport, ends):
        return Recorded(Contents.BLANK, why="nothing but filemarks is recorded")
    contents, why = judge([item for item, end in zip(extents, ends, strict=True) if end])
    first = extents[0].first_encrypted
    return Recorded(contents, first if isinstance(first, int) else None, why)


def told(transport: Transport) -> Recorded:
    """What memory and log say without the tape being moved: whether it is blank can only be guessed from its room."""
    extents = extent.read(transport, _partitions(transport))
    contents, why = judge(list(extents))
    first = extents[0].first_encrypted
    if contents is Contents.CLEAR and _unused(transport, len(extents)):
        return Recorded(Contents.BLANK, why="all of its room is left")
    return Recorded(contents, first if isinstance(first, int) else None, why)


def _unused(transport: Transport, partitions: int) -> bool:
    """Whether every partition has as much room left as it can have, to the MiB (0000h, 0001h)."""
    for partition in range(partitions):
        left = memory.number(transport, AttributeId.REMAINING_CAPACITY, partition)
        most = memory.number(transport, AttributeId.MAXIMUM_CAPACITY, partition)
        if left is None or left != most:
            return False
    return True


def judge(written: list[Extent]) -> tuple[Contents, str]:
    """What the partitions that have data make together, and why."""
    remarks = "; ".join(dict.fromkeys(remark for item in written for remark in item.remarks))
    if any(Absent.UNKNOWN in (item.first_encrypted, item.first_clear_after) for item in written):
        return Contents.UNKNOWN, remarks or "the drive says that it does not know"
    if any(item.first_encrypted is None for item in written):
        return Contents.UNKNOWN, remarks or "neither the memory nor log page 17h tells"
    clear = [item for item in written if item.first_encrypted is Absent.NONE]
    if any(_is_number(item.first_clear_after) for item in clear):
        return Contents.UNKNOWN, "clear data is told of behind encrypted data that is not there"
    if len(clear) == len(written):
        return Contents.CLEAR, remarks or "no encrypted object"
    if clear or any(_is_number(item.first_clear_after) for item in written):
        return Contents.MIXED, remarks or "clear data beside or behind encrypted data"
    if any(item.first_clear_after is None for item in written):
        return Contents.ENCRYPTED, "whether clear data follows is not told"
    return Contents.ENCRYPTED, remarks or "no clear object behind the first encrypted one"


def _is_number(vote: Vote) -> bool:
    return isinstance(vote, int)


def _partitions(transport: Transport) -> int:
    return attribute.decode_numbering(run(transport, attribute.list_partitions())).count


def _end(transport: Transport, partition: int) -> int:
    """How many objects stand before the end of data in a partition: blocks and filemarks."""
    _to_beginning(transport, partition)
    _allowing_end(transport, media.space(SpaceCode.END_OF_DATA))
    return _object(transport, partition)


def _may_be_marks(transport: Transport, extents: Sequence[Extent], ends: Sequence[int]) -> bool:
    """Whether there are few objects, and no source tells of encrypted ones; write-once, they cannot be overwritten."""
    untold = all(item.first_encrypted in (None, Absent.NONE) for item in extents)
    return untold and max(ends) <= FEW and not identity.is_write_once(transport)


def _only_marks(transport: Transport, ends: Sequence[int]) -> bool:
    """Whether there are as many filemarks as objects in every partition. Leaves the tape at the beginning."""
    found = all(_marks(transport, partition, count) for partition, count in enumerate(ends) if count)
    _to_beginning(transport, 0)
    return found


def _marks(transport: Transport, partition: int, count: int) -> bool:
    """Whether a partition begins with so many filemarks and nothing between them."""
    _to_beginning(transport, partition)
    try:
        run(transport, media.space(SpaceCode.FILEMARKS, count))
    except EndOfData:  # there are fewer
        return False
    return _object(transport, partition) == count


def _object(transport: Transport, partition: int) -> int:
    """The number of the object before which the tape stands."""
    where = position.decode_short_position(run(transport, position.read_short_position()))
    if where.unknown:
        raise MediumFailed("the drive does not know where the tape stands", mend="unload and load the cartridge again")
    if where.partition != partition:
        raise DriveLied(
            "the drive is in another partition than it was sent to", why=f"{where.partition} instead of {partition}"
        )
    return where.first_object


def _to_beginning(transport: Transport, partition: int) -> None:
    _allowing_end(transport, media.locate_near(0, partition))


def _allowing_end(transport: Transport, command: Command) -> None:
    """Move; that the end of data is there (8/00/05) is what a blank partition answers."""
    try:
        run(transport, command)
    except EndOfData:
        return
