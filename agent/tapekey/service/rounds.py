"""What a worker makes of each post: look if there is a reason to, and do the one whole operation that follows.

Nothing is sent to a drive that another program holds. An error ends the round and is never read as "empty" or "clear";
the cartridge and its key stay as they are.
"""

import time
from dataclasses import dataclass
from typing import Final

from tapekey.errors import DriveUnknown, StateChanged, Taken, TransportFailed
from tapekey.service import hands_off, meeting
from tapekey.service.door import Presence, Sight
from tapekey.service.duties import Hands
from tapekey.service.events import Cause, Event
from tapekey.service.inbox import Ask, Inbox, Post, Terms, Wish
from tapekey.service.ledger import Ledger
from tapekey.service.stay import MOUNTED, Finding
from tapekey.service.view import State
from tapekey.service.visit import Visit

MOST_UPSETS: Final = 5  # rounds in a row that a drive may upset with news, before that is an error

VOUCHED: Final = 60.0  # seconds


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds between looks: at an empty drive, at one that settles or is waited for, at a mounted one; and quiet.

    `let_in`: how long the node is left to whoever was told that software may open it.
    """

    empty: float = 5.0
    settling: float = 0.5
    mounted: float = 30.0
    quiet: float = 1.0
    let_in: float = 30.0


class Rounds:
    """One worker's rounds while its device is open."""

    def __init__(self, hands: Hands, book: Ledger, inbox: Inbox, asks: list[Ask], pace: Pace, barred: str = "") -> None:
        self._hands, self._book, self._asks, self._pace = hands, book, asks, pace
        self._visit = Visit(hands, book, inbox)
        self._barred = barred  # why nothing may be sent to it
        self._due = 0.0  # time.monotonic() of the next look
        self._quiet_at: float | None = None
        self._again = False  # a refusal may be none any more
        self._tag = Terms()  # what the library says of the cartridge
        self._upsets = 0
        self._let_in_until = 0.0  # till then the node is left to who was told that it may be opened
        self._vouched = 0.0  # until then its approval is not asked for again while it stays empty

    def go(self, post: Post) -> None:
        """One round. Errors are the worker's to put down."""
        self._visit.word = self._visit.refusal = None
        if isinstance(post, Ask):
            self._asks.append(post)
            self._due = 0.0
        else:
            self._note(post)
        self._asks[:] = [ask for ask in self._asks if not ask.over]
        if self._is_still_empty(post):
            self._due = time.monotonic() + self._pace.empty
        elif self._permitted() and self._is_due():
            self._round()

    def pause(self) -> float:
        """Seconds until there is something to do if nobody posts."""
        quiet = [] if self._quiet_at is None else [self._quiet_at]
        due = max(self._let_in_until, min([self._due, *quiet]))
        return max(0.0, min([due, *(ask.until for ask in self._asks)]) - time.monotonic())

    def put_off(self, seconds: float) -> None:
        """After an error: look again then, and take nothing for new that was there before."""
        self._due, self._quiet_at, self._visit.fresh = time.monotonic() + seconds, None, False

    def leave(self) -> None:
        """Let others in; the drive is not asked, and nothing in it changes."""
        self._hands.door.release()

    def _note(self, event: Event) -> None:
        match event.cause:
            case Cause.OPENED:
                self._quiet_at, self._let_in_until = None, 0.0
                self._visit.opened()
            case Cause.CLOSED if self._book.state in MOUNTED:
                self._quiet_at = event.at + self._pace.quiet
            case Cause.RESET:
                self._let_in_until = 0.0
                self._visit.doubt("it was powered on or reset")
                self._due = 0.0
            case Cause.LIBRARY:
                told = Terms((event.barcode,) if event.barcode else (), library=event.library)
                self._again |= told != self._tag  # it may have been refused by the barcode of the cartridge before
                self._tag, self._due = told, 0.0
            case Cause.TICK | Cause.WENT:
                pass
            case Cause.RULES:
                self._again, self._visit.rested, self._due = True, None, 0.0
            case Cause.STARTED | Cause.CAME | Cause.CLOSED | Cause.ASKED:
                self._due = 0.0

    def _is_due(self) -> bool:
        now = time.monotonic()
        if now < self._let_in_until and not self._asks:
            return False
        return now >= self._due or (self._quiet_at is not None and now >= self._quiet_at)

    def _is_still_empty(self, post: Post) -> bool:
        """Whether all there is to do is to look at a drive that was empty, and it still is: that has to cost little."""
        idle = isinstance(post, Event) and post.cause is Cause.TICK and self._book.state is State.EMPTY
        if not idle or self._asks or self._visit.rested is None or time.monotonic() >= self._vouched:
            return False
        return self._hands.door.look().presence is Presence.EMPTY

    # --- may we? ---

    def _permitted(self) -> bool:
        """Whether the drive is ours to work with. Nothing is sent to find that out."""
        record = self._hands.manager.drive(self._hands.serial)
        if self._barred or record is None:
            why = self._barred or "nobody approved it"
            mend = "take one of them away" if self._barred else f"tapekey drive approve {self._book.view.where}"
            return self._keep_off(Finding.NOT_APPROVED, why, mend)
        if record.hands_off:
            return self._keep_off(Finding.HANDS_OFF, "it is marked hands-off", "")
        self._vouched = time.monotonic() + VOUCHED
        return True

    def _keep_off(self, finding: Finding, why: str, mend: str) -> bool:
        self._book.find(finding, why, mend, alarm=bool(self._barred))
        self._hands.door.release()
        self.put_off(self._pace.empty)
        for ask in self._asks:
            if finding is Finding.HANDS_OFF:
                hands_off.meet(self._hands, self._book.view, ask)
            else:
                ask.refuse(DriveUnknown(f"drive {self._hands.serial} is not used", why=why, mend=mend))
        self._asks.clear()
        return False

    # --- what is there ---

    def _round(self) -> None:
        """Look, and meet what is asked. News of the drive that a command of ours met is looked behind soon."""
        try:
            self._look()
            waiting = [ask for ask in self._asks if not meeting.meet(self._visit, ask)]
            if self._hands.door.keeps_others_out and any(ask.is_let_in for ask in self._asks):
                self._let_in_until = time.monotonic() + self._pace.let_in
            self._asks[:] = waiting
            self._upsets = 0
        except StateChanged as error:
            self._upsets += 1
            self._visit.doubt(str(error))
            self._due = time.monotonic() + self._pace.settling
            if self._upsets > MOST_UPSETS:
                raise
        except Taken as error:
            self._book.find(Finding.DOUBTFUL, str(error), error.mend)
            self._due = time.monotonic() + self._pace.settling
        if self._book.state is State.STALE:
            self._due = min(self._due, time.monotonic() + self._pace.settling)

    def _look(self) -> None:
        sight = self._hands.door.look()
        told = tuple(dict.fromkeys((*sight.met, *self._hands.transport.taken())))
        if told and sight.presence is not Presence.EMPTY and self._book.state in MOUNTED:
            self._visit.doubt(
                f"the drive told of {', '.join(told)}"
            )  # of an empty one: its key went with the cartridge
        match sight.presence:
            case Presence.EMPTY:
                self._quiet_at, self._tag = None, Terms() if self._book.state in MOUNTED else self._tag
                self._visit.empty()
            case Presence.SETTLING:
                self._book.find(Finding.SETTLING)
            case Presence.HELD:
                self._visit.held()
            case Presence.LOADED:
                self._loaded()
            case Presence.UNKNOWN:
                what = f"drive {self._hands.serial} does not say whether a cartridge is in it"
                raise TransportFailed(what, why=sight.why)
        self._due = time.monotonic() + self._interval(sight)

    def _interval(self, sight: Sight) -> float:
        if sight.presence is Presence.HELD:
            return self._pace.mounted
        if self._asks or self._book.state in (State.SETTLING, State.STALE):
            return self._pace.settling
        return self._pace.empty if self._book.state is State.EMPTY else self._pace.mounted

    def _loaded(self) -> None:
        state, now = self._book.state, time.monotonic()
        anew = self._again and state in (State.LEFT, State.REFUSED)
        self._again = False
        if state not in MOUNTED or state is State.STALE or anew or self._visit.is_behind():
            self._visit.arrive(self._terms())
        elif self._quiet_at is not None and (now >= self._quiet_at or self._asks):
            self._quiet_at = None
            self._visit.close()

    def _terms(self) -> Terms:
        return next((ask.terms for ask in self._asks if ask.wish is Wish.READY), self._tag)
