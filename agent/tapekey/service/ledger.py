"""Where one drive stands and why: moved by the table of `stay` alone, and told as a DriveView.

Written by the drive's worker; anybody may read the last view at any time.
"""

import logging
import time
from dataclasses import dataclass, replace

from tapekey.manager.questions import Mount
from tapekey.mount.restore import Restored
from tapekey.mount.save import Saved
from tapekey.mount.state import Phase
from tapekey.policy.facts import Intent
from tapekey.service import journal, stay
from tapekey.service.stay import Finding
from tapekey.service.view import DriveView, State, Timing

log = logging.getLogger(__name__)

FINDINGS = {
    Phase.READY_TO_WRITE: Finding.WRITABLE,
    Phase.READY_TO_READ: Finding.READABLE,
    Phase.CLOSED: Finding.READABLE,  # nothing on it is encrypted
    Phase.LEFT: Finding.LEFT,
}


@dataclass(frozen=True, slots=True)
class Upshot:
    """What an operation came to."""

    finding: Finding
    cartridge: str = ""
    volser: str = ""
    mount: Mount | None = None
    why: str = ""
    mend: str = ""
    alarm: bool = False
    clear: bool = False  # it holds clear data, where the rule wants none


def of_done(done: Saved | Restored) -> Upshot:
    """What came of making ready."""
    why = done.not_written if isinstance(done, Restored) else ""
    finding, clear = FINDINGS[done.phase], bool(why) and done.phase is Phase.CLOSED
    return Upshot(finding, done.cartridge, done.volser, done.mount, why or done.decision.why, clear=clear)


def of_mount(mount: Mount, why: str) -> Upshot:
    """A mount that goes on."""
    finding = Finding.WRITABLE if mount.intent is Intent.SAVE else Finding.READABLE
    return Upshot(finding, mount.medium_serial, mount.volser, mount, why)


class Ledger:
    """State and last upshot of one drive."""

    def __init__(self, serial: str, where: str, node: str = "") -> None:
        self.view = DriveView(serial, where, node, since=time.time())
        self.upshot = Upshot(Finding.EMPTY)
        self._logged = self._facts()

    @property
    def state(self) -> State:
        return self.view.state

    def find(self, finding: Finding, why: str = "", mend: str = "", *, alarm: bool = False) -> bool:
        """Move by the table; whether the drive stands elsewhere now."""
        moved = self._move(finding, why, mend, alarm=alarm)
        self._log()
        return moved

    def _move(self, finding: Finding, why: str, mend: str, *, alarm: bool) -> bool:
        state = stay.step(self.view.state, finding)
        moved = state is not self.view.state
        since = time.time() if moved else self.view.since
        busy = time.time() if state is State.WORKING else 0.0
        if state not in stay.MOUNTED and state not in (State.WORKING, State.FAILED, State.HELD):
            self._forget()
        self.view = replace(self.view, state=state, since=since, why=why, mend=mend, alarm=alarm, busy_since=busy)
        return moved

    def conclude(self, upshot: Upshot, timing: Timing | None = None) -> None:
        """Move to where an operation has led."""
        self._move(upshot.finding, upshot.why, upshot.mend, alarm=upshot.alarm)
        self.upshot = upshot
        mount = upshot.mount
        self.view = replace(
            self.view,
            cartridge=upshot.cartridge,
            volser=upshot.volser,
            generation=mount.generation if mount else 0,
            key=str(mount.key_id) if mount and mount.key_id else "",
            counter=mount.key_instance_counter if mount else None,
            encrypted=mount is not None and mount.key_id is not None,
            accounted=mount is None or mount.accounted,
            timing=timing or self.view.timing,
        )
        self._log()

    def tell(self, **known: object) -> None:
        """Put down what else is known of the drive."""
        self.view = replace(self.view, **known)  # type: ignore[arg-type]

    def _log(self) -> None:
        """What has changed since it was last told; looking again at what is as it was is nobody's news."""
        view, facts = self.view, self._facts()
        if view.state is State.WORKING or facts == self._logged:
            return
        self._logged = facts
        told = journal.fields(
            drive=view.serial,
            cartridge=view.cartridge,
            barcode=view.volser,
            key=view.key,
            counter=view.counter,
            generation=view.generation or None,
        )
        cartridge, why = view.volser or view.cartridge, f": {view.why}" if view.why else ""
        where = f"drive {view.serial or view.where}" + (f", cartridge {cartridge}" if cartridge else "")
        log.info("%s: %s%s", where, view.state.value, why, extra=told)

    def _facts(self) -> tuple[object, ...]:
        view = self.view
        return view.state, view.cartridge, view.key, view.counter, view.generation, view.why

    def _forget(self) -> None:
        """No cartridge that we know of is in it."""
        self.upshot = Upshot(Finding.EMPTY)
        self.view = replace(
            self.view, cartridge="", volser="", generation=0, key="", counter=None, encrypted=False, accounted=True
        )
