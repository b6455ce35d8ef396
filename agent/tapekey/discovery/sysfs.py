"""The tape drives of this host as sysfs shows them: SCSI generic nodes joined to their tape nodes.

An address only: who a drive is, it says itself (VPD pages). Nothing is opened and no command is sent.
"""

from dataclasses import dataclass
from pathlib import Path

SYS = Path("/sys")
TAPE = "1"  # SCSI peripheral device type 01h, sequential access


@dataclass(frozen=True, slots=True)
class Found:
    sg: str
    nst: str | None
    vendor: str
    product: str


def tape_drives(sys: Path = SYS) -> list[Found]:
    """Every SCSI generic node of a tape drive, in the order of its number."""
    nodes = (sys / "class/scsi_generic").glob("sg*")
    return [_found(node) for node in sorted(nodes, key=_number) if _read(node / "device/type") == TAPE]


def _found(node: Path) -> Found:
    tapes = sorted(path.name for path in (node / "device/scsi_tape").glob("nst*") if path.name[3:].isdigit())
    return Found(node.name, tapes[0] if tapes else None, _read(node / "device/vendor"), _read(node / "device/model"))


def _number(node: Path) -> int:
    digits = node.name.removeprefix("sg")
    return int(digits) if digits.isdigit() else -1


def _read(file: Path) -> str:
    try:
        return file.read_text(errors="replace").strip()
    except OSError:
        return ""  # the device went while we looked
