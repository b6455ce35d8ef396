"""Which partitions a cartridge has, and in which files they are: one small file, replaced as a whole.

FORMAT MEDIUM makes new files beside the old ones and then replaces the layout. So at any instant the cartridge has
the old partitions or the new ones; files that the layout does not name are remains of an end in between.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final, Self

from tapekey.errors import Malformed
from tapekey.target import medium_log, memory

FILE: Final = "layout"
MOST: Final = 4
_MARGIN_SHARE: Final = 32
_LARGEST_MARGIN: Final = 4 << 30
_NAME: Final = re.compile(r"partition-[0-3](-[0-9]{1,9})?\.log")
_OURS: Final = re.compile(_NAME.pattern + r"(\.index)?(\.new)?")


@dataclass(frozen=True, slots=True)
class Partition:
    """One partition.

    file      the name of its log in the cartridge's directory
    capacity  bytes until its physical end; margin, how many of them lie behind early warning
    """

    file: str
    capacity: int
    margin: int


@dataclass(frozen=True, slots=True)
class Layout:
    """The partitions in order, and how often the cartridge has been formatted since it was made."""

    partitions: tuple[Partition, ...]
    formats: int = 0

    @classmethod
    def load(cls, directory: Path) -> Self:
        """Read a cartridge's layout; Malformed if there is none that verifies."""
        try:
            content = memory.read_checked(directory / FILE, "layout")
            if not isinstance(content, dict):
                raise TypeError("the layout holds no object")
            partitions = tuple(Partition(**row) for row in content["partitions"])
            if not 1 <= len(partitions) <= MOST or not all(_NAME.fullmatch(row.file) for row in partitions):
                raise ValueError("the layout names no partitions, too many, or other files")
            return cls(partitions, content["formats"])
        except FileNotFoundError as error:
            why, mend = "a cartridge of an older format has no layout", "make a new cartridge, and write it again"
            raise Malformed(f"{directory} is not a cartridge of this version", why=why, mend=mend) from error
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise Malformed(f"the layout of {directory} cannot be read", why=str(error)) from error

    def save(self, directory: Path) -> None:
        """Put this layout in place of the old one, durably."""
        memory.replace_checked(directory / FILE, "layout", asdict(self))


def margin_of(capacity: int) -> int:
    """How much of a partition lies behind early warning unless told otherwise."""
    return min(capacity // _MARGIN_SHARE, _LARGEST_MARGIN)


def first(capacity: int, margin: int) -> Layout:
    """The layout of a new cartridge: one partition."""
    return Layout((Partition("partition-0.log", capacity, margin),))


def anew(old: Layout, sizes: Sequence[int], margin: int) -> Layout:
    """The layout after a format: partitions of these sizes; `margin` is the most that lies behind early warning."""
    if not 1 <= len(sizes) <= MOST or min(sizes) <= 0:
        raise ValueError(f"a cartridge has one to {MOST} partitions, not {list(sizes)}")
    formats = old.formats + 1
    rows = [
        Partition(f"partition-{number}-{formats}.log", size, min(margin, margin_of(size) if len(sizes) > 1 else margin))
        for number, size in enumerate(sizes)
    ]
    return Layout(tuple(rows), formats)


def make_files(directory: Path, layout: Layout) -> None:
    """Make the empty logs of a layout, durably; remains of an earlier attempt are replaced."""
    for number, row in enumerate(layout.partitions):
        (directory / row.file).unlink(missing_ok=True)
        medium_log.create(directory / row.file, number)
    memory.sync_directory(directory)


def remains(directory: Path, layout: Layout) -> Iterator[Path]:
    """Logs that the layout does not name, and what lies beside them."""
    named = {row.file for row in layout.partitions}
    ours = (path for path in directory.iterdir() if _OURS.fullmatch(path.name))
    return (path for path in ours if path.name.partition(".log")[0] + ".log" not in named)
