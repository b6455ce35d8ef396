"""What the drive remembers of each initiator port (I_T nexus): scope, lock, attentions, its own TapeAlert flags."""

from dataclasses import dataclass, field

from tapekey.scsi.encryption import Scope
from tapekey.target import unit_attention
from tapekey.target.unit_attention import Attention


@dataclass(slots=True)
class Nexus:
    """One initiator, known by its name until the drive is powered off.

    locked_at  the key instance counter at the moment of LOCK, or None
    """

    name: str
    scope: Scope = Scope.PUBLIC
    locked_at: int | None = None
    registered: bool = False
    prevents_removal: bool = False
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
    """All initiators seen since power on."""

    def __init__(self) -> None:
        self._known: dict[str, Nexus] = {}

    def get(self, name: str) -> Nexus:
        """The nexus of that name; a new one is told of the power on."""
        return self._known.setdefault(name, Nexus(name))

    def all(self) -> list[Nexus]:
        return list(self._known.values())

    def others(self, nexus: Nexus) -> list[Nexus]:
        return [other for other in self._known.values() if other is not nexus]

    def reset(self) -> None:
        """Hard reset: scopes, locks and registrations are forgotten, and everybody hears of it."""
        for name in self._known:
            self._known[name] = Nexus(name, pending={Attention.DEVICE_RESET})

    def tell_others(self, nexus: Nexus, attention: Attention) -> None:
        for other in self.others(nexus):
            other.tell(attention)

    def raise_alert(self, flag: int) -> None:
        """Set a TapeAlert flag for every nexus: each clears its own by reading."""
        for nexus in self._known.values():
            nexus.tape_alerts.add(flag)

    def clear_alert(self, flag: int) -> None:
        for nexus in self._known.values():
            nexus.tape_alerts.discard(flag)
