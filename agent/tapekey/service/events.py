"""What wakes a drive's worker. An event says when to look; what is there, the drive says."""

from dataclasses import dataclass
from enum import Enum


class Cause(Enum):
    """Why the worker is woken."""

    STARTED = "the agent has started"
    CAME = "the device came"
    WENT = "the device went"
    RESET = "the device was powered on or reset"
    OPENED = "another program opened the drive"
    CLOSED = "another program closed the drive"
    LIBRARY = "the library tells of a cartridge"  # full or empty
    ASKED = "somebody asks"  # a verb of the control socket: the worker's inbox holds the request
    RULES = "rules or approvals may have changed"
    TICK = "time has passed"


@dataclass(frozen=True, slots=True)
class Event:
    """`at` is time.monotonic(). `full`, `barcode` and `library` come with LIBRARY."""

    cause: Cause
    at: float
    full: bool | None = None
    barcode: str = ""
    library: str = ""
