"""Commands that move, read and write the medium: short CDB table of SPC-4 and SSC-4 (reference 1.3).

A structure per CDB, which the device decodes with, and a builder per command. What a command answers with beyond
status and plain data is here too, where it is short.
"""

from dataclasses import dataclass
from typing import Final

from tapekey.exchange import Buffer, Command
from tapekey.scsi.codes import Opcode
from tapekey.wire.codes import Code
from tapekey.wire.layout import bits, encode, sint, uint, wire

# Seconds. A command cut off by the host's timer is aborted by a reset, which costs the job and its keys; so these
# lie above what any drive needs, and the drive's own (REPORT SUPPORTED OPERATION CODES) count where they are longer.
QUICK: Final = 60.0
DATA: Final = 2_700.0  # a buffered read or write may wait for error recovery and repositioning
REWIND: Final = 1_800.0
MOTION: Final = 7_200.0  # SPACE and LOCATE over a whole volume, with recovery
UNLOAD: Final = 3_600.0
LOAD: Final = 10_800.0  # LTO-9 optimises a new medium at its first load: up to two hours
FORMAT: Final = 14_400.0
ERASE_SHORT: Final = 7_200.0
ERASE_LONG: Final = 172_800.0  # writes the whole partition
VERIFY: Final = 172_800.0


class SpaceCode(Code):
    """CODE of SPACE."""

    BLOCKS = 0x0
    FILEMARKS = 0x1
    SEQUENTIAL_FILEMARKS = 0x2
    END_OF_DATA = 0x3


class Destination(Code):
    """DEST_TYPE of LOCATE(16)."""

    OBJECT = 0
    FILE = 1
    END_OF_DATA = 3


class Format(Code):
    """FORMAT of FORMAT MEDIUM."""

    DEFAULT = 0
    PARTITION = 1
    DEFAULT_THEN_PARTITION = 2


class Removal(Code):
    """PREVENT of PREVENT ALLOW MEDIUM REMOVAL."""

    ALLOW = 0
    PREVENT = 1


class Overwrite(Code):
    """ALLOW OVERWRITE field of the command of that name."""

    DISABLED = 0
    CURRENT_POSITION = 1
    FORMAT = 2


# fmt: off
@wire(size=6)
@dataclass(frozen=True, slots=True)
class TestUnitReady:
    """TEST UNIT READY (00h)."""

    __test__ = False  # no test class, whatever its name says

    opcode:  Opcode = uint(0, 1, Opcode, default=Opcode.TEST_UNIT_READY)
    control: int    = uint(5, 1)


@wire(size=6)
@dataclass(frozen=True, slots=True)
class Rewind:
    """REWIND (01h)."""

    opcode:    Opcode = uint(0, 1, Opcode, default=Opcode.REWIND)
    immediate: bool   = bits(1, 0, 0, bool)
    control:   int    = uint(5, 1)


@wire(size=6)
@dataclass(frozen=True, slots=True)
class RequestSense:
    """REQUEST SENSE (03h)."""

    opcode:     Opcode = uint(0, 1, Opcode, default=Opcode.REQUEST_SENSE)
    descriptor: bool   = bits(1, 0, 0, bool)
    room:       int    = uint(4, 1)
    control:    int    = uint(5, 1)


@wire(size=6)
@dataclass(frozen=True, slots=True)
class FormatMedium:
    """FORMAT MEDIUM (04h)."""

    opcode:    Opcode = uint(0, 1, Opcode, default=Opcode.FORMAT_MEDIUM)
    verify:    bool   = bits(1, 1, 1, bool)
    immediate: bool   = bits(1, 0, 0, bool)
    format:    Format = bits(2, 3, 0, Format)
    length:    int    = uint(3, 2)
    control:   int    = uint(5, 1)


@wire(size=6)
@dataclass(frozen=True, slots=True)
class ReadBlockLimits:
    """READ BLOCK LIMITS (05h)."""

    opcode:            Opcode = uint(0, 1, Opcode, default=Opcode.READ_BLOCK_LIMITS)
    maximum_object_id: bool   = bits(1, 0, 0, bool)
    control:           int    = uint(5, 1)


