"""A large library as a process: 24 drives and 1,000 cartridges, from its start to its first answers."""

import os
import subprocess
import sys
import time
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from tapekey.scsi import changer, changer_status, media
from tapekey.target import library, wrapping
from tapekey.transport.socket import connect

DRIVES, CARTRIDGES = 24, 1_000
SECONDS, MILLISECONDS = 2.0, 50.0
TRIES = 3  # others may be at work on this machine


@pytest.fixture
def large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Made without waiting for the disk, and with one key pair for all drives: neither is what is measured."""
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", lambda _: None)
        patch.setattr(wrapping, "generate", cache(wrapping.generate))
        barcodes = [f"E{number:05}L8" for number in range(CARTRIDGES)]
        library.create(
            tmp_path / "lib", personality="ibm-lto8", drives=DRIVES, slots=CARTRIDGES, barcodes=barcodes, mail_slots=2
        )
    return tmp_path / "lib"


@dataclass(frozen=True, slots=True)
class Start:
    """One start: seconds on the wall until it was ready, seconds of the processor for all of it, the answers' times."""

    wall: float
    processor: float
    took: list[float]

    @property
    def good(self) -> bool:
        """In time; on a machine that is busy with others, the library's own share of the processor counts."""
        return min(self.wall, self.processor) < SECONDS and self.took[0] < MILLISECONDS


def test_large_library_starts_in_two_seconds_and_tells_all_in_fifty_milliseconds(large: Path) -> None:
    starts: list[Start] = []
    while len(starts) < TRIES and not any(start.good for start in starts):
        starts.append(_served(large))

    for start in starts:
        print(f"\n{DRIVES} drives, {CARTRIDGES} cartridges: ready {start.wall:.2f} s after the process began", end=" ")
        print(f"({start.processor:.2f} s of the processor); READ ELEMENT STATUS of all through the socket:", end=" ")
        print(f"{start.took[0]:.1f} ms first, {min(start.took):.1f} later", end="")
    assert any(start.good for start in starts)


def _served(place: Path) -> Start:
    begun, used = time.perf_counter(), os.times()
    command = [sys.executable, "-m", "tapekey", "target", "serve", str(place)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as served:
        try:
            assert served.stdout is not None
            assert served.stdout.readline() == f"virtual:{place} is on\n"
            wall = time.perf_counter() - begun
            took, data = _status(place)
        finally:
            served.terminate()
    now = os.times()
    pages = {page.type: len(page.elements) for page in changer_status.decode_status(data)}
    assert pages == {1: 1, 3: 2, 4: DRIVES, 2: CARTRIDGES}
    spent = now.children_user + now.children_system - used.children_user - used.children_system
    return Start(wall, spent, took)


def _status(place: Path) -> tuple[list[float], bytes]:
    took = []
    with connect(place / "socket") as link:
        link.execute(media.test_unit_ready())
        for _ in range(5):
            begun = time.perf_counter()
            data = link.execute(changer.read_status(drive_names=True)).data_in
            took.append((time.perf_counter() - begun) * 1000)
    return took, data
