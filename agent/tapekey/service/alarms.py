"""What somebody should look at, and what was counted: of all drives, kept for whoever asks."""

import logging
import threading
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from tapekey.service import journal
from tapekey.service.alerting import Alarm

KEPT: Final = 100
COUNTED: Final = (
    "mounts_keyed",
    "mounts_refused",
    "mounts_left",
    "adopted",
    "accounts",
    "lost_races",
    "alarms",
    "errors",
)
log = logging.getLogger(__name__)


@dataclass(slots=True)
class Alarms:
    """The newest ones, and counters that only rise. `tell` is given each alarm, and must not wait."""

    tell: Callable[[Alarm], object] = lambda _: None
    _kept: deque[str] = field(default_factory=lambda: deque(maxlen=KEPT))
    _counts: Counter[str] = field(default_factory=lambda: Counter(dict.fromkeys(COUNTED, 0)))
    _turn: threading.Lock = field(default_factory=threading.Lock)

    def ring(self, alarm: Alarm) -> None:
        """Raise one."""
        with self._turn:
            self._kept.append(_line(alarm))
            self._counts["alarms"] += 1
        told = journal.fields(drive=alarm.drive, cartridge=alarm.cartridge, barcode=alarm.volser, alarm=True)
        log.error("%s", _line(alarm), extra=told)
        self.tell(alarm)

    def count(self, what: str) -> None:
        """One more."""
        with self._turn:
            self._counts[what] += 1

    def recent(self) -> tuple[str, ...]:
        """The newest last."""
        with self._turn:
            return tuple(self._kept)

    def counts(self) -> tuple[tuple[str, int], ...]:
        """Every counter, by name."""
        with self._turn:
            return tuple(sorted(self._counts.items()))


def _line(alarm: Alarm) -> str:
    cartridge = f", cartridge {alarm.volser or alarm.cartridge}" if alarm.volser or alarm.cartridge else ""
    cause = f": {alarm.cause}" if alarm.cause else ""
    return f"drive {alarm.drive}{cartridge}: {alarm.what}{cause}"
