"""What was found out about one drive with one firmware, beyond its own account: the words of a qualification."""

from dataclasses import dataclass
from enum import Enum

from tapekey.drive.identity import DriveId


class Trial(Enum):
    """What the guard would like to rely on. The values are the names under which results are kept."""

    GUARD = "write_guard"
    GUARD_REFUSES = "write_guard_refuses"
    GUARD_SAVED = "write_guard_saved"
    PARKS = "key_parks"
    PARKED_STAYS = "parked_key_stays"
    PARKED_ENCRYPTS = "parked_key_encrypts"
    KEY_GOES = "key_goes_at_demount"
    LOCK_PASSES = "lock_lets_next_load_pass"
    EXEMPT = "log_sense_exempt"
    MEMORY = "memory_range"
    MEMORY_KEPT = "memory_kept"

    @property
    def statement(self) -> str:
        """What "yes" says."""
        return STATEMENTS[self]


# fmt: off
STATEMENTS = {
    Trial.GUARD:           "writes-require-encryption can be set",
    Trial.GUARD_REFUSES:   "while it is set, a clear write is refused",
    Trial.GUARD_SAVED:     "it is still set after the power was off",
    Trial.PARKS:           "the empty drive takes a key",
    Trial.PARKED_STAYS:    "that key is in force when a cartridge has been loaded",
    Trial.PARKED_ENCRYPTS: "what is written then is encrypted",
    Trial.KEY_GOES:        "a key set with CKOD goes at the demount",
    Trial.LOCK_PASSES:     "after CKOD with LOCK the next cartridge can be used at once",
    Trial.EXEMPT:          "LOG SENSE 11h leaves unit attentions to others",
    Trial.MEMORY:          "host vendor attributes of the cartridge memory can be written",
    Trial.MEMORY_KEPT:     "what was written there (WTC) is there after a load",
}
# fmt: on


class Answer(Enum):
    """`ERROR` is neither yes nor no: the drive failed in the trial."""

    YES = "yes"
    NO = "no"
    NOT_TRIED = "not tried"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Result:
    """One trial's answer, and what the drive said, with its sense code where there was one."""

    trial: Trial
    answer: Answer
    told: str = ""


@dataclass(frozen=True, slots=True)
class Qualification:
    """It holds for this drive with this firmware (`drive.revision`) only."""

    drive: DriveId
    results: tuple[Result, ...]
