"""Our own virtual library, a process for each of its drives, and the settings that the drives are measured with."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

PERSONALITY: Final = "ibm-lto8"
ALGORITHM: Final = 3  # its algorithm index (page 0010h)
PATIENCE: Final = 30.0


@contextmanager
def serve(place: Path, drives: int, megabytes: int) -> Iterator[tuple[int, list[str]]]:
    """Run it; yields its process id and the URLs of its drives, each with a cartridge loaded."""
    directory = place / "library"
    barcodes = [f"BEN{number:03}L8" for number in range(1, drives + 1)]
    tapekey(
        *("target", "create", directory, "--drives", drives, "--slots", drives, "--personality", PERSONALITY),
        *("--barcodes", f"{barcodes[0]}..{barcodes[-1]}", "--capacity", megabytes << 20),
    )
    command = [sys.executable, "-m", "tapekey", "target", "serve", str(directory), "--listen", "127.0.0.1:0", "--apart"]
    server = subprocess.Popen(
        ["setpriv", "--pdeathsig", "KILL", *command],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert server.stdout is not None
        _, *urls = [f"{server.stdout.readline().partition(' ')[0]}/0" for _ in range(1 + drives)]
        for number, barcode in enumerate(barcodes, 1):
            tapekey("target", "move", directory, barcode, f"drive-{number}")
        yield server.pid, urls
    finally:
        server.terminate()
        server.wait(PATIENCE)


def tapekey(*words: object) -> None:
    subprocess.run(
        [sys.executable, "-m", "tapekey", *map(str, words)], check=True, capture_output=True, timeout=PATIENCE
    )


def setting(stream: Path, urls: list[str], *, key: bool, compress: bool) -> Callable[[], None]:
    """Bring every drive into one setting, by the initiator program."""

    def prepare() -> None:
        for url in urls:
            for task in ("key" if key else "clear", "compress" if compress else "plain"):
                subprocess.run([stream, task, "0", str(ALGORITHM), "none", url], check=True, timeout=PATIENCE)

    return prepare
