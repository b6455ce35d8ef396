"""READ and WRITE that repeat the last one: what is asked once before a stream, and what is left to do for each block.

The common case only: one block a command, stored as the last one was, of the same length, not compressed, far from the
end of the tape; read or written by a nexus to which there is nothing to tell. All else goes through `drive.serve`.
"""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from threading import Lock
from typing import Final

from tapekey.errors import MediumDamaged, OverwriteRefused
from tapekey.scsi.codes import Opcode
from tapekey.scsi.encryption import DecryptionMode, EncryptionMode
from tapekey.target import append_only, cipher, crypt
from tapekey.target.cipher import Cipher
from tapekey.target.drive_read import read_6
from tapekey.target.drive_write import certain, demands_encryption, far_from_end, writable_tape, write_6
from tapekey.target.medium import Tape
from tapekey.target.medium_header import LOG_HEADER
from tapekey.target.medium_mould import Mould
from tapekey.target.medium_record import Block
from tapekey.target.nexus import Nexus
from tapekey.target.owed import storing
from tapekey.target.personality import KadRule
from tapekey.target.refusal import Refusal
from tapekey.target.state import Drive
from tapekey.target.stream import NOTHING, Stream

LONGEST: Final = 1 << 20  # bytes of a block: longer ones gain nothing, and each session has one of its own in memory


@dataclass(slots=True, eq=False, repr=False)
class Writing:
    """Blocks behind the last one, each stored when it has been answered.

    limit  offset in the log from which on a block would come near the end
    """

    drive: Drive
    nexus: Nexus
    tape: Tape
    mould: Mould
    limit: int
    cipher: Cipher | None
    associated: bytes
    room: memoryview = field(init=False)
    data: memoryview = NOTHING
    _gate: Lock = field(default_factory=Lock)
    _standing: bool = True
    _owes: bool = False
    _settle: Callable[[], None] = field(init=False)

    def __post_init__(self) -> None:
        self.room = self.mould.block
        self._settle = storing(self.nexus, self._store)

    def take(self) -> bool:
        with self._gate:
            self._owes = self._standing and self.tape.log.end < self.limit and self.nexus.deferred is None
            return self._owes

    def follow(self) -> None:
        with self._gate:
            if self._owes:
                self._settle()

    def end(self) -> None:
        with self._gate:
            try:
                if self._owes:
                    self._settle()
            finally:
                self._standing, self.cipher = False, None

    def _store(self) -> None:
        self._owes, mould = False, self.mould
        if mould.encrypted:
            if self.cipher is None:
                raise ValueError("a block was to be encrypted, and its key has gone")
            mould.iv[:] = os.urandom(cipher.IV)
            self.cipher.seal_like(mould.iv, mould.block, self.associated, mould.stored)
        self.drive.looked_ahead = False
        self.tape.write_like(mould)
        self.drive.activity.wrote(len(mould.block), len(mould.stored))


@dataclass(slots=True, eq=False, repr=False)
class Reading:
    """Blocks one after another, each read and opened before it is asked for."""

    drive: Drive
    tape: Tape
    mould: Mould
    cipher: Cipher | None
    associated: bytes
    data: memoryview = field(init=False)
    room: memoryview = NOTHING
    _gate: Lock = field(default_factory=Lock)
    _standing: bool = True
    _whole: bool = False

    def __post_init__(self) -> None:
        self.data = self.mould.block

    def take(self) -> bool:
        with self._gate:
            if not (self._standing and self._whole):
                return False
            drive, mould = self.drive, self.mould
            self._whole = False
            drive.looked_ahead = True
            self.tape.pass_like(mould)
            drive.activity.read(len(mould.block), len(mould.stored))
            if mould.encrypted:
                drive.tries.succeeded()
            return True

    def follow(self) -> None:
        with self._gate:
            self._whole = self._standing and self._look()

    def end(self) -> None:
        with self._gate:
            self._standing, self._whole, self.cipher = False, False, None

    def _look(self) -> bool:
        mould = self.mould
        if not self.tape.next_like(mould):
            return False
        if not mould.encrypted:
            return True
        return self.cipher is not None and self.cipher.opens_like(mould.iv, mould.stored, self.associated, mould.block)


