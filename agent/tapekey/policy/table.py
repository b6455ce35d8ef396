"""The decision table as data: what a save does in each situation, under `require`.

The numbers are those of the rules in `decide`; the words are what the operator reads.
"""

from typing import Final

from tapekey.policy.decision import CloseDrive, Decision, MakeKey, Protect, UseKey
from tapekey.policy.facts import Management
from tapekey.policy.situation import Situation

_SCRATCH: Final = "if its data may be overwritten: tapekey cartridge scratch"
_RESTORE: Final = "read it with tapekey restore, or save to another cartridge"

SAVE: Final[dict[Situation, Decision]] = {
    Situation.VOTES_DISAGREE: CloseDrive(
        12,
        "the barcode and the cartridge's memory name different volumes",
        "look at the label and at tapekey cartridge show; then correct the one that is wrong",
        alarm=True,
    ),
    Situation.PLANTED: CloseDrive(
        13,
        "the envelope in the cartridge's memory is not the one on record for this cartridge",
        f"compare tapekey cartridge show with tapekey audit show; {_SCRATCH}",
        alarm=True,
    ),
    Situation.FOREIGN: Protect(14, "it is encrypted by someone else", _SCRATCH),
    Situation.UNTRACED: Protect(14, "it is encrypted, and nothing beside its blocks names a key of ours", _SCRATCH),
    Situation.OTHER_KEY: CloseDrive(
        15, "its blocks are not encrypted under the key on record", f"{_RESTORE}; {_SCRATCH}", alarm=True
    ),
    Situation.STRANGER: CloseDrive(
        16,
        "its envelope is in our form, but not on record here",
        f"{_RESTORE}; to append to it: tapekey cartridge adopt; {_SCRATCH}",
        alarm=True,
    ),
    Situation.DESTROYED: CloseDrive(17, "its key was destroyed", _SCRATCH),
    Situation.OURS_READ_ONLY: CloseDrive(18, "its key is for reading only", f"{_RESTORE}; {_SCRATCH}"),
    Situation.CLEAR: CloseDrive(19, "it holds clear data", _SCRATCH),
    Situation.MIXED: CloseDrive(19, "it holds clear blocks behind encrypted ones", _SCRATCH),
    Situation.UNKNOWN: CloseDrive(19, "what it holds could not be found out", f"load it again; {_SCRATCH}"),
    Situation.SCRATCH: MakeKey(20, "it was declared scratch"),
    Situation.BLANK: MakeKey(20, "it is blank"),
    Situation.FRESH_KEY: UseKey(21, "nothing is written yet under the key on record"),
    Situation.OURS: UseKey(22, "it has a key on record"),
}
ALARM_IF_KEYED: Final = frozenset(
    {Situation.FOREIGN, Situation.UNTRACED, Situation.CLEAR, Situation.MIXED, Situation.UNKNOWN}
)
ALLOWED_IN_CLEAR: Final = frozenset({Situation.CLEAR, Situation.MIXED, Situation.UNKNOWN})

TAKES_NO_KEY: Final[dict[Management, tuple[str, str]]] = {
    Management.NONE: ("the drive cannot encrypt", "use a drive that can, or a rule that allows clear data"),
    Management.DISABLED: (
        "encryption is switched off in the drive",
        "switch it to application-managed encryption with the vendor's or the library's tool",
    ),
    Management.ELSEWHERE: (
        "a library or a system sets the drive's keys",
        "set the drive to application-managed encryption in the library's own management, or leave its keys there",
    ),
    Management.BROKEN: (
        "the drive contradicts itself about encryption",
        "power the drive off and on; if that does not help, have it repaired",
    ),
}
