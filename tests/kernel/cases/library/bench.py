"""The host's virtual library as the guest has it: its nodes, its changer by `mtx`, its media; and a keystore."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tapekey import cli
from tapekey.discovery import sysfs
from tapekey.discovery.sysfs import Kind, Node
from tapekey.scsi import media
from tapekey.transport import sgio
from tests.kernel.cases import initiator, simulated

GATEWAY: Final = "10.0.2.2"  # the host's loopback, as the guest sees it
MEDIA: Final = Path("/mnt/library/cartridges")
WORK: Final = Path("/tmp/library")
KEYSTORE: Final = ("--store", str(WORK / "ks"), "--key-file", str(WORK / "root.key"))
MEANT: Final = ("--allow-virtual", "--allow-clear-key", "iscsi")
CHUNK: Final = 4096

Recorder = Callable[[str, object], None]  # pytest's record_property


@dataclass(frozen=True, slots=True)
class Bench:
    """One session's nodes: the changer, and the drives in the order of their LUNs."""

    portal: str
    name: str
    line: int
    changer: Node
    drives: tuple[Node, ...]

    def mtx(self, *words: str | int) -> str:
        return run("mtx", "-f", self.changer.path, *words)

    @contextmanager
    def loaded(self, slot: int, drive: int = 0) -> Iterator[Node]:
        """A cartridge in a drive; afterwards back in its slot."""
        self.mtx("load", slot, drive)
        try:
            yield self.drives[drive]
        finally:
            self.mtx("unload", slot, drive)

    @contextmanager
    def turned(self, knob: str) -> Iterator[None]:
        """A knob of the drives that stands at zero otherwise."""
        self.ask(f"turn {knob}")
        try:
            yield
        finally:
            self.ask(f"turn {knob.partition('=')[0]}=0.0")

    def ask(self, verb: str) -> str:
        """Have something done to the library on the host."""
        with socket.create_connection((GATEWAY, self.line), timeout=30) as line:
            line.sendall(f"{verb}\n".encode())
            return line.makefile().readline().strip()


def run(*words: object, **more: object) -> str:
    """Run a program and return what it says; what it says is in the failure too."""
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True, check=False, **more)  # type: ignore[call-overload]
    assert done.returncode == 0, f"{words}: {done.returncode}\n{done.stdout}{done.stderr}"
    return str(done.stdout)


def program(*words: str) -> subprocess.CompletedProcess[str]:
    """`tapekey` as a process of its own."""
    return subprocess.run([sys.executable, "-m", "tapekey", *words], capture_output=True, text=True, check=False)


def tapekey(*words: str) -> None:
    """`tapekey` in this process: starting one takes seconds under emulation."""
    assert cli.run([*words, *KEYSTORE]) == 0, words


def tape(node: Node) -> str:
    """The tape node that does not rewind."""
    return f"/dev/{node.nst}"


def login(portal: str, line: int, loss: int = 2) -> Bench:
    """Find the library by discovery, log in, and wait until udev has done with all of it.

    `loss`: seconds without an answer after which the session is lost, and with it the drives' keys.
    """
    initiator.start()
    told = run("iscsiadm", "-m", "discovery", "-t", "sendtargets", "-p", portal)
    address, _, name = told.strip().partition(",1 ")
    assert address == portal, told
    _settings(portal, name, loss)
    run("iscsiadm", "-m", "node", "-T", name, "-p", portal, "--login")
    return bench(portal, name, line, before=())


def _settings(portal: str, name: str, loss: int) -> None:
    """Be quick to say that a session is lost where a case waits for it."""
    for setting, value in (
        ("node.conn[0].timeo.noop_out_interval", "1"),
        ("node.conn[0].timeo.noop_out_timeout", str(loss)),
        ("node.session.timeo.replacement_timeout", "30"),
    ):
        run("iscsiadm", "-m", "node", "-T", name, "-p", portal, "-o", "update", "-n", setting, "-v", value)


def bench(portal: str, name: str, line: int, before: tuple[str, ...]) -> Bench:
    """The nodes that are there now and were not `before`, once they are all there."""

    def nodes() -> list[Node]:
        return [node for node in sysfs.scan() if node.sg not in before]

    simulated.await_(lambda: len(nodes()) == 3 and all(n.nst or n.kind is Kind.CHANGER for n in nodes()), "the library")
    subprocess.run(["udevadm", "settle"], check=True)
    found = sorted(nodes(), key=lambda node: int(node.hctl.rpartition(":")[2]))
    for node in found[1:]:
        simulated.await_(lambda node=node: simulated.known_to_udev(node), "udev")  # type: ignore[misc]
    return Bench(portal, name, line, found[0], tuple(found[1:]))


def make_keystore(bench: Bench) -> None:
    """A keystore that demands encryption for ENC*, and both drives approved."""
    WORK.mkdir()
    (WORK / "root.key").touch(mode=0o600)
    (WORK / "root.key").write_bytes(os.urandom(32))
    assert cli.run(["recipient", "generate", "x25519", str(WORK / "recovery.key")]) == 0
    tapekey("keystore", "init", "--recovery-recipient", str(WORK / "recovery.key.pub"))
    tapekey("rule", "add", "ENC*", "--require")
    tapekey("rule", "add", "CLR*", "--forbid")
    for drive in bench.drives:
        tapekey("drive", "approve", drive.path, "--allow", "iscsi", "--allow-virtual")


def save(drive: Node) -> None:
    tapekey("save", drive.path, *MEANT)


def restore(drive: Node) -> None:
    tapekey("restore", drive.path, *MEANT)


def attentions(node: Node) -> list[str]:
    """Take what is pending for our nexus, by TEST UNIT READY through sg: key/ASC/ASCQ in hex."""
    found = []
    with sgio.open_device(node.path) as device:
        for _ in range(8):
            reply = device.execute(media.test_unit_ready())
            if reply.status == 0 or reply.sense[2] & 0x0F != 6:
                break
            found.append(f"{reply.sense[2] & 0x0F:X}/{reply.sense[12]:02X}/{reply.sense[13]:02X}")
    return found


def on_medium(barcode: str, content: bytes) -> bool:
    """Whether any part of this content lies in clear on the cartridge, anywhere in its files.

    The content must be random: what compresses would not be found even where it is clear.
    """
    needles = [content[at : at + 64] for at in range(0, len(content), CHUNK)]
    stored = b"\0".join(file.read_bytes() for file in sorted((MEDIA / barcode).rglob("*")) if file.is_file())
    return any(needle in stored for needle in needles)


def await_session(node: Node) -> None:
    """Wait until the kernel has logged in again and takes commands for the device."""
    state = sysfs.SYS / "bus/scsi/devices" / node.hctl / "state"
    simulated.await_(lambda: state.read_text().strip() == "running", "the session to recover", 60.0)
    time.sleep(0.5)