@wire(size=6)
@dataclass(frozen=True, slots=True)
class BlockLimits:
    """Data of READ BLOCK LIMITS with MLOI = 0; a maximum of 0 means no limit."""

    granularity: int = bits(0, 4, 0)
    maximum:     int = uint(1, 3)
    minimum:     int = uint(4, 2)


@wire(size=20)
@dataclass(frozen=True, slots=True)
class ObjectLimits:
    """Data of READ BLOCK LIMITS with MLOI = 1."""

    maximum_object_id: int = uint(12, 8)


@wire(size=6)
@dataclass(frozen=True, slots=True)
class Read6:
    """READ (08h); `length` counts blocks when `fixed`, else bytes."""

    opcode:                   Opcode = uint(0, 1, Opcode, default=Opcode.READ_6)
    suppress_length_incorrect: bool  = bits(1, 1, 1, bool)
    fixed:                    bool   = bits(1, 0, 0, bool)
    length:                   int    = uint(2, 3)
    control:                  int    = uint(5, 1)


@wire(size=6)
@dataclass(frozen=True, slots=True)
class Write6:
    """WRITE (0Ah); `length` counts blocks when `fixed`, else bytes."""

    opcode:  Opcode = uint(0, 1, Opcode, default=Opcode.WRITE_6)
    fixed:   bool   = bits(1, 0, 0, bool)
    length:  int    = uint(2, 3)
    control: int    = uint(5, 1)


@wire(size=6)
@dataclass(frozen=True, slots=True)
class WriteFilemarks6:
    """WRITE FILEMARKS (10h); a count of 0 flushes the buffer."""

    opcode:    Opcode = uint(0, 1, Opcode, default=Opcode.WRITE_FILEMARKS_6)
    setmarks:  bool   = bits(1, 1, 1, bool)
    immediate: bool   = bits(1, 0, 0, bool)
    count:     int    = uint(2, 3)
    control:   int    = uint(5, 1)


@wire(size=6)
@dataclass(frozen=True, slots=True)
class Space6:
    """SPACE (11h)."""

    opcode:  Opcode    = uint(0, 1, Opcode, default=Opcode.SPACE_6)
    code:    SpaceCode = bits(1, 3, 0, SpaceCode)
    count:   int       = sint(2, 3)
    control: int       = uint(5, 1)


@wire(size=16)
@dataclass(frozen=True, slots=True)
class Space16:
    """SPACE (91h)."""

    opcode:           Opcode    = uint( 0, 1, Opcode, default=Opcode.SPACE_16)
    code:             SpaceCode = bits( 1, 3, 0, SpaceCode)
    count:            int       = sint( 4, 8)
    parameter_length: int       = uint(12, 2)
    control:          int       = uint(15, 1)


@wire(size=6)
@dataclass(frozen=True, slots=True)
class Verify6:
    """VERIFY (13h): reads and decrypts, but transfers nothing."""

    opcode:         Opcode = uint(0, 1, Opcode, default=Opcode.VERIFY_6)
    to_end_of_data: bool   = bits(1, 5, 5, bool)
    protection:     bool   = bits(1, 4, 4, bool)
    by_filemarks:   bool   = bits(1, 3, 3, bool)
    immediate:      bool   = bits(1, 2, 2, bool)
    byte_compare:   bool   = bits(1, 1, 1, bool)
    fixed:          bool   = bits(1, 0, 0, bool)
    length:         int    = uint(2, 3)
    control:        int    = uint(5, 1)


@wire(size=6)
@dataclass(frozen=True, slots=True)
class Erase6:
    """ERASE (19h); `long` overwrites to the end of the partition, else end of data is written here."""

    opcode:           Opcode = uint(0, 1, Opcode, default=Opcode.ERASE_6)
    immediate:        bool   = bits(1, 1, 1, bool)
    long:             bool   = bits(1, 0, 0, bool)
    method:           int    = bits(2, 5, 4)
    security_metadata: bool  = bits(2, 1, 1, bool)
    vendor_control:   bool   = bits(2, 0, 0, bool)
    control:          int    = uint(5, 1)


