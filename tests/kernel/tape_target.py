"""Debian's tgt on this host's loopback, with one tape: what the guest's iSCSI initiator logs in to.

A daemon of our own, with a port and a control socket of its own, so that one that runs here already is left alone.
"""

import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from tests.kernel.cache import Unavailable, run

NAME: Final = "iqn.2004-10.com.example:tapekey.tape"
CAPACITY: Final = "64"  # MB
PATIENCE: Final = 10.0  # seconds for it to come up


@contextmanager
def serve() -> Iterator[str]:
    """Run the target; yields PORT/NAME."""
    port = free_port()
    control = str(port % 32768)  # the number of its control socket: one that no other target has
    with tempfile.TemporaryDirectory() as place:
        tape = Path(place) / "tape"
        run(
            *("tgtimg", "--op", "new", "--device-type", "tape", "--barcode", "KERNEL01", "--size", CAPACITY),
            *("--type", "data", "--file", tape),
        )
        daemon = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", "tgtd", "-f", "-C", control, "--iscsi", f"portal=127.0.0.1:{port}"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            _define(control, tape)
            yield f"{port}/{NAME}"
        finally:
            daemon.kill()
            daemon.wait()


def _define(control: str, tape: Path) -> None:
    _when_up(control, "--op", "new", "--mode", "target", "--tid", "1", "-T", NAME)
    _admin(
        control,
        *("--op", "new", "--mode", "logicalunit", "--tid", "1", "--lun", "1"),
        *("--backing-store", str(tape), "--device-type", "tape", "--bstype", "ssc"),
    )
    _admin(control, "--op", "bind", "--mode", "target", "--tid", "1", "-I", "ALL")


def _when_up(control: str, *words: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            return _admin(control, *words)
        except Unavailable:
            if time.monotonic() > deadline:
                raise
        time.sleep(0.2)


def _admin(control: str, *words: str) -> None:
    run("tgtadm", "-C", control, "--lld", "iscsi", *words)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
