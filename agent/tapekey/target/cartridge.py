"""A virtual cartridge: a directory that describes itself, with a label, a memory chip and a log for each partition.

`create` makes one, `open` holds it exclusively as a drive's slot would, `load` threads the tape, `unload` settles
everything on disk, `format` replaces the partitions. A copy of the directory is a cartridge of its own. Format:
docs/formats/medium.md.
"""

import fcntl
import os
import secrets
import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from enum import Enum
from pathlib import Path
from typing import Final, Self

from tapekey.errors import Conflict, Malformed, MediumDamaged
from tapekey.scsi.attribute import Attribute
from tapekey.scsi.attribute_table import MediumType
from tapekey.target import medium_layout, medium_log, memory, memory_attributes
from tapekey.target.medium import Tape
from tapekey.target.medium_kinds import GENERATIONS, Generation
from tapekey.target.memory import Account, Memory

LABEL: Final = "cartridge"
TAB: Final = "write-protected"


class Kind(Enum):
    """What a cartridge is for."""

    DATA = "data"
    CLEANING = "cleaning"


@dataclass(frozen=True, slots=True)
class Identity:
    """What never changes about a cartridge.

    capacity  bytes until the physical end, margin  how much of them lies behind early warning
    made      date of making, YYYYMMDD
    """

    generation: Generation
    serial: str
    barcode: str
    kind: Kind
    worm: bool
    capacity: int
    margin: int
    made: str

    @property
    def type(self) -> MediumType:
        """The medium type of attribute 0408h."""
        if self.kind is Kind.CLEANING:
            return MediumType.CLEANING
        return MediumType.WRITE_ONCE if self.worm else MediumType.DATA


def create(
    directory: Path,
    generation: str,
    barcode: str = "",
    *,
    serial: str = "",
    worm: bool = False,
    kind: Kind = Kind.DATA,
    capacity: int | None = None,
    margin: int | None = None,
    made: str = "20200101",
) -> Identity:
    """Make a cartridge in a directory that must not exist yet: all of it or nothing."""
    model = GENERATIONS.get(generation)
    if model is None:
        raise ValueError(f"no generation {generation!r}; there are {', '.join(GENERATIONS)}")
    if len(barcode) > 32 or not barcode.isascii():
        raise ValueError("a barcode has at most 32 ASCII characters")
    size = model.native if capacity is None else capacity
    behind = medium_layout.margin_of(size) if margin is None else margin
    identity = Identity(model, serial or secrets.token_hex(5).upper(), barcode, kind, worm, size, behind, made)
    if directory.exists():
        raise Conflict(f"cannot make a cartridge in {directory}", why="it exists already")
    beside = directory.with_name(f".{directory.name}.{secrets.token_hex(4)}")
    beside.mkdir(mode=0o700, parents=True)
    try:
        memory.replace_checked(beside / LABEL, "cartridge", _encode(identity))
        memory.new(beside, model.memory, secrets.randbelow(1 << 30) + 1, barcode)
        layout = medium_layout.first(size, behind)
        medium_layout.make_files(beside, layout)
        layout.save(beside)
        os.rename(beside, directory)
    except BaseException:
        shutil.rmtree(beside, ignore_errors=True)
        raise
    memory.sync_directory(directory.parent)
    return identity


def read_identity(directory: Path) -> Identity:
    """Read what a cartridge is, without holding it."""
    try:
        return _decode(memory.read_checked(directory / LABEL, "cartridge"))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise Malformed(f"{directory} is not a virtual cartridge", why=str(error)) from error


def is_protected(directory: Path) -> bool:
    """Whether the write-protect tab is slid."""
    return (directory / TAB).exists()


def protect(directory: Path, on: bool) -> None:
    """Slide the write-protect tab; a drive looks at it when it takes the cartridge."""
    if on:
        (directory / TAB).touch(mode=0o600)
    else:
        (directory / TAB).unlink(missing_ok=True)
    memory.sync_directory(directory)


