"""A tape node of `st`, driven by the ioctls that `mt` sends and by read and write, without a process for each.

Every action is a line of words, as in `fsf 2` or `write 1000`, and what came of it is text too, so that a test can be a
table. Numbers are those of the kernel's mtio.h.
"""

import errno
import fcntl
import hashlib
import os
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from typing import Final

OPERATE, GET_STATUS, GET_POSITION = 0x40086D01, 0x80306D02, 0x80086D03

# fmt: off
OPERATIONS: Final = {  # MTIOCTOP, by the names that mt-st gives them
    "fsf": 1, "bsf": 2, "fsr": 3, "bsr": 4, "weof": 5, "rewind": 6, "offline": 7, "eod": 12, "erase": 13,
    "setblk": 20, "seek": 22, "drvbuffer": 24, "fss": 25, "bss": 26, "wset": 27, "lock": 28, "unlock": 29, "load": 30,
    "compression": 32, "setpartition": 33, "mkpartition": 34, "fsfm": 11, "bsfm": 10,
}
FLAGS: Final = {  # MTIOCGET
    0x80000000: "EOF", 0x40000000: "BOT", 0x20000000: "EOT", 0x10000000: "SM", 0x08000000: "EOD",
    0x04000000: "WR_PROT", 0x01000000: "ONLINE", 0x00040000: "DR_OPEN", 0x00010000: "IM_REP_EN", 0x00008000: "CLN",
}
# fmt: on
PLAIN: Final = {"ONLINE", "IM_REP_EN"}  # always so with a cartridge in, and no news


def content(number: int, size: int) -> bytes:
    """What block `number` of a table holds: different from its neighbours in every byte pattern."""
    return hashlib.shake_128(b"%d" % number).digest(size)


@dataclass(frozen=True, slots=True)
class Place:
    """Where `st` says that the tape is: file, block in it, and the flags worth telling."""

    file: int
    block: int
    flags: str


@dataclass(slots=True)
class StNode:
    """An open node. Blocks that it writes are numbered from `number`, so that what is read can be named."""

    handle: int
    number: int = 0
    known: dict[bytes, int] = field(default_factory=dict)

    def do(self, line: str) -> str:
        """Carry out one line. `ok`, a number of bytes, the blocks that were read, or the error's name."""
        verb, *words = line.split()
        numbers = [int(word) for word in words]
        try:
            return ACTIONS[verb](self, *numbers) if verb in ACTIONS else self._operate(verb, *numbers)
        except OSError as error:
            return errno.errorcode[error.errno or 0]

    def place(self) -> Place:
        status = bytearray(48)
        fcntl.ioctl(self.handle, GET_STATUS, status)
        (_, _, _, general, _, file, block) = struct.unpack("5q2i", status)
        told = [name for bit, name in FLAGS.items() if general & bit and name not in PLAIN]
        return Place(file, block, " ".join(told))

    def _operate(self, verb: str, count: int = 1) -> str:
        fcntl.ioctl(self.handle, OPERATE, struct.pack("hxxi", OPERATIONS[verb], count))
        return "ok"

    def write(self, size: int, times: int = 1) -> str:
        """Write blocks of our numbered content; the sum of the bytes taken."""
        taken = 0
        for _ in range(times):
            block = content(self.number, size)
            taken += os.write(self.handle, block)
            self.known[block] = self.number
            self.number += 1
        return str(taken)

    def read(self, room: int) -> str:
        """Read once: `bytes`, and which of our blocks it is (`?`: none of them); 0 at a filemark."""
        got = os.read(self.handle, room)
        if not got:
            return "0"
        named = self.known.get(got)
        return f"{len(got)} #{'?' if named is None else named}"

    def attempt(self, block: bytes) -> str:
        """Write one block and see it through: the driver may tell of a failure only at what comes next."""
        try:
            os.write(self.handle, block)
        except OSError as error:
            return errno.errorcode[error.errno or 0]
        return self.do("weof 0")

    def tell(self) -> str:
        position = bytearray(8)
        fcntl.ioctl(self.handle, GET_POSITION, position)
        return str(int.from_bytes(position, "little"))

    def options(self, bits: int) -> str:
        """Switch options of the driver on (MT_ST_SETBOOLEANS); 1024: it may use partitions."""
        return self._operate("drvbuffer", 0x30000000 | bits)


ACTIONS: Final[dict[str, Callable[..., str]]] = {
    "write": StNode.write,
    "read": StNode.read,
    "tell": StNode.tell,
    "options": StNode.options,
}


@contextmanager
def opened(path: str, *, reading: bool = False, in_trouble: bool = False) -> Iterator[StNode]:
    """Open without waiting for a cartridge. `in_trouble`: what `st` says at closing is what is tried out."""
    handle = os.open(path, (os.O_RDONLY if reading else os.O_RDWR) | os.O_NONBLOCK)
    try:
        yield StNode(handle)
    finally:
        with suppress(OSError) if in_trouble else nullcontext():
            os.close(handle)
