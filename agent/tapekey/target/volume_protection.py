"""Write protection that belongs to a volume: the bits of byte 15 of mode page 10h (reference 1.12).

The persistent and the permanent one lie beside the cartridge's label as empty files, as its tab does; the associated
one is the drive's, and ends with the mount.
"""

from pathlib import Path
from typing import Final

from tapekey.target import memory

PERMANENT: Final = 0x01  # PRMWP
PERSISTENT: Final = 0x02  # PERSWP
ASSOCIATED: Final = 0x04  # ASOCWP

FILES: Final = {PERSISTENT: "write-protected.persistent", PERMANENT: "write-protected.permanent"}


def of_cartridge(directory: Path) -> int:
    """The bits that a cartridge brings with it."""
    return sum(bit for bit, name in FILES.items() if (directory / name).exists())


def keep(directory: Path, bits: int) -> None:
    """Let a cartridge bring these bits from now on."""
    for bit, name in FILES.items():
        path = directory / name
        if bits & bit:
            path.touch(mode=0o600)
        else:
            path.unlink(missing_ok=True)
    memory.sync_directory(directory)