@dataclass(slots=True)
class Cartridge:
    """A cartridge in a drive. Its tapes exist between `load` and `unload`.

    tapes      one for each partition, each with a position of its own
    partition  the number of the one under the head; `switch` changes it
    """

    directory: Path
    identity: Identity
    protected: bool
    _lock: int
    _memory: Memory | None
    tapes: list[Tape] = field(default_factory=list)
    partition: int = 0
    _reference_seen: bool = True

    @classmethod
    def open(cls, directory: Path) -> Self:
        """Take a cartridge; Conflict if another drive has it. Nothing is changed on it by that."""
        identity = read_identity(directory)
        lock = os.open(directory / LABEL, os.O_RDONLY)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(lock)
            raise Conflict(f"the cartridge {directory} is in another drive") from error
        try:
            chip = Memory.open(directory, identity.generation.memory)
        except MediumDamaged:
            chip = None
        return cls(directory, identity, is_protected(directory), lock, chip)

    def close(self) -> None:
        """Let the cartridge go as it is, as a loss of power would: what was not synced may be lost."""
        self._unthread()
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def memory(self) -> Memory:
        """The memory chip; MediumDamaged if it does not work."""
        if self._memory is None:
            raise MediumDamaged("the cartridge's memory cannot be read")
        return self._memory

    @property
    def tape(self) -> Tape:
        """The partition under the head; only between `load` and `unload`."""
        if not self.tapes:
            raise ValueError("the tape is not threaded")
        return self.tapes[self.partition]

    @property
    def loaded(self) -> bool:
        """Whether the tape is threaded."""
        return bool(self.tapes)

    def switch(self, partition: int) -> Tape:
        """Bring another partition under the head, where it was left; IndexError if there is none of that number."""
        if not 0 <= partition < len(self.tapes):
            raise IndexError(f"partition {partition} of {len(self.tapes)}")
        if partition != self.partition:
            self.tape.sync()
            self.partition = partition
        return self.tape

    def load(self, vendor: str, serial: str) -> Tape:
        """Thread the tape in the drive of that vendor and serial, at its beginning; MediumDamaged if that fails."""
        self._thread()
        self._reference_seen = True
        if self._memory is not None:
            old = self._memory.account
            devices = (memory_attributes.drive(vendor, serial), *old.devices)[:4]
            try:
                self._memory.keep(replace(old, loads=old.loads + 1, devices=devices, written_last=0, read_last=0))
            except OSError as error:
                self._unthread()
                raise MediumDamaged("the tape cannot be threaded", why=str(error)) from error
        return self.tape

    def unload(self) -> None:
        """Settle tape and memory on disk, and unthread the tape, even if the disk fails."""
        try:
            for tape in self.tapes:
                tape.log.settle()
            if self._memory is not None:
                self._memory.settle(self.account())
        finally:
            self._unthread()

    def format(self, sizes: Sequence[int]) -> Tape:
        """Make new, empty partitions of these sizes in bytes, durably; all that was recorded is gone.

        Whatever ends it, the cartridge has all of the old partitions or all of the new ones. The head is before the
        beginning of partition 0 afterwards. OverwriteRefused as for any write; ValueError unless there are 1 to 4 sizes
        that the cartridge's capacity holds.
        """
        if sum(sizes) > self.identity.capacity:
            raise ValueError(f"{sum(sizes)} bytes in partitions of a cartridge of {self.identity.capacity}")
        for tape in self.tapes:
            tape.check_erasable()
        old = medium_layout.Layout.load(self.directory)
        layout = medium_layout.anew(old, sizes, self.identity.margin)
        written, read = sum(tape.written for tape in self.tapes), sum(tape.read for tape in self.tapes)
        self._changing()
        medium_layout.make_files(self.directory, layout)
        layout.save(self.directory)
        self._unthread()
        for path in list(medium_layout.remains(self.directory, layout)):
            path.unlink()
        tape = self._thread()
        tape.written, tape.read = written, read
        return tape

    def _thread(self) -> Tape:
        try:
            for row in medium_layout.Layout.load(self.directory).partitions:
                log = medium_log.Log.open(self.directory / row.file, writable=not self.protected)
                worm = self.identity.worm
                self.tapes.append(Tape(log, row.capacity, row.margin, worm, self.protected, changing=self._changing))
        except (OSError, Malformed, MediumDamaged) as error:
            self._unthread()
            raise MediumDamaged("the tape cannot be threaded", why=str(error)) from error
        return self.tape

    def _unthread(self) -> None:
        for tape in self.tapes:
            tape.log.close()
        self.tapes, self.partition = [], 0

    def account(self) -> Account:
        """The drive's account as it stands now; what the chip keeps of one partition is that of partition 0."""
        return self._account_of(0)

    def _account_of(self, partition: int) -> Account:
        kept = self.memory.account
        if not self.tapes:
            return kept
        written, read = sum(tape.written for tape in self.tapes), sum(tape.read for tape in self.tapes)
        here = self.tapes[partition]
        return replace(
            kept,
            written=kept.written - kept.written_last + written,
            read=kept.read - kept.read_last + read,
            written_last=written,
            read_last=read,
            used=here.used,
            first_encrypted=here.first_encrypted,
            first_clear=here.first_clear_after_encrypted,
        )

    def attributes(self, partition: int = 0, *, tape_alert: int = 0) -> tuple[Attribute, ...]:
        """All attributes of a partition, in ascending order; MediumDamaged if the chip does not work."""
        chip, identity = self.memory, self.identity
        self._reference_seen = True
        about = memory_attributes.Medium(identity.generation, identity.serial, identity.made, identity.type)
        capacity = self.tapes[partition].capacity if self.tapes else identity.capacity
        found = (
            *memory_attributes.device(self._account_of(partition), capacity, chip.room, about, tape_alert),
            *memory_attributes.medium(about),
            *chip.of(partition),
        )
        return tuple(sorted(found, key=lambda item: item.id))

    def _changing(self) -> None:
        """Before the tape changes: a volume change reference that somebody may have seen is not true any more."""
        if self._reference_seen and self._memory is not None:
            self._memory.keep(replace(self.account(), reference=_next(self._memory.account.reference)))
            self._reference_seen = False


def _next(reference: int) -> int:
    """The next volume change reference; all zeroes and all ones are not valid for LTFS (reference 11.6)."""
    return 1 if reference >= 0xFFFF_FFFE else reference + 1


def _encode(identity: Identity) -> object:
    return asdict(identity) | {"generation": identity.generation.name, "kind": identity.kind.value}


def _decode(content: object) -> Identity:
    if not isinstance(content, dict):
        raise TypeError("the label holds no object")
    return Identity(**content | {"generation": GENERATIONS[content["generation"]], "kind": Kind(content["kind"])})
