"""The host's part: a library of many drives, its cartridges made anew between rounds, and a keystore that knows it.

The guest asks by a line of JSON over the loopback, and is answered by one.
"""

import io
import json
import os
import shutil
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, redirect_stderr, redirect_stdout
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from tapekey import cli
from tapekey.cli.target_panel import press
from tapekey.target import cartridge
from tests.kernel import library
from tests.kernel.race import runs, verdict
from tests.kernel.tape_target import free_port

PLACE: Final = "library"  # within the share
GENERATION: Final = "lto6"
CAPACITY: Final = 64 << 20
SLOTS: Final = 4  # more than drives: empty ones, and the scratch cartridge of the qualification
SCRATCH: Final = "QUALIFYL6"
_QUIETLY: Final = threading.Lock()  # standard output is the whole process's


@dataclass(slots=True)
class Shelf:
    """The library's directory, and the cartridge that was put into each slot: slot N goes into drive N."""

    library: library.Library
    drives: int
    made: int = 0
    ours: dict[int, bool] = field(default_factory=dict)  # slots whose cartridge holds data of ours and nothing else

    def fresh(self, wanted: dict[str, bool], load_time: float) -> list[dict[str, Any]]:
        """For each slot: leave the cartridge where data of ours is wanted and is on it, else lay a blank one there."""
        self.library.turn(f"load_time={load_time}")
        for slot, want in wanted.items():
            if not (want and self.ours.get(int(slot))):
                self._blank(int(slot))
        press(self.library.directory, "rescan")
        return [self._told(int(slot)) for slot in wanted]

    def judge(self, needles: dict[str, list[str]]) -> list[dict[str, Any]]:
        """What is on each slot's cartridge; what a run's own content is, is in the guest's needles."""
        found = []
        for slot, own in needles.items():
            each = verdict.judge(self.place(int(slot)), tuple(map(bytes.fromhex, own)))
            self.ours[int(slot)] = bool(each.encrypted and not each.clear)
            found.append(asdict(each))
        return found

    def place(self, slot: int) -> Path:
        return self.library.directory / "cartridges" / f"place-{slot + 1}"

    def _blank(self, slot: int) -> None:
        """Another cartridge in that place of the inventory: its barcode and its serial number are new."""
        self.made += 1
        place, beside = self.place(slot), self.place(slot).with_name("coming")
        cartridge.create(beside, GENERATION, f"E{self.made:05}L6", capacity=CAPACITY)
        shutil.rmtree(place, ignore_errors=True)
        beside.rename(place)
        self.ours.pop(slot, None)

    def _told(self, slot: int) -> dict[str, Any]:
        identity = cartridge.read_identity(self.place(slot))
        return {"barcode": identity.barcode, "serial": identity.serial, "ours": self.ours.get(slot, False)}


VERBS: Final[Mapping[str, Callable[..., object]]] = {"fresh": Shelf.fresh, "judge": Shelf.judge}


@contextmanager
def serve(share: Path, drives: int) -> Iterator[str]:
    """Make library and keystore in the share, and serve; yields PORT/PORT: the library's, and the line's."""
    shelf = Shelf(library.Library(share / PLACE, free_port(), log=share / "library.log"), drives)
    _make(shelf, share)
    with ExitStack() as stack:
        stack.callback(shelf.library.kill)
        shelf.library.start()
        yield f"{shelf.library.port}/{stack.enter_context(_line(shelf))}"


def _make(shelf: Shelf, share: Path) -> None:
    """Drives of three kinds, approved and qualified here, where that takes a second each and not half a minute."""
    directory = shelf.library.directory
    _tapekey(
        *("target", "create", directory, "--personality", f"ibm-{GENERATION}", "--drives", shelf.drives),
        *("--slots", shelf.drives + SLOTS, "--serial", "RACELIB0", "--barcodes", SCRATCH, "--capacity", CAPACITY),
    )
    _make_keystore(share)
    for drive in range(shelf.drives):
        place = directory / f"drive-{drive + 1}"
        if knobs := runs.kind(drive, shelf.drives).value:
            _tapekey("target", "set", place, *knobs)
        _qualify(directory, place, drive, share)
    press(directory, "export", cartridge=SCRATCH)
    for slot in range(shelf.drives):
        shelf._blank(slot)
        named = press(directory, "insert", cartridge=str(shelf.place(slot)))["element"]
        press(directory, "move", cartridge=str(named), element=f"slot-{slot + 1}")


def _qualify(directory: Path, place: Path, drive: int, share: Path) -> None:
    uri, access = f"virtual:{place}", _access(share)
    _tapekey("drive", "approve", uri, "--allow-virtual", *access)
    press(directory, "move", cartridge=SCRATCH, element=f"drive-{drive + 1}")
    serial = cartridge.read_identity(directory / "cartridges" / SCRATCH).serial
    _tapekey("drive", "qualify", uri, "--scratch-serial", serial, *access)
    name = json.loads((place / "drive").read_text().partition("\n")[2])["serial"]
    _tapekey("drive", "forget", name, *access)  # the guest approves it where it finds it; what was tried stays
    press(directory, "move", cartridge=SCRATCH, element=f"slot-{SLOTS}")


def _make_keystore(share: Path) -> None:
    """One that demands encryption of everything."""
    (share / "root.key").touch(mode=0o600)
    (share / "root.key").write_bytes(os.urandom(32))
    _tapekey("recipient", "generate", "x25519", share / "recovery.key")
    _tapekey("keystore", "init", "--recovery-recipient", share / "recovery.key.pub", *_access(share))
    _tapekey("rule", "add", "--default", "--require", *_access(share))


def _access(share: Path) -> tuple[object, ...]:
    return ("--store", share / "keystore", "--key-file", share / "root.key")


def _tapekey(*words: object) -> None:
    line = [str(word) for word in words]
    said = io.StringIO()
    with _QUIETLY, redirect_stdout(said), redirect_stderr(said):
        status = cli.run(line)
    if status:
        raise RuntimeError(f"tapekey {' '.join(line)}: {status}\n{said.getvalue()}")


@contextmanager
def _line(shelf: Shelf) -> Iterator[int]:
    """Answer the guest, one connection at a time, until the context ends."""
    with socket.create_server((library.HOST, 0)) as listener:
        listener.settimeout(0.5)
        ended = threading.Event()

        def answer() -> None:
            while not ended.is_set():
                try:
                    caller, _ = listener.accept()
                except TimeoutError:
                    continue
                with caller:
                    asked = json.loads(caller.makefile().readline())
                    answer = VERBS[asked.pop("verb")](shelf, **asked)
                    caller.sendall(f"{json.dumps(answer)}\n".encode())

        thread = threading.Thread(target=answer)
        thread.start()
        try:
            yield int(listener.getsockname()[1])
        finally:
            ended.set()
            thread.join()


def compile_writer(share: Path) -> None:
    """Static, as the guest has no compiler and another release's library."""
    source = Path(__file__).with_name("writer.c")
    subprocess.run(["gcc", "-O1", "-static", "-Wall", "-Wextra", "-Werror", "-o", share / "writer", source], check=True)