def begin(drive: Drive, name: str, cdb: bytes, size: int) -> Stream | None:
    """A stream of commands like this one, with `size` bytes of data each; None if they are not so simple.

    Asking changes nothing, and nothing is told that the next command would tell.
    """
    make, nexus = STREAMS.get(cdb[0]), drive.nexuses.find(name)
    if make is None or nexus is None or not drive.mounted:
        return None
    if nexus.pending or nexus.deferred is not None or drive.reservations.stop(name, cdb[0], cdb):
        return None
    try:
        return make(drive, nexus, cdb, size)
    except (Refusal, MediumDamaged, OverwriteRefused, OSError):
        return None


def _writing(drive: Drive, nexus: Nexus, cdb: bytes, size: int) -> Stream | None:
    asked = write_6(cdb)
    if not _one_block(drive, size, fixed=asked.fixed, length=asked.length):
        return None
    if drive.permission is not None or append_only.in_force(drive):
        return None
    tape, used = writable_tape(drive, nexus, writing=True), drive.parameters.used_by(nexus)
    how = drive.storing
    if how is None or how.compresses or not certain(drive, used, tape, tape.passed, size):
        return None
    if used.encryption is EncryptionMode.DISABLE and demands_encryption(drive, tape):
        return None
    keyed = drive.parameters.cipher(used, how.code) if how.seal is not None else None
    seal = how.seal._replace(algorithm=keyed.algorithm) if how.seal is not None and keyed is not None else None
    block = Block(size, 0, seal)
    mould = Mould(tape.log.header.log_id, block, size + (cipher.TAG if seal else 0))
    return Writing(
        drive,
        nexus,
        tape,
        mould,
        LOG_HEADER + far_from_end(drive, tape, size),
        keyed,
        cipher.bound(block, size) if seal else b"",
    )


def _reading(drive: Drive, nexus: Nexus, cdb: bytes, size: int) -> Stream | None:
    asked = read_6(cdb)
    if asked.fixed and asked.suppress_length_incorrect:
        return None
    if not _one_block(drive, size, fixed=asked.fixed, length=asked.length) or drive.modes.protection.on_read:
        return None
    drive.require_medium()
    drive.check_lock(nexus)
    tape, used = drive.tape, drive.parameters.used_by(nexus)
    header = tape.next()
    if header is None or header.block is None or header.block.length != size or header.block.compression:
        return None
    seal = header.block.seal
    if header.stored != size + (cipher.TAG if seal else 0):
        return None
    mould = Mould(tape.log.header.log_id, header.block, header.stored)
    if seal is None:
        if used.decryption in (DecryptionMode.RAW, DecryptionMode.DECRYPT):
            return None
        stream = Reading(drive, tape, mould, None, b"")
    else:
        algorithm = drive.algorithm(used.algorithm_index)
        if used.decryption is DecryptionMode.RAW or drive.personality.kad_rule is KadRule.ORACLE or algorithm is None:
            return None
        crypt.check_readable(drive, used, seal)
        keyed = drive.parameters.cipher(used, algorithm.code)
        if seal.algorithm != keyed.algorithm:
            return None
        stream = Reading(drive, tape, mould, keyed, cipher.bound(header.block, size))
    stream.follow()
    return stream


def _one_block(drive: Drive, size: int, *, fixed: bool, length: int) -> bool:
    """Whether a command moves one block of that size, as its data say, and no more than drive and stream take."""
    asked = drive.modes.block_length * (length == 1) if fixed else length
    return 0 < asked == size <= min(drive.personality.max_block, LONGEST)


STREAMS: Final[Mapping[int, Callable[[Drive, Nexus, bytes, int], Stream | None]]] = {
    Opcode.WRITE_6: _writing,
    Opcode.READ_6: _reading,
}
