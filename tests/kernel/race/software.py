"""The software that races: a writer for each drive, and `tapekey with` before it where a run is one of guard `hook`."""

import errno
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tapekey import cli
from tests.kernel.race.guest_agent import CONFIG, PLACE

WRITER: Final = PLACE / "writer"
BLOCK: Final = 32768
BLOCKS: Final = 24  # with a pause after each: a second of writing
NEEDLE: Final = 64


@dataclass(slots=True)
class Software:
    """One writer. `content` is the block that it writes; its first four bytes are a count."""

    name: str
    node: str
    start: int  # CLOCK_MONOTONIC, in nanoseconds
    deadline: int
    way: str
    content: bytes
    process: subprocess.Popen[bytes] | None = None
    child: int = 0

    def launch(self) -> None:
        """Let it wait for its time."""
        with self.told.open("wb") as told:
            self.process = subprocess.Popen(self._line(), stdin=subprocess.DEVNULL, stdout=told, stderr=told)

    def launch_behind_hook(self) -> None:
        """`tapekey with DRIVE -- WRITER` at once; a fork, since starting Python takes ten seconds under emulation."""
        self.child = os.fork()
        if self.child:
            return
        status = 99
        try:
            os.environ["TAPEKEY_CONFIG"] = str(CONFIG)
            told = os.open(self.told, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            os.dup2(told, 1)
            os.dup2(told, 2)
            status = cli.run(["with", self.node, "--", *self._line()])
        finally:
            os._exit(status)

    def _line(self) -> list[str]:
        (PLACE / f"content-{self.name}").write_bytes(self.content)
        words = (WRITER, self.node, self.start, self.deadline, self.way, PLACE / f"content-{self.name}", BLOCKS)
        return [str(word) for word in words]

    @property
    def told(self) -> Path:
        return PLACE / f"told-{self.name}"

    @property
    def needles(self) -> list[str]:
        """Pieces of its content, as the host looks for them."""
        return [self.content[at : at + NEEDLE].hex() for at in range(1024, BLOCK, 8192)]

    @property
    def ended(self) -> bool:
        if self.child:
            done, _ = os.waitpid(self.child, os.WNOHANG)
            self.child = 0 if done else self.child
            return not self.child
        return self.process is None or self.process.poll() is not None

    def end(self) -> None:
        """It should have ended by itself."""
        if self.child:
            os.kill(self.child, 9)
            os.waitpid(self.child, 0)
            self.child = 0
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def account(self) -> dict[str, Any]:
        """What it met: blocks whose writes returned well, how the last try ended, and the errors, each with a count."""
        errors: dict[str, int] = {}
        written, first, last = 0, None, ""
        for line in self.told.read_text(errors="replace").splitlines() if self.told.exists() else ():
            words = line.split()
            if len(words) != 4 or not words[0].isdigit():
                last = line or last
                continue
            at, what, number, count = int(words[0]), words[1], int(words[2]), int(words[3])
            if what == "written":
                written += count
            elif what == "label" and not number:
                first = (at - self.start) / 1e9
            elif number:
                errors[errno.errorcode.get(number, str(number))] = (
                    errors.get(errno.errorcode.get(number, str(number)), 0) + count
                )
        return {"written": written, "first_written": first, "errors": errors, "said": last}


def content() -> bytes:
    """Random, as the drive compresses before anything is looked for."""
    return os.urandom(BLOCK)
