"""Envelopes of keys that a cartridge had before: they stay until its first block is written under the new one."""

import hashlib

from tapekey.cartridge import envelopes
from tapekey.drive import next_block
from tapekey.drive.parameters import kads_of
from tapekey.drive.rewind import rewind
from tapekey.exchange import Transport
from tapekey.manager.questions import KeyManager, Mount
from tapekey.policy.facts import Intent


def remove(transport: Transport, manager: KeyManager, mount: Mount) -> int:
    """Take the older envelopes of a saved cartridge out of its memory if position 0 was rewritten; how many."""
    if mount.intent is not Intent.SAVE or mount.key_id is None or not mount.kad:
        return 0
    old = set(manager.prepared(mount.key_id).superseded)
    there = [one for one in envelopes.read(transport) if hashlib.sha256(one.value).digest() in old]
    if not there or not _rewritten(transport, mount):
        return 0
    for one in there:
        envelopes.remove(transport, one.attribute)
    manager.note("superseded envelopes removed", cartridge=mount.medium_serial, count=len(there))
    return len(there)


def _rewritten(transport: Transport, mount: Mount) -> bool:
    """Whether the very first block stands under this mount's key."""
    first = kads_of(next_block.kad_at(transport, 0).kads)
    rewind(transport)
    return first == mount.kad
