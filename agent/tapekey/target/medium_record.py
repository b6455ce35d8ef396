"""The records of a tape's log, byte by byte as `docs/formats/medium.md` has them.

A record is a header of 128 bytes, the key-associated data, and the stored bytes. The header is read and written for
every block, so it is packed in one go here rather than row by row with `wire`.
"""

import struct
import zlib
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from tapekey.errors import Malformed, MediumDamaged

Buffer = bytes | bytearray | memoryview

MAGIC: Final = b"tkrecord"
FIXED: Final = 128
LONGEST_HEADER: Final = FIXED + 3 * 255
LONGEST_BLOCK: Final = (1 << 24) + 1024  # 16,777,215 bytes of the host's, and what raw copies add

_ENCRYPTED: Final = 0x80
_EXTERNAL: Final = 0x40
_RAW_READ_DISABLED: Final = 0x20
_CRC32: Final = 1
# magic, log id, offset, object, file, epoch, kind, flags, compression, KAD format, algorithm, length, stored length,
# lengths of U-, A- and M-KAD, kind of checksum, IV, reserved, checksum of the stored bytes
_LAYOUT: Final = struct.Struct(">8s16sQQQIBBBBIIIBBBB12s36xI")
_SUM: Final = struct.Struct(">I")

LOG_HEADER: Final = 64
_LOG_MAGIC: Final = b"tapekey tape log"
_LOG_LAYOUT: Final = struct.Struct(">16sHH4x16s20x")
_VERSION: Final = 1


class Kind(IntEnum):
    """What a record is."""

    BLOCK = 1
    FILEMARK = 2
    CHECKPOINT = 3


@dataclass(frozen=True, slots=True)
class Seal:
    """How a block is encrypted: everything but the key that opening it takes. The tag ends the stored bytes."""

    algorithm: int
    iv: bytes
    kad_format: int = 0
    unauthenticated: bytes = b""
    authenticated: bytes = b""
    metadata: bytes = b""
    external: bool = False
    raw_read_disabled: bool = False


@dataclass(frozen=True, slots=True)
class Block:
    """A logical block: its length as the host wrote it, before compression and encryption; clear without a seal."""

    length: int
    compression: int = 0
    seal: Seal | None = None


@dataclass(frozen=True, slots=True)
class Header:
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


def checksum(stored: Buffer, before: int = 0) -> int:
    """The checksum of stored bytes (CRC-32 as in zlib), continued from `before`: it tells damage, it proves nothing."""
    return zlib.crc32(stored, before)


def marker(log_id: bytes) -> bytes:
    """The first bytes of every record of one log: unguessable, so that no host data looks like a record."""
    return MAGIC + log_id


def encode(log_id: bytes, header: Header) -> bytes:
    """Write a header with its key-associated data."""
    block = header.block or _NOTHING
    seal = block.seal or _CLEAR
    kads = seal.unauthenticated + seal.authenticated + seal.metadata
    image = _LAYOUT.pack(
        MAGIC,
        log_id,
        header.offset,
        header.object_number,
        header.file_number,
        header.epoch,
        header.kind,
        _flags(block.seal),
        block.compression,
        seal.kad_format,
        seal.algorithm,
        block.length,
        header.stored,
        len(seal.unauthenticated),
        len(seal.authenticated),
        len(seal.metadata),
        _CRC32,
        seal.iv,
        header.checksum,
    )
    return image + _SUM.pack(zlib.crc32(kads, zlib.crc32(image))) + kads


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
    if _SUM.unpack_from(image, FIXED - 4)[0] != zlib.crc32(kads, zlib.crc32(image[: FIXED - 4])):
        raise Malformed("a record's header is damaged")
    if kind not in Kind._value2member_map_ or sum_kind != _CRC32:
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


def encode_log_header(partition: int, log_id: bytes) -> bytes:
    """Write what a log's file starts with."""
    image = _LOG_LAYOUT.pack(_LOG_MAGIC, _VERSION, partition, log_id)
    return image + _SUM.pack(zlib.crc32(image))


def decode_log_header(image: bytes) -> tuple[int, bytes]:
    """Read a log's partition number and id; MediumDamaged if it does not verify, Malformed if it is another's."""
    if len(image) < LOG_HEADER or _SUM.unpack_from(image, LOG_HEADER - 4)[0] != zlib.crc32(image[: LOG_HEADER - 4]):
        raise MediumDamaged("the header of the tape log is damaged")
    magic, version, *_ = _LOG_LAYOUT.unpack_from(image)
    if magic != _LOG_MAGIC or version != _VERSION:
        raise Malformed("this is no tape log that is known here", why=f"version {version}, known is {_VERSION}")
    _, _, partition, log_id = _LOG_LAYOUT.unpack_from(image)
    return partition, log_id


def _flags(seal: Seal | None) -> int:
    if seal is None:
        return 0
    return _ENCRYPTED | (_EXTERNAL if seal.external else 0) | (_RAW_READ_DISABLED if seal.raw_read_disabled else 0)


_NOTHING: Final = Block(0)
_CLEAR: Final = Seal(0, bytes(12))
