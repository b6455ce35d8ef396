"""`tapekey target serve --apart`: a process for each drive of a library, which is a target of its own.

Each is this same command on the drive's directory, with two links to the library's robot. It ends when they do.
"""

import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tapekey.errors import Usage

if TYPE_CHECKING:
    from tapekey.target.remote_drive import RemoteDrive

FAREWELL: Final = 30.0  # seconds in which a drive has stored what it holds, and ended
HIGHEST: Final = 0xFFFF


@dataclass(slots=True)
class Apart:
    """How the processes of drives are run: the drive N of the library is the target `NAME:drive-N`, N ports on."""

    host: str
    port: int
    target: str
    announce: tuple[str, int] | None
    words: list[str]
    drives: "dict[str, RemoteDrive]" = field(default_factory=dict)

    @contextmanager
    def power_on(self, directory: Path) -> "Iterator[RemoteDrive]":
        """Start the process of a drive; it is not waited for."""
        from tapekey.target.description import Description
        from tapekey.target.remote_drive import Link, RemoteDrive

        name = f"{self.target}:{directory.name}"
        command = self._command(directory, name)
        ours, theirs = zip(*(socket.socketpair() for _ in range(2)), strict=True)
        with ExitStack() as stack:
            for each in theirs:
                stack.enter_context(each)
            process = subprocess.Popen(
                [*command, *(f"--robot={link.fileno()}" for link in theirs)],
                pass_fds=[link.fileno() for link in theirs],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
            )
        try:
            links = [Link(each, directory) for each in ours]
            self.drives[name] = RemoteDrive(directory, links[0], links[1], Description.load(directory))
            yield self.drives[name]
        finally:
            for each in ours:
                each.close()
            _end(process)

    def _command(self, directory: Path, name: str) -> list[str]:
        from tapekey.target.portal import written

        number = len(self.drives) + 1
        command = [sys.executable, "-m", "tapekey", "target", "serve", str(directory), "--name", name, *self.words]
        command += ["--listen", written((self.host, _next(self.port, number)))]
        if self.announce is not None:
            command += ["--announce", written((self.announce[0], _next(self.announce[1], number)))]
        return command

    def beside(self) -> tuple[tuple[str, int], ...]:
        """What discovery tells of the drives, once all have power."""
        ports = {name: drive.started() for name, drive in self.drives.items()}
        if self.announce is not None:
            ports = {name: _next(self.announce[1], number) for number, name in enumerate(ports, 1)}
        return tuple(ports.items())

    def let_go(self) -> None:
        """Tell all of them at once to end."""
        for drive in self.drives.values():
            drive.let_go()

    def listening(self) -> list[str]:
        """A line for each drive."""
        from tapekey.target.portal import written

        return [
            f"iscsi://{written((self.host, drive.started()))}/{name} listens: LUN 0"
            for name, drive in self.drives.items()
        ]


def _next(port: int, number: int) -> int:
    """The port of a drive: so many behind the library's, or any where that is any."""
    if port and port + number > HIGHEST:
        raise Usage(f"there are not enough ports behind {port}", mend="listen on a lower one")
    return port and port + number


def _end(process: "subprocess.Popen[bytes]") -> None:
    try:
        process.wait(FAREWELL)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
