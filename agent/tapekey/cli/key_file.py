"""Key files: written for the owner only, never over something that exists; read with a bound."""

import os
from pathlib import Path

from tapekey.errors import Conflict, Usage
from tapekey.secret import Secret

LARGEST = 64 * 1024


def demand_free(*paths: Path) -> None:
    """Refuse before anything is written if one of several files exists."""
    for path in paths:
        if os.path.lexists(path):
            raise _taken(path)


def write_private(path: Path, content: Secret) -> None:
    """Create a file with mode 0600 and put a secret into it, through to the disk."""
    _create(path, content.reveal(), 0o600)


def write_public(path: Path, content: bytes) -> None:
    """Create a file that anyone may read."""
    _create(path, content, 0o644)


def read(path: Path) -> bytearray:
    """A file's bytes, at most LARGEST, in a buffer that the caller can wipe."""
    try:
        with path.open("rb") as source:
            content = bytearray(source.read(LARGEST + 1))
    except OSError as error:
        raise Usage(f"cannot read {path}", why=error.strerror or str(error)) from error
    if len(content) > LARGEST:
        raise Usage(f"{path} is no key file", why=f"it is larger than {LARGEST} bytes")
    return content


def _create(path: Path, content: bytes | memoryview, mode: int) -> None:
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, mode)
    except FileExistsError as error:
        raise _taken(path) from error
    except OSError as error:
        raise Usage(f"cannot create {path}", why=error.strerror or str(error)) from error
    try:
        try:
            os.fchmod(handle, mode)
            _write_all(handle, content)
            os.fsync(handle)
        finally:
            os.close(handle)
        _sync_directory(path.parent)
    except OSError as error:
        path.unlink()
        raise Usage(f"cannot write {path}", why=error.strerror or str(error)) from error


def _write_all(handle: int, content: bytes | memoryview) -> None:
    """Without a buffer, which would be one more copy of a secret; a disk that is almost full takes a part only."""
    rest = memoryview(content)
    while rest:
        rest = rest[os.write(handle, rest) :]


def _sync_directory(directory: Path) -> None:
    handle = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _taken(path: Path) -> Conflict:
    return Conflict(f"{path} exists already", mend="name another file, or move that one away")
