"""What the agent tells about itself and its drives: values that status, check, metrics and hooks read.

Plain types only, so that a reader needs nothing but JSON. Times are seconds since 1970, or milliseconds where it says
so.
"""

from dataclasses import asdict, dataclass
from enum import Enum


class State(Enum):
    """Where a drive stands."""

    PENDING = "pending"  # nobody approved it
    HANDS_OFF = "hands-off"
    EMPTY = "empty"
    SETTLING = "becoming ready"
    HELD = "held by software"  # before its key was verified
    WORKING = "working"
    READY_TO_WRITE = "ready to write"
    READY_TO_READ = "ready to read"
    LEFT = "left alone"
    REFUSED = "refused"
    STALE = "to be verified again"
    FAILED = "failed"
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class Timing:
    """One mount, from "medium present" to "software may open", in milliseconds; `waiting` is neither of both."""

    ready: float = 0.0
    scsi: float = 0.0
    store: float = 0.0
    waiting: float = 0.0


@dataclass(frozen=True, slots=True)
class DriveView:
    """One drive. `prognosis` says why the next job on it will fail; empty: nothing speaks against it."""

    serial: str
    where: str  # URI
    node: str = ""  # the kernel's tape node
    vendor: str = ""
    product: str = ""
    state: State = State.PENDING
    since: float = 0.0
    guards: tuple[str, ...] = ()  # that stand now, strongest first
    least: str = ""  # that the rule demands
    cartridge: str = ""  # medium serial
    volser: str = ""
    generation: int = 0
    key: str = ""
    counter: int | None = None  # key instance counter
    encrypted: bool = False
    accounted: bool = True
    why: str = ""
    mend: str = ""
    alarm: bool = False
    library: str = ""
    prognosis: tuple[str, ...] = ()
    timing: Timing = Timing()
    busy_since: float = 0.0  # an operation runs since then; 0: none


@dataclass(frozen=True, slots=True)
class AgentView:
    """The agent. `counters` only ever rise: mounts_keyed, mounts_refused, lost_races, alarms, errors, …"""

    version: str
    pid: int
    started: float
    store: str
    manager: str = ""  # empty: it answers; else why not
    drives: tuple[DriveView, ...] = ()
    alarms: tuple[str, ...] = ()  # the newest last
    counters: tuple[tuple[str, int], ...] = ()
    single_copy: bool = False  # keys are served that exist once only


def as_json(view: AgentView) -> dict[str, object]:
    """The same as plain types; states by their words, counters as one object."""
    told = asdict(view)
    for drive in told["drives"]:
        drive["state"] = drive["state"].value
    return {**told, "counters": dict(view.counters)}
