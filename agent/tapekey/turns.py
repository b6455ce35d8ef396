"""One at a time works on a drive: between processes and threads of this host, whoever they are.

A turn is a lock on a file named for the drive's serial number in a runtime directory; it goes with the process that
has it. It keeps tapekey's own operations apart. It does not keep software out of the drive.
"""

import fcntl
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final
from urllib.parse import quote

from tapekey.errors import Taken, Usage

SYSTEM: Final = Path("/run/tapekey")
PATIENCE: Final = 30.0
PAUSE: Final = 0.02
LONGEST_WORD: Final = 200


def directory(environ: dict[str, str] | None = None, system: Path = SYSTEM) -> Path:
    """Where turns of this user lie: what systemd made for a service, the system's, or the user's runtime directory."""
    env = os.environ if environ is None else environ
    if env.get("RUNTIME_DIRECTORY"):
        return Path(env["RUNTIME_DIRECTORY"].partition(":")[0])
    if os.geteuid() == 0 or os.access(system, os.W_OK | os.X_OK):
        return system
    if env.get("XDG_RUNTIME_DIR"):
        return Path(env["XDG_RUNTIME_DIR"]) / "tapekey"
    return Path(tempfile.gettempdir()) / f"tapekey-{os.geteuid()}"


@contextmanager
def turn(
    serial: str,
    runtime_dir: Path | None = None,
    patience: float = PATIENCE,
    *,
    who: str = "tapekey",
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[None]:
    """Work alone on the drive for as long as the context lasts. Taken: somebody else did so for all our patience."""
    handle = _open(runtime_dir or directory(), serial)
    try:
        until = clock() + patience
        while not _locked(handle):
            if clock() >= until:
                raise Taken(
                    f"drive {serial} is being worked on",
                    why=f"by {_word(handle)}, for longer than {patience:g} s",
                    mend="wait until it has ended, and try again; tapekey status shows what the agent does",
                )
            sleep(PAUSE)
        _put_down(handle, f"{who} (process {os.getpid()})")
        try:
            yield
        finally:
            _put_down(handle, "")
    finally:
        os.close(handle)


def _open(runtime_dir: Path, serial: str) -> int:
    """The lock's file. The directory is ours alone, or root's."""
    place = runtime_dir / "turns"
    try:
        runtime_dir.mkdir(mode=0o755, parents=True, exist_ok=True)
        place.mkdir(mode=0o700, exist_ok=True)
        _demand_trusted(place)
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        return os.open(place / quote(serial, safe=""), flags, 0o600)
    except OSError as error:
        raise Usage(
            f"cannot take a turn on drive {serial}",
            why=f"{place}: {error.strerror or error}",
            mend="look at who owns that directory",
        ) from error


def _demand_trusted(place: Path) -> None:
    """A temporary directory is everybody's: what another user made there would let him lock us out."""
    if place.lstat().st_uid not in (0, os.geteuid()):
        raise PermissionError(0, "it belongs to another user")


def _locked(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _put_down(handle: int, word: str) -> None:
    """Who has it; that this cannot be written (a full disk) keeps nobody from working."""
    with suppress(OSError):
        os.ftruncate(handle, 0)
        os.pwrite(handle, word.encode(), 0)


def _word(handle: int) -> str:
    with suppress(OSError):
        return os.pread(handle, LONGEST_WORD, 0).decode(errors="replace") or "somebody"
    return "somebody"
