"""1,000 connections that say nothing and 1,000 that say a byte now and then, while a good initiator works on."""

import contextlib
import resource
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest

from tapekey.target import machine
from tests.target.peer import HOST, Peer, keys_of, login_pdu

ROOT: Final = Path(__file__).parents[2]
SILENT: Final = 1000
SLOW: Final = 1000
DEADLINE: Final = 3.0
ENOUGH: Final = 5000  # descriptors for the crowd
LATEST: Final = 1.5  # seconds for one answer, on a machine that does other things too
BOUND: Final = 64 << 10  # KiB of growth
INQUIRY = bytes([0x12, 0, 0, 0, 36, 0])


@pytest.fixture
def many_descriptors() -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < ENOUGH:
        pytest.skip(f"this user may open {hard} files only")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, ENOUGH), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@contextmanager
def child(place: Path) -> Iterator[tuple[tuple[str, int], int]]:
    """A served drive: its address, and the process's id."""
    machine.create(place, "ibm-lto6")
    command = [sys.executable, "-m", "tests.real.portal_child", str(place), str(DEADLINE)]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            host, port = process.stdout.readline().split()
            yield (host, int(port)), process.pid
        finally:
            process.stdin.close()
            assert process.wait(20) == 0


def resident(pid: int) -> int:
    """KiB of memory."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS"))


def crowd(address: tuple[str, int], stop: threading.Event) -> tuple[int, int]:
    """Connect, dribble until all are shed or `stop`; how many came, and how many were left in the end."""
    links = []
    for _ in range(SILENT + SLOW):
        with contextlib.suppress(OSError):
            link = socket.create_connection(address, timeout=5)
            link.setblocking(False)
            links.append(link)
    came, at = len(links), 0
    image = login_pdu(keys_of(f"{HOST}-slow"))
    slow = links[SILENT:]
    while links and not stop.is_set():
        for link in slow:
            with contextlib.suppress(OSError):
                link.send(image[at : at + 1])
        at = min(at + 1, 40)
        links = [link for link in links if not gone(link)]
        time.sleep(0.05)
    for link in links:
        link.close()
    return came, len(links)


def gone(link: socket.socket) -> bool:
    try:
        ended = link.recv(1) == b""
    except BlockingIOError:
        return False
    except OSError:
        ended = True
    if ended:
        link.close()
    return ended


@pytest.mark.usefixtures("many_descriptors")
def test_crowd_that_does_not_log_in_is_shed_while_others_work(
    tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    stop, outcome = threading.Event(), []
    with child(tmp_path / "drive") as (address, pid), Peer.login(address) as good:
        before, times, logins = resident(pid), [], 0
        thread = threading.Thread(target=lambda: outcome.append(crowd(address, stop)))
        thread.start()
        most, end = before, time.monotonic() + 30
        while thread.is_alive() and time.monotonic() < end:
            began = time.monotonic()
            assert good.command(0, INQUIRY, room=36).status == 0
            times.append(time.monotonic() - began)
            if len(times) % 200 == 0:
                most = max(most, resident(pid))
                with Peer.login(address, f"{HOST}-late") as late:
                    assert late.ping() == b"hello"
                logins += 1
            time.sleep(0.001)
        stop.set()
        thread.join()
    came, left = outcome[0]
    assert (came, left) == (SILENT + SLOW, 0)
    assert max(times) < LATEST
    assert most - before < BOUND
    assert logins
    times.sort()
    record_property(
        "told",
        f"a crowd of {came} was shed; meanwhile {len(times)} commands: median {times[len(times) // 2] * 1e3:.1f} ms,"
        f" worst {times[-1] * 1e3:.0f} ms; {logins} logins; the target grew by {(most - before) / 1024:.1f} MiB",
    )
