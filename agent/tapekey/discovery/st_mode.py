"""What sysfs tells of one tape node: how its driver learns of news, and what it sets for each new cartridge.

The names and values are those of the kernel's Documentation/scsi/st.rst. A file that is not there says that the kernel
does not know of the thing.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tapekey.discovery.sysfs import SYS, text

UNSET: Final = frozenset({"", "-1"})
DEFAULTS: Final = ("default_blksize", "default_density", "default_compression")


@dataclass(frozen=True, slots=True)
class StMode:
    """`counts`: it hears of a unit attention whoever's command was told it (kernels from 6.15).

    `sets_defaults`: an administrator has given it a block size, density or compression, which it sets for a cartridge
    only when it learns by itself that this is a new one.
    """

    counts: bool = True
    sets_defaults: bool = False

    @property
    def must_be_told_first(self) -> bool:
        """Whether something is lost if a command of ours is told of a new cartridge, however it is mended."""
        return self.sets_defaults and not self.counts


def st_mode(name: str, sys: Path = SYS) -> StMode:
    """Look at one node, such as nst0."""
    entry = sys / "class/scsi_tape" / name
    counts = (entry / "position_lost_in_reset").exists()
    return StMode(counts, any(text(entry / file) not in UNSET for file in DEFAULTS))
