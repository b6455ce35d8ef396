"""The socket's file: made beside and renamed, so that it has its mode at once, and never taken from the living."""

import errno
import fcntl
import os
import socket
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from tapekey.errors import Conflict, Usage

MODE = 0o660
BACKLOG = 64
LONGEST_PATH = 107  # sun_path without its end (unix(7))
# accept(2): what passes, and says nothing about the listening socket.
PASSING: Final = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM, errno.ECONNABORTED, errno.EINTR)


@contextmanager
def listening(path: Path) -> Iterator[socket.socket]:
    """A listening socket at a path, of its directory's group; its file is gone afterwards."""
    beside = path.with_name(f".{path.name}.new")
    if len(os.fsencode(beside)) > LONGEST_PATH:
        raise Usage(
            f"{path} is too long for a socket", why=f"at most {LONGEST_PATH - 5} bytes", mend="set agent.runtime"
        )
    with _alone(path), socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        _demand_nobody_there(path)
        beside.unlink(missing_ok=True)
        listener.bind(str(beside))
        os.chmod(beside, MODE)
        with suppress(PermissionError):  # of a group that this user is not in
            os.chown(beside, -1, path.parent.stat().st_gid)
        listener.listen(BACKLOG)
        made = beside.stat().st_ino
        beside.rename(path)
        try:
            yield listener
        finally:
            with suppress(FileNotFoundError):
                if path.lstat().st_ino == made:
                    path.unlink()


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Hold the lock beside the socket, which the kernel drops however its holder ends."""
    try:
        handle = os.open(
            path.with_name(f"{path.name}.lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600
        )
    except OSError as error:
        why = error.strerror or str(error)
        raise Usage(f"cannot serve at {path}", why=why, mend=f"make the directory {path.parent}") from error
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise _taken(path) from error
        yield
    finally:
        os.close(handle)


def _demand_nobody_there(path: Path) -> None:
    """Refuse what is no socket, and a socket that somebody answers at, or may: only a dead one's is replaced."""
    try:
        if not stat.S_ISSOCK(path.lstat().st_mode):
            raise Conflict(f"{path} is in the way", why="it is no socket", mend="move it away")
    except FileNotFoundError:
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.setblocking(False)
        if probe.connect_ex(str(path)) != errno.ECONNREFUSED:
            raise _taken(path)


def _taken(path: Path) -> Conflict:
    return Conflict(f"another agent runs at {path}", mend="stop it first: systemctl stop tapekey-agent")
