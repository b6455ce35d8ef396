"""Who has a tape's nodes open: for a case that cannot go on before they are let go."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

NODES = ("/dev/sg", "/dev/st", "/dev/nst", "/dev/bsg/")


def holders() -> list[str]:
    """Each process with an open tape node, and which."""
    return sorted(f"{process.name} {_line(process)}: {path}" for process, path in _open())


def udev_workers() -> list[str]:
    """Processes of udev besides its daemon: it opens no nodes for long, but its programs do."""
    return sorted(f"{process.name} {_line(process)}" for process in _processes() if "udev" in _line(process))


def uses(module: str) -> str:
    """What the kernel counts, and how it has named the users."""
    place = Path("/sys/module") / module
    if not (place / "refcnt").exists():
        return f"{module}: not loaded"
    return f"{module}: {(place / 'refcnt').read_text().strip()} uses, {[each.name for each in place.glob('holders/*')]}"


def _processes() -> Iterator[Path]:
    return (entry for entry in Path("/proc").iterdir() if entry.name.isdigit())


def _open() -> Iterator[tuple[Path, str]]:
    for process in _processes():
        with suppress(OSError):  # gone meanwhile
            for handle in (process / "fd").iterdir():
                with suppress(OSError):
                    path = str(handle.readlink())
                    if path.startswith(NODES):
                        yield process, path


def _line(process: Path) -> str:
    with suppress(OSError):
        return (process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
    return "gone"
