"""The preloaded `drop.c` as this process sees it: where it watches, what it counts, when it kills."""

import ctypes
import os
import subprocess
from pathlib import Path

SOURCE = Path(__file__).with_name("drop.c")
NEVER = 0
FAR = 1 << 40


def build(directory: Path) -> Path:
    """Compile the library; the path to preload."""
    library = directory / "drop.so"
    subprocess.run(["gcc", "-O2", "-Wall", "-Werror", "-shared", "-fPIC", "-o", library, SOURCE, "-ldl"], check=True)
    return library


def watch(tree: Path, shadow: Path | None) -> None:
    """Watch a tree, and keep what is synced of it in `shadow`."""
    _library().crash_place(bytes(tree), bytes(shadow) if shadow else b"")


def arm(call: int) -> None:
    """Kill this process before its changing call of that number, counted from now."""
    _library().crash_after(ctypes.c_long(call))


def calls() -> int:
    """How many changing calls there were since `arm`."""
    library = _library()
    library.crash_calls.restype = ctypes.c_long
    return int(library.crash_calls())


def name(path: Path) -> str:
    """What the shadow calls a file or directory; empty: it does not exist."""
    buffer = ctypes.create_string_buffer(64)
    return buffer.value.decode() if _library().crash_name(bytes(path), buffer) else ""


def sync_all(tree: Path) -> None:
    """Make a tree durable as it is."""
    for path in (tree, *tree.rglob("*")):
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _library() -> ctypes.CDLL:
    return ctypes.CDLL(None)
