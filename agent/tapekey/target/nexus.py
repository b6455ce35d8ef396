"""What the drive remembers of each initiator port (I_T nexus): scope, lock, attentions, its own TapeAlert flags."""

from dataclasses import dataclass, field
from typing import Final

from tapekey.scsi.encryption import Scope
from tapekey.scsi.sense import Sense
from tapekey.target import unit_attention
from tapekey.target.unit_attention import Attention

REMEMBERED: Final = 1_024  # names of lost nexuses, so that thousands of initiators cost no memory


@dataclass(slots=True)
class Nexus:
    """One initiator, known by its name until its nexus is lost or the drive is powered off.

    locked_at  the key instance counter at the moment of LOCK, or None
    deferred   what became of a command that was answered already, for the next one to tell
    """

    name: str
    scope: Scope = Scope.PUBLIC
    locked_at: int | None = None
    registered: bool = False
    prevents_removal: bool = False
    deferred: Sense | None = None
    pending: set[Attention] = field(default_factory=lambda: {Attention.POWER_ON})
    tape_alerts: set[int] = field(default_factory=set)

    def tell(self, attention: Attention) -> None:
        """Let the attention stand, unless it is one for registered nexuses only and this is none."""
        if self.registered or not attention.needs_registration:
            self.pending.add(attention)

    def take_attention(self) -> Attention | None:
        """The attention to report now; it is cleared by that."""
        attention = unit_attention.first(self.pending)
        if attention is not None:
            self.pending.discard(attention)
        return attention


class Nexuses:
    """All initiators seen since power on whose nexus has not been lost."""

    def __init__(self) -> None:
        self._known: dict[str, Nexus] = {}
        self._lost: dict[str, None] = {}
        self._standing: set[int] = set()

    def get(self, name: str) -> Nexus:
        """The nexus of that name; a new one is told of the power on, one that came back of its loss."""
        found = self._known.get(name)
        return self._new(name) if found is None else found

    def _new(self, name: str) -> Nexus:
        first = Attention.NEXUS_LOSS if name in self._lost else Attention.POWER_ON
        self._lost.pop(name, None)
        made = self._known[name] = Nexus(name, pending={first}, tape_alerts=set(self._standing))
        return made

    def find(self, name: str) -> Nexus | None:
        """The nexus of that name, if there is one."""
        return self._known.get(name)

    def lose(self, name: str) -> None:
        """The nexus is gone: its record is dropped, and only its name stays for a while."""
        if self._known.pop(name, None) is None:
            return
        self._lost[name] = None
        while len(self._lost) > REMEMBERED:
            del self._lost[next(iter(self._lost))]

    def all(self) -> list[Nexus]:
        return list(self._known.values())

    def others(self, nexus: Nexus) -> list[Nexus]:
        return [other for other in self._known.values() if other is not nexus]

    def reset(self) -> None:
        """Hard reset: scopes, locks and registrations are forgotten, and everybody hears of it."""
        self._standing.clear()
        for name in self._known:
            self._known[name] = Nexus(name, pending={Attention.DEVICE_RESET})

    def tell_others(self, nexus: Nexus, attention: Attention) -> None:
        for other in self.others(nexus):
            other.tell(attention)

    def tell_all(self, attention: Attention) -> None:
        for nexus in self._known.values():
            nexus.tell(attention)

    def raise_alert(self, flag: int) -> None:
        """Set a TapeAlert flag for every nexus, and for those that come later: each clears its own by reading."""
        self._standing.add(flag)
        for nexus in self._known.values():
            nexus.tape_alerts.add(flag)

    def clear_alert(self, flag: int) -> None:
        self._standing.discard(flag)
        for nexus in self._known.values():
            nexus.tape_alerts.discard(flag)

    @property
    def alerts(self) -> frozenset[int]:
        """The flags that stand, whoever has read them."""
        return frozenset(self._standing)
