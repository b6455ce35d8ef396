"""Why the next job on a drive will fail, from what is known of the drive now. Pure: a table by state, and two facts.

What is not foreseen here may fail all the same: a cartridge that has not come cannot be judged.
"""

from collections.abc import Callable, Mapping
from typing import Final

from tapekey.service.view import DriveView, State

# fmt: off
BY_STATE: Final[Mapping[State, Callable[[DriveView], str]]] = {
    State.PENDING:        lambda drive: "",  # it is told as pending; nothing of ours stands in its way
    State.HANDS_OFF:      lambda drive: "",
    State.EMPTY:          lambda drive: "",
    State.SETTLING:       lambda drive: "",
    State.HELD:           lambda drive: "another program had it open before its key was verified",
    State.WORKING:        lambda drive: "",
    State.READY_TO_WRITE: lambda drive: "",
    State.READY_TO_READ:  lambda drive: "",
    State.LEFT:           lambda drive: "",
    State.REFUSED:        lambda drive: f"its cartridge is refused: {drive.why or 'no reason is known'}",
    State.STALE:          lambda drive: "",
    State.FAILED:         lambda drive: drive.why or "what was done to it last failed",
    State.GONE:           lambda drive: "it is gone",
}
# fmt: on
UNSERVED: Final = {State.PENDING, State.HANDS_OFF, State.GONE}
GUARDS: Final = ("drive", "parked", "gate", "hook", "watched")  # strongest first


def prognosis(drive: DriveView, manager: str = "") -> tuple[str, ...]:
    """Every reason; none: nothing speaks against it. `manager` says why the keystore does not answer."""
    if drive.state in UNSERVED:
        return tuple(filter(None, [BY_STATE[drive.state](drive)]))
    keyless = f"no key can be had: the keystore does not answer: {manager}" if manager else ""
    stands = ", ".join(drive.guards) or "none"
    unguarded = f"its rule demands guard {drive.least}, it has {stands}" if weaker(drive.guards, drive.least) else ""
    return tuple(filter(None, [BY_STATE[drive.state](drive), keyless, unguarded]))


def weaker(guards: tuple[str, ...], least: str) -> bool:
    """Whether the strongest of the guards is less than the one demanded. A demand that is not known is not met."""
    if not least:
        return False
    enough = GUARDS[: GUARDS.index(least) + 1] if least in GUARDS else ()
    return not any(guard in enough for guard in guards)
