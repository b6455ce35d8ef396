"""A portal with one virtual drive behind it, or with a unit that a test holds in its hand."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tapekey.exchange import Command
from tapekey.iscsi.config import Chap
from tapekey.secret import Secret
from tapekey.target import cartridge, machine, portal
from tapekey.target.machine import Machine
from tapekey.target.rack import Rack
from tapekey.target.unit import Answer, Unit
from tests.target.peer import TARGET

Address = tuple[str, int]


@dataclass(slots=True)
class Held:
    """A unit that does what it is told when the test lets it: DATA_OUT counts, DATA_IN gives, SLOW waits."""

    go: threading.Event = field(default_factory=threading.Event)
    begun: threading.Event = field(default_factory=threading.Event)
    seen: list[tuple[str, bytes, bytes]] = field(default_factory=list)
    secrets: list[Secret] = field(default_factory=list)
    resets: int = 0
    lost: list[str] = field(default_factory=list)

    def serve(self, nexus: str, command: Command) -> Answer:
        data = command.data_out
        if isinstance(data, Secret):
            self.secrets.append(data)
        else:
            self.seen.append((nexus, bytes(command.cdb), bytes(data)))
        if command.cdb[0] == SLOW[0]:
            self.begun.set()
            assert self.go.wait(20)
        if command.cdb[0] == GIVE[0]:
            assert command.into is not None
            size = min(int.from_bytes(command.cdb[2:6], "big"), len(command.into))
            return Answer(0, command.into[:size])
        return Answer(0)

    def stream(self, nexus: str, cdb: bytes, size: int) -> None:
        return None

    def reset(self) -> None:
        self.resets += 1

    def nexus_lost(self, nexus: str) -> None:
        self.lost.append(nexus)


SLOW = bytes([0xC0, 0, 0, 0, 0, 0])  # vendor specific opcodes
TAKE = bytes([0xC1, 0, 0, 0, 0, 0])


def give(size: int) -> bytes:
    return GIVE + size.to_bytes(4, "big")


GIVE = bytes([0xC2, 0])


@contextmanager
def listening(*units: Unit, chap: Chap | None = None) -> Iterator[Address]:
    rack = Rack(dict(enumerate(units)), "test")
    with portal.listening(rack, name=TARGET, chap=chap) as address:
        yield address


@contextmanager
def drive(place: Path, personality: str = "ibm-lto6", *, loaded: bool = True) -> Iterator[Machine]:
    """A powered drive, with a cartridge in it that is ready."""
    machine.create(place / "drive", personality, serial="DRIVE00001")
    with machine.open(place / "drive") as powered:
        if loaded:
            cartridge.create(place / "tape", "lto6", "ENC001L6", capacity=256 << 20, margin=1 << 20)
            powered.insert(place / "tape")
        yield powered
