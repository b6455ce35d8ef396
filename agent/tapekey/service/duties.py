"""The whole operations that a drive's worker does, each alone on its drive, and each verified before it has an upshot.

Nothing is decided here and no state is moved. What a late one must not do, it does not: before it acts for a mount it
asks the books whether that mount is still the drive's newest.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from tapekey import turns
from tapekey.drive.load import BRIEFLY
from tapekey.errors import TapekeyError
from tapekey.exchange import Transport
from tapekey.manager.local import LocalManager
from tapekey.manager.questions import Mount
from tapekey.mount.options import Options
from tapekey.mount.ready import ready
from tapekey.mount.restore import Restored, restore
from tapekey.mount.save import Saved, save
from tapekey.mount.unload import Unloaded, unload
from tapekey.policy.facts import Guard, Intent
from tapekey.service import ledger
from tapekey.service.alarms import Alarms
from tapekey.service.alerting import Alarm
from tapekey.service.attentions import Attentive
from tapekey.service.door import Door
from tapekey.service.inbox import Terms
from tapekey.service.ledger import Upshot
from tapekey.service.stopwatch import Stopwatch

TURN_SECONDS: Final = 0.5  # whoever else works on the drive is waited for in the inbox, not in a lock
MEDIUM_PRESENT_SECONDS: Final = 30.0  # for a cartridge that was seen mounted and is not, by the time we begin


@dataclass(slots=True)
class Hands:
    """One drive while its device is open, and what its worker works with."""

    serial: str
    transport: Attentive
    session: Callable[[], AbstractContextManager[Transport]]  # the same, so that the kernel's tape driver keeps up
    door: Door
    manager: LocalManager
    watch: Stopwatch
    alarms: Alarms
    options: Options  # what holds for every mount in this drive
    runtime: Path
    gate: bool = False  # others are kept out while it is empty

    @contextmanager
    def alone(self) -> Iterator[Transport]:
        """The drive, while nobody else of ours works on it."""
        with (
            turns.turn(self.serial, self.runtime, TURN_SECONDS, who="the agent", sleep=self.watch.wait),
            self.session() as transport,
        ):
            yield transport

    def ring(self, what: str, cartridge: str = "", volser: str = "", *, cause: str = "", mend: str = "") -> None:
        """Tell somebody who looks."""
        self.alarms.ring(Alarm(what, time.time(), self.serial, cartridge, volser, cause=cause, mend=mend))

    def alarm(self, what: str, cartridge: str = "", volser: str = "", *, cause: str = "", mend: str = "") -> None:
        """Tell somebody who looks, and put it into the books; that they cannot be written silences nobody."""
        self.ring(what, cartridge, volser, cause=cause, mend=mend)
        with suppress(TapekeyError):
            self.manager.note(what, alarm=True, drive=self.serial, cartridge=cartridge, why=cause)


def make_ready(transport: Transport, hands: Hands, terms: Terms, *, load: bool = False) -> Upshot:
    """Save or restore, as the asker means to do; for nobody in particular, whichever may be."""
    options = _options(hands, terms, load=load)
    done = _BY_INTENT[terms.intent](transport, hands.manager, options)
    return ledger.of_done(done)


def _restore(transport: Transport, manager: LocalManager, options: Options) -> Restored:
    return restore(transport, manager, options, manager=manager)


def _save(transport: Transport, manager: LocalManager, options: Options) -> Saved:
    return save(transport, manager, options)


_BY_INTENT: Final[Mapping[Intent | None, Callable[[Transport, LocalManager, Options], Saved | Restored]]] = {
    Intent.SAVE: _save,
    Intent.RESTORE: _restore,
    None: ready,
}


def _options(hands: Hands, terms: Terms, *, load: bool) -> Options:
    stands_for = {Guard.GATE} if hands.gate and hands.door.held else set()
    patience = replace(hands.options.patience, sleep=hands.watch.wait)
    return replace(
        hands.options,
        volsers=terms.volsers,
        pool=terms.pool,
        library=terms.library,
        guards=hands.options.guards | stands_for | ({Guard.HOOK} if terms.hook else set()),
        load=load,
        patience=patience if load else replace(patience, seconds=MEDIUM_PRESENT_SECONDS),
    )


def is_newest(hands: Hands, mount: Mount) -> bool:
    """Whether no other mount has begun since: what is late does nothing."""
    newest = hands.manager.current(mount.drive_serial)
    return newest is not None and newest.generation == mount.generation


def take_out(transport: Transport, hands: Hands, seconds: float) -> Unloaded:
    """Take the account, unload, see that it is out."""
    patience = replace(BRIEFLY, seconds=min(seconds, BRIEFLY.seconds), sleep=hands.watch.wait)
    return unload(transport, hands.manager, patience)
