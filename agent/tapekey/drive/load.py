"""Loading and unloading, waited for and confirmed by TEST UNIT READY.

Asking takes pending unit attentions from everybody on this host (28/00 matters to the kernel's tape driver), so the
caller decides when it may be asked. What is collected on the way is told, never dropped.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Final

from tapekey.errors import DriveLied, NoCartridge, NotReady, RequestRefused, StateChanged
from tapekey.exchange import Transport
from tapekey.scsi import media
from tapekey.scsi.run import perform, run

MOST_ATTENTIONS = 8  # a drive keeps one of each kind; more than this in a row is a drive that does not settle


class Presence(Enum):
    """What TEST UNIT READY says of the cartridge."""

    MOUNTED = "mounted"
    LOADING = "becoming ready"
    UNLOADED = "seated, not loaded"
    CLEANING = "cleaning"
    EMPTY = "empty"


# fmt: off
PRESENCE: Final[Mapping[str, Presence]] = {
    "2/04/00": Presence.LOADING,   # not ready, cause not reportable: drives pass through it
    "2/04/01": Presence.LOADING,
    "2/04/02": Presence.UNLOADED,  # needs LOAD
    "2/30/03": Presence.CLEANING,
    "2/3A/00": Presence.EMPTY,
    "2/3A/04": Presence.UNLOADED,  # no medium, but its memory can be read: seated, not threaded
}
# fmt: on


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait, how often to ask, and by which clock. An LTO-9 load can take two hours."""

    seconds: float = 7500.0
    pause: float = 2.0
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep


@dataclass(frozen=True, slots=True)
class Observed:
    """What was found, and the unit attentions (as 6/28/00) that were collected on the way."""

    presence: Presence
    attentions: tuple[str, ...] = ()


PATIENT: Final = Patience()
BRIEFLY: Final = Patience(seconds=300.0)  # for a demount that UNLOAD has already waited for


def presence(transport: Transport) -> Observed:
    """Ask once. Made for the first command of a session: pending attentions are collected and told, not raised."""
    attentions: list[str] = []
    while True:
        try:
            run(transport, media.test_unit_ready())
        except StateChanged as changed:
            if len(attentions) == MOST_ATTENTIONS:
                raise
            attentions.append(changed.code)
        except NotReady as error:
            if error.code not in PRESENCE:
                raise
            return Observed(PRESENCE[error.code], tuple(attentions))
        else:
            return Observed(Presence.MOUNTED, tuple(attentions))


def ready(transport: Transport, patience: Patience = PATIENT) -> Observed:
    """Wait until the cartridge is mounted. NoCartridge, NotReady (cleaning, not loaded, too slow)."""
    observed = _while(transport, {Presence.LOADING}, patience)
    if observed.presence == Presence.MOUNTED:
        return observed
    if observed.presence == Presence.EMPTY:
        raise NoCartridge("the drive is empty", mend="put a cartridge in")
    raise NotReady(f"the drive is not ready: {observed.presence.value}", mend=MEND[observed.presence])


def load(transport: Transport, patience: Patience = PATIENT) -> Observed:
    """Load the cartridge if it is not mounted, and wait until it is."""
    first = presence(transport)
    sent: tuple[str, ...] = ()
    if first.presence in {Presence.UNLOADED, Presence.EMPTY}:
        sent = _send_load(transport, first.presence)
    last = ready(transport, patience)
    return Observed(last.presence, first.attentions + sent + last.attentions)


def unload(transport: Transport, patience: Patience = BRIEFLY) -> Observed:
    """Unload and confirm the demount.

    RemovalPrevented: somebody told the drive to keep it. DriveLied: the drive took the command and keeps it mounted.
    """
    run(transport, media.unload())
    return confirm_demount(transport, patience)


def confirm_demount(transport: Transport, patience: Patience = BRIEFLY) -> Observed:
    """Wait until the drive says that no cartridge is mounted."""
    observed = _while(transport, {Presence.MOUNTED, Presence.LOADING}, patience)
    if observed.presence in {Presence.MOUNTED, Presence.LOADING}:
        raise DriveLied(
            "the demount is not confirmed",
            why=f"the drive still says: {observed.presence.value}",
            mend="look at the drive; the key is in it until the cartridge is out",
        )
    return observed


def _send_load(transport: Transport, found: Presence) -> tuple[str, ...]:
    """Send LOAD; the attentions met. An ejected cartridge counts as none, so an empty drive is asked too."""
    try:
        return perform(transport, media.load(), through_attention=MOST_ATTENTIONS).attentions
    except (NoCartridge, RequestRefused) as error:
        if found != Presence.EMPTY:
            raise
        raise NoCartridge("the drive is empty", why=str(error), mend="put a cartridge in", code=error.code) from error


def _while(transport: Transport, unsettled: set[Presence], patience: Patience) -> Observed:
    """Ask until the answer is another, or patience ends; then the last answer, with all attentions."""
    deadline = patience.clock() + patience.seconds
    attentions: list[str] = []
    while True:
        observed = presence(transport)
        attentions += observed.attentions
        if observed.presence not in unsettled or patience.clock() >= deadline:
            return Observed(observed.presence, tuple(attentions))
        patience.sleep(patience.pause)


# fmt: off
MEND: Final[Mapping[Presence, str]] = {
    Presence.LOADING:  "it takes longer than it was given; ask again later",
    Presence.UNLOADED: "load the cartridge",
    Presence.CLEANING: "wait until cleaning has ended, and take the cleaning cartridge out",
}
# fmt: on
