"""Random command sequences come to the same on the virtual drive and on an independent model of a tape."""

import os
import shutil
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Final

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test

from tapekey.target import cartridge, machine, modes
from tests import told
from tests.model.drive import MOUNTED
from tests.model.machine import PERSONALITY, Pair, Volume, content, volume
from tests.model.tape import Block

SOAK: Final = bool(os.environ.get("TAPEKEY_SOAK"))
SEQUENCES: Final = 1200 if SOAK else 150
STEPS: Final = 60
MEMORY: Final = Path("/dev/shm")  # no disk is waited for: what lasts is not the question here

HOSTS = st.sampled_from(["a", "a", "a", "b"])
SIZES = st.sampled_from([1, 2, 100, 511, 512, 513, 1024, 3000])
BLOCK_LENGTHS = st.sampled_from([0, 0, 1, 512, 512, 1024, 0x80_0000, 0x80_0001])
FILEMARKS = st.sampled_from([0, 1, 1, 1, 2, 3, 40])
BACK = st.sampled_from([0, 0, 1, 2, 5, 1000])
SIGNED = st.sampled_from([0, 1, 1, 2, 3, 1000, -1, -1, -2, -3, -1000])
RARELY = st.sampled_from([0, 0, 0, 1])
KEY, OTHER_KEY = bytes(range(32)), bytes(range(1, 33))
KEYS = st.sampled_from([KEY, OTHER_KEY])
RECORDED: Final = {"c": ((0, 0), KEY), "b": ((2, 3), KEY), "k": ((2, 3), OTHER_KEY)}
WHITHER = st.sampled_from([0, 0, 1, 2, 3, 5, 8, 1000, 0xFFFF_FFFF])


def cdb(opcode: int, first: int = 0, number: int = 0) -> bytes:
    """A CDB of six bytes: opcode, byte 1, a 24-bit number."""
    return bytes([opcode, first]) + (number & 0xFF_FFFF).to_bytes(3, "big") + b"\0"


def space_16(code: int, count: int) -> bytes:
    return bytes([0x91, code, 0, 0]) + count.to_bytes(8, "big", signed=True) + bytes(4)


LOAD: Final = cdb(0x1B, 0, 1)
REWIND: Final = cdb(0x01)
STATUS: Final = bytes([0xA2, 0x20, 0x00, 0x20, 0, 0, 0, 0, 0, 200, 0, 0])
QUESTIONS: Final = (
    cdb(0x00),
    bytes([0x03, 0, 0, 0, 18, 0]),
    bytes([0x1A, 0, 0, 0, 12, 0]),
    STATUS,
    *(bytes([0x34, form, 0, 0, 0, 0, 0, 0, 32 * (form == 8), 0]) for form in (0, 1, 3, 6, 8)),
)
# Loads and unloads with and without HOLD, PREVENT and ALLOW, ERASE, motions with odd fields.
SELDOM: Final = (
    *(cdb(0x1B, 0, bits) for bits in (0, 1, 4, 8, 9)),
    *(cdb(0x1E, 0, bits) for bits in (0, 0, 0, 1, 3)),
    cdb(0x19),
    cdb(0x19, 1),
    cdb(0x10, 2, 1),
    REWIND,
    space_16(0, 1 << 40),
    space_16(1, -(1 << 40)),
    cdb(0x04),
    cdb(0x04, 2),
    bytes([0x04, 0, 1, 0, 1, 0]),
)
MOVING: Final = (
    *SELDOM,
    *QUESTIONS,
    *(cdb(opcode, first, number) for opcode in (0x08, 0x0A, 0x13) for first in (0, 1) for number in (0, 512)),
    cdb(0x08, 3, 1),
    cdb(0x10),
    cdb(0x10, 0, 1),
    cdb(0x11, 3),
    cdb(0x11, 4),
    bytes([0x92, 2, 0, 9]) + bytes(12),
    bytes([0x92, 0x38]) + bytes(14),
)

sequences = 0
commands = 0
streamed = 0


def mounted(agreement: "Agreement") -> bool:
    return agreement.mounted()


