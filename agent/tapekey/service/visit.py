"""One drive's stay with us: the operations that its worker takes it through, and what they leave behind.

Software is let in only behind a look at what the drive says. What has to be known before the next operation (whether
the cartridge is a new one, whether the drive was reset, how the empty drive rests) is kept here, and nowhere else.
"""

from tapekey.errors import Conflict, Refused
from tapekey.exchange import Transport
from tapekey.manager.questions import Mount
from tapekey.service import duties, moments
from tapekey.service.door import Presence
from tapekey.service.duties import Hands
from tapekey.service.inbox import Inbox, Terms
from tapekey.service.ledger import Ledger, Upshot
from tapekey.service.moments import AtRest
from tapekey.service.stay import MOUNTED, Finding
from tapekey.service.view import State

CLEAR = "clear data on a cartridge that was not known"
CLEAR_CAUSE = "it was written before its key, or before its first load here"
CLEAR_MEND = "keep it if it is an old one; else write its data again, and make it scratch: tapekey cartridge scratch"
COUNTED = {
    Finding.WRITABLE: "mounts_keyed",
    Finding.READABLE: "mounts_keyed",
    Finding.LEFT: "mounts_left",
    Finding.REFUSED: "mounts_refused",
}


class Visit:
    """The drive while its device is open. `word` and `refusal` are what came of the newest operation of this round."""

    def __init__(self, hands: Hands, book: Ledger, inbox: Inbox) -> None:
        self.hands, self.book = hands, book
        self.fresh = False  # it was seen empty, so what comes is a new cartridge
        self.rested: AtRest | None = None
        self.word: Upshot | None = None
        self.refusal: Refused | None = None
        self.terms: Terms | None = None  # that operation's
        self._inbox = inbox
        self._was_reset = False  # since a key of ours was set

    @property
    def mount(self) -> Mount | None:
        """The mount that goes on."""
        return self.book.upshot.mount

    def is_behind(self) -> bool:
        """Whether somebody else of ours has begun a mount since."""
        newest = self.hands.manager.current(self.hands.serial)
        return newest is not None and newest.generation > self.book.view.generation > 0

    def doubt(self, why: str) -> None:
        """Something may have changed what stands in the drive: it is verified again before anything else.

        No alarm where a robot has just taken the cartridge: its key went with it.
        """
        mount, self._was_reset = self.mount, True
        if not self.book.find(Finding.DOUBTFUL, why) or mount is None or mount.key_id is None:
            return
        if self.hands.door.look().presence is not Presence.EMPTY:
            self.hands.alarm("its key may be gone", mount.medium_serial, mount.volser, cause=why)

    def empty(self) -> None:
        """The cartridge is out, or none was in: its books are closed, and the drive goes to rest.

        Others are kept out first, and in any case until it rests: what is done for that, and a store that does not
        answer, would leave the drive open to who comes with the next cartridge.
        """
        if (self.rested is None or self.rested.shut) and not self.hands.door.shut():
            return
        if self.mount is not None and duties.is_newest(self.hands, self.mount):
            moments.after_eject(self.hands, self.mount)
        if self.book.state is not State.EMPTY:
            self.rested = None
            self.book.tell(guards=())
        self.book.find(Finding.EMPTY)
        self.fresh = True
        if self.rested is None:
            self._come_to_rest()
        if self.rested is not None and not self.rested.shut:
            self.hands.door.release()

    def _come_to_rest(self) -> None:
        """Close the drive or park a key, as the rule for it says, unless a cartridge has come meanwhile."""
        try:
            with self.hands.alone() as transport:
                self.rested = moments.rest(transport, self.hands)
        except Conflict:
            return
        self.book.tell(guards=self.rested.guards, least=self.rested.least)

    def held(self) -> None:
        """Another program has it. If it came before we did, that is a race which only a guard can have won."""
        if not self.book.find(Finding.TAKEN, "another program has it open") or not self.fresh:
            return
        self.hands.alarms.count("lost_races")
        if self.rested is None or not self.rested.prevents:
            self.hands.alarm("software opened it before its key was verified")

    def arrive(self, terms: Terms, *, resume: bool = True, load: bool = False) -> None:
        """A mounted cartridge becomes ready, or it is known why not. Others stay out until then."""
        self.hands.watch.restart()
        if not self.hands.door.shut():
            self.held()
            return
        self.terms = terms
        upsets = self._inbox.upsets
        self.book.find(Finding.WORK)
        try:
            with self.hands.alone() as transport:
                upshot = self._taken_up(transport, terms, resume=resume and not self.fresh, load=load)
                if self.rested is None:  # it was mounted before we came, and has not told its guards
                    self.book.tell(guards=moments.guards_of(transport, self.hands, upshot))
        except Refused as refusal:
            upshot, self.refusal = self._refused(refusal), refusal
        self.fresh = False
        if self._inbox.upsets != upsets:
            self.doubt("it was reset while it was made ready")
        else:
            self._conclude(upshot)

    def _taken_up(self, transport: Transport, terms: Terms, *, resume: bool, load: bool) -> Upshot:
        if resume:
            found = moments.resume(transport, self.hands, was_reset=self._was_reset)
            if found is not None:
                return found
        loaded = moments.on_load(transport, self.hands)
        upshot = duties.make_ready(transport, self.hands, terms, load=load)
        moments.on_verified(transport, self.hands, upshot, loaded)
        if upshot.clear and not loaded.known:  # a race that was lost before our first look leaves no other trace
            self.hands.alarm(CLEAR, upshot.cartridge, upshot.volser, cause=CLEAR_CAUSE, mend=CLEAR_MEND)
        return upshot

    def _refused(self, refusal: Refused) -> Upshot:
        cartridge, volser = moments.names(self.hands)
        if refusal.alarm:
            self.hands.ring(refusal.what, cartridge, volser, cause=refusal.why, mend=refusal.mend)
        return Upshot(Finding.REFUSED, cartridge, volser, None, str(refusal), refusal.mend, refusal.alarm)

    def _conclude(self, upshot: Upshot) -> None:
        """Others are let in before anybody can read that they are: who reads it opens the drive at once."""
        if upshot.finding is not Finding.REFUSED or not moments.only_gate(self.rested):
            self.hands.door.release()
        self.book.conclude(upshot, self.hands.watch.timing())
        self.hands.transport.taken()  # what was met on the way has been looked behind
        self.hands.alarms.count(COUNTED[upshot.finding])
        self.word, self._was_reset = upshot, False

    def opened(self) -> None:
        """Software has it again."""
        if self.mount is not None and self.book.state in MOUNTED:
            moments.on_open(self.hands, self.mount)

    def close(self) -> None:
        """Software has closed it, and nobody has opened it since: what it did is put down, and the key looked at."""
        mount = self.mount
        if mount is None or not self.hands.door.shut():
            return
        if not duties.is_newest(self.hands, mount):
            self.doubt("another mount has begun")
            return
        with self.hands.alone() as transport:
            changed = moments.on_close(transport, self.hands, mount)
        self._stands(changed)

    def confirm(self, mount: Mount) -> bool:
        """Whether the mount's key still stands as it was set, by the drive's word."""
        if not self.hands.door.shut():
            return False
        with self.hands.alone() as transport:
            changed = moments.standing(transport, self.hands, mount)
        return self._stands(changed)

    def _stands(self, changed: str) -> bool:
        if changed:
            self.doubt(changed)
        else:
            self.hands.door.release()
        return not changed
