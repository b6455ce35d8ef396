"""Additional sense codes in words: what a code says, what usually lies behind it, and what mends it.

A row's key column is the sense key that the code was seen with; `?` behind it means that no source confirms the key,
`-` that no source names one. It serves to choose between rows of one code, and is never a reason to disbelieve a
drive: a code that comes with another key means the same.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from tapekey.scsi import asc_private, asc_security, asc_tape
from tapekey.scsi.sense import SenseKey


@dataclass(frozen=True, slots=True)
class Meaning:
    """A code in words. `cause` and `mend` may be empty where nothing honest can be said."""

    text: str
    cause: str
    mend: str


GENERIC: Final[Mapping[SenseKey, tuple[str, str]]] = {
    SenseKey.NO_SENSE: ("the drive has nothing to object", ""),
    SenseKey.RECOVERED_ERROR: (
        "the command succeeded after the drive corrected an error",
        "watch the drive and the cartridge",
    ),
    SenseKey.NOT_READY: ("the drive is not ready", "wait, or load a cartridge"),
    SenseKey.MEDIUM_ERROR: (
        "the tape or its memory chip cannot be read or written",
        "clean the drive, try the cartridge in another drive",
    ),
    SenseKey.HARDWARE_ERROR: (
        "the drive reports a fault of its own",
        "look at the drive's own log; have it serviced if it stays",
    ),
    SenseKey.ILLEGAL_REQUEST: ("the drive does not accept this request", "see the drive's SCSI manual for this code"),
    SenseKey.UNIT_ATTENTION: ("something has changed at the drive", "read its state again and repeat"),
    SenseKey.DATA_PROTECT: ("the drive refuses access to the data", "see the drive's SCSI manual for this code"),
    SenseKey.BLANK_CHECK: ("nothing is recorded here", "check the position, and whether this is the right cartridge"),
    SenseKey.VENDOR_SPECIFIC: (
        "the drive reports a condition of its vendor's making",
        "see the drive's SCSI manual for this code",
    ),
    SenseKey.COPY_ABORTED: ("a copy was given up", "repeat it"),
    SenseKey.ABORTED_COMMAND: (
        "the drive gave the command up",
        "repeat it; check cables and adapters if it happens again",
    ),
    SenseKey.VOLUME_OVERFLOW: ("the tape is full", "continue on another cartridge"),
    SenseKey.MISCOMPARE: ("the data on tape are not the data given", "write them again"),
    SenseKey.COMPLETED: ("the command is done", ""),
}

Words = tuple[str, str, str]


def _by_code(*tables: Mapping[str, Words]) -> dict[tuple[int, int], dict[str, Words]]:
    found: dict[tuple[int, int], dict[str, Words]] = {}
    for table in tables:
        for place, words in table.items():
            key, asc, ascq = place.split("/")
            found.setdefault((int(asc, 16), int(ascq, 16)), {})[key.rstrip("?")] = words
    return found


_MEANINGS: Final = _by_code(asc_security.TABLE, asc_tape.TABLE, asc_private.TABLE)


def explain(key: int, asc: int, ascq: int) -> Meaning:
    """Say what a code means; of an unknown one, what its sense key says, and that it is unknown."""
    rows = _MEANINGS.get((asc, ascq))
    if rows:
        return Meaning(*rows.get(f"{key:X}", next(iter(rows.values()))))
    text, mend = GENERIC.get(SenseKey(key), ("the drive reports a condition that we have no words for", ""))
    return Meaning(text, f"additional sense {asc:02X}/{ascq:02X} is not in our table" if asc or ascq else "", mend)


def known(asc: int, ascq: int) -> bool:
    """Whether the table has words for this code."""
    return (asc, ascq) in _MEANINGS