class Agreement(RuleBasedStateMachine):
    """Rules are what hosts and people do to a drive."""

    def __init__(self) -> None:
        super().__init__()
        self.stack = ExitStack()
        self.directory = Path(tempfile.mkdtemp(prefix="agreement-", dir=MEMORY if MEMORY.is_dir() else None))
        self.stack.callback(shutil.rmtree, self.directory)
        machine.create(self.directory / "drive", PERSONALITY)
        self.pair = Pair(self.stack.enter_context(machine.open(self.directory / "drive")))
        self.seed = 0
        self.outside: list[Volume] = []

    @initialize(
        room=st.sampled_from([(8000, 3000), (20_000, 6000), (1 << 30, 1 << 20), (1 << 30, 1 << 20)]),
        worm=RARELY,
        protected=RARELY,
        recorded=st.text("bckM", min_size=0, max_size=12),
        rewound=st.booleans(),
        shrinks=RARELY,
    )
    def begin(
        self, room: tuple[int, int], worm: int, protected: int, recorded: str, rewound: bool, shrinks: int
    ) -> None:
        capacity, margin = room
        self.outside = [
            volume(self.directory / "second", capacity=1 << 30, margin=1 << 20),
            volume(self.directory / "first", capacity=capacity, margin=margin, worm=bool(worm)),
        ]
        self.inside: Volume | None = None
        if not shrinks:  # the model is not to know: what it writes does not
            self._compress_nothing()
        self._insert()
        for host in "ab":
            self.pair.settled(host, cdb(0x00))
        for step in recorded:
            self._record(step)
        if rewound:
            self._send("a", REWIND)
        if protected:
            self._slide_the_tab()

    def _record(self, step: str) -> None:
        """A filemark, a clear block, or a block under the first or the second key."""
        if step == "M":
            self._send("a", cdb(0x10, 0, 1))
            return
        self._set_encryption("a", bytes([0x40, 0, *RECORDED[step][0], 3]) + bytes(9) + b"\0\x20" + RECORDED[step][1])
        self._send("a", cdb(0x0A, 0, 600), self._data(600))

    def _compress_nothing(self) -> None:
        drive = self.pair.machine.drive
        image = bytearray(drive.modes.image(drive.personality, modes.COMPRESSION))
        image[2] &= ~modes.COMPRESS
        drive.modes.saved[modes.COMPRESSION] = drive.modes.current[modes.COMPRESSION] = bytes(image)

    def _slide_the_tab(self) -> None:
        assert self.inside is not None
        volume = self.inside
        self._take_out()
        cartridge.protect(volume.directory, on=True)
        volume.tape.protected = True
        self.outside.append(self.outside.pop(0))
        self._insert()

    def _insert(self) -> None:
        self.inside = self.outside.pop()
        self.pair.machine.insert(self.inside.directory)
        self.pair.model.insert(self.inside.tape)
        self.pair.look()

    def _take_out(self) -> None:
        assert self.inside is not None
        self.pair.machine.eject()
        assert self.pair.model.take_out() is self.inside.tape
        self.outside.insert(0, self.inside)
        self.inside = None

    # --- data ---

    @precondition(mounted)
    @rule(host=HOSTS, sizes=st.lists(SIZES, min_size=1, max_size=5))
    def write_variable(self, host: str, sizes: list[int]) -> None:
        for size in sizes:
            self._send(host, cdb(0x0A, 0, size), self._data(size))

    @precondition(mounted)
    @rule(host=HOSTS, length=BLOCK_LENGTHS, count=st.integers(0, 4))
    def write_fixed(self, host: str, length: int, count: int) -> None:
        self._select(host, length)
        size = self.pair.model.block_length
        count = min(count, 1) if size > 1 << 20 else count
        self._send(host, cdb(0x0A, 1, count), self._data(size * count))

    @precondition(mounted)
    @rule(host=HOSTS, count=FILEMARKS, immediate=st.booleans())
    def write_filemarks(self, host: str, count: int, immediate: bool) -> None:
        self._send(host, cdb(0x10, int(immediate), count))

    @precondition(mounted)
    @rule(host=HOSTS, back=BACK, more=st.sampled_from([0, 0, 1, -1, 10, -10, 3000, -5000]), silent=st.booleans())
    def read_variable(self, host: str, back: int, more: int, silent: bool) -> None:
        self._go_back(host, back)
        self._send(host, cdb(0x08, 2 * silent, max(self._ahead + more, 0)))

    @precondition(mounted)
    @rule(host=HOSTS, back=BACK, count=st.integers(1, 6), silent=st.booleans())
    def read_on(self, host: str, back: int, count: int, silent: bool) -> None:
        self._go_back(host, back)
        for _ in range(count):
            self._send(host, cdb(0x08, 2 * silent, 0x1000))

    @precondition(mounted)
    @rule(host=HOSTS, size=SIZES, fixed=RARELY, count=st.integers(3, 20))
    def write_alike(self, host: str, size: int, fixed: int, count: int) -> None:
        if fixed:
            self._select(host, size)
        for _ in range(count):
            self.pair.settled(host, cdb(0x0A, fixed, 1 if fixed else size), self._data(size))
        self.pair.look()

    @precondition(mounted)
    @rule(host=HOSTS, back=st.sampled_from([3, 5, 12, 20]), silent=st.booleans(), count=st.integers(3, 20))
    def read_alike(self, host: str, back: int, silent: bool, count: int) -> None:
        self._go_back(host, back)
        command = cdb(0x08, 2 * silent, self._ahead)
        for _ in range(count):
            self.pair.settled(host, command)
        self.pair.look()

    @precondition(mounted)
    @rule(host=HOSTS, back=BACK, fit=st.booleans(), count=st.integers(0, 5), silent=RARELY)
    def read_fixed(self, host: str, back: int, fit: bool, count: int, silent: int) -> None:
        self._go_back(host, back)
        if fit:
            self._select(host, self._ahead)
        self._send(host, cdb(0x08, 1 | 2 * silent, count))

    @precondition(mounted)
    @rule(host=HOSTS, back=BACK, more=st.sampled_from([0, 0, 1, -1]), fixed=st.booleans())
    def verify(self, host: str, back: int, more: int, fixed: bool) -> None:
        self._go_back(host, back)
        self._send(host, cdb(0x13, int(fixed), 2 if fixed else max(self._ahead + more, 0)))

    # --- motions ---

    @precondition(mounted)
    @rule(host=HOSTS, count=SIGNED, far=st.booleans(), back=BACK)
    def space_over_blocks(self, host: str, count: int, far: bool, back: int) -> None:
        self._space(host, 0, count, far, back)

    @precondition(mounted)
    @rule(host=HOSTS, count=SIGNED, far=st.booleans(), back=BACK)
    def space_over_filemarks(self, host: str, count: int, far: bool, back: int) -> None:
        self._space(host, 1, count, far, back)

    @precondition(mounted)
    @rule(host=HOSTS, code=st.sampled_from([2, 2, 2, 3, 4]), count=SIGNED, far=st.booleans(), back=BACK)
    def space_otherwise(self, host: str, code: int, count: int, far: bool, back: int) -> None:
        self._space(host, code, count, far, back)

    def _space(self, host: str, code: int, count: int, far: bool, back: int) -> None:
        self._go_back(host, back)
        self._send(host, space_16(code, count) if far else cdb(0x11, code, count))

    @precondition(mounted)
    @rule(host=HOSTS, there=WHITHER, change=st.booleans(), side=RARELY, bt=st.booleans())
    def locate_near(self, host: str, there: int, change: bool, side: int, bt: bool) -> None:
        first = 2 * change | 4 * bt
        self._send(host, bytes([0x2B, first, 0]) + there.to_bytes(4, "big") + bytes([0, side, 0]))

    @precondition(mounted)
    @rule(host=HOSTS, kind=st.sampled_from([0, 0, 1, 1, 2, 3, 7]), there=WHITHER, change=st.booleans(), side=RARELY)
    def locate_far(self, host: str, kind: int, there: int, change: bool, side: int) -> None:
        self._send(host, bytes([0x92, kind << 3 | 2 * change, 0, side]) + there.to_bytes(8, "big") + bytes(4))

    # --- keys ---

    @rule(
        host=HOSTS,
        scope=st.sampled_from([2, 2, 2, 1, 0]),
        lock=RARELY,
        ckod=RARELY,
        modes=st.sampled_from([(0, 0), (2, 2), (2, 3), (2, 3), (0, 3), (0, 2), (2, 0)]),
        key=KEYS,
        kad=st.sampled_from([b"", b"", b"name"]),
    )
    def set_encryption(
        self, host: str, scope: int, lock: int, ckod: int, modes: tuple[int, int], key: bytes, kad: bytes
    ) -> None:
        page = bytes([scope << 5 | lock, 4 * ckod, *modes, 3]) + bytes(9) + b"\0\x20" + key
        self._set_encryption(host, page + (bytes([0, 0, 0, len(kad)]) + kad if kad else b""))

    @rule(
        host=HOSTS,
        scope=st.integers(0, 7),
        ckod=st.booleans(),
        modes=st.sampled_from([(2, 3), (0, 0), (3, 0), (0, 4), (0, 3), (2, 0)]),
        index=st.sampled_from([3, 3, 3, 9]),
        length=st.sampled_from([32, 0, 31, 33]),
    )
    def set_encryption_wrongly(
        self, host: str, scope: int, ckod: bool, modes: tuple[int, int], index: int, length: int
    ) -> None:
        page = bytes([scope << 5, 4 * ckod, *modes, index]) + bytes(9) + length.to_bytes(2, "big") + bytes(length)
        self._set_encryption(host, page)

    def _set_encryption(self, host: str, page: bytes) -> None:
        out = bytes([0x00, 0x10]) + len(page).to_bytes(2, "big") + page
        self._send(host, bytes([0xB5, 0x20, 0x00, 0x10, 0, 0]) + len(out).to_bytes(4, "big") + bytes(2), out)
        self._send(host, STATUS)

    # --- modes, reservations, attentions ---

    @rule(host=HOSTS, size=BLOCK_LENGTHS)
    def select_block_length(self, host: str, size: int) -> None:
        self._select(host, size)
        self._send(host, bytes([0x1A, 0, 0, 0, 12, 0]))

    @rule(host=HOSTS, command=st.sampled_from(QUESTIONS))
    def ask(self, host: str, command: bytes) -> None:
        """Without asking again when a unit attention comes."""
        self.pair.send(host, command)

    @rule(host=st.sampled_from("ab"), opcode=st.sampled_from([0x16, 0x17, 0x17, 0x17]))
    def reserve_or_release(self, host: str, opcode: int) -> None:
        self._send(host, cdb(opcode, 0, 0))
        self.pair.send("a", bytes(6))
        self.pair.send("b", bytes(6))

    # --- what happens seldom ---

    @rule(host=HOSTS, what=st.sampled_from(SELDOM))
    def disturb(self, host: str, what: bytes) -> None:
        self._send(host, what)

    @precondition(mounted)
    @rule(host=HOSTS, additional=st.integers(0, 4), way=st.sampled_from([0, 1, 1, 2, 3]), there=RARELY)
    def divide(self, host: str, additional: int, way: int, there: int) -> None:
        """FORMAT MEDIUM after MODE SELECT of page 11h, at the beginning of partition 0 or where the tape stands."""
        if not there:
            self._send(host, bytes([0x92, 2]) + bytes(14))
        if way:
            page = bytes([0, 0, 0x10, 0, 0x11, 6, 0, additional, 0x80, 3, 0, 0])
            self._send(host, bytes([0x15, 0x10, 0, 0, len(page), 0]), page)
        self._send(host, bytes([0x04, 0, way, 0, 0, 0]))
        for side in range(2):
            self._send(host, bytes([0x92, 2, 0, side]) + bytes(12))
            self._send(host, cdb(0x0A, 0, 700), self._data(700))

    @precondition(lambda self: not self.mounted())
    @rule(host=HOSTS, what=st.sampled_from(MOVING))
    def use_what_is_not_mounted(self, host: str, what: bytes) -> None:
        self._send(host, what)

    @precondition(lambda self: not self.mounted())
    @rule(host=HOSTS)
    def mount_again(self, host: str) -> None:
        if self.inside is None:
            self._insert()
        self._send(host, LOAD)

    @precondition(lambda self: self.inside is not None)
    @rule(seldom=st.integers(0, 3))
    def take_out(self, seldom: int) -> None:
        if self.pair.model.preventing or seldom:
            return
        self._take_out()

    @rule(kind=st.integers(0, 5))
    def lose_power_or_be_reset(self, kind: int) -> None:
        if kind == 0:
            self.pair.told.append("power cycle")
            self.pair.machine.power_cycle()
            self.pair.model.power_cycle()
        if kind == 1:
            self.pair.told.append("reset")
            self.pair.machine.reset()
            self.pair.model.reset()

    # --- parts of the above ---

    def mounted(self) -> bool:
        return self.pair.model.place == MOUNTED

    def _select(self, host: str, size: int) -> None:
        out = bytes([0, 0, 0x10, 8]) + bytes(5) + size.to_bytes(3, "big")
        self._send(host, bytes([0x15, 0x10, 0, 0, 12, 0]), out)

    def _go_back(self, host: str, back: int) -> None:
        """Some objects back, whatever they are."""
        if back and self.pair.model.tape:
            there = max(self.pair.model.tape.at - back, 0)
            self._send(host, bytes([0x92, 0, 0, 0]) + there.to_bytes(8, "big") + bytes(4))

    def _send(self, host: str, command: bytes, out: bytes = b"") -> None:
        global commands
        commands += 1
        self.pair.settled(host, command, out)
        self.pair.look()

    def _data(self, size: int) -> bytes:
        self.seed += 1
        return content(self.seed, size)

    @property
    def _ahead(self) -> int:
        """The size of the block that comes next."""
        tape = self.pair.model.tape
        item = tape.next if tape else None
        return len(item.data) if isinstance(item, Block) else 512

    def teardown(self) -> None:
        """At the end the whole tape is read, and then all is put away."""
        global sequences, streamed
        sequences += 1
        streamed += self.pair.streamed
        self.stack.close()


def test_drive_and_model_agree(record_property: Callable[[str, object], None]) -> None:
    profile = settings(
        max_examples=SEQUENCES,
        stateful_step_count=STEPS,
        deadline=None,
        database=None,
        derandomize=not SOAK,
        suppress_health_check=list(HealthCheck),
        phases=(Phase.generate,),  # shrinking takes minutes; the last commands are told
        print_blob=False,
    )
    run_state_machine_as_test(Agreement, settings=profile)
    told_of = f"{commands} commands, {streamed} of them in streams, the same on drive and model"
    record_property(told.PROPERTY, f"agreement: {sequences} sequences, {told_of}")
    assert streamed > SEQUENCES
