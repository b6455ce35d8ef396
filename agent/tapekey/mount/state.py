"""The states of a mount and what moves it from one to the next.

The order is the promise: a key is committed before it is carried, carried before it is released, released before it is
sent, and verified before anybody is told that the drive is ready. A pair that the table lacks is refused.
"""

from collections.abc import Mapping
from enum import Enum
from typing import Final

from tapekey.errors import Conflict


class Phase(Enum):
    """Where a mount stands."""

    LOADED = "loaded"  # a cartridge is there, nothing is decided
    LEFT = "left alone"  # decided: nothing is touched
    CLOSED = "closed"  # no clear write passes where the drive has a guard; no key of ours is in the drive
    OPENED = "open for clear data"  # the rule wants or allows it
    BEGUN = "begun"  # it has its generation
    COMMITTED = "key committed"
    CARRIED = "key carried"  # envelope read back from the cartridge, or known not to go there
    RELEASED = "key released"
    SENT = "key sent"  # what the drive made of it is not known yet
    VERIFIED = "verified"
    READY_TO_WRITE = "ready to write"
    READY_TO_READ = "ready to read"
    FAILED = "failed"  # our key was taken out again
    ACCOUNTED = "accounted"
    UNLOADED = "unloaded"


class Event(Enum):
    """What happened to it."""

    LEAVE = "leave alone"
    CLOSE = "close"
    OPEN = "open"
    BEGIN = "begin"
    COMMIT = "commit"
    CARRY = "carry"
    RELEASE = "release"
    UNWRAP = "release for reading"
    SEND = "send"
    VERIFY = "verify"
    RECORD_WRITING = "record for writing"
    RECORD_READING = "record for reading"
    FAIL = "fail"
    ACCOUNT = "account"
    UNLOAD = "unload"


# fmt: off
NEXT: Final[Mapping[tuple[Phase, Event], Phase]] = {
    (Phase.LOADED,         Event.LEAVE):          Phase.LEFT,
    (Phase.LOADED,         Event.CLOSE):          Phase.CLOSED,
    (Phase.LOADED,         Event.OPEN):           Phase.OPENED,
    (Phase.LOADED,         Event.UNLOAD):         Phase.UNLOADED,
    (Phase.CLOSED,         Event.BEGIN):          Phase.BEGUN,
    (Phase.OPENED,         Event.BEGIN):          Phase.BEGUN,
    (Phase.BEGUN,          Event.COMMIT):         Phase.COMMITTED,
    (Phase.COMMITTED,      Event.CARRY):          Phase.CARRIED,
    (Phase.CARRIED,        Event.RELEASE):        Phase.RELEASED,
    (Phase.BEGUN,          Event.UNWRAP):         Phase.RELEASED,
    (Phase.CLOSED,         Event.UNWRAP):         Phase.RELEASED,  # without a manager there is no generation
    (Phase.RELEASED,       Event.SEND):           Phase.SENT,
    (Phase.SENT,           Event.VERIFY):         Phase.VERIFIED,
    (Phase.VERIFIED,       Event.RECORD_WRITING): Phase.READY_TO_WRITE,
    (Phase.VERIFIED,       Event.RECORD_READING): Phase.READY_TO_READ,
    (Phase.BEGUN,          Event.RECORD_WRITING): Phase.READY_TO_WRITE,  # in clear: there is no key to send
    (Phase.BEGUN,          Event.RECORD_READING): Phase.READY_TO_READ,
    (Phase.BEGUN,          Event.FAIL):           Phase.FAILED,
    (Phase.COMMITTED,      Event.FAIL):           Phase.FAILED,
    (Phase.CARRIED,        Event.FAIL):           Phase.FAILED,
    (Phase.RELEASED,       Event.FAIL):           Phase.FAILED,
    (Phase.SENT,           Event.FAIL):           Phase.FAILED,
    (Phase.VERIFIED,       Event.FAIL):           Phase.FAILED,
    (Phase.READY_TO_WRITE, Event.ACCOUNT):        Phase.ACCOUNTED,
    (Phase.READY_TO_READ,  Event.ACCOUNT):        Phase.ACCOUNTED,
    (Phase.FAILED,         Event.ACCOUNT):        Phase.ACCOUNTED,
    (Phase.LOADED,         Event.ACCOUNT):        Phase.ACCOUNTED,  # of a stay that somebody else's process began
    (Phase.ACCOUNTED,      Event.UNLOAD):         Phase.UNLOADED,
    (Phase.LEFT,           Event.UNLOAD):         Phase.UNLOADED,
}
# fmt: on


class Course:
    """The phase of one mount, moved by the table alone."""

    __slots__ = ("phase",)

    def __init__(self, phase: Phase = Phase.LOADED) -> None:
        self.phase = phase

    def take(self, event: Event) -> None:
        """Go on, or refuse before anything has changed."""
        following = NEXT.get((self.phase, event))
        if following is None:
            raise Conflict(
                f"the mount cannot {event.value}",
                why=f"it is {self.phase.value}",
                mend="look at it with tapekey drive status",
            )
        self.phase = following
