"""Debian's tgt as the peer: one tgtd on loopback with tape LUNs, each target once as it comes and once tuned."""

import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

CONTROL: Final = "74"  # the number of the control socket; other users of this host have others
PATIENCE: Final = 10.0  # seconds for it to come up
NAME: Final = "iqn.2026-11.invalid.tapekey:peer"
LUN: Final = 1
# What tgtadm takes of the parameters that tell how much one PDU may carry.
TUNED: Final = {
    "InitialR2T": "No",
    "ImmediateData": "Yes",
    "FirstBurstLength": "262144",
    "MaxBurstLength": "262144",
    "MaxRecvDataSegmentLength": "262144",
}


@contextmanager
def serve(place: Path, tapes: int, megabytes: int) -> Iterator[tuple[int, list[str], list[str]]]:
    """Run it; yields its process id, the URLs of the targets as they come, and those of the tuned ones."""
    port = free_port()
    daemon = subprocess.Popen(
        ["setpriv", "--pdeathsig", "KILL", "tgtd", "-f", "-C", CONTROL, "--iscsi", f"portal=127.0.0.1:{port}"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        plain = [_target(each, place, megabytes, port) for each in range(1, tapes + 1)]
        tuned = [_target(each, place, megabytes, port) for each in range(tapes + 1, 2 * tapes + 1)]
        for each in range(tapes + 1, 2 * tapes + 1):
            for name, value in TUNED.items():
                _admin("--op", "update", "--mode", "target", "--tid", str(each), "-n", name, "-v", value)
        yield daemon.pid, plain, tuned
    finally:
        daemon.kill()
        daemon.wait()


def _target(number: int, place: Path, megabytes: int, port: int) -> str:
    tape, name = place / f"tape-{number}", f"{NAME}-{number}"
    subprocess.run(
        [
            *(
                "tgtimg",
                "--op",
                "new",
                "--device-type",
                "tape",
                "--barcode",
                f"PEER{number:04}",
                "--size",
                str(megabytes),
            ),
            *("--type", "data", "--file", str(tape)),
        ],
        check=True,
        capture_output=True,
        timeout=PATIENCE,
    )
    tid = ("--tid", str(number))
    _when_up("--op", "new", "--mode", "target", *tid, "-T", name)
    _admin(
        *("--op", "new", "--mode", "logicalunit", *tid, "--lun", str(LUN)),
        *("--backing-store", str(tape), "--device-type", "tape", "--bstype", "ssc"),
    )
    _admin("--op", "bind", "--mode", "target", *tid, "-I", "ALL")
    return f"iscsi://127.0.0.1:{port}/{name}/{LUN}"


def _when_up(*words: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            return _admin(*words)
        except subprocess.CalledProcessError:
            if time.monotonic() > deadline:
                raise
        time.sleep(0.1)


def _admin(*words: str) -> None:
    command = ["tgtadm", "-C", CONTROL, "--lld", "iscsi", *words]
    subprocess.run(command, check=True, capture_output=True, timeout=PATIENCE)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
