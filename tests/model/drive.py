"""A small independent model of a tape drive: what every command should come to, from the rules of the reference alone.

It shares nothing with `tapekey.target`. CDBs are read here byte by byte; the drive's own affairs (how much room an
object takes, how partitions are cut) are told to it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from tests.model.keys import ENCRYPT, Keys
from tests.model.outcome import (
    CHECK_CONDITION,
    END_OF_MEDIUM,
    FILEMARK,
    INCORRECT_LENGTH,
    RESERVATION_CONFLICT,
    Outcome,
    Stopped,
)
from tests.model.tape import MARK, Block, Mark, Partition, Tape

POWER_ON: Final = (0x29, 0x00)
RESET: Final = (0x29, 0x03)
MEDIUM_CHANGED: Final = (0x28, 0x00)
MODE_CHANGED: Final = (0x2A, 0x01)
LARGEST_BLOCK: Final = 0x80_0000
MOST_ADDITIONAL: Final = 3  # partitions of LTO-6 (11.3)

EMPTY, MOUTH, HELD, MOUNTED = "empty", "mouth", "held", "mounted"
NOT_READY: Final = {EMPTY: "2/3A/00", MOUTH: "2/3A/00", HELD: "2/04/02"}

INQUIRY, REQUEST_SENSE, REPORT_LUNS, RELEASE, PREVENT = 0x12, 0x03, 0xA0, 0x17, 0x1E
EXEMPT: Final = frozenset({INQUIRY, REQUEST_SENSE, REPORT_LUNS})  # from unit attentions (5.2)
UNRESERVED: Final = frozenset({*EXEMPT, RELEASE})  # from another's reservation


def number(cdb: bytes, at: int, size: int, *, signed: bool = False) -> int:
    return int.from_bytes(cdb[at : at + size], "big", signed=signed)


@dataclass(slots=True)
class Model:
    """A drive with at most one volume in it.

    algorithm  the index that the drive gives its one algorithm
    divides    how many partitions MODE SELECT asked for, of the volume that is in
    rooms      capacity and margin of each partition, as the drive said that it cut them
    """

    algorithm: int
    tape: Tape | None = None
    place: str = EMPTY
    block_length: int = 0
    keys: Keys = field(default_factory=Keys)
    pending: dict[str, set[tuple[int, int]]] = field(default_factory=dict)
    preventing: set[str] = field(default_factory=set)
    reserved_by: str = ""
    divides: int | None = None
    rooms: list[tuple[int, int]] = field(
        default_factory=list
    )  # capacity and margin of each partition, as the drive cut it

    def serve(self, nexus: str, cdb: bytes, out: bytes = b"") -> Outcome:
        """What the command comes to."""
        waiting = self.pending.setdefault(nexus, {POWER_ON})
        self.keys.side(nexus)
        if waiting and cdb[0] not in EXEMPT:
            return Outcome(CHECK_CONDITION, code=self._attention(waiting))
        allows = cdb[0] == PREVENT and not cdb[4] & 3
        if self.reserved_by not in ("", nexus) and cdb[0] not in UNRESERVED and not allows:
            return Outcome(RESERVATION_CONFLICT)
        try:
            return Outcome(data=COMMANDS[cdb[0]](self, nexus, cdb, out) or b"")
        except Stopped as stopped:
            return stopped.outcome
        finally:
            self._tell_all()

    def _attention(self, waiting: set[tuple[int, int]]) -> str:
        """The one to report, which is cleared by that: resets first, then the medium, then the rest."""
        order = {0x29: 0, 0x28: 1, 0x2A: 2}
        first = min(waiting, key=lambda code: (order[code[0]], code))
        waiting.discard(first)
        return f"6/{first[0]:02X}/{first[1]:02X}"

    def _tell_all(self) -> None:
        for nexus, attention in self.keys.told:
            self.pending[nexus].add(attention)
        self.keys.told.clear()

    def _tell_others(self, nexus: str, attention: tuple[int, int]) -> None:
        for other, waiting in self.pending.items():
            if other != nexus:
                waiting.add(attention)

    @property
    def mounted(self) -> Tape:
        """The volume; NOT READY without one."""
        if self.place != MOUNTED:
            raise Stopped(NOT_READY[self.place])
        assert self.tape is not None
        return self.tape

    # --- what happens to it from outside ---

    def insert(self, tape: Tape) -> None:
        self.tape = tape
        self._mount("")

    def take_out(self) -> Tape | None:
        """Somebody presses the button and takes the cartridge; None: a host prevents it."""
        if self.preventing:
            return None
        self._demount(MOUTH)
        tape, self.tape, self.place, self.divides = self.tape, None, EMPTY, None
        return tape

    def power_cycle(self) -> None:
        """Everything but the volume is as new; a seated volume is mounted, one in the mouth stays there."""
        self.keys, self.pending, self.preventing, self.reserved_by = Keys(), {}, set(), ""
        self.block_length, self.divides = 0, None
        if self.place not in (EMPTY, MOUTH) and self.tape is not None:
            self.tape.mount()
            self.place = MOUNTED

    def reset(self) -> None:
        """Hard reset: keys, locks, reservations and current mode values are gone, and everybody is told."""
        self.keys, self.preventing, self.reserved_by, self.block_length = Keys(), set(), "", 0
        self.divides = None
        self.pending = {nexus: {RESET} for nexus in self.pending}
        for nexus in self.pending:
            self.keys.side(nexus)
        if self.place == MOUNTED:
            self.mounted.mount()

    def _mount(self, loader: str) -> None:
        assert self.tape is not None
        self.place = MOUNTED
        self.tape.mount()
        self._tell_others(loader, MEDIUM_CHANGED)

    def _demount(self, place: str) -> None:
        if self.place == MOUNTED:
            self.keys.demounted()
            self._tell_all()
        self.place = place

    # --- what stands before a write ---

    def _writable(self, nexus: str) -> Tape:
        tape = self.mounted
        self.keys.check_lock(nexus)
        if tape.protected:
            raise Stopped("7/27/00")
        return tape

    def _open_end(self, tape: Tape) -> None:
        """WORM: only filemarks at the end may be overwritten (mode page 1Dh, filemark restrictions 02h)."""
        if tape.worm and any(isinstance(item, Block) for item in tape.objects[tape.at :]):
            raise Stopped("7/30/0C")

    def _near_end(self, tape: Tape) -> None:
        if tape.in_early_warning:
            raise Stopped("0/00/02", END_OF_MEDIUM, 0)


def write(model: Model, nexus: str, cdb: bytes, out: bytes) -> None:
    """WRITE(6): 1.5; a write in early warning is done, and says so."""
    fixed, length = cdb[1] & 1, number(cdb, 2, 3)
    tape = model._writable(nexus)
    size = model.block_length if fixed else length
    if (fixed and not size) or size > LARGEST_BLOCK:
        raise Stopped("5/24/00")
    if not length:
        return
    used = model.keys.used_by(nexus)
    key = used.key if used.encryption == ENCRYPT else None
    for done in range(length if fixed else 1):
        model._open_end(tape)
        block = Block(out[done * size : (done + 1) * size], key, used.kads if key else 0)
        if not tape.put([block], length - done):
            raise Stopped("D/00/02", END_OF_MEDIUM, length - done)
    model._near_end(tape)


def write_filemarks(model: Model, nexus: str, cdb: bytes, out: bytes) -> None:
    """WRITE FILEMARKS(6): a count of 0 writes nothing, so nothing that guards writing stops it."""
    count = number(cdb, 2, 3)
    if cdb[1] & 2:
        raise Stopped("5/24/00")
    if not count:
        assert model.mounted
        return
    tape = model._writable(nexus)
    model._open_end(tape)
    if not tape.put([MARK] * count, count):
        raise Stopped("D/00/02", END_OF_MEDIUM, count)
    model._near_end(tape)


def erase(model: Model, nexus: str, cdb: bytes, out: bytes) -> None:
    """ERASE(6): end-of-data here."""
    tape = model._writable(nexus)
    model._open_end(tape)
    del tape.objects[tape.at :]


def format_medium(model: Model, nexus: str, cdb: bytes, out: bytes) -> None:
    """FORMAT MEDIUM: one partition, or as many as were asked for; the drive says how it cut them."""
    if cdb[1] & 2 or cdb[2] & 0x0F > 2 or number(cdb, 3, 2):
        raise Stopped("5/24/00")
    tape = model.mounted
    model.keys.check_lock(nexus)
    if tape.side or tape.at:
        raise Stopped("5/3B/0C")
    if tape.protected:
        raise Stopped("7/27/00")
    if tape.worm:
        raise Stopped("7/30/0C")
    count = (model.divides or len(tape.partitions)) if cdb[2] & 0x0F else 1
    assert len(model.rooms) == count, f"{len(model.rooms)} partitions, not {count}"
    tape.partitions = [Partition(capacity, margin) for capacity, margin in model.rooms]
    model.divides = None


def read(model: Model, nexus: str, cdb: bytes, out: bytes) -> bytes:
    """READ(6): 1.5 and 6.5."""
    fixed, silent, length = cdb[1] & 1, cdb[1] & 2, number(cdb, 2, 3)
    if fixed and (silent or not model.block_length):
        raise Stopped("5/24/00", information=length)
    tape = model.mounted
    model.keys.check_lock(nexus)
    if fixed:
        return _read_fixed(model, nexus, tape, length)
    if not length:
        return b""
    block = _take(model, nexus, tape, length, b"")
    longer_matters = len(block) > length and model.block_length != 0
    if len(block) != length and (not silent or longer_matters):
        raise Stopped("0/00/00", INCORRECT_LENGTH, length - len(block), block[:length])
    return block[:length]


def _read_fixed(model: Model, nexus: str, tape: Tape, count: int) -> bytes:
    good = b""
    for done in range(count):
        block = _take(model, nexus, tape, count - done, good)
        if len(block) != model.block_length:
            raise Stopped("0/00/00", INCORRECT_LENGTH, count - done, good)
        good += block
    return good


def _take(model: Model, nexus: str, tape: Tape, left: int, good: bytes) -> bytes:
    """The next block in clear, and pass it. One that cannot be decrypted stays in front of the head."""
    item = tape.next
    if item is None:
        raise Stopped("8/00/05", END_OF_MEDIUM if tape.in_early_warning else 0, left, good)
    if isinstance(item, Mark):
        tape.at += 1
        raise Stopped("0/00/01", FILEMARK, left, good)
    try:
        model.keys.opened(nexus, item.key, left)
    except Stopped as stopped:
        raise Stopped(stopped.outcome.code, 0, left, good) from stopped
    tape.at += 1
    return item.data


def verify(model: Model, nexus: str, cdb: bytes, out: bytes) -> None:
    """VERIFY(6): as READ, with nothing transferred."""
    read_too = cdb[:1] + bytes([cdb[1] & 1]) + cdb[2:]
    try:
        read(model, nexus, read_too, out)
    except Stopped as stopped:
        was = stopped.outcome
        bad = was.code == "5/24/00"
        raise Stopped(was.code, was.flags, None if bad else was.information) from stopped


def rewind(model: Model, nexus: str, cdb: bytes, out: bytes) -> None:
    model.mounted.at = 0


SPACES: Final[Mapping[int, Callable[[Tape, int], None]]] = {
    0: Tape.space_blocks,
    1: Tape.space_filemarks,
    2: Tape.space_sequential,
    3: lambda tape, count: tape.to_end(),
}


def space(model: Model, nexus: str, cdb: bytes, out: bytes) -> None:
    """SPACE(6) and (16)."""
    motion = SPACES.get(cdb[1] & 0x0F)
    if motion is None:
        raise Stopped("5/24/00")
    count = number(cdb, 2, 3, signed=True) if cdb[0] == 0x11 else number(cdb, 4, 8, signed=True)
    motion(model.mounted, count)


def locate(model: Model, nexus: str, cdb: bytes, out: bytes) -> None:
    """LOCATE(10) and (16): the partition changes only with CP."""
    long = cdb[0] == 0x92
    there = number(cdb, 4, 8) if long else number(cdb, 3, 4)
    destination = cdb[1] >> 3 & 7 if long else 0
    if destination not in LOCATES:
        raise Stopped("5/24/00")
    tape = model.mounted
    if cdb[1] & 2:
        side = cdb[3] if long else cdb[8]
        if side >= len(tape.partitions):
            raise Stopped("5/24/00")
        tape.side = side
    LOCATES[destination](tape, there)


LOCATES: Final[Mapping[int, Callable[[Tape, int], None]]] = {
    0: Tape.to_object,
    1: Tape.to_file,
    3: lambda tape, there: tape.to_end(),
}


def read_position(model: Model, nexus: str, cdb: bytes, out: bytes) -> bytes:
    """READ POSITION: 1.6. Nothing is ever left in the buffer."""
    form = cdb[1] & 0x1F
    if form not in (0x00, 0x01, 0x06, 0x08):
        raise Stopped("5/24/00")
    tape = model.mounted
    flags = 0x80 * (tape.at == 0) + 0x40 * tape.in_early_warning
    at = tape.at.to_bytes(8, "big")
    if form == 0x06:
        return bytes([flags]) + tape.side.to_bytes(7, "big") + at + tape.files.to_bytes(8, "big") + bytes(8)
    if form == 0x08:
        whole = bytes([flags, tape.side, 0, 28, 0, 0, 0, 0]) + at + at + bytes(8)
        return whole[: number(cdb, 7, 2)]
    return bytes([flags, tape.side, 0, 0]) + at[4:] + at[4:] + bytes(8)


def load_unload(model: Model, nexus: str, cdb: bytes, out: bytes) -> None:
    """LOAD UNLOAD: with HOLD the volume is seated, not threaded."""
    load, hold = cdb[4] & 1, cdb[4] & 8
    if cdb[4] & 4:
        raise Stopped("5/24/00")
    if model.place == EMPTY:
        if load:
            raise Stopped("2/3A/00")
    elif load:
        _load(model, nexus, hold=bool(hold))
    elif model.preventing:
        raise Stopped("5/53/02")
    elif not hold:
        model._demount(MOUTH)
    elif model.place == MOUNTED:
        model._demount(HELD)


def _load(model: Model, nexus: str, *, hold: bool) -> None:
    if hold:
        model._demount(HELD)
    elif model.place == MOUNTED:
        model.mounted.mount()
    else:
        model._mount(nexus)


def prevent(model: Model, nexus: str, cdb: bytes, out: bytes) -> None:
    """PREVENT ALLOW MEDIUM REMOVAL, for each nexus by itself."""
    if cdb[4] & 3 > 1:
        raise Stopped("5/24/00")
    (model.preventing.add if cdb[4] & 1 else model.preventing.discard)(nexus)


def mode_select(model: Model, nexus: str, cdb: bytes, out: bytes) -> None:
    """MODE SELECT(6) of a block descriptor alone, or of page 11h alone, which changes nothing before a format."""
    if not out[3]:
        assert model.mounted
        if out[7] > MOST_ADDITIONAL:
            raise Stopped("5/26/00")
        model.divides = out[7] + 1
        return
    size = number(out, 9, 3)
    if size > LARGEST_BLOCK:
        raise Stopped("5/26/00")
    if size != model.block_length:
        model._tell_others(nexus, MODE_CHANGED)
    model.block_length = size


def mode_sense(model: Model, nexus: str, cdb: bytes, out: bytes) -> bytes:
    """MODE SENSE(6) of page 00h: what `st` looks at, write protection and the block length."""
    tape = model.tape if model.place == MOUNTED else None
    return bytes([0x80 * bool(tape and tape.protected)]) + model.block_length.to_bytes(3, "big")


def request_sense(model: Model, nexus: str, cdb: bytes, out: bytes) -> bytes:
    """REQUEST SENSE: a unit attention comes as data."""
    waiting = model.pending[nexus]
    code = model._attention(waiting) if waiting else "0/00/00"
    return bytes(int(part, 16) for part in code.split("/"))


def reserve(model: Model, nexus: str, cdb: bytes, out: bytes) -> None:
    model.reserved_by = nexus


def release(model: Model, nexus: str, cdb: bytes, out: bytes) -> None:
    if model.reserved_by == nexus:
        model.reserved_by = ""


def ready(model: Model, nexus: str, cdb: bytes, out: bytes) -> None:
    assert model.mounted


def set_encryption(model: Model, nexus: str, cdb: bytes, out: bytes) -> None:
    """SECURITY PROTOCOL OUT: Set Data Encryption."""
    model.keys.set(nexus, out, mounted=model.place == MOUNTED, index=model.algorithm)


def encryption_status(model: Model, nexus: str, cdb: bytes, out: bytes) -> bytes:
    """SECURITY PROTOCOL IN: bytes 4 to 6 and 8 to 11 of the Data Encryption Status page (2.5)."""
    side = model.keys.side(nexus)
    side.registered = True
    used = model.keys.used_by(nexus)
    return bytes([side.scope << 5 | used.scope, used.encryption, used.decryption]) + used.counter.to_bytes(4, "big")


# fmt: off
COMMANDS: Final[Mapping[int, Callable[[Model, str, bytes, bytes], bytes | None]]] = {
    0x00: ready,
    0x01: rewind,
    0x03: request_sense,
    0x04: format_medium,
    0x08: read,
    0x0A: write,
    0x10: write_filemarks,
    0x11: space,
    0x13: verify,
    0x15: mode_select,
    0x16: reserve,
    0x17: release,
    0x19: erase,
    0x1A: mode_sense,
    0x1B: load_unload,
    0x1E: prevent,
    0x2B: locate,
    0x34: read_position,
    0x91: space,
    0x92: locate,
    0xA2: encryption_status,
    0xB5: set_encryption,
}
# fmt: on
