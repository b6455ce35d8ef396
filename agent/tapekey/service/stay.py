"""Where a drive stands, and what moves it: the table that every worker goes by.

A finding is a fact that was established: seen, read back, decided or failed. What could not be found out is `ERROR`,
and never leads to where only an empty drive or a verified one may stand. Software is told "ready" in two states alone,
which are reached from WORKING alone: by a whole operation that ended with a look at what the drive says.
"""

from collections.abc import Mapping
from enum import Enum
from typing import Final

from tapekey.errors import Conflict
from tapekey.service.view import State


class Finding(Enum):
    """What was established about a drive."""

    NOT_APPROVED = "not approved"
    HANDS_OFF = "marked hands-off"
    EMPTY = "empty"
    SETTLING = "becoming ready"
    TAKEN = "another program has it"
    WORK = "an operation begins"
    WRITABLE = "verified for writing"
    READABLE = "verified for reading"
    LEFT = "nothing is ours to do"
    REFUSED = "refused"
    DOUBTFUL = "what stands in it may have changed"
    ERROR = "an error"
    WENT = "the device went"


MOUNTED: Final = frozenset({State.READY_TO_WRITE, State.READY_TO_READ, State.LEFT, State.REFUSED, State.STALE})
READY: Final = frozenset({State.READY_TO_WRITE, State.READY_TO_READ})
UNTOUCHED: Final = frozenset({State.PENDING, State.HANDS_OFF})

