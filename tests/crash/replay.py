"""Builds from the shadow of `drop.c` what a power cut would have left on the disk."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tests.crash import shim


@dataclass(frozen=True, slots=True)
class Disk:
    """What was synced, and what stood in the page cache when the power went.

    `written_back` decides, file by file and directory by directory, whether the system had written the latest state to
    the disk though nobody had asked for it: a sync is a promise, its absence is none.
    """

    shadow: Path
    cached: dict[str, Path] = field(default_factory=dict)
    written_back: Callable[[], bool] = lambda: False

    def content(self, name: str) -> bytes:
        """What a file is found to hold; a file of which nothing was synced is empty."""
        if name in self.cached and self.written_back():
            return self.cached[name].read_bytes()
        kept = self.shadow / name
        return kept.read_bytes() if kept.exists() else b""

    def entries(self, name: str) -> dict[str, str]:
        """The entries that a directory is found to have, and what they lead to."""
        if name in self.cached and self.written_back():
            return {path.name: shim.name(path) for path in self.cached[name].iterdir()}
        listing = self.shadow / name
        lines = listing.read_text().splitlines() if listing.exists() else []
        return {entry: known for known, _, entry in (line.partition(" ") for line in lines)}


def replay(disk: Disk, top: str, target: Path) -> None:
    """Write what the disk is found to hold below `target`. `top` is the shadow's name of the tree's root directory."""
    target.mkdir(mode=0o700, exist_ok=True)
    for entry, name in disk.entries(top).items():
        if name.startswith("d"):
            replay(disk, name, target / entry)
        else:
            (target / entry).touch(mode=0o600)
            (target / entry).write_bytes(disk.content(name))


def cache(tree: Path) -> dict[str, Path]:
    """Every file and directory of a tree by its name in the shadow; sockets hold nothing."""
    return {shim.name(path): path for path in (tree, *tree.rglob("*")) if path.is_file() or path.is_dir()}
