"""Blocks really encrypted: AES-256-GCM or -CCM, a fresh random IV for every block, the tag behind the ciphertext.

The associated data binds what must not be swapped between blocks: algorithm, lengths, compression, KAD format and
A-KAD. It leaves out the position, the EXTERNAL mark and the raw-read mark, so that a raw copy at another place still
opens (reference 6.7), and the U-KAD, which the drive reports as not covered by authentication (2.6).
No check value of the key is kept: a wrong key is a tag that fails over stored bytes whose checksum holds.
"""

import os
import struct
from dataclasses import dataclass
from typing import Final, Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESCCM, AESGCM

from tapekey.errors import NotThisKey
from tapekey.secret import Secret
from tapekey.target.medium_record import Block, Buffer, Seal

GCM: Final = 0x0001_0014
CCM: Final = 0x0001_0010
CCM_ESP: Final = 0x8001_0010
TAG: Final = 16
IV: Final = 12
KEY: Final = 32
_CONTEXT: Final = b"tapekey block 1"
_BOUND: Final = struct.Struct(">15sIBBIIB")


@dataclass(frozen=True, slots=True, repr=False)
class Cipher:
    """One key with its algorithm, expanded once. It holds the key: drop it when the key goes."""

    algorithm: int
    _aead: AESGCM | AESCCM

    @classmethod
    def keyed(cls, algorithm: int, key: Secret) -> Self:
        """Expand a key of 32 bytes for one of the algorithms here."""
        if len(key) != KEY:
            raise ValueError(f"a key of {len(key)} bytes")
        # A copy, not the lent view: AESCCM expands the key at each call, and a view shows zeroes once it is wiped.
        if algorithm == GCM:
            return cls(algorithm, AESGCM(bytes(key.reveal())))
        if algorithm in (CCM, CCM_ESP):
            return cls(algorithm, AESCCM(bytes(key.reveal()), tag_length=TAG))
        raise ValueError(f"no cipher for algorithm {algorithm:08x}h")

    def seal(self, block: Block, seal: Seal, data: Buffer, out: bytearray | memoryview) -> tuple[Block, memoryview]:
        """Encrypt into `out` (at least 16 bytes longer than `data`): what to write, and the bytes to store.

        `block` tells the length and compression of `data`, `seal` the key-associated data and marks; its algorithm
        and IV are set here, the IV from the system's random source.
        """
        made = Seal(
            self.algorithm,
            os.urandom(IV),
            seal.kad_format,
            seal.unauthenticated,
            seal.authenticated,
            seal.metadata,
            seal.external,
            seal.raw_read_disabled,
        )
        sealed, size = Block(block.length, block.compression, made), len(data)
        view = memoryview(out)[: size + TAG]
        self._aead.encrypt_into(made.iv, data, bound(sealed, size), view)
        return sealed, view

    def seal_like(self, iv: Buffer, data: memoryview, associated: bytes, out: memoryview) -> None:
        """Encrypt one of many like blocks: `associated` is `bound` of any of them, `iv` fresh for each.

        `data` may be where `out` begins: less memory to touch, which is 3 us of 256 KiB. Otherwise they lie apart.
        """
        self._aead.encrypt_into(iv, data, associated, out)

    def opens_like(self, iv: Buffer, stored: Buffer, associated: bytes, out: memoryview) -> bool:
        """Decrypt one of many like blocks, in place too; False if the tag fails, with nothing in `out`."""
        try:
            self._aead.decrypt_into(iv, stored, associated, out)
        except InvalidTag:
            out[:] = bytes(len(out))
            return False
        return True

    def open(self, block: Block, stored: Buffer, out: bytearray | memoryview) -> memoryview:
        """Decrypt into `out` (at least as long as the ciphertext); NotThisKey if the tag fails."""
        seal = block.seal
        if seal is None:
            raise ValueError("a clear block is not for opening")
        size = len(stored) - TAG
        if seal.algorithm != self.algorithm or size < 0:
            raise NotThisKey("the block was encrypted with another algorithm", why=f"{seal.algorithm:08x}h")
        view = memoryview(out)[:size]
        try:
            self._aead.decrypt_into(seal.iv, stored, bound(block, size), view)
        except InvalidTag:
            view[:] = bytes(size)
            raise NotThisKey("the block does not open with this key") from None
        return view


def keyless(*, kad_format: int = 0, unauthenticated: bytes = b"", authenticated: bytes = b"") -> Seal:
    """What `seal` is given beside the data: the key-associated data, not yet an IV."""
    return Seal(0, bytes(IV), kad_format, unauthenticated, authenticated)


def bound(block: Block, size: int) -> bytes:
    """The associated data of a block whose ciphertext without tag has `size` bytes."""
    seal = block.seal
    if seal is None:
        raise ValueError("a clear block binds nothing")
    fixed = _BOUND.pack(
        _CONTEXT,
        seal.algorithm,
        block.compression,
        seal.kad_format,
        block.length,
        size,
        len(seal.authenticated),
    )
    return fixed + seal.authenticated
