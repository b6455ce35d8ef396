"""A cartridge that got a new key as scratch, and was not written: it is scratch still.

The word that a cartridge may be overwritten is used up when its new key is installed. If the stay ends before anything
was written, what is on the tape belongs to the time before, and without the word the next save would be refused.
The word is given only when the stay has ended: whoever could still write under the key would write for nothing.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress

from tapekey.cartridge import contents, envelopes
from tapekey.cartridge.contents import Contents
from tapekey.drive import parameters
from tapekey.drive.abilities import Abilities
from tapekey.errors import TapekeyError
from tapekey.exchange import Transport
from tapekey.manager.questions import Account, KeyManager, Mount
from tapekey.mount import first_block
from tapekey.policy.facts import Intent


def is_unwritten(transport: Transport, manager: KeyManager, mount: Mount, told: Account) -> bool:
    """Whether the drive says that nothing was written, and nothing on the tape is under the key. Moves the tape."""
    if mount.intent is not Intent.SAVE or mount.key_id is None:
        return False
    if not mount.change_reference or told.change_reference != mount.change_reference:
        return False
    return _of_before(transport, manager, mount)


def declare_again(manager: KeyManager, mount: Mount) -> None:
    """Declare the cartridge scratch. Nobody may be able to write under the mount's key any more."""
    manager.scratch(mount.medium_serial, by="nothing was written under its new key")


def end(transport: Transport, manager: KeyManager, able: Abilities, mount: Mount, *, keyed: bool) -> None:
    """End a stay that nobody ended while its cartridge was mounted. `keyed`: its key is still in the drive."""
    if keyed:
        parameters.clear_key(transport, able)
    with forgotten(transport, manager, mount):
        declare_again(manager, mount)


@contextmanager
def forgotten(transport: Transport, manager: KeyManager, mount: Mount) -> Iterator[None]:
    """Take the key's envelope out: it opens nothing, and the memory is small. Put back if the stay does not end."""
    assert mount.key_id is not None
    sealed = manager.prepared(mount.key_id).envelope
    there = [found for found in envelopes.read(transport) if sealed and found.value == sealed]
    for found in there:
        envelopes.remove(transport, found.attribute)
    try:
        yield
    except BaseException:
        with suppress(TapekeyError):  # the next save puts it back
            if there:
                envelopes.write(transport, sealed)
        raise


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
