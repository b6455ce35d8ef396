"""The kernel's simulated tape drives: the scsi_debug module, loaded with parameters and steered through sysfs.

Each simulated host has one drive with one LUN, so that a drive is added and removed by adding and removing a host.
"""

import fcntl
import platform
import struct
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from tapekey.discovery import sysfs
from tapekey.discovery.sysfs import Node
from tapekey.errors import NotReady, StateChanged
from tapekey.exchange import Command, Reply, Transport
from tapekey.scsi import media
from tapekey.scsi.run import run
from tapekey.transport import sgio
from tapekey.transport.sgio import Device
from tests.kernel.cases import holders

STEERING: Final = Path("/sys/bus/pseudo/drivers/scsi_debug")
DEBUG: Final = Path("/sys/kernel/debug/scsi_debug")
RELEASE: Final = tuple(int(number) for number in platform.release().split(".")[:2])
PATIENCE: Final = 30.0  # seconds; emulation is slow

# `opts` of the module's documentation: what every `every_nth` command suffers; the second one only TEST UNIT READY
TIME_OUT, TRANSPORT_ERROR = 0x04, 0x10


def load(count: int = 1, **parameters: object) -> tuple[Node, ...]:
    """Load the module with tape drives, in place of what was there, and wait until udev has done with them."""
    unload()
    given = {"ptype": 1, "max_luns": 1, "num_tgts": 1, "add_host": count, **parameters}
    words = [f"{name}={value}" for name, value in given.items()]
    subprocess.run(["modprobe", "-a", "sg", "st"], check=True)
    subprocess.run(["modprobe", "scsi_debug", *words], check=True)
    return settled(count)


def beside(others: Sequence[Node]) -> tuple[Node, ...]:
    """Load the module with one drive, beside others that are there already."""
    subprocess.run(["modprobe", "scsi_debug", "ptype=1", "max_luns=1", "num_tgts=1", "add_host=1"], check=True)
    await_(lambda: len(complete()) == len(others) + 1, "one more drive")
    subprocess.run(["udevadm", "settle"], check=True)
    return tuple(node for node in complete() if node.sg not in {other.sg for other in others})


def unload() -> None:
    """Take all simulated drives away, once nobody looks at them: udev looks at each that comes."""
    if STEERING.exists():
        subprocess.run(["udevadm", "settle"], check=True)
        await_(_removed, "scsi_debug to be let go")
        subprocess.run(["udevadm", "settle"], check=True)


def _removed() -> bool:
    """Try to take the module away; who has a drive open is told."""
    done = subprocess.run(["modprobe", "-r", "scsi_debug"], capture_output=True, text=True, check=False)
    if done.returncode:
        print(done.stderr.strip(), holders.uses("scsi_debug"), *holders.holders(), *holders.udev_workers(), sep="\n  ")
    return done.returncode == 0


def settled(count: int) -> tuple[Node, ...]:
    """Wait for exactly so many drives, known to sg and st and done with by udev."""
    await_(lambda: len(complete()) == count and len(sysfs.scan()) == count, f"{count} drives")
    subprocess.run(["udevadm", "settle"], check=True)
    nodes = complete()
    # to settle is not enough: udev may not have heard of them yet
    await_(lambda: all(known_to_udev(node) for node in nodes), "udev")
    for node in nodes:  # by which the kernel asks a drive again after a time-out; 10 s else
        (sysfs.SYS / "bus/scsi/devices" / node.hctl / "eh_timeout").write_text("1")
    return nodes


def known_to_udev(node: Node) -> bool:
    """Whether udev has done with both nodes of a drive: then it keeps a file for each."""
    entries = (f"scsi_generic/{node.sg}", f"scsi_tape/{node.nst}")
    numbers = [(sysfs.SYS / "class" / entry / "dev").read_text().strip() for entry in entries]
    return all(Path(f"/run/udev/data/c{number}").exists() for number in numbers)


def complete() -> tuple[Node, ...]:
    return tuple(node for node in sysfs.scan() if node.nst)


def number_of(entry: str) -> str:
    """The H:C:T:L behind an entry of /sys/class."""
    return (sysfs.SYS / "class" / entry / "device").resolve().name


def await_(holds: Callable[[], object], what: str, patience: float = PATIENCE) -> None:
    """Wait until something holds; a failure says what was waited for."""
    deadline = time.monotonic() + patience
    while not holds():
        assert time.monotonic() < deadline, f"waited {patience:g} s for {what}"
        time.sleep(0.02)


def steer(name: str, value: object) -> None:
    """Write one of the module's settings."""
    (STEERING / name).write_text(f"{value}\n")


@contextmanager
def every_command(fault: int) -> Iterator[None]:
    """While this lasts, every command that the module lets suffer, suffers."""
    steer("opts", fault)
    steer("every_nth", 1)
    try:
        yield
    finally:
        steer("opts", 0)
        steer("every_nth", 0)


@dataclass(frozen=True, slots=True)
class Hasty:
    """The same device with less patience for each command."""

    device: Transport
    seconds: float = 1.0

    def execute(self, command: Command) -> Reply:
        return self.device.execute(replace(command, timeout=self.seconds))


def hastily(seconds: float) -> Callable[[str], AbstractContextManager[Transport]]:
    """An opener of nodes whose commands have no more time than this."""

    @contextmanager
    def opener(path: str) -> Iterator[Transport]:
        with sgio.open_device(path) as device:
            yield Hasty(device, seconds)

    return opener


def reset(node: Node) -> None:
    """Have the kernel reset the device: SG_SCSI_RESET, scope device (include/scsi/sg.h)."""
    with open(node.path, "rb+", buffering=0) as file:
        fcntl.ioctl(file, 0x2284, struct.pack("i", 1))


@contextmanager
def opened(*nodes: Node) -> Iterator[list[Device]]:
    """The drives' sg nodes, open, with the attentions of power-on behind them."""
    with ExitStack() as stack:
        devices = [stack.enter_context(sgio.open_device(node.path)) for node in nodes]
        for device in devices:
            calm(device)
        yield devices


def calm(transport: Transport) -> None:
    """Take the drive's attentions until none is left."""
    for _ in range(8):
        try:
            run(transport, media.test_unit_ready())
        except StateChanged:
            continue
        except NotReady:
            return
        else:
            return
    raise AssertionError("the drive does not settle")
