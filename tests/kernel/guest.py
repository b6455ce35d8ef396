"""Boots a guest, runs the job in a directory shared with it, and hands its output over line by line.

Software emulation, so that it runs wherever QEMU does. The images are never written to. The guest is a child that dies
with its parent, is killed at its deadline, and is the only process that is ever killed.
"""

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from selectors import EVENT_READ, DefaultSelector
from typing import Final

from tests.kernel.guest_image import HERE, Image

KERNEL_LINE: Final = (
    "console=ttyS0 quiet net.ifnames=0 mitigations=off nokaslr audit=0 apparmor=0 no_timer_check "
    "random.trust_cpu=on panic=-1"
)


class GuestFailed(Exception):
    """The guest did not end by itself, or left no result; the end of its console is in the text."""


@dataclass(frozen=True, slots=True)
class Run:
    """How a guest's job ended: its exit status, guest seconds to its start, and seconds from start to power-off."""

    status: int
    booted: float
    seconds: float


def run(image: Image, share: Path, job: str, *, limit: float, say: Callable[[str], None]) -> Run:
    """Boot, run a shell script in the share (`/mnt` there), tell each line of its output, and power off."""
    shutil.copy(HERE / "init.sh", share / "init")
    (share / "init").chmod(0o755)
    (share / "job").write_text(job)
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as place:
        console = Path(place) / "console"
        reader, writer = os.pipe()
        with os.fdopen(reader, "rb", buffering=0) as output:
            vm = subprocess.Popen(
                # no guest outlives its runner, whatever becomes of that
                ["setpriv", "--pdeathsig", "KILL", *_machine(image, share, console, writer)],
                stdin=subprocess.DEVNULL,
                pass_fds=(writer,),
            )
            os.close(writer)
            try:
                _relay(output.fileno(), started + limit, say)
                vm.wait(max(1.0, started + limit - time.monotonic()))
            except (TimeoutError, subprocess.TimeoutExpired) as late:
                raise GuestFailed(f"the guest did not end within {limit:g} s\n{_tail(console)}") from late
            finally:
                vm.kill()
                vm.wait()
        return _result(share, console, time.monotonic() - started)


def _machine(image: Image, share: Path, console: Path, output: int) -> list[str]:
    """The virtual machine as QEMU's arguments. A named processor: `max` only costs time under emulation."""
    return [
        *("qemu-system-x86_64", "-nodefaults", "-display", "none", "-no-reboot", "-machine", "pc,usb=off"),
        *("-accel", "tcg,thread=multi", "-cpu", "qemu64", "-smp", "2", "-m", "1024"),
        *("-kernel", str(image.kernel), "-initrd", str(image.initrd), "-append", KERNEL_LINE),
        *("-drive", f"file={image.root},if=virtio,format=raw,snapshot=on"),
        *("-drive", f"file={image.modules},if=virtio,format=raw,snapshot=on"),
        *("-serial", f"file:{console}", "-device", "virtio-serial-pci"),
        *("-chardev", f"file,id=output,path=/dev/fd/{output}", "-device", "virtserialport,chardev=output,name=output"),
        *("-virtfs", f"local,path={share},mount_tag=host,security_model=none,multidevs=remap"),
        *("-netdev", "user,id=net", "-device", "virtio-net-pci,netdev=net"),
        *("-object", "rng-random,id=random,filename=/dev/urandom", "-device", "virtio-rng-pci,rng=random"),
    ]


def _relay(output: int, deadline: float, say: Callable[[str], None]) -> None:
    """Tell the guest's lines as they come, until the machine closes its end."""
    pending = b""
    with DefaultSelector() as selector:
        selector.register(output, EVENT_READ)
        while True:
            if not selector.select(max(0.0, deadline - time.monotonic())):
                raise TimeoutError
            piece = os.read(output, 65536)
            *lines, pending = (pending + piece).split(b"\n")
            for line in lines:
                say(line.decode(errors="replace").rstrip())
            if not piece:
                return


def _result(share: Path, console: Path, seconds: float) -> Run:
    try:
        status, booted = int((share / "status").read_text()), float((share / "booted").read_text())
    except (OSError, ValueError) as error:
        raise GuestFailed(f"the guest left no result\n{_tail(console)}") from error
    return Run(status, booted, seconds)


def _tail(console: Path) -> str:
    return console.read_text(errors="replace")[-4000:] if console.exists() else "it never started"
