"""Make a drive ready for whatever may be done with its cartridge: for writing if that may be, else for reading only.

What an agent and a hook do with a cartridge that has come, of which nobody said what it is for.
"""

from dataclasses import replace

from tapekey.errors import Refused
from tapekey.exchange import Transport
from tapekey.manager.questions import KeyManager
from tapekey.mount.options import Options
from tapekey.mount.restore import Restored, restore
from tapekey.mount.save import Saved, save


def ready(transport: Transport, manager: KeyManager, options: Options) -> Saved | Restored:
    """Save, or restore where saving is refused. Refused: neither may be, or saving is an alarm."""
    try:
        return save(transport, manager, options)
    except Refused as refusal:
        if refusal.alarm:
            raise
        restored = restore(transport, manager, options, manager=manager)
        return replace(restored, not_written=str(refusal))
