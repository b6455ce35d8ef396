"""Builds from the shadow of `drop.c` what a power cut would have left on the disk."""

from pathlib import Path


def replay(shadow: Path, top: str, target: Path) -> None:
    """Write the durable tree below `target`. `top` is the shadow's name of the tree's root directory."""
    target.mkdir(mode=0o700, exist_ok=True)
    listing = shadow / top
    for line in listing.read_text().splitlines() if listing.exists() else []:
        name, _, entry = line.partition(" ")
        if name.startswith("d"):
            replay(shadow, name, target / entry)
        else:
            kept = shadow / name
            (target / entry).touch(mode=0o600)
            (target / entry).write_bytes(kept.read_bytes() if kept.exists() else b"")
