"""Many virtual drives powered by another process, each behind its socket, and a relay that makes one of them bad.

`python -m tests.service.fleet DIR...` powers the drives in those directories until its standard input ends.
"""

import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from tapekey import config
from tapekey.keys import identity
from tapekey.keys.identity import Identity, Kind
from tapekey.keystore import rules
from tapekey.keystore.slots import KeyFile
from tapekey.manager.local import LocalManager, open_manager
from tapekey.manager.questions import DriveRecord
from tapekey.policy.facts import Rule, Stance, Subject
from tapekey.target import cartridge, description, machine, server
from tapekey.target.personality import PERSONALITIES
from tapekey.transport.socket import ANSWER, COMMAND, connect
from tests import rig

PERSONALITY = "ibm-lto6"
FAILED = bytes([2, 18, 0x70, 0, 4, 0, 0, 0, 0, 10, 0, 0, 0, 0, 0x44, 0, 0, 0, 0, 0])  # 4/44/00 behind its length


def serve(places: list[Path]) -> None:
    """Power drives until standard input ends."""
    stop = threading.Event()
    with ExitStack() as stack:
        powered = [stack.enter_context(machine.open(place)) for place in places]
        sockets = {path: served for drive in powered for path, served in server.sockets_of_drive(drive).items()}
        listeners = stack.enter_context(server.listening(sockets))
        thread = threading.Thread(target=server.accept, args=(listeners, stop))
        thread.start()
        print("powered", flush=True)
        sys.stdin.read()
        stop.set()
        thread.join()


@dataclass(frozen=True)
class Fleet:
    """Approved drives that are on, each with a cartridge beside it, and a keystore whose rule is `require`."""

    directory: Path
    names: tuple[str, ...]
    opener: KeyFile
    manager: LocalManager

    def uri(self, name: str) -> str:
        return f"virtual:{self.directory / name}"

    def panel(self, name: str, verb: str) -> None:
        more = {"cartridge": str(self.directory / f"{name}-tape")} if verb == "insert" else {}
        with connect(self.directory / name / "socket", "panel") as drive:
            told = drive.control(verb, **more)
            assert told.get("ok", True) is not False, told

    def settings(self, *names: str, empty_seconds: float = 0.1) -> config.Config:
        agent = config.Agent(
            runtime=self.directory / "run",
            drives=tuple(self.uri(name) for name in names),
            discover=False,
            empty_seconds=empty_seconds,
            quiet_seconds=0.1,
        )
        key = self.directory / "key-file"
        return config.Config(store=self.directory / "store", key_file=key, allow_virtual=True, agent=agent)


@contextmanager
def fleet(directory: Path, count: int) -> Iterator[Fleet]:
    """So many drives, D0 and up."""
    names = tuple(f"D{number}" for number in range(count))
    for name in names:
        machine.create(directory / name, PERSONALITY, serial=name)
        facts = PERSONALITIES[PERSONALITY]
        cartridge.create(directory / f"{name}-tape", facts.generation, f"E{name.rjust(5, '0')}L6"[:8])
    opener = rig.new_store(directory, _people(), rig.Clock(), single_copy=False)
    command = [sys.executable, "-m", "tests.service.fleet", *(str(directory / name) for name in names)]
    with (
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as powered,
        open_manager(directory / "store", [opener]) as manager,
    ):
        assert powered.stdout is not None
        assert powered.stdin is not None
        assert powered.stdout.readline() == "powered\n"
        made = Fleet(directory, names, opener, manager)
        _approve(made)
        try:
            yield made
        finally:
            powered.stdin.close()
            powered.wait(30.0)


def _people() -> dict[str, Identity]:
    return {name: identity.generate(Kind.X25519) for name in (rig.PARTNER, rig.OFFLINE)}


def _approve(made: Fleet) -> None:
    with made.manager.store.writing() as transaction:
        rules.add(transaction, Rule(Subject.DEFAULT, "", Stance.REQUIRE, ("site", rig.PARTNER)))
    for name in made.names:
        facts = description.Description.load(made.directory / name)
        made.manager.approve(DriveRecord(name, facts.naa, "IBM", "ULT3580-TD6", made.uri(name), virtual=True))


# --- bad ones ---

Mishap = Callable[[int, threading.Event], bytes | None]  # by the command's number; None: it is passed on


def after(seconds: float) -> Mishap:
    """Every command takes so long."""

    def wait(_: int, stop: threading.Event) -> None:
        stop.wait(seconds)

    return wait


def failing(every: int) -> Mishap:
    """Every so many commands the drive says that it is broken."""
    return lambda number, _: FAILED if number % every == 0 else None


@contextmanager
def relay(drive: Path, place: Path, mishap: Mishap) -> Iterator[None]:
    """The same drive at another place, with mishaps to its commands."""
    place.mkdir()
    stop = threading.Event()
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener, machine.short_path(place / "socket") as short:
        listener.bind(short)
        listener.listen(8)
        listener.settimeout(0.2)
        thread = threading.Thread(target=_admit, args=(listener, drive, mishap, stop))
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()


def _admit(listener: socket.socket, drive: Path, mishap: Mishap, stop: threading.Event) -> None:
    numbers = iter(range(1, 1 << 62))
    with ExitStack() as stack:
        while not stop.is_set():
            with suppress(TimeoutError):
                client = stack.enter_context(listener.accept()[0])
                client.settimeout(None)
                there = stack.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
                with machine.short_path(drive / "socket") as short:
                    there.connect(short)
                threading.Thread(target=_pass, args=(client, there, mishap, numbers, stop), daemon=True).start()


def _pass(
    client: socket.socket, there: socket.socket, mishap: Mishap, numbers: Iterator[int], stop: threading.Event
) -> None:
    with suppress(OSError, EOFError):
        while True:
            header, body = _frame(client)
            instead = mishap(next(numbers), stop) if header[4] == COMMAND else None
            if instead is not None:
                client.sendall(struct.pack(">IB", 1 + len(instead), COMMAND | ANSWER) + instead)
                continue
            there.sendall(header + body)
            client.sendall(b"".join(_frame(there)))


def _frame(link: socket.socket) -> tuple[bytes, bytes]:
    header = _exactly(link, 5)
    return header, _exactly(link, struct.unpack(">I", header[:4])[0] - 1)


def _exactly(link: socket.socket, size: int) -> bytes:
    found = bytearray()
    while len(found) < size:
        piece = link.recv(size - len(found))
        if not piece:
            raise EOFError
        found += piece
    return bytes(found)


if __name__ == "__main__":
    serve([Path(name) for name in sys.argv[1:]])
