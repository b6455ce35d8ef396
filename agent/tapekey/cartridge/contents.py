"""What is recorded on the tape, found by decoded facts only.

Blank means that the end of data is the first thing in every partition; "no encrypted block" is not blank, it may be
full of clear data. What no source tells, or sources tell differently, is unknown.
"""

from dataclasses import dataclass
from enum import Enum

from tapekey.cartridge import extent, memory
from tapekey.cartridge.extent import Extent, Vote
from tapekey.errors import DriveLied, EndOfData, MediumFailed
from tapekey.exchange import Command, Transport
from tapekey.scsi import attribute, media, position
from tapekey.scsi.attribute_table import AttributeId
from tapekey.scsi.counter import Absent
from tapekey.scsi.media import SpaceCode
from tapekey.scsi.run import run


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
    count = _partitions(transport)
    blank = [_blank(transport, number) for number in range(count)]
    _to_beginning(transport, 0)
    if all(blank):
        return Recorded(Contents.BLANK, why="the end of data is at the beginning of every partition")
    extents = extent.read(transport, count)
    contents, why = judge([item for item, empty in zip(extents, blank, strict=True) if not empty])
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


def _blank(transport: Transport, partition: int) -> bool:
    """Whether the end of data is the first thing in a partition."""
    _to_beginning(transport, partition)
    _allowing_end(transport, media.space(SpaceCode.END_OF_DATA))
    where = position.decode_short_position(run(transport, position.read_short_position()))
    if where.unknown:
        raise MediumFailed("the drive does not know where the tape stands", mend="unload and load the cartridge again")
    if where.partition != partition:
        raise DriveLied(
            "the drive is in another partition than it was sent to", why=f"{where.partition} instead of {partition}"
        )
    return where.first_object == 0


def _to_beginning(transport: Transport, partition: int) -> None:
    _allowing_end(transport, media.locate_near(0, partition))


def _allowing_end(transport: Transport, command: Command) -> None:
    """Move; that the end of data is there (8/00/05) is what a blank partition answers."""
    try:
        run(transport, command)
    except EndOfData:
        return
