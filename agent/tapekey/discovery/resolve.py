"""From any name of a tape device in /dev to its SCSI generic node, by device number and sysfs: never by spelling.

/dev/st0, /dev/nst0a, /dev/tape/by-id/..., lin_tape's nodes and links of any depth all lead to one H:C:T:L, and that
has one sg node. Nothing is opened: opening a tape node waits for a cartridge and may move tape.
"""

import os
import stat
from collections.abc import Callable
from pathlib import Path

from tapekey.discovery.sysfs import SYS, Node, scan
from tapekey.errors import NotFound, TransportFailed, Usage

LOOK = "see: tapekey drive list"


def device_number(path: str) -> tuple[int, int]:
    """Major and minor of a character device. NotFound: there is no such file. Usage: it is something else."""
    try:
        found = os.stat(path)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise NotFound(f"there is no {path}", why=_dangling(path), mend=LOOK) from error
    except OSError as error:
        raise TransportFailed(f"cannot look at {path}", why=error.strerror or str(error), mend=LOOK) from error
    if not stat.S_ISCHR(found.st_mode):
        raise Usage(f"{path} is no tape device", why="it is no character device", mend=LOOK)
    return os.major(found.st_rdev), os.minor(found.st_rdev)


def resolve(path: str, sys: Path = SYS, number: Callable[[str], tuple[int, int]] = device_number) -> Node:
    """The sg node of the device behind a path. Usage: it is no tape device; TransportFailed: it has no sg node."""
    major, minor = number(path)
    entry = sys / "dev/char" / f"{major}:{minor}"
    device = entry / "device"
    if not device.exists():
        raise Usage(f"{path} is no tape device", why=f"{major}:{minor} is no SCSI device in sysfs", mend=LOOK)
    place = os.path.realpath(device)
    for node in scan(sys):
        if os.path.realpath(sys / node.place.lstrip("/")) == place:
            return node
    if not (device / "type").exists():
        raise Usage(f"{path} is no tape device", why=f"{major}:{minor} is no SCSI device in sysfs", mend=LOOK)
    if not (device / "scsi_generic").exists():
        raise TransportFailed(f"{path} has no sg node", why="the sg driver is not loaded", mend="modprobe sg")
    raise Usage(f"{path} is no tape device", why="it is neither a drive nor a changer", mend=LOOK)


def _dangling(path: str) -> str:
    return f"it points to {os.path.realpath(path)}, which does not exist" if os.path.islink(path) else ""
