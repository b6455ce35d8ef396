"""How a volume is divided: what Medium Partition page 11h asks for, in bytes per partition (reference 11.3).

Pure arithmetic. How small a partition may be is a share of the volume here; real drives round to whole wraps.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from tapekey.scsi.mode_page import MediumPartition, PartitionUnit

REST: Final = 0xFFFF
SMALLEST_SHARE: Final = 40  # two wraps of an LTO-5 volume of 1,500 GB are 37.5 GB
_UNITS: Final[Mapping[PartitionUnit, int]] = {
    PartitionUnit.BYTES: 1,
    PartitionUnit.KILOBYTES: 10**3,
    PartitionUnit.MEGABYTES: 10**6,
}
# Additional partitions that a volume can have; LTO-4 and older, one partition only. T10000: UNV, so none.
MOST_ADDITIONAL: Final[Mapping[str, int]] = {"lto5": 1, "lto6": 3, "lto7": 3, "lto8": 3, "lto9": 3}


class NotPossible(ValueError):
    """The page cannot be followed; `byte` and `bit` say which of its fields stands in the way."""

    def __init__(self, byte: int, bit: int = 7) -> None:
        super().__init__(f"byte {byte} of the Medium Partition page")
        self.byte = byte
        self.bit = bit


@dataclass(frozen=True, slots=True)
class Plan:
    """Sizes in bytes that the next FORMAT MEDIUM makes of one volume."""

    volume: object
    sizes: tuple[int, ...]


def most_additional(drive: str, medium: str) -> int:
    """How many partitions beside the first a medium can have in a drive, by their generations."""
    return min(MOST_ADDITIONAL.get(drive, 0), MOST_ADDITIONAL.get(medium, 0))


def size_fields(drive: str) -> int:
    """How many sizes page 11h of a drive of that generation has: all four from LTO-6 on."""
    return MOST_ADDITIONAL.get(drive, 0) + 1


def sizes_of(page: MediumPartition, capacity: int, most: int) -> tuple[int, ...]:
    """The partitions that the page asks for, in bytes."""
    ways = (page.fixed, page.by_count, page.by_sizes)
    if sum(ways) > 1:
        raise NotPossible(4, 7)
    if page.add:
        raise NotPossible(4, 0)
    if page.additional > most:
        raise NotPossible(3)
    count = page.additional + 1
    if count == 1:
        return (capacity,)
    if smallest(capacity) * count > capacity:
        raise NotPossible(3)
    if not any(ways):
        return _fixed(capacity, count)
    if page.fixed:
        return _fixed(capacity, count)
    return _equal(capacity, count) if page.by_count else _chosen(page, capacity, count)


def smallest(capacity: int) -> int:
    """The least size of a partition."""
    return max(capacity // SMALLEST_SHARE, 1)


def _fixed(capacity: int, count: int) -> tuple[int, ...]:
    """The drive's own choice: all but the first as small as can be."""
    small = smallest(capacity)
    return (capacity - small * (count - 1), *[small] * (count - 1))


def _equal(capacity: int, count: int) -> tuple[int, ...]:
    share = capacity // count
    return (capacity - share * (count - 1), *[share] * (count - 1))


def _chosen(page: MediumPartition, capacity: int, count: int) -> tuple[int, ...]:
    """What each was asked to be, rounded up to the least; FFFFh, or else the last, takes what is left."""
    wanted = [int.from_bytes(page.sizes[at : at + 2], "big") for at in range(0, 2 * count, 2)]
    if len(page.sizes) < 2 * count:
        raise NotPossible(3)
    for number, size in enumerate(wanted):
        if not size or (wanted[:number].count(REST) and size == REST):
            raise NotPossible(8 + 2 * number)
    unit = 10**page.units if page.unit is PartitionUnit.TEN_TO_THE_UNITS else _UNITS[page.unit]
    small = smallest(capacity)
    sizes = [0 if size == REST else max(size * unit, small) for size in wanted]
    left = capacity - sum(sizes)
    taker = wanted.index(REST) if REST in wanted else count - 1
    if left < (small if REST in wanted else 0):
        raise NotPossible(8)
    sizes[taker] += left
    return tuple(sizes)


def told(sizes: Sequence[int], fields: int) -> tuple[int, bytes]:
    """The power of ten and the size fields by which page 11h tells of partitions; unused ones are zero."""
    power = next((power for power in (9, 6, 3) if max(sizes) >= 10 * 10**power), 0)
    numbers = [min(size // 10**power, REST) for size in sizes] + [0] * (fields - len(sizes))
    return power, b"".join(number.to_bytes(2, "big") for number in numbers[:fields])
