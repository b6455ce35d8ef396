"""Under whose key an encrypted block stands, by the key-associated data beside it."""

from tapekey.drive import next_block
from tapekey.drive.parameters import kads_of
from tapekey.drive.rewind import rewind
from tapekey.exchange import Transport
from tapekey.manager.questions import Evidence, KeyManager, Mount
from tapekey.policy.facts import Match


def is_under(transport: Transport, mount: Mount, object_number: int) -> bool:
    """Whether that object was written under the mount's key; the tape is at its beginning afterwards."""
    return same(_stored(transport, object_number), mount.kad)


def is_under_the_key_on_record(transport: Transport, manager: KeyManager, mount: Mount, object_number: int) -> bool:
    """Whether that object was written under the cartridge's current key, with whichever data of that key beside it."""
    evidence = Evidence(mount.medium_serial, kad=_stored(transport, object_number))
    return manager.known(evidence).facts.kad is Match.CURRENT


def _stored(transport: Transport, object_number: int) -> bytes:
    stored = kads_of(next_block.kad_at(transport, object_number).kads)
    rewind(transport)
    return stored


def same(stored: bytes, sent: bytes) -> bool:
    """Compare what is beside a block with what was set: some drives (T10000) fill it up with zeros."""
    return sent != b"" and stored == sent.ljust(len(stored), b"\0")