# fmt: off
NEXT: Final[Mapping[tuple[State, Finding], State]] = {
    (State.PENDING,        Finding.NOT_APPROVED):   State.PENDING,
    (State.HANDS_OFF,      Finding.NOT_APPROVED):   State.PENDING,
    (State.EMPTY,          Finding.NOT_APPROVED):   State.PENDING,
    (State.SETTLING,       Finding.NOT_APPROVED):   State.PENDING,
    (State.HELD,           Finding.NOT_APPROVED):   State.PENDING,
    (State.READY_TO_WRITE, Finding.NOT_APPROVED):   State.PENDING,
    (State.READY_TO_READ,  Finding.NOT_APPROVED):   State.PENDING,
    (State.LEFT,           Finding.NOT_APPROVED):   State.PENDING,
    (State.REFUSED,        Finding.NOT_APPROVED):   State.PENDING,
    (State.STALE,          Finding.NOT_APPROVED):   State.PENDING,
    (State.FAILED,         Finding.NOT_APPROVED):   State.PENDING,
    (State.GONE,           Finding.NOT_APPROVED):   State.PENDING,
    (State.PENDING,        Finding.HANDS_OFF):      State.HANDS_OFF,
    (State.HANDS_OFF,      Finding.HANDS_OFF):      State.HANDS_OFF,
    (State.EMPTY,          Finding.HANDS_OFF):      State.HANDS_OFF,
    (State.SETTLING,       Finding.HANDS_OFF):      State.HANDS_OFF,
    (State.HELD,           Finding.HANDS_OFF):      State.HANDS_OFF,
    (State.READY_TO_WRITE, Finding.HANDS_OFF):      State.HANDS_OFF,
    (State.READY_TO_READ,  Finding.HANDS_OFF):      State.HANDS_OFF,
    (State.LEFT,           Finding.HANDS_OFF):      State.HANDS_OFF,
    (State.REFUSED,        Finding.HANDS_OFF):      State.HANDS_OFF,
    (State.STALE,          Finding.HANDS_OFF):      State.HANDS_OFF,
    (State.FAILED,         Finding.HANDS_OFF):      State.HANDS_OFF,
    (State.GONE,           Finding.HANDS_OFF):      State.HANDS_OFF,
    (State.PENDING,        Finding.EMPTY):          State.EMPTY,
    (State.HANDS_OFF,      Finding.EMPTY):          State.EMPTY,
    (State.EMPTY,          Finding.EMPTY):          State.EMPTY,
    (State.SETTLING,       Finding.EMPTY):          State.EMPTY,
    (State.HELD,           Finding.EMPTY):          State.EMPTY,
    (State.READY_TO_WRITE, Finding.EMPTY):          State.EMPTY,
    (State.READY_TO_READ,  Finding.EMPTY):          State.EMPTY,
    (State.LEFT,           Finding.EMPTY):          State.EMPTY,
    (State.REFUSED,        Finding.EMPTY):          State.EMPTY,
    (State.STALE,          Finding.EMPTY):          State.EMPTY,
    (State.FAILED,         Finding.EMPTY):          State.EMPTY,
    (State.GONE,           Finding.EMPTY):          State.EMPTY,
    (State.PENDING,        Finding.SETTLING):       State.SETTLING,
    (State.HANDS_OFF,      Finding.SETTLING):       State.SETTLING,
    (State.EMPTY,          Finding.SETTLING):       State.SETTLING,
    (State.SETTLING,       Finding.SETTLING):       State.SETTLING,
    (State.HELD,           Finding.SETTLING):       State.SETTLING,
    (State.READY_TO_WRITE, Finding.SETTLING):       State.STALE,
    (State.READY_TO_READ,  Finding.SETTLING):       State.STALE,
    (State.LEFT,           Finding.SETTLING):       State.STALE,
    (State.REFUSED,        Finding.SETTLING):       State.STALE,
    (State.STALE,          Finding.SETTLING):       State.STALE,
    (State.FAILED,         Finding.SETTLING):       State.SETTLING,
    (State.GONE,           Finding.SETTLING):       State.SETTLING,
    (State.PENDING,        Finding.TAKEN):          State.HELD,
    (State.HANDS_OFF,      Finding.TAKEN):          State.HELD,
    (State.EMPTY,          Finding.TAKEN):          State.HELD,
    (State.SETTLING,       Finding.TAKEN):          State.HELD,
    (State.HELD,           Finding.TAKEN):          State.HELD,
    (State.WORKING,        Finding.TAKEN):          State.HELD,
    (State.READY_TO_WRITE, Finding.TAKEN):          State.READY_TO_WRITE,
    (State.READY_TO_READ,  Finding.TAKEN):          State.READY_TO_READ,
    (State.LEFT,           Finding.TAKEN):          State.LEFT,
    (State.REFUSED,        Finding.TAKEN):          State.REFUSED,
    (State.STALE,          Finding.TAKEN):          State.STALE,
    (State.FAILED,         Finding.TAKEN):          State.FAILED,
    (State.GONE,           Finding.TAKEN):          State.HELD,
    (State.PENDING,        Finding.WORK):           State.WORKING,
    (State.HANDS_OFF,      Finding.WORK):           State.WORKING,
    (State.EMPTY,          Finding.WORK):           State.WORKING,
    (State.SETTLING,       Finding.WORK):           State.WORKING,
    (State.HELD,           Finding.WORK):           State.WORKING,
    (State.READY_TO_WRITE, Finding.WORK):           State.WORKING,
    (State.READY_TO_READ,  Finding.WORK):           State.WORKING,
    (State.LEFT,           Finding.WORK):           State.WORKING,
    (State.REFUSED,        Finding.WORK):           State.WORKING,
    (State.STALE,          Finding.WORK):           State.WORKING,
    (State.FAILED,         Finding.WORK):           State.WORKING,
    (State.GONE,           Finding.WORK):           State.WORKING,
    (State.WORKING,        Finding.WRITABLE):       State.READY_TO_WRITE,
    (State.WORKING,        Finding.READABLE):       State.READY_TO_READ,
    (State.WORKING,        Finding.LEFT):           State.LEFT,
    (State.WORKING,        Finding.REFUSED):        State.REFUSED,
    (State.PENDING,        Finding.DOUBTFUL):       State.PENDING,
    (State.HANDS_OFF,      Finding.DOUBTFUL):       State.HANDS_OFF,
    (State.EMPTY,          Finding.DOUBTFUL):       State.EMPTY,
    (State.SETTLING,       Finding.DOUBTFUL):       State.SETTLING,
    (State.HELD,           Finding.DOUBTFUL):       State.HELD,
    (State.WORKING,        Finding.DOUBTFUL):       State.STALE,
    (State.READY_TO_WRITE, Finding.DOUBTFUL):       State.STALE,
    (State.READY_TO_READ,  Finding.DOUBTFUL):       State.STALE,
    (State.LEFT,           Finding.DOUBTFUL):       State.STALE,
    (State.REFUSED,        Finding.DOUBTFUL):       State.STALE,
    (State.STALE,          Finding.DOUBTFUL):       State.STALE,
    (State.FAILED,         Finding.DOUBTFUL):       State.FAILED,
    (State.GONE,           Finding.DOUBTFUL):       State.GONE,
    (State.PENDING,        Finding.ERROR):          State.FAILED,
    (State.HANDS_OFF,      Finding.ERROR):          State.FAILED,
    (State.EMPTY,          Finding.ERROR):          State.FAILED,
    (State.SETTLING,       Finding.ERROR):          State.FAILED,
    (State.HELD,           Finding.ERROR):          State.FAILED,
    (State.WORKING,        Finding.ERROR):          State.FAILED,
    (State.READY_TO_WRITE, Finding.ERROR):          State.FAILED,
    (State.READY_TO_READ,  Finding.ERROR):          State.FAILED,
    (State.LEFT,           Finding.ERROR):          State.FAILED,
    (State.REFUSED,        Finding.ERROR):          State.FAILED,
    (State.STALE,          Finding.ERROR):          State.FAILED,
    (State.FAILED,         Finding.ERROR):          State.FAILED,
    (State.GONE,           Finding.ERROR):          State.GONE,
    (State.PENDING,        Finding.WENT):           State.GONE,
    (State.HANDS_OFF,      Finding.WENT):           State.GONE,
    (State.EMPTY,          Finding.WENT):           State.GONE,
    (State.SETTLING,       Finding.WENT):           State.GONE,
    (State.HELD,           Finding.WENT):           State.GONE,
    (State.WORKING,        Finding.WENT):           State.GONE,
    (State.READY_TO_WRITE, Finding.WENT):           State.GONE,
    (State.READY_TO_READ,  Finding.WENT):           State.GONE,
    (State.LEFT,           Finding.WENT):           State.GONE,
    (State.REFUSED,        Finding.WENT):           State.GONE,
    (State.STALE,          Finding.WENT):           State.GONE,
    (State.FAILED,         Finding.WENT):           State.GONE,
    (State.GONE,           Finding.WENT):           State.GONE,
}
# fmt: on


def step(state: State, finding: Finding) -> State:
    """Where the drive stands now, or a refusal before anything has changed."""
    following = NEXT.get((state, finding))
    if following is None:
        raise Conflict(
            f"a drive cannot be found to be: {finding.value}",
            why=f"it is {state.value}",
            mend="report this: the agent has lost count of its steps; tapekey status shows where it stands",
        )
    return following
