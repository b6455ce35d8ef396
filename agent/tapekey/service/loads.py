"""How often a cartridge had been loaded when its mount was verified: kept for who finds the mount's key gone.

The count (MAM 0003h) rises with every load, in whichever drive. If it has risen since, the cartridge was taken out or
threaded anew: its key went with that, and no job goes on. If it has not, or nobody can tell, a key that is gone is
unexplained. Kept beside the turns, so that it outlasts the agent but not the host.
"""

import json
import os
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

from tapekey.manager.questions import Mount


def keep(runtime: Path, mount: Mount, loads: int | None) -> None:
    """Put down the count of a mount that was just verified. That it cannot be kept stops nothing."""
    place = _place(runtime, mount.drive_serial)
    fresh = place.with_name(place.name + ".new")
    with suppress(OSError):
        place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        fresh.write_text(json.dumps({"generation": mount.generation, "loads": loads}))
        os.replace(fresh, place)


def has_risen(runtime: Path, mount: Mount, loads: int | None) -> bool:
    """Whether the cartridge of that very mount was certainly loaded again since it was verified."""
    try:
        kept = json.loads(_place(runtime, mount.drive_serial).read_bytes())
        before = kept["loads"] if kept["generation"] == mount.generation else None
        return loads is not None and isinstance(before, int) and loads > before
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _place(runtime: Path, serial: str) -> Path:
    return runtime / "loads" / quote(serial, safe="")