@wire(size=6)
@dataclass(frozen=True, slots=True)
class LoadUnload:
    """LOAD UNLOAD (1Bh); `hold` seats the cartridge without threading it: the chip is readable, the tape is not."""

    opcode:      Opcode = uint(0, 1, Opcode, default=Opcode.LOAD_UNLOAD)
    immediate:   bool   = bits(1, 0, 0, bool)
    hold:        bool   = bits(4, 3, 3, bool)
    end_of_tape: bool   = bits(4, 2, 2, bool)
    retension:   bool   = bits(4, 1, 1, bool)
    load:        bool   = bits(4, 0, 0, bool)
    control:     int    = uint(5, 1)


@wire(size=6)
@dataclass(frozen=True, slots=True)
class PreventAllow:
    """PREVENT ALLOW MEDIUM REMOVAL (1Eh), per I_T nexus."""

    opcode:  Opcode  = uint(0, 1, Opcode, default=Opcode.PREVENT_ALLOW_MEDIUM_REMOVAL)
    removal: Removal = bits(4, 1, 0, Removal)
    control: int     = uint(5, 1)


@wire(size=10)
@dataclass(frozen=True, slots=True)
class Locate10:
    """LOCATE (2Bh)."""

    opcode:           Opcode = uint(0, 1, Opcode, default=Opcode.LOCATE_10)
    block_type:       bool   = bits(1, 2, 2, bool)
    change_partition: bool   = bits(1, 1, 1, bool)
    immediate:        bool   = bits(1, 0, 0, bool)
    object:           int    = uint(3, 4)
    partition:        int    = uint(8, 1)
    control:          int    = uint(9, 1)


@wire(size=16)
@dataclass(frozen=True, slots=True)
class Locate16:
    """LOCATE (92h)."""

    opcode:           Opcode      = uint( 0, 1, Opcode, default=Opcode.LOCATE_16)
    destination:      Destination = bits( 1, 5, 3, Destination)
    change_partition: bool        = bits( 1, 1, 1, bool)
    immediate:        bool        = bits( 1, 0, 0, bool)
    address_mode:     bool        = bits( 2, 0, 0, bool)
    partition:        int         = uint( 3, 1)
    identifier:       int         = uint( 4, 8)
    control:          int         = uint(15, 1)


@wire(size=16)
@dataclass(frozen=True, slots=True)
class AllowOverwrite:
    """ALLOW OVERWRITE (82h), for append-only mode."""

    opcode:    Opcode    = uint( 0, 1, Opcode, default=Opcode.ALLOW_OVERWRITE)
    overwrite: Overwrite = bits( 2, 3, 0, Overwrite)
    partition: int       = uint( 3, 1)
    object:    int       = uint( 4, 8)
    control:   int       = uint(15, 1)
# fmt: on


def test_unit_ready() -> Command:
    """Ask whether a volume is mounted. Reports, and so consumes, a pending unit attention."""
    return Command(encode(TestUnitReady()), timeout=QUICK)


def rewind(*, immediate: bool = False) -> Command:
    """Go to the beginning of the partition."""
    return Command(encode(Rewind(immediate=immediate)), timeout=REWIND)


def request_sense(room: int = 252) -> Command:
    """Fetch pending sense as data; this clears it."""
    return Command(encode(RequestSense(room=room)), data_in_max=room, timeout=QUICK)


def format_medium(format: Format = Format.DEFAULT, *, immediate: bool = False) -> Command:
    """Format the volume, or partition it as mode page 11h says. Destroys all data."""
    return Command(encode(FormatMedium(format=format, immediate=immediate)), timeout=FORMAT)


def read_block_limits() -> Command:
    """Ask for the block sizes that the drive takes; the answer is `BlockLimits`."""
    return Command(encode(ReadBlockLimits()), data_in_max=6, timeout=QUICK)


def read_block(room: int, *, short_is_good: bool = False) -> Command:
    """Read one block of up to `room` bytes. Without `short_is_good` another size is reported by ILI."""
    cdb = Read6(suppress_length_incorrect=short_is_good, length=room)
    return Command(encode(cdb), data_in_max=room, timeout=DATA)


