"""The project's own virtual library on this host's loopback, and a line by which the guest has it killed and started.

It lies in the directory that is shared with the guest, so that a case can look at what is on a medium. The line is
TCP on the loopback: one word in, one line out.
"""

import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tests.kernel.tape_target import free_port

PLACE: Final = "library"  # within the share
HOST: Final = "127.0.0.1"
AS_SEEN: Final = "10.0.2.2"  # this host's loopback, from the guest
PATIENCE: Final = 20.0


@dataclass(frozen=True, slots=True)
class Kind:
    """A library as it is made, in a directory of the share: the cases', or that of the jobs of backup software."""

    place: str
    serial: str
    barcodes: str
    capacity: int  # so small that a case can come to the end of a tape
    slots: int = 24

    def words(self) -> tuple[str, ...]:
        return (
            *("--personality", "ibm-lto8", "--drives", "2", "--slots", str(self.slots), "--serial", self.serial),
            *("--barcodes", self.barcodes, "--capacity", str(self.capacity)),
        )


CASES: Final = Kind(PLACE, "KERNELLIB0", "ENC001L8..ENC022L8,CLR001L8,CLR002L8", 64 << 20)
JOBS: Final = Kind("jobs", "KERNELJOBS", "BAC001L8..BAC020L8,AMA001L8..AMA004L8,JOB001L8..JOB004L8", 4 << 20, 28)


@dataclass(slots=True)
class Library:
    """The library's directory and port, and the process that serves it, if one does."""

    directory: Path
    port: int
    process: subprocess.Popen[bytes] | None = None
    log: Path = field(default=Path("/dev/null"))

    def start(self) -> str:
        """Serve, and wait until the port answers."""
        assert self.process is None
        listen = ("--listen", f"{HOST}:{self.port}", "--announce", f"{AS_SEEN}:{self.port}")
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", *tapekey("target", "serve", str(self.directory), *listen)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        deadline = time.monotonic() + PATIENCE
        while not self._answers():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"the library is not served: {self.log.read_text()[-2000:]}")
            time.sleep(0.05)
        return "started"

    def kill(self) -> str:
        """SIGKILL: nothing is said to anybody, and what was only in memory is gone."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None
        return "killed"

    def turn(self, *knobs: str) -> str:
        """Turn knobs of all drives, such as load_time=3."""
        return _told("target", "set", str(self.directory), *knobs)

    def protect(self, barcode: str) -> str:
        """Slide a cartridge's write-protect tab."""
        return _told("target", "write-protect", str(self.directory / "cartridges" / barcode))

    def release(self, barcode: str) -> str:
        return _told("target", "write-protect", "--off", str(self.directory / "cartridges" / barcode))

    def _answers(self) -> bool:
        with socket.socket() as probe:
            probe.settimeout(1.0)
            return probe.connect_ex((HOST, self.port)) == 0


@contextmanager
def serve(share: Path, kind: Kind = CASES) -> Iterator[str]:
    """Make a library in the share, and serve it; yields PORT/PORT: the library's, and the line's."""
    made = Library(share / kind.place, free_port(), log=share / f"{kind.place}.log")
    _told("target", "create", str(made.directory), *kind.words())
    with ExitStack() as stack:
        stack.callback(made.kill)
        made.start()
        line = stack.enter_context(_line(made))
        yield f"{made.port}/{line}"


@contextmanager
def _line(made: Library) -> Iterator[int]:
    """Answer the guest, one connection at a time, until the context ends."""
    with socket.create_server((HOST, 0)) as listener:
        listener.settimeout(0.5)
        ended = threading.Event()

        def answer() -> None:
            while not ended.is_set():
                try:
                    caller, _ = listener.accept()
                except TimeoutError:
                    continue
                with caller:
                    verb, *words = caller.makefile().readline().split()
                    caller.sendall(f"{VERBS[verb](made, *words)}\n".encode())

        thread = threading.Thread(target=answer)
        thread.start()
        try:
            yield int(listener.getsockname()[1])
        finally:
            ended.set()
            thread.join()


VERBS: Final[dict[str, Callable[..., str]]] = {
    "kill": Library.kill,
    "start": Library.start,
    "turn": Library.turn,
    "protect": Library.protect,
    "release": Library.release,
}


def tapekey(*words: str) -> list[str]:
    return [sys.executable, "-m", "tapekey", *words]


def _told(*words: str) -> str:
    return subprocess.run(tapekey(*words), check=True, capture_output=True, text=True).stdout.strip()
