"""A cartridge that got a new key as scratch, and was not written: it is scratch still.

The word that a cartridge may be overwritten is used up when its new key is installed. If the stay ends before anything
was written, what is on the tape belongs to the time before, and without the word the next save would be refused.
"""

from tapekey.cartridge import contents, envelopes
from tapekey.cartridge.contents import Contents
from tapekey.exchange import Transport
from tapekey.manager.questions import Account, KeyManager, Mount
from tapekey.mount import first_block
from tapekey.policy.facts import Intent


def declare_again(transport: Transport, manager: KeyManager, mount: Mount, told: Account) -> bool:
    """Declare the cartridge scratch if the drive says that nothing was written, and nothing on it is under the key."""
    if mount.intent is not Intent.SAVE or mount.key_id is None:
        return False
    if not mount.change_reference or told.change_reference != mount.change_reference:
        return False
    if not _of_before(transport, manager, mount):
        return False
    manager.scratch(mount.medium_serial, by="nothing was written under its new key")
    _forget(transport, manager.prepared(mount.key_id).envelope)
    return True


def _forget(transport: Transport, envelope: bytes) -> None:
    """Take the new key's envelope out again: it opens nothing, and the memory is small."""
    for found in envelopes.read(transport):
        if envelope and found.value == envelope:
            envelopes.remove(transport, found.attribute)


def _of_before(transport: Transport, manager: KeyManager, mount: Mount) -> bool:
    """Whether the tape holds something, and none of it under the mount's key.

    An adopted key has blocks with the key-associated data of whoever wrote them: the record knows those too.
    """
    recorded = contents.look(transport)
    if recorded.contents in (Contents.BLANK, Contents.UNKNOWN):
        return False
    first = recorded.first_encrypted
    if first is None:
        return True
    under = first_block.is_under(transport, mount, first)
    return not (under or first_block.is_under_the_key_on_record(transport, manager, mount, first))
