"""TapeAlert: which flags an answer raises, and which a volume brings with it or takes away (reference 1.11).

What raises a flag is a table of sense codes. The limits of a medium's life and of a drive between two cleanings are
ours (UNV): the manuals seen name the flags only.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from tapekey.errors import MediumDamaged
from tapekey.scsi.sense import Sense
from tapekey.scsi.tape_alert import TapeAlert as Flag
from tapekey.target.cartridge import Cartridge, Kind
from tapekey.target.volume_account import LIFE

if TYPE_CHECKING:
    from tapekey.target.state import Drive

RAISED: Final[Mapping[str, tuple[Flag, ...]]] = {
    "3/11/00": (Flag.HARD_ERROR, Flag.READ_FAILURE),
    "3/0C/00": (Flag.HARD_ERROR, Flag.WRITE_FAILURE),
    "3/11/12": (Flag.MEMORY_CHIP_FAILURE,),
    "3/0C/0B": (Flag.MEMORY_CHIP_FAILURE,),
    "3/30/00": (Flag.UNSUPPORTED_FORMAT,),
    "5/53/02": (Flag.NO_REMOVAL,),
    "7/27/00": (Flag.WRITE_PROTECT,),
    "7/30/0C": (Flag.WORM_OVERWRITE_ATTEMPTED,),
}
READ_ERROR: Final = "3/11/00"
WRITE_ERROR: Final = "3/0C/00"

# What concerns the volume, and so is over when another one is loaded.
OF_VOLUME: Final = (
    Flag.HARD_ERROR,
    Flag.READ_FAILURE,
    Flag.WRITE_FAILURE,
    Flag.MEDIA_LIFE,
    Flag.WRITE_PROTECT,
    Flag.NO_REMOVAL,
    Flag.CLEANING_MEDIA,
    Flag.UNSUPPORTED_FORMAT,
    Flag.MEMORY_CHIP_FAILURE,
    Flag.READ_ONLY_FORMAT,
    Flag.NEARING_MEDIA_LIFE,
    Flag.EXPIRED_CLEANING_MEDIA,
    Flag.LOAD_FAILURE,
    Flag.WORM_OVERWRITE_ATTEMPTED,
    Flag.ENCRYPTION_POLICY_VIOLATION,
)

NEARLY: Final = 19_000  # loads, of LIFE
ERRORS_UNTIL_CLEANING: Final = 3
LOADS_UNTIL_CLEANING: Final = 1_000


def observe(drive: "Drive", found: Sense) -> None:
    """Draw from an answer what it says of the drive's and the volume's health."""
    code = found.code
    for flag in RAISED.get(code, ()):
        drive.nexuses.raise_alert(flag)
    if code in (READ_ERROR, WRITE_ERROR):
        counts = drive.activity
        counts.hard_read_errors += code == READ_ERROR
        counts.hard_write_errors += code == WRITE_ERROR
        counts.errors_since_cleaning += 1
        if counts.errors_since_cleaning >= ERRORS_UNTIL_CLEANING:
            drive.nexuses.raise_alert(Flag.CLEAN_NOW)


def inserted(drive: "Drive") -> None:
    """A load begins: what was told of the volume before is over."""
    for flag in OF_VOLUME:
        drive.nexuses.clear_alert(flag)


def not_threaded(drive: "Drive") -> None:
    """The load failed."""
    drive.nexuses.raise_alert(Flag.LOAD_FAILURE)


def mounted(drive: "Drive", cartridge: Cartridge) -> None:
    """What there is to say of a volume that has just been threaded."""
    for flag in _of(drive, cartridge):
        drive.nexuses.raise_alert(flag)
    drive.activity.loads_since_cleaning += 1
    if drive.activity.loads_since_cleaning >= LOADS_UNTIL_CLEANING:
        drive.nexuses.raise_alert(Flag.CLEAN_PERIODIC)


def _of(drive: "Drive", cartridge: Cartridge) -> list[Flag]:
    found, generation = [], cartridge.identity.generation.name
    if generation not in drive.personality.reads:
        found.append(Flag.UNSUPPORTED_FORMAT)
    elif generation not in drive.personality.writes:
        found.append(Flag.READ_ONLY_FORMAT)
    try:
        loads = cartridge.memory.account.loads
    except MediumDamaged:
        return [*found, Flag.MEMORY_CHIP_FAILURE]
    if loads >= LIFE:
        found.append(Flag.MEDIA_LIFE)
    elif loads >= NEARLY:
        found.append(Flag.NEARING_MEDIA_LIFE)
    return found


def is_cleaning(cartridge: Cartridge | None) -> bool:
    """Whether this is a cleaning cartridge."""
    return cartridge is not None and cartridge.identity.kind is Kind.CLEANING


def cleaned(drive: "Drive") -> None:
    """The drive is clean again."""
    drive.activity.cleanings += 1
    drive.activity.errors_since_cleaning = drive.activity.loads_since_cleaning = 0
    for flag in (Flag.CLEAN_NOW, Flag.CLEAN_PERIODIC, Flag.CLEANING_MEDIA):
        drive.nexuses.clear_alert(flag)


def cleaning_wanted(drive: "Drive") -> bool:
    """Whether the drive asks to be cleaned."""
    return bool(drive.nexuses.alerts & {Flag.CLEAN_NOW, Flag.CLEAN_PERIODIC})


def number(flags: frozenset[int]) -> int:
    """Flags as attribute 0002h and log page 12h have them: flag 01h is the most significant of 64 bits."""
    return sum(1 << 64 - flag for flag in flags)
