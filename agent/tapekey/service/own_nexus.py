"""The way into a drive that this process reaches by a nexus of its own: virtual drives, and iSCSI without the kernel.

Nobody else is told of a new cartridge on our nexus, so TEST UNIT READY robs nobody; and nobody can be kept out.
"""

from collections.abc import Mapping
from typing import Final

from tapekey.drive import load
from tapekey.errors import NotReady, StateChanged, TapekeyError
from tapekey.exchange import Transport
from tapekey.service.door import Presence, Sight

BECOMING_READY: Final = "2/04/"  # all of this family end by themselves, or by an operator

# fmt: off
SIGHTS: Final[Mapping[load.Presence, Presence]] = {
    load.Presence.MOUNTED:  Presence.LOADED,
    load.Presence.LOADING:  Presence.SETTLING,
    load.Presence.CLEANING: Presence.SETTLING,
    load.Presence.UNLOADED: Presence.EMPTY,  # seated: who ejected it takes it out, and LOAD would pull it in again
    load.Presence.EMPTY:    Presence.EMPTY,
}
# fmt: on


def ask(transport: Transport) -> Sight:
    """Ask the drive by TEST UNIT READY. What is no plain answer is never taken for "empty"."""
    try:
        observed = load.presence(transport)
    except StateChanged as error:
        return Sight(Presence.UNKNOWN, str(error), (error.code,))
    except NotReady as error:
        settling = error.code.startswith(BECOMING_READY)
        return Sight(Presence.SETTLING if settling else Presence.UNKNOWN, str(error))
    except TapekeyError as error:
        return Sight(Presence.UNKNOWN, str(error))
    return Sight(SIGHTS[observed.presence], met=observed.attentions)


class OwnNexus:
    """A Door that lets everybody in: guard `gate` cannot stand here."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self._held = False

    @property
    def keeps_others_out(self) -> bool:
        return False

    @property
    def held(self) -> bool:
        return self._held

    def look(self) -> Sight:
        return ask(self._transport)

    def shut(self) -> bool:
        """Always done, and worth nothing against others."""
        self._held = True
        return True

    def release(self) -> None:
        self._held = False
