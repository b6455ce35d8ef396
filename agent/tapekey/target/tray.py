"""Where the cartridge is: the states of the drive's mouth and the events that change them, as one table."""

from collections.abc import Mapping
from enum import Enum
from typing import Final


class Place(Enum):
    """Where the cartridge is."""

    EMPTY = "empty"
    MOUTH = "ejected"  # in the mouth, to be taken out or loaded again
    HELD = "held"  # seated: its memory is readable, the tape is not threaded
    LOADING = "loading"
    MOUNTED = "mounted"


class Move(Enum):
    """What happens to it."""

    INSERT = "insert"
    LOAD = "load"
    SEAT = "seat"
    THREADED = "threaded"
    FAILED = "failed"  # it cannot be threaded: the drive pushes it out
    UNLOAD = "unload"
    TAKE_OUT = "take out"


# fmt: off
NEXT: Final[Mapping[tuple[Place, Move], Place]] = {
    (Place.EMPTY,   Move.INSERT):   Place.LOADING,  # drives draw a cartridge in by themselves
    (Place.MOUTH,   Move.LOAD):     Place.LOADING,
    (Place.MOUTH,   Move.SEAT):     Place.HELD,
    (Place.MOUTH,   Move.UNLOAD):   Place.MOUTH,
    (Place.MOUTH,   Move.TAKE_OUT): Place.EMPTY,
    (Place.HELD,    Move.LOAD):     Place.LOADING,
    (Place.HELD,    Move.SEAT):     Place.HELD,
    (Place.HELD,    Move.UNLOAD):   Place.MOUTH,
    (Place.LOADING, Move.THREADED): Place.MOUNTED,
    (Place.LOADING, Move.FAILED):   Place.MOUTH,
    (Place.MOUNTED, Move.LOAD):     Place.MOUNTED,  # rewinds, and nothing else
    (Place.MOUNTED, Move.SEAT):     Place.HELD,
    (Place.MOUNTED, Move.UNLOAD):   Place.MOUTH,
}
# fmt: on
