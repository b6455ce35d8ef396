"""Which guards a drive has: what stands between a clear write and the tape, strongest first.

A guard is believed by what was tried out on the drive (`drive qualify`). What nobody tried counts by the drive's own
word if it has one, and `unproved` says so; what a trial showed not to work never counts.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from typing import Final

from tapekey.policy.facts import Guard


class Tried(Enum):
    """What came out of one trial; one that failed for another reason is neither yes nor untried."""

    YES = "yes"
    NO = "no"
    NOT_TRIED = "not tried"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Basis:
    """What a drive's guards follow from. The trials are those of this drive with the firmware that it has now."""

    write_guard: bool = False  # the drive says that writes-require-encryption can be set
    refuses: Tried = Tried.NOT_TRIED  # ... and refused a clear write while it was set
    saved: Tried = Tried.NOT_TRIED  # ... and still had it after the power was off
    parks: Tried = Tried.NOT_TRIED  # the empty drive takes a key
    stays: Tried = Tried.NOT_TRIED  # ... which is in force when a cartridge has been loaded
    encrypts: Tried = Tried.NOT_TRIED  # ... and what is written then is encrypted
    parkable: bool = False  # a key for it would be safe
    gate: bool = False  # whoever asks keeps other programs out until the key is verified
    hook: bool = False  # whoever asks writes only once it is answered


def effective(basis: Basis) -> frozenset[Guard]:
    """The guards that count for this drive."""
    stands: dict[Guard, bool] = {
        Guard.DRIVE: basis.write_guard and not {basis.refuses, basis.saved} & _BROKEN,
        Guard.PARKED: basis.parkable and {basis.parks, basis.stays, basis.encrypts} == {Tried.YES},
        Guard.GATE: basis.gate,
        Guard.HOOK: basis.hook,
        Guard.WATCHED: True,
    }
    return frozenset(guard for guard, there in stands.items() if there)


_BROKEN: Final = {Tried.NO, Tried.ERROR}


def strongest_first(guards: Iterable[Guard]) -> tuple[Guard, ...]:
    """The guards in the order of their strength."""
    found = set(guards)
    return tuple(guard for guard in Guard if guard in found)


def unproved(basis: Basis) -> tuple[str, ...]:
    """What the guards rest on that nobody has tried."""
    if Guard.DRIVE not in effective(basis):
        return ()
    untried = {
        "refusing clear writes": basis.refuses,
        "keeping its guard without power": basis.saved,
    }
    return tuple(words for words, answer in untried.items() if answer is Tried.NOT_TRIED)
