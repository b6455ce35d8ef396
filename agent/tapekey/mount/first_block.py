"""Under whose key an encrypted block stands, by the key-associated data beside it."""

from tapekey.drive import next_block
from tapekey.drive.parameters import kads_of
from tapekey.drive.rewind import rewind
from tapekey.exchange import Transport
from tapekey.manager.questions import Mount


def is_under(transport: Transport, mount: Mount, object_number: int) -> bool:
    """Whether that object was written under the mount's key; the tape is at its beginning afterwards."""
    stored = kads_of(next_block.kad_at(transport, object_number).kads)
    rewind(transport)
    return same(stored, mount.kad)


def same(stored: bytes, sent: bytes) -> bool:
    """Compare what is beside a block with what was set: some drives (T10000) fill it up with zeros."""
    return sent != b"" and stored == sent.ljust(len(stored), b"\0")
