"""The virtual drive and its model side by side: every command goes to both, and both must give the same answer."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tapekey.exchange import Command
from tapekey.target import cartridge, machine
from tapekey.target.stream import Stream
from tests.model.drive import Model
from tests.model.outcome import END_OF_MEDIUM, GOOD, Outcome, seen
from tests.model.tape import Account, Geometry, Partition, Tape

PERSONALITY: Final = "ibm-lto6"
ALGORITHM: Final = 3  # the index that this drive gives AES-256-GCM on LTO-6 media
GEOMETRY: Final = Geometry(record=128, tag=16, mark=128)  # docs/formats/medium.md, "Records"
FORMAT_MEDIUM: Final = 0x04
READ: Final = 0x08
WRITE: Final = 0x0A
READ_POSITION: Final = 0x34
WATCHER: Final = "watcher"
LONG_POSITION: Final = bytes.fromhex("34 06 00 00 00 00 00 00 00 00")
ROOM: Final = 4096

# What of the data is compared, where the drive says more than the model knows.
PARTS: Final[dict[int, Callable[[bytes], bytes]]] = {
    0x03: lambda data: bytes([data[2] & 0x0F]) + data[12:14],
    0x1A: lambda data: bytes([data[2] & 0x80]) + data[9:12],
    0xA2: lambda data: data[4:7] + data[8:12],
}


def content(seed: int, size: int) -> bytes:
    """Bytes that cannot be compressed and are like no others."""
    return hashlib.shake_128(seed.to_bytes(8, "big")).digest(size)


@dataclass(frozen=True, slots=True)
class Volume:
    """One cartridge, and the model of it."""

    directory: Path
    tape: Tape


def volume(directory: Path, *, capacity: int, margin: int, worm: bool = False) -> Volume:
    cartridge.create(directory, "lto6", "", capacity=capacity, margin=margin, worm=worm)
    return Volume(directory, Tape(GEOMETRY, [Partition(capacity, margin)], worm))


@dataclass(slots=True)
class Pair:
    """Both drives. `told` is what was sent and answered, for whoever has to find a difference."""

    machine: machine.Machine
    model: Model = field(default_factory=lambda: Model(ALGORITHM))
    told: list[str] = field(default_factory=list)
    streamed: int = 0
    _stream: tuple[str, bytes, Stream] | None = None

    def send(self, nexus: str, cdb: bytes, out: bytes = b"") -> Outcome:
        """One command to both."""
        drive = self._served(nexus, cdb, out)
        if self.model.tape:
            self.model.tape.account = _account(cdb, drive)
        if cdb[0] == FORMAT_MEDIUM and drive.status == GOOD:
            self.model.rooms = self._rooms()
        model = self.model.serve(nexus, cdb, out)
        self.told.append(f"{nexus}: {cdb.hex(' ')} -> {drive}")
        assert drive == model, f"drive: {drive}\nmodel: {model}\nafter:\n" + "\n".join(self.told[-30:])
        return drive

    def _served(self, nexus: str, cdb: bytes, out: bytes) -> Outcome:
        """What the drive answers, asked as the iSCSI target does; what it left for later is done at once or later."""
        data = self._in_stream(nexus, cdb, out)
        return self._apart(nexus, cdb, out) if data is None else seen(GOOD, data, b"")

    def _in_stream(self, nexus: str, cdb: bytes, out: bytes) -> bytes | None:
        """The same for a command that repeats the last one, if the drive has a stream for it."""
        (whose, what, stream), self._stream = self._stream or ("", b"", None), None
        if stream is None or (whose, what) != (nexus, cdb):
            return None
        if stream.room:
            stream.room[:] = out
        if not stream.take():
            return None
        self.streamed += 1
        data = bytes(stream.data)
        if len(self.told) % 4:  # else it is left to whoever comes next
            stream.follow()
            self._stream = (nexus, cdb, stream)
        return data

    def _apart(self, nexus: str, cdb: bytes, out: bytes) -> Outcome:
        room = self._room(cdb)
        lent = bytearray(out)
        answer = self.machine.serve(nexus, Command(cdb, lent, room, into=memoryview(bytearray(room)), buffered=True))
        data = bytes(answer.data)
        if answer.after is not None and len(self.told) % 2:
            answer.after()
            lent[:] = bytes(len(lent))
        if not answer.status and not answer.sense and cdb[0] in (READ, WRITE):
            stream = self.machine.stream(nexus, cdb, len(out) or len(data))
            self._stream = (nexus, cdb, stream) if stream is not None else None
        part = PARTS.get(cdb[0])
        return seen(answer.status, part(data) if part and data else data, answer.sense)

    def _rooms(self) -> list[tuple[int, int]]:
        """How the drive cut the volume: its own affair."""
        inside = self.machine.drive.cartridge
        return [(tape.capacity, tape.margin) for tape in inside.tapes] if inside else []

    def _room(self, cdb: bytes) -> int:
        """As much room as the command asks for."""
        if cdb[0] != READ:
            return ROOM
        return int.from_bytes(cdb[2:5], "big") * (self.model.block_length if cdb[1] & 1 else 1)

    def settled(self, nexus: str, cdb: bytes, out: bytes = b"") -> Outcome:
        """The same, sent again while it is stopped by unit attentions."""
        outcome = self.send(nexus, cdb, out)
        while outcome.code.startswith("6/"):
            outcome = self.send(nexus, cdb, out)
        return outcome

    def look(self) -> None:
        """A host that only looks sees both at the same place."""
        self.settled(WATCHER, LONG_POSITION)


def _account(cdb: bytes, drive: Outcome) -> Account:
    """What the drive's answer says of the end of the tape."""
    early = bool(drive.flags & END_OF_MEDIUM) or (cdb[0] == READ_POSITION and bool(drive.data and drive.data[0] & 0x40))
    return Account(early, drive.information if drive.code == "D/00/02" else None)
