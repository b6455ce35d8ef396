"""What a worker makes of each post: look if there is a reason to, and do the one whole operation that follows.

Nothing is sent to a drive that another program holds. An error ends the round and is never read as "empty" or "clear";
the cartridge and its key stay as they are. Software is let in only behind a look at what the drive says.
"""

import time
from dataclasses import dataclass
from typing import Final

from tapekey.errors import Conflict, DriveUnknown, NoCartridge, Refused, TapekeyError, TransportFailed
from tapekey.exchange import Transport
from tapekey.manager.questions import Mount
from tapekey.service import duties, moments
from tapekey.service.door import Presence, Sight
from tapekey.service.duties import Hands
from tapekey.service.events import Cause, Event
from tapekey.service.inbox import Ask, Inbox, Post, Terms, Wish
from tapekey.service.ledger import Ledger, Upshot
from tapekey.service.replies import of_ready, of_unload, of_view
from tapekey.service.stay import MOUNTED, READY, Finding
from tapekey.service.view import State
from tapekey.turns import Taken

LONG: Final = 3600.0


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds between looks: at an empty drive, at one that settles or is waited for, at a mounted one; and quiet."""

    empty: float = 5.0
    settling: float = 0.5
    mounted: float = 30.0
    quiet: float = 1.0


class Rounds:
    """One worker's rounds while its device is open."""

    def __init__(self, hands: Hands, book: Ledger, inbox: Inbox, asks: list[Ask], pace: Pace, barred: str = "") -> None:
        self._hands, self._book, self._inbox, self._asks, self._pace = hands, book, inbox, asks, pace
        self._barred = barred  # why nothing may be sent to it
        self._due = 0.0  # time.monotonic() of the next look
        self._quiet_at: float | None = None
        self._fresh = False  # it was seen empty, so what comes is a new cartridge
        self._rested: moments.AtRest | None = None
        self._was_reset = False  # while a cartridge of ours was in it
        self._again = False  # a refusal may be none any more
        self._tag = Terms()  # what the library says of the cartridge
        self._word: Upshot | None = None  # of this round
        self._refusal: Refused | None = None

    # --- posts ---

    def go(self, post: Post) -> None:
        """One round. Errors are the worker's to put down."""
        self._word = self._refusal = None
        if isinstance(post, Ask):
            self._asks.append(post)
            self._due = 0.0
        else:
            self._note(post)
        self._asks[:] = [ask for ask in self._asks if not ask.over]
        if self._permitted() and self._is_due():
            self._look()
            self._asks[:] = [ask for ask in self._asks if not self._meet(ask)]

    def pause(self) -> float:
        """Seconds until there is something to do if nobody posts."""
        times = [
            self._due,
            *([self._quiet_at] if self._quiet_at is not None else []),
            *(ask.until for ask in self._asks),
        ]
        return max(0.0, min(times) - time.monotonic())

    def put_off(self, seconds: float) -> None:
        """After an error: look again then, and take nothing for new that was there before."""
        self._due, self._quiet_at, self._fresh = time.monotonic() + seconds, None, False

    def leave(self) -> None:
        """Let others in; the drive is not asked, and nothing in it changes."""
        self._hands.door.release()

    def _note(self, event: Event) -> None:
        match event.cause:
            case Cause.OPENED:
                self._opened()
            case Cause.CLOSED if self._book.state in MOUNTED:
                self._quiet_at = event.at + self._pace.quiet
            case Cause.RESET:
                self._doubt("it was powered on or reset")
            case Cause.LIBRARY:
                self._tag = Terms((event.barcode,) if event.barcode else (), library=event.library)
                self._due = 0.0
            case Cause.TICK | Cause.WENT:
                pass
            case Cause.RULES:
                self._again, self._rested, self._due = True, None, 0.0
            case Cause.STARTED | Cause.CAME | Cause.CLOSED | Cause.ASKED:
                self._due = 0.0

    def _opened(self) -> None:
        self._quiet_at = None
        mount = self._book.upshot.mount
        if mount is not None and self._book.state in MOUNTED:
            moments.on_open(self._hands, mount)

    def _is_due(self) -> bool:
        now = time.monotonic()
        return now >= self._due or (self._quiet_at is not None and now >= self._quiet_at)

    # --- may we? ---

    def _permitted(self) -> bool:
        """Whether the drive is ours to work with. Nothing is sent to find that out."""
        record = self._hands.manager.drive(self._hands.serial)
        if self._barred or record is None:
            why = self._barred or "nobody approved it"
            mend = "take one of them away" if self._barred else f"tapekey drive approve {self._book.view.where}"
            return self._keep_off(Finding.NOT_APPROVED, why, mend, alarm=bool(self._barred))
        if record.hands_off:
            return self._keep_off(Finding.HANDS_OFF, "it is marked hands-off", "")
        return True

    def _keep_off(self, finding: Finding, why: str, mend: str, *, alarm: bool = False) -> bool:
        self._book.find(finding, why, mend, alarm=alarm)
        self._hands.door.release()
        self._due, self._quiet_at, self._fresh = time.monotonic() + self._pace.empty, None, False
        for ask in self._asks:
            if finding is Finding.HANDS_OFF:
                ask.answer(of_view(self._book.view, phase="left alone"))
            else:
                ask.refuse(DriveUnknown(f"drive {self._hands.serial} is not used", why=why, mend=mend))
        self._asks.clear()
        return False

    # --- what is there ---

    def _look(self) -> None:
        sight = self._hands.door.look()
        told = tuple(dict.fromkeys((*sight.met, *self._hands.transport.taken())))
        if sight.presence is not Presence.EMPTY:  # there the key went with the cartridge
            self._hear(told)
        match sight.presence:
            case Presence.EMPTY:
                self._empty()
            case Presence.SETTLING:
                self._book.find(Finding.SETTLING)
            case Presence.HELD:
                self._held()
            case Presence.LOADED:
                self._loaded()
            case Presence.UNKNOWN:
                raise TransportFailed(
                    f"drive {self._hands.serial} does not say whether a cartridge is in it", why=sight.why
                )
        self._due = time.monotonic() + self._interval(sight)

    def _interval(self, sight: Sight) -> float:
        if sight.presence is Presence.HELD:
            return self._pace.mounted
        if self._asks or self._book.state in (State.SETTLING, State.STALE):
            return self._pace.settling
        return self._pace.empty if self._book.state is State.EMPTY else self._pace.mounted

    def _hear(self, codes: tuple[str, ...]) -> None:
        """What the drive told by the way: of a mounted one, that it was reset, or that its key or cartridge changed."""
        if codes and self._book.state in MOUNTED:
            self._doubt(f"the drive told of {', '.join(codes)}")

    def _doubt(self, why: str) -> None:
        mount = self._book.upshot.mount
        self._was_reset = True
        if self._book.find(Finding.DOUBTFUL, why) and mount is not None and mount.key_id is not None:
            self._hands.alarm("its key may be gone", mount.medium_serial, mount.volser, cause=why)
        self._due = 0.0

    def _empty(self) -> None:
        """The cartridge is out, or none was in: its books are closed, and the drive goes to rest."""
        mount = self._book.upshot.mount
        if mount is not None and duties.is_newest(self._hands, mount):
            moments.after_eject(self._hands, mount)
        if self._book.state is not State.EMPTY:
            self._rested, self._tag = None, self._tag if self._book.state is State.SETTLING else Terms()
        self._book.find(Finding.EMPTY)
        self._fresh, self._quiet_at = True, None
        if self._rested is None:
            self._come_to_rest()
        if self._rested is not None and self._rested.shut:
            self._hands.door.shut()

    def _come_to_rest(self) -> None:
        """Close the drive or park a key, as the rule for it says, unless a cartridge has come meanwhile."""
        try:
            with self._hands.alone() as transport:
                self._rested = moments.rest(transport, self._hands)
        except Conflict:
            return
        self._book.tell(guards=self._rested.guards, least=self._rested.least)

    def _held(self) -> None:
        """Another program has it. If it came before we did, that is a race which only a guard can have won."""
        if self._book.find(Finding.TAKEN, "another program has it open") and self._fresh:
            self._hands.alarms.count("lost_races")
            if not (self._rested and self._rested.prevents):
                self._hands.alarm("software opened it before its key was verified")

    def _loaded(self) -> None:
        state, now = self._book.state, time.monotonic()
        anew = self._again and state in (State.LEFT, State.REFUSED)
        if state not in MOUNTED or state is State.STALE or anew or self._is_behind():
            self._arrive(self._terms())
        elif self._quiet_at is not None and now >= self._quiet_at:
            self._close()
        self._again = False

    def _terms(self) -> Terms:
        return next((ask.terms for ask in self._asks if ask.wish is Wish.READY), self._tag)

    def _is_behind(self) -> bool:
        """Whether somebody else of ours has begun a mount since."""
        newest = self._hands.manager.current(self._hands.serial)
        return newest is not None and newest.generation > self._book.view.generation > 0

    # --- operations ---

    def _arrive(self, terms: Terms, *, resume: bool = True, load: bool = False) -> None:
        """A mounted cartridge becomes ready, or it is known why not. Others stay out until then."""
        self._hands.watch.restart()
        if not self._hands.door.shut():
            self._held()
            return
        upsets = self._inbox.upsets
        self._book.find(Finding.WORK)
        try:
            with self._hands.alone() as transport:
                upshot = self._taken_up(transport, terms, resume=resume and not self._fresh, load=load)
        except Refused as refusal:
            upshot, self._refusal = self._refused(refusal), refusal
        except (Taken, NoCartridge) as error:
            self._book.find(Finding.DOUBTFUL, str(error), error.mend)
            raise
        self._fresh = self._was_reset = False
        if self._inbox.upsets != upsets:
            self._doubt("it was reset while it was made ready")
            return
        self._conclude(upshot)

    def _taken_up(self, transport: Transport, terms: Terms, *, resume: bool, load: bool) -> Upshot:
        if resume:
            found = moments.resume(transport, self._hands, was_reset=self._was_reset)
            if found is not None:
                return found
        moments.on_load(transport, self._hands)
        upshot = duties.make_ready(transport, self._hands, terms, load=load)
        moments.on_verified(transport, self._hands, upshot)
        return upshot

    def _refused(self, refusal: Refused) -> Upshot:
        cartridge, volser = moments.names(self._hands)
        if refusal.alarm:
            self._hands.ring(refusal.what, cartridge, volser, cause=refusal.why, mend=refusal.mend)
        return Upshot(Finding.REFUSED, cartridge, volser, None, str(refusal), refusal.mend, refusal.alarm)

    def _conclude(self, upshot: Upshot) -> None:
        self._book.conclude(upshot, self._hands.watch.timing())
        self._hands.transport.taken()  # what was met on the way has been looked behind
        self._hands.alarms.count(_COUNTED[upshot.finding])
        self._word = upshot
        if upshot.finding is not Finding.REFUSED or not moments.only_gate(self._rested):
            self._hands.door.release()

    def _close(self) -> None:
        """Software has closed it, and nobody has opened it since: what it did is put down, and the key looked at."""
        self._quiet_at = None
        mount = self._book.upshot.mount
        if mount is None or not self._hands.door.shut():
            return
        if not duties.is_newest(self._hands, mount):
            self._doubt("another mount has begun")
            return
        with self._hands.alone() as transport:
            stands = moments.on_close(transport, self._hands, mount)
        if stands:
            self._doubt(stands)
        else:
            self._hands.door.release()

    def _confirm(self, mount: Mount) -> bool:
        """Whether the mount's key still stands as it was set, by the drive's word."""
        if not self._hands.door.shut():
            return False
        with self._hands.alone() as transport:
            changed = moments.standing(transport, self._hands, mount)
        if changed:
            self._doubt(changed)
            return False
        self._hands.door.release()
        return True

    # --- asks ---

    def _meet(self, ask: Ask) -> bool:
        """Answer what is asked, if it can be answered by now; False: it waits."""
        if ask.over:
            return True
        try:
            return _MEET[ask.wish](self, ask)
        except TapekeyError as error:
            ask.refuse(error)
            raise

    def _meet_ready(self, ask: Ask) -> bool:
        state = self._book.state
        if state in (State.SETTLING, State.HELD, State.STALE) or (state is State.EMPTY and ask.terms.loaded):
            return False
        if self._word is None:
            if self._hands.door.look().presence is Presence.HELD:
                return False
            mount = self._book.upshot.mount
            keyed = mount is not None and mount.key_id is not None and state in READY and _suits(mount, ask.terms)
            if not (keyed and mount is not None and self._confirm(mount)):
                self._arrive(ask.terms, resume=False, load=state is State.EMPTY)
        if self._refusal is not None:
            ask.refuse(self._refusal)
            return True
        if self._book.state in MOUNTED and self._book.state is not State.STALE:
            ask.answer(of_ready(self._book.view))
            return True
        return False

    def _meet_unload(self, ask: Ask) -> bool:
        if self._book.state is State.EMPTY:
            ask.answer(of_view(self._book.view, phase="empty"))
            return True
        if not self._hands.door.shut():
            raise Conflict(
                f"the cartridge stays in drive {self._hands.serial}",
                why="another program has the drive open",
                mend="let it end, or unload with what it offers",
            )
        with self._hands.alone() as transport:
            done = duties.take_out(transport, self._hands, ask.until - time.monotonic())
        ask.answer(of_unload(done))
        self._look()
        return True

    def _meet_verify(self, ask: Ask) -> bool:
        mount = self._book.upshot.mount
        keyed = mount is not None and mount.key_id is not None and self._book.state in READY
        if self._word is None and keyed and mount is not None and not self._confirm(mount):
            self._look()
        ask.answer(of_view(self._book.view))
        return True


def _suits(mount: Mount, terms: Terms) -> bool:
    """Whether a mount that stands is what the asker wants; of the cartridge's names none may be new."""
    return terms.intent in (None, mount.intent) and set(terms.volsers) <= {mount.volser}


# fmt: off
_MEET: Final = {
    Wish.READY:  Rounds._meet_ready,
    Wish.UNLOAD: Rounds._meet_unload,
    Wish.VERIFY: Rounds._meet_verify,
}
_COUNTED: Final = {
    Finding.WRITABLE: "mounts_keyed",
    Finding.READABLE: "mounts_keyed",
    Finding.LEFT:     "mounts_left",
    Finding.REFUSED:  "mounts_refused",
}
# fmt: on
