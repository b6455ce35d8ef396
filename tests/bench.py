"""A powered virtual drive on a bench with a cartridge in it: what `drive` and `cartridge` are tried on."""

from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import rsa

from tapekey.exchange import Command, Reply
from tapekey.scsi.codes import Status
from tapekey.scsi.media import test_unit_ready as unit_ready
from tapekey.target import cartridge
from tapekey.target.drive import execute
from tapekey.target.modes import Modes
from tapekey.target.personality import PERSONALITIES, replace
from tapekey.target.state import Drive
from tests import opened

NAMES = ("ibm-lto4", "ibm-lto6", "ibm-lto9", "hpe-lto6", "oracle-t10000c")
SERIAL = "TV00000001"
NAA = bytes.fromhex("5000e11100000001")


@dataclass
class Bench:
    """One virtual drive, reached as one initiator."""

    drive: Drive
    initiator: str = "host"
    commands: list[Command] = field(default_factory=list)

    def execute(self, command: Command) -> Reply:
        self.commands.append(command)
        return execute(self.drive, self.initiator, command)

    def settle(self) -> "Bench":
        """Take the attentions that a fresh drive has for everybody."""
        while self.execute(unit_ready()).status == Status.CHECK_CONDITION and self.drive.nexuses.get("host").pending:
            pass
        return self

    def as_other(self) -> "Bench":
        """The same drive, reached from another host."""
        return Bench(self.drive, "other").settle()

    def insert(self, place: Path) -> None:
        self.drive.insert(opened.taken(place), announced=False)

    def swap(self, place: Path) -> None:
        """Somebody takes the cartridge out and puts another in."""
        self.drive.take_out()
        self.drive.insert(opened.taken(place))


def made(directory: Path, generation: str, barcode: str = "ENC001", **what: object) -> Path:
    """A small cartridge."""
    place = directory / barcode
    small: dict[str, object] = {"capacity": 64 << 20, "margin": 1 << 20}
    cartridge.create(place, generation, barcode, **{**small, **what})  # type: ignore[arg-type]
    return place


def powered(directory: Path, name: str = "ibm-lto6", *, empty: bool = False, **knobs: object) -> Bench:
    """A drive of that personality, its attentions taken, with a blank cartridge of its own generation."""
    personality = replace(PERSONALITIES[name], **knobs)
    key = _wrapping_key() if personality.public_key else None
    bench = Bench(Drive(personality, SERIAL, NAA, Modes(), lambda: 0.0, key))
    if not empty:
        bench.insert(made(directory, personality.generation))
    return bench.settle()


@cache
def _wrapping_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)
