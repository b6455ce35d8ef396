"""The records of a tape's log, byte by byte as `docs/formats/medium.md` has them.

A record is a header of 128 bytes, the key-associated data, and the stored bytes. The header is read and written for
every block, so it is packed in one go here rather than row by row with `wire`, and what it says is made as tuples.
"""

import struct
from enum import IntEnum
from typing import Final, NamedTuple

from crc32c import crc32c

from tapekey.errors import Malformed

Buffer = bytes | bytearray | memoryview
Place = tuple[int, int, int, int]  # offset, object number, file number, epoch

MAGIC: Final = b"tkrecord"
FIXED: Final = 128
LONGEST_HEADER: Final = FIXED + 3 * 255
LONGEST_BLOCK: Final = (1 << 24) + 1024  # 16,777,215 bytes of the host's, and what raw copies add

_ENCRYPTED: Final = 0x80
_EXTERNAL: Final = 0x40
_RAW_READ_DISABLED: Final = 0x20
_CRC32C: Final = 2
# magic, log id, offset, object, file, epoch, kind, flags, compression, KAD format, algorithm, length, stored length,
# lengths of U-, A- and M-KAD, kind of checksum, IV, reserved, checksum of the stored bytes
_LAYOUT: Final = struct.Struct(">8s16sQQQIBBBBIIIBBBB12s36xI")
_SUM: Final = struct.Struct(">I")

# The same up to the stored length, as a walk over a log needs it.
_GLANCE: Final = struct.Struct(">8s16sQQQIBB10xIBBBB48xI")


class Kind(IntEnum):
    """What a record is."""

    BLOCK = 1
    FILEMARK = 2


class Seal(NamedTuple):
    """How a block is encrypted: everything but the key that opening it takes. The tag ends the stored bytes."""

    algorithm: int
    iv: bytes
    kad_format: int = 0
    unauthenticated: bytes = b""
    authenticated: bytes = b""
    metadata: bytes = b""
    external: bool = False
    raw_read_disabled: bool = False


class Block(NamedTuple):
    """A logical block: its length as the host wrote it, before compression and encryption; clear without a seal."""

    length: int
    compression: int = 0
    seal: Seal | None = None


class Header(NamedTuple):
    """What stands before the stored bytes of a record.

    offset, object_number, file_number   where the record is: in the file, on the tape, and how many filemarks before
    epoch                                how often the log had been cut when the record was written
    """

    kind: Kind
    offset: int
    object_number: int
    file_number: int
    epoch: int
    stored: int = 0
    checksum: int = 0
    block: Block | None = None

    @property
    def size(self) -> int:
        """Bytes of the header with the key-associated data."""
        seal = self.block.seal if self.block else None
        return FIXED + (len(seal.unauthenticated) + len(seal.authenticated) + len(seal.metadata) if seal else 0)

    @property
    def end(self) -> int:
        """Where the next record starts."""
        return self.offset + self.size + self.stored


class Glance(NamedTuple):
    """The part of a header that finding out what a log holds takes; a tuple, since there are millions of them."""

    object_number: int
    file_number: int
    epoch: int
    filemark: bool
    encrypted: bool
    start: int  # of the stored bytes
    end: int
    checksum: int


UNSHARED: Final = 128 << 10


def checksum(stored: Buffer, before: int = 0) -> int:
    """The checksum of stored bytes (CRC-32C), continued from `before`: it tells damage, it proves nothing."""
    # Below 128 KiB it takes 5 us: less than it costs to get the interpreter back from another drive's thread.
    return crc32c(stored, before, gil_release_mode=-1 if len(stored) > UNSHARED else 0)


def marker(log_id: bytes) -> bytes:
    """The first bytes of every record of one log: unguessable, so that no host data looks like a record."""
    return MAGIC + log_id


def encode(log_id: bytes, header: Header) -> bytes:
    """Write a header with its key-associated data."""
    place = (header.offset, header.object_number, header.file_number, header.epoch)
    return image(log_id, place, header.kind, header.block, header.stored, header.checksum)


def image(log_id: bytes, place: Place, kind: int, block: Block | None, stored: int = 0, check: int = 0) -> bytes:
    """Write a header from its parts: as `encode`, for every block written, without a `Header` in between."""
    block = block or _NOTHING
    seal = block.seal or _CLEAR
    kads = seal.unauthenticated + seal.authenticated + seal.metadata
    fixed = _LAYOUT.pack(
        MAGIC,
        log_id,
        *place,
        kind,
        0 if seal is _CLEAR else _flags(seal),
        block.compression,
        seal.kad_format,
        seal.algorithm,
        block.length,
        stored,
        len(seal.unauthenticated),
        len(seal.authenticated),
        len(seal.metadata),
        _CRC32C,
        seal.iv,
        check,
    )
    return fixed + _SUM.pack(crc32c(kads, crc32c(fixed))) + kads


def decode(log_id: bytes, offset: int, image: Buffer) -> Header:
    """Read the header that belongs at `offset` of this log; Malformed if it is damaged, cut short or another's."""
    if len(image) < FIXED:
        raise Malformed("a record's header is cut short")
    (magic, owner, at, number, files, epoch, kind, flags, compression, kad_format, algorithm, length, stored,
     u_size, a_size, m_size, sum_kind, iv, check) = _LAYOUT.unpack_from(image)  # fmt: skip
    size = FIXED + u_size + a_size + m_size
    if magic != MAGIC or owner != log_id or at != offset or len(image) < size:
        raise Malformed("no record of this log stands here")
    kads = bytes(image[FIXED:size])
    if _SUM.unpack_from(image, FIXED - 4)[0] != crc32c(kads, crc32c(image[: FIXED - 4])):
        raise Malformed("a record's header is damaged")
    if kind not in Kind._value2member_map_ or sum_kind != _CRC32C:
        raise Malformed("a record is of a kind that this version does not know")
    if kind != Kind.BLOCK:
        return Header(Kind(kind), at, number, files, epoch)
    seal = None
    if flags & _ENCRYPTED:
        seal = Seal(
            algorithm,
            iv,
            kad_format,
            kads[:u_size],
            kads[u_size : u_size + a_size],
            kads[u_size + a_size :],
            bool(flags & _EXTERNAL),
            bool(flags & _RAW_READ_DISABLED),
        )
    return Header(Kind.BLOCK, at, number, files, epoch, stored, check, Block(length, compression, seal))


def glance(log_id: bytes, offset: int, image: Buffer) -> Glance | None:
    """What a walk needs to know of the record at `offset`; None if none stands there that verifies."""
    if len(image) < FIXED:
        return None
    (magic, owner, at, number, files, epoch, kind, flags, stored,
     u_size, a_size, m_size, sum_kind, check) = _GLANCE.unpack_from(image)  # fmt: skip
    size = FIXED + u_size + a_size + m_size
    if magic != MAGIC or owner != log_id or at != offset or len(image) < size:
        return None
    if _SUM.unpack_from(image, FIXED - 4)[0] != crc32c(image[FIXED:size], crc32c(image[: FIXED - 4])):
        return None
    if kind not in (Kind.BLOCK, Kind.FILEMARK) or sum_kind != _CRC32C:
        return None
    start = at + size
    return Glance(number, files, epoch, kind == Kind.FILEMARK, bool(flags & _ENCRYPTED), start, start + stored, check)


def _flags(seal: Seal) -> int:
    return _ENCRYPTED | (_EXTERNAL if seal.external else 0) | (_RAW_READ_DISABLED if seal.raw_read_disabled else 0)


_NOTHING: Final = Block(0)
_CLEAR: Final = Seal(0, bytes(12))
