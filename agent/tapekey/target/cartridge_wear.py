"""What time and accidents do to a cartridge that lies in no drive: age in its memory chip, damage on its tape.

What each stands for is told in docs/operating.md. A cartridge in a drive is held by that, and cannot be reached.
"""

import os
from dataclasses import replace
from pathlib import Path
from typing import Final

from tapekey.errors import Malformed, NotFound, Usage
from tapekey.target import medium_layout, medium_log
from tapekey.target.cartridge import Cartridge
from tapekey.target.medium_layout import Layout

FLIPPED: Final = 0xFF


def age(directory: Path, *, loads: int | None = None, written: int | None = None, read: int | None = None) -> None:
    """Let the chip tell of a longer life: how often it was loaded, what drives wrote and read."""
    changes = {"loads": loads, "written": written, "read": read}
    told = {name: value for name, value in changes.items() if value is not None}
    if any(value < 0 for value in told.values()):
        raise Usage("a cartridge's life is counted from zero")
    with Cartridge.open(directory) as held:
        held.memory.keep(replace(held.memory.account, **told))  # type: ignore[arg-type]


def shorten(directory: Path, capacity: int) -> None:
    """Let the tape end after `capacity` bytes of its first partition, as one that is nearly full or was cut."""
    if capacity < 1:
        raise Usage("a tape has at least one byte")
    with Cartridge.open(directory):
        layout = Layout.load(directory)
        first, *others = layout.partitions
        margin = min(first.margin, medium_layout.margin_of(capacity))
        replace(layout, partitions=(replace(first, capacity=capacity, margin=margin), *others)).save(directory)


def damage_block(directory: Path, block: int, partition: int = 0) -> None:
    """Flip a byte in the middle of one logical block."""
    with Cartridge.open(directory):
        path = _file(directory, partition)
        try:
            log = medium_log.Log.open(path, writable=False)
        except (OSError, Malformed) as error:
            raise Malformed(f"the tape of {directory} cannot be read", why=str(error)) from error
        try:
            if not 0 <= block < log.objects:
                raise NotFound(f"partition {partition} has no block {block}", why=f"it has {log.objects}")
            start, end = log.offset(block), log.offset(block + 1)
        finally:
            log.close()
        _flip(path, (start + end) // 2, 1)


def damage_range(directory: Path, start: int, length: int, partition: int = 0) -> None:
    """Flip all bits of a range of the file that stands for the tape."""
    with Cartridge.open(directory):
        path = _file(directory, partition)
        if start < 0 or length < 1 or start + length > path.stat().st_size:
            raise Usage(
                f"the tape's file has no bytes {start} to {start + length - 1}", why=f"{path.stat().st_size} bytes"
            )
        _flip(path, start, length)


def _file(directory: Path, partition: int) -> Path:
    rows = Layout.load(directory).partitions
    if not 0 <= partition < len(rows):
        raise NotFound(f"the cartridge has no partition {partition}", why=f"it has {len(rows)}")
    return directory / rows[partition].file


def _flip(path: Path, start: int, length: int) -> None:
    fd = os.open(path, os.O_RDWR)
    try:
        old = os.pread(fd, length, start)
        os.pwrite(fd, bytes(byte ^ FLIPPED for byte in old), start)
        os.fsync(fd)
    finally:
        os.close(fd)
