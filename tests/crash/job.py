"""What the server is asked for, and what it answers."""

from dataclasses import dataclass, field
from typing import Final

KILL: Final = "kill"
POWER_CUT: Final = "power cut"
STOP: Final = "stop"  # SIGTERM: in good order


@dataclass(frozen=True, slots=True)
class Job:
    """One crash: by the clock, at a gap, or before a changing call; with the power gone or only the process.

    unsynced   share of the files of which the latest state had reached the disk unasked, when the power went
    """

    seed: int
    seconds: float = 0.0
    gap: str = ""
    nth: int = 0
    point: str = ""
    call: int = 0
    power: bool = False
    unsynced: float = 0.0
    fault: str = ""


@dataclass(frozen=True, slots=True)
class LibraryJob:
    """One death of a library while a step of its story is under way, `delay` of its usual time after it began.

    end  how it dies; `None` for `step`: not at all
    """

    seed: int
    step: int | None = None
    delay: float = 0.0
    end: str = KILL
    unsynced: float = 0.0


@dataclass(frozen=True, slots=True)
class Result:
    """What came of it. `gap`: where it was when it was killed."""

    killed: bool
    gap: str
    calls: int
    seconds: float
    findings: list[str]
    notes: dict[str, int] = field(default_factory=dict)
    met: dict[str, int] = field(default_factory=dict)
