"""What a cartridge is, seen from the key store: the first column of the decision table.

The answer is made from what is recorded on the tape, what the store has on record, and how envelope and KAD stand
to that record. The order below is the order of danger: what must not be taken for anything else comes first.
"""

from enum import Enum
from typing import Final

from tapekey.policy.facts import CartridgeFacts, Contents, KeyFacts, KeyState, Match


class Situation(Enum):
    """One row of the table."""

    VOTES_DISAGREE = "its names disagree"
    PLANTED = "the envelope in its memory is not the one on record"
    FOREIGN = "encrypted by someone else"
    UNTRACED = "encrypted, and nothing on it tells with which key"
    OTHER_KEY = "its blocks are not under the key on record"
    STRANGER = "encrypted in our form, and not on record here"
    DESTROYED = "its key was destroyed"
    SCRATCH = "declared scratch"
    BLANK = "blank"
    FRESH_KEY = "nothing is written yet under the key on record for it"
    OURS = "ours, key active"
    OURS_READ_ONLY = "ours, key read-only"
    CLEAR = "it holds clear data"
    MIXED = "it holds clear blocks behind encrypted ones"
    UNKNOWN = "what it holds could not be found out"


KEYED: Final = frozenset({KeyState.ACTIVE, KeyState.READ_ONLY})
NEVER_BY_US: Final = frozenset({Match.DIFFERS, Match.OTHER_MEDIUM, Match.STRANGER})


def situation(cartridge: CartridgeFacts, key: KeyFacts) -> Situation:
    """Name the row; every combination of facts has exactly one."""
    if not cartridge.votes_agree:
        return Situation.VOTES_DISAGREE
    if key.scratch:
        return Situation.FRESH_KEY if key.state is KeyState.PREPARED else Situation.SCRATCH
    if cartridge.contents is Contents.ENCRYPTED:
        return _encrypted(key)
    if _planted(key):
        return Situation.PLANTED
    return _BY_CONTENTS[cartridge.contents] if cartridge.contents is not Contents.BLANK else _blank(key)


_BY_CONTENTS: Final = {
    Contents.CLEAR: Situation.CLEAR,
    Contents.MIXED: Situation.MIXED,
    Contents.UNKNOWN: Situation.UNKNOWN,
}


def stranger(key: KeyFacts) -> bool:
    """Another store's cartridge. On LTO-4 only the memory tells: its short KAD has no form of its own."""
    return key.state is KeyState.NONE and Match.STRANGER in (key.kad, key.envelope)


def _planted(key: KeyFacts) -> bool:
    """An envelope that the record does not explain; an older one is explained while its successor is unfinished."""
    replayed = key.envelope is Match.OLDER and key.state is not KeyState.PREPARED
    return key.envelope in NEVER_BY_US or replayed


def _blank(key: KeyFacts) -> Situation:
    keyed = key.state in (KeyState.ACTIVE, KeyState.PREPARED)
    return Situation.FRESH_KEY if keyed else Situation.BLANK


def _encrypted(key: KeyFacts) -> Situation:
    if stranger(key):
        return Situation.STRANGER
    if key.kad is Match.FOREIGN:
        return Situation.FOREIGN
    if key.kad is Match.ABSENT:
        return Situation.UNTRACED
    if _planted(key):
        return Situation.PLANTED
    if key.state is KeyState.GONE:
        return Situation.DESTROYED
    if key.kad is not Match.CURRENT or key.state not in KEYED:
        return Situation.OTHER_KEY
    return Situation.OURS if key.state is KeyState.ACTIVE else Situation.OURS_READ_ONLY
