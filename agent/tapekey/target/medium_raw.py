"""The raw form of an encrypted block: what a RAW read hands out and an EXTERNAL write takes back (reference 6.7).

It is complete: with the key it can be opened anywhere. M-KAD tells the destination which key-associated data and
algorithm the raw blocks were made with; it is the same for all blocks of one set of parameters.
"""

import hashlib
import struct
from typing import Final

from tapekey.errors import Malformed
from tapekey.target.cipher import IV, TAG
from tapekey.target.medium_record import LONGEST_BLOCK, Block, Buffer, Seal

_MAGIC: Final = b"tkraw\x01"
# magic, compression, KAD format, lengths of U- and A-KAD, algorithm, length of the host's block, IV
_LAYOUT: Final = struct.Struct(">6sBBBB2xII12s")
_METADATA_MAGIC: Final = b"tapekey metadata"
METADATA: Final = 64


def raw(block: Block, stored: Buffer) -> bytes:
    """Make the raw form of a block."""
    seal = _sealed(block)
    head = _LAYOUT.pack(
        _MAGIC,
        block.compression,
        seal.kad_format,
        len(seal.unauthenticated),
        len(seal.authenticated),
        seal.algorithm,
        block.length,
        seal.iv,
    )
    return b"".join((head, seal.unauthenticated, seal.authenticated, stored))


def from_raw(image: Buffer) -> tuple[Block, memoryview]:
    """Take a raw form apart: the block, marked EXTERNAL, and the bytes to store. Malformed if it is none."""
    view = memoryview(image)
    if len(view) < _LAYOUT.size or bytes(view[: len(_MAGIC)]) != _MAGIC:
        raise Malformed("this is not an encrypted block in raw form")
    _, compression, kad_format, u_size, a_size, algorithm, length, iv = _LAYOUT.unpack_from(view)
    kads = bytes(view[_LAYOUT.size : _LAYOUT.size + u_size + a_size])
    stored = view[_LAYOUT.size + u_size + a_size :]
    if len(stored) <= TAG or len(iv) != IV:
        raise Malformed("an encrypted block in raw form is cut short")
    if length > LONGEST_BLOCK:
        raise Malformed("an encrypted block in raw form is longer than any", why=f"{length} bytes")
    seal = Seal(algorithm, iv, kad_format, kads[:u_size], kads[u_size:], external=True)
    block = Block(length, compression, seal)
    return block._replace(seal=seal._replace(metadata=metadata(block))), stored


def metadata(block: Block) -> bytes:
    """The M-KAD of a block: 64 bytes."""
    seal = _sealed(block)
    lengths = bytes([seal.kad_format, len(seal.unauthenticated), len(seal.authenticated)])
    code = seal.algorithm.to_bytes(4, "big")
    digest = hashlib.sha256(code + lengths + seal.unauthenticated + seal.authenticated).digest()
    return (_METADATA_MAGIC + code + digest).ljust(METADATA, b"\0")


def _sealed(block: Block) -> Seal:
    if block.seal is None:
        raise ValueError("a clear block has no raw form")
    return block.seal
