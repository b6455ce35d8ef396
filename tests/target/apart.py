"""`tapekey target serve --apart` as a process, with the processes of its drives."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

NAME: Final = "iqn.2026-11.com.example:lib"
TARGETS: Final = [NAME, f"{NAME}:drive-1", f"{NAME}:drive-2"]
Addresses = dict[str, tuple[str, int]]


@contextmanager
def serving(directory: Path) -> Iterator[tuple[Addresses, "subprocess.Popen[str]"]]:
    """The command as a process, once it is on: where each target of a library with two drives listens."""
    words = ["--listen", "127.0.0.1:0", "--name", NAME, "--apart"]
    command = [sys.executable, "-m", "tapekey", "target", "serve", str(directory), *words]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            lines = [process.stdout.readline() for _ in TARGETS]
            assert process.stdout.readline() == f"virtual:{directory} is on\n"
            found = {}
            for line in lines:
                _, _, place, name = line.split()[0].split("/")
                found[name] = ("127.0.0.1", int(place.rpartition(":")[2]))
            yield found, process
        finally:
            process.kill()


def children(process: int) -> list[int]:
    """The processes of its drives, in their order."""
    return [int(each) for each in Path(f"/proc/{process}/task/{process}/children").read_text().split()]


def soon(true: Callable[[], bool]) -> bool:
    """Whether it is within ten seconds."""
    until = time.monotonic() + 10
    while not true() and time.monotonic() < until:
        time.sleep(0.01)
    return true()
