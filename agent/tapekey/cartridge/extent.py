"""Where encrypted data begins and where it ends, as two sources tell it: the chip (0224h, 0225h) and log page 17h.

Each source has a vote. A source that does not have the number abstains; one that says "unknown", or two that differ,
make it unknown. Unknown is never "none".
"""

from collections.abc import Mapping
from dataclasses import dataclass

from tapekey.cartridge import memory
from tapekey.errors import Malformed, RequestRefused
from tapekey.exchange import Transport
from tapekey.scsi import attribute, volume_statistics
from tapekey.scsi import log as log_page
from tapekey.scsi.attribute_table import AttributeId
from tapekey.scsi.counter import Absent, Counter
from tapekey.scsi.run import run
from tapekey.scsi.volume_statistics import Statistic, VolumeStatistics

HEADER = 4  # of a log page

Vote = Counter | None  # None: the source does not tell


@dataclass(frozen=True, slots=True)
class Extent:
    """One partition. Numbers are logical objects; None: no source tells."""

    partition: int
    first_encrypted: Vote
    first_clear_after: Vote
    remarks: tuple[str, ...] = ()


def read(transport: Transport, partitions: int) -> tuple[Extent, ...]:
    """The extent of every partition."""
    log = _log(transport)
    foreign = ("log page 17h tells of another volume",) if log and not _of_this(transport, log) else ()
    page = None if foreign else log
    return tuple(_extent(transport, page, number, foreign) for number in range(partitions))


def _extent(transport: Transport, log: VolumeStatistics | None, number: int, remarks: tuple[str, ...]) -> Extent:
    encrypted, first_remark = _agreed(
        "first encrypted object",
        _from_chip(transport, AttributeId.FIRST_ENCRYPTED_BLOCK, number),
        _from_log(log, Statistic.FIRST_ENCRYPTED_OBJECT, number),
    )
    clear, second_remark = _agreed(
        "first clear object after it",
        _from_chip(transport, AttributeId.FIRST_CLEAR_BLOCK_AFTER, number),
        _from_log(log, Statistic.FIRST_CLEAR_OBJECT_AFTER, number),
    )
    return Extent(number, encrypted, clear, remarks + first_remark + second_remark)


def _agreed(name: str, chip: Vote, log: Vote) -> tuple[Vote, tuple[str, ...]]:
    """Both votes made one, and what there is to remark."""
    votes = {vote for vote in (chip, log) if vote is not None}
    if len(votes) > 1:
        return Absent.UNKNOWN, (f"{name}: the memory says {_shown(chip)}, log page 17h says {_shown(log)}",)
    return (votes.pop(), ()) if votes else (None, ())


def _shown(vote: Vote) -> str:
    return vote.value if isinstance(vote, Absent) else str(vote)


def _from_chip(transport: Transport, identifier: AttributeId, partition: int) -> Vote:
    item = memory.read(transport, identifier, partition)
    return None if item is None else attribute.block(item)


def _from_log(log: VolumeStatistics | None, code: Statistic, partition: int) -> Vote:
    told: Mapping[int, Counter] = log.by_partition(code) if log else {}
    return told.get(partition)


def _log(transport: Transport) -> VolumeStatistics | None:
    """Log page 17h; None when the drive says that it has no such page, or does not vouch for it."""
    command = volume_statistics.read_volume_statistics()
    try:
        data = run(transport, command)
    except RequestRefused as error:
        if error.code != memory.NO_SUCH_FIELD:
            raise
        return None
    told, room = log_page.announced(data), command.data_in_max
    if told > len(data) - HEADER and len(data) < room and told != room:  # what is cut off did not abstain
        raise Malformed("log page 17h is cut short", why=f"{told} bytes are announced, {len(data)} came in all")
    page = volume_statistics.decode_volume_statistics(data)
    return page if page.valid else None


def _of_this(transport: Transport, log: VolumeStatistics) -> bool:
    """The page is of the volume mounted last, so it must name the chip's serial number if it names one."""
    return not log.volume_serial or log.volume_serial == memory.words(transport, AttributeId.MEDIUM_SERIAL)
