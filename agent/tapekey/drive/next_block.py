"""How the next block is encrypted, and the key-associated data that it carries.

A drive may not know before it has read ahead (status 1h); then one block is tried. Reading an encrypted block without
its key fails and leaves the tape before it, so that is no guess at keys: no key is set here.
"""

from typing import Final

from tapekey.errors import DataProtected, DriveLied, EndOfData
from tapekey.exchange import Transport
from tapekey.scsi import encryption_status, media
from tapekey.scsi.encryption_status import BlockEncryption, NextBlock
from tapekey.scsi.run import perform, run

TRIAL = 256 * 1024  # room for the trial; a longer block is cut short, which does not matter here


def kad_at(transport: Transport, object_number: int | None = None) -> NextBlock:
    """Describe the object at `object_number` of partition 0 (None: the first).

    Leaves the tape before that object. The answer may still be NOT_KNOWN_NOW, at the end of data for instance.
    DriveLied: the drive describes another object than the one it was sent to.
    """
    wanted = object_number or 0
    _go(transport, wanted)
    block = _ask(transport)
    if block.encryption == BlockEncryption.NOT_KNOWN_NOW:
        if _reading_moves(transport):
            _go(transport, wanted)
        block = _ask(transport)
    if block.encryption in DESCRIBED and block.object_number != wanted:
        raise DriveLied(
            "the drive describes another block than the one it was sent to",
            why=f"object {block.object_number} instead of {wanted}",
            mend="unload and load the cartridge, and try again",
        )
    return block


def _go(transport: Transport, object_number: int) -> None:
    run(transport, media.locate(object_number, partition=0))


def _ask(transport: Transport) -> NextBlock:
    return encryption_status.decode_next_block(run(transport, encryption_status.read_next_block()))


def _reading_moves(transport: Transport) -> bool:
    """Let the drive look at the block; whether the tape has moved. That it cannot be decrypted (7/74) is no failure."""
    try:
        perform(transport, media.read_block(TRIAL))
    except DataProtected as error:
        if not error.code.startswith("7/74/"):
            raise
        return False
    except EndOfData:
        return False
    return True


DESCRIBED: Final = frozenset(
    {BlockEncryption.CLEAR, BlockEncryption.UNSUPPORTED, BlockEncryption.ENCRYPTED, BlockEncryption.NO_KEY}
)