def read_blocks(count: int, size: int) -> Command:
    """Read `count` blocks of the fixed size that the block descriptor sets."""
    return Command(encode(Read6(fixed=True, length=count)), data_in_max=count * size, timeout=DATA)


def write_block(data: Buffer) -> Command:
    """Write the bytes as one block."""
    return Command(encode(Write6(length=len(data))), data_out=data, timeout=DATA)


def write_blocks(data: Buffer, size: int) -> Command:
    """Write the bytes as blocks of the fixed size that the block descriptor sets."""
    count, odd = divmod(len(data), size)
    if odd:
        raise ValueError(f"{len(data)} bytes are no multiple of {size}")
    return Command(encode(Write6(fixed=True, length=count)), data_out=data, timeout=DATA)


def write_filemarks(count: int = 1, *, immediate: bool = False) -> Command:
    """Write filemarks; with `immediate` they may stay in the buffer."""
    return Command(encode(WriteFilemarks6(count=count, immediate=immediate)), timeout=DATA)


def flush() -> Command:
    """Write what is buffered to the medium: WRITE FILEMARKS with count 0."""
    return write_filemarks(0)


def space(code: SpaceCode, count: int = 0) -> Command:
    """Move by `count` blocks or filemarks, backwards if negative, or to the end of data."""
    return Command(encode(Space6(code=code, count=count)), timeout=MOTION)


def space_far(code: SpaceCode, count: int = 0) -> Command:
    """The same with SPACE(16), whose count has 64 bits."""
    return Command(encode(Space16(code=code, count=count)), timeout=MOTION)


def verify_blocks(length: int, *, fixed: bool = False, to_end_of_data: bool = False) -> Command:
    """Read and check without transferring; `length` as in READ."""
    return Command(encode(Verify6(fixed=fixed, to_end_of_data=to_end_of_data, length=length)), timeout=VERIFY)


def erase(*, long: bool = False, immediate: bool = False) -> Command:
    """Write end of data here, or overwrite to the end of the partition."""
    timeout = ERASE_LONG if long else ERASE_SHORT
    return Command(encode(Erase6(long=long, immediate=immediate)), timeout=timeout)


def load(*, immediate: bool = False) -> Command:
    """Load the cartridge and make the volume ready."""
    return Command(encode(LoadUnload(load=True, immediate=immediate)), timeout=LOAD)


def seat() -> Command:
    """Seat the cartridge without threading: its memory chip can be read, the tape is left alone."""
    return Command(encode(LoadUnload(load=True, hold=True)), timeout=LOAD)


def unload(*, immediate: bool = False) -> Command:
    """Rewind, unthread and eject."""
    return Command(encode(LoadUnload(immediate=immediate)), timeout=UNLOAD)


def prevent_removal() -> Command:
    """Keep the cartridge in the drive."""
    return Command(encode(PreventAllow(removal=Removal.PREVENT)), timeout=QUICK)


def allow_removal() -> Command:
    """Let the cartridge go."""
    return Command(encode(PreventAllow(removal=Removal.ALLOW)), timeout=QUICK)


def locate(identifier: int, partition: int | None = None, destination: Destination = Destination.OBJECT) -> Command:
    """Go to an object, a file or the end of data, in this partition or another, with LOCATE(16)."""
    cdb = Locate16(
        destination=destination,
        change_partition=partition is not None,
        partition=partition or 0,
        identifier=identifier,
    )
    return Command(encode(cdb), timeout=MOTION)


def locate_near(object: int, partition: int | None = None) -> Command:
    """Go to an object with LOCATE(10), whose identifier has 32 bits; every drive knows it."""
    cdb = Locate10(change_partition=partition is not None, partition=partition or 0, object=object)
    return Command(encode(cdb), timeout=MOTION)


def allow_overwrite(overwrite: Overwrite, partition: int = 0, object: int = 0) -> Command:
    """Permit one overwrite on a volume in append-only mode."""
    return Command(encode(AllowOverwrite(overwrite=overwrite, partition=partition, object=object)), timeout=QUICK)
