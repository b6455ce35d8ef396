"""Envelopes of keys that a cartridge had before: they stay until its first block is written under the new one."""

import hashlib

from tapekey.cartridge import envelopes
from tapekey.exchange import Transport
from tapekey.manager.questions import KeyManager, Mount
from tapekey.mount import first_block
from tapekey.policy.facts import Intent


def remove(transport: Transport, manager: KeyManager, mount: Mount) -> int:
    """Take the older envelopes of a saved cartridge out of its memory if position 0 was rewritten; how many."""
    if mount.intent is not Intent.SAVE or mount.key_id is None or not mount.kad:
        return 0
    old = set(manager.prepared(mount.key_id).superseded)
    there = [one for one in envelopes.read(transport) if hashlib.sha256(one.value).digest() in old]
    if not there or not first_block.is_under(transport, mount, 0):
        return 0
    for one in there:
        envelopes.remove(transport, one.attribute)
    manager.note("superseded envelopes removed", cartridge=mount.medium_serial, count=len(there))
    return len(there)
