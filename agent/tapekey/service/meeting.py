"""Meets what is asked of a drive, once it can be: each wish by its function, which says whether it is answered.

What cannot be answered yet waits until its asker's time is over. "Ready" is said behind an operation of this very
round, or behind a look that the key still stands as it was set.
"""

import time
from collections.abc import Callable, Mapping
from typing import Final

from tapekey.errors import Conflict, NoCartridge, Taken, TapekeyError
from tapekey.manager.questions import Mount
from tapekey.service import duties
from tapekey.service.door import Presence
from tapekey.service.inbox import Ask, Terms, Wish
from tapekey.service.replies import of_ready, of_unload, of_view
from tapekey.service.stay import MOUNTED, READY
from tapekey.service.view import State
from tapekey.service.visit import Visit

WAITS: Final = frozenset({State.SETTLING, State.HELD, State.STALE})


def meet(visit: Visit, ask: Ask) -> bool:
    """Answer it, if that can be by now; False: it waits."""
    if ask.over:
        return True
    try:
        return MEET[ask.wish](visit, ask)
    except NoCartridge as error:
        visit.doubt(str(error))
        ask.refuse(error)
        return True
    except Taken:
        raise
    except TapekeyError as error:
        ask.refuse(error)
        raise


def ready(visit: Visit, ask: Ask) -> bool:
    """Software may open it."""
    state = visit.book.state
    if state in WAITS or (state is State.EMPTY and ask.terms.loaded):
        return False
    if (visit.word is None or visit.terms != ask.terms) and not _made_sure(visit, ask):
        return False
    if visit.refusal is not None:
        ask.refuse(visit.refusal)
        return True
    if visit.book.state not in MOUNTED or visit.book.state is State.STALE:
        return False
    ask.answer(of_ready(visit.book.view))
    return True


def _made_sure(visit: Visit, ask: Ask) -> bool:
    """Look at a mount that stands and suits, or make one. False: another program has the drive."""
    if visit.hands.door.look().presence is Presence.HELD:
        return False
    mount = _keyed(visit)
    if mount is None or not _suits(mount, ask.terms) or not visit.confirm(mount):
        visit.arrive(ask.terms, resume=False, load=visit.book.state is State.EMPTY)
    return True


def unload(visit: Visit, ask: Ask) -> bool:
    """The cartridge is out, and accounted."""
    if visit.book.state is State.EMPTY:
        ask.answer(of_view(visit.book.view, phase="empty"))
        return True
    if not visit.hands.door.shut():
        raise Conflict(
            f"the cartridge stays in drive {visit.hands.serial}",
            why="another program has the drive open",
            mend="let it end, or unload with what it offers",
        )
    with visit.hands.alone() as transport:
        done = duties.take_out(transport, visit.hands, ask.until - time.monotonic())
    ask.answer(of_unload(done))
    return True


def verify(visit: Visit, ask: Ask) -> bool:
    """Where it stands, behind a look."""
    mount = _keyed(visit)
    if visit.word is None and mount is not None:
        visit.confirm(mount)
    ask.answer(of_view(visit.book.view))
    return True


def _keyed(visit: Visit) -> Mount | None:
    """A mount that is ready under a key of ours."""
    mount = visit.mount
    keyed = mount is not None and mount.key_id is not None and visit.book.state in READY
    return mount if keyed else None


def _suits(mount: Mount, terms: Terms) -> bool:
    """Whether a mount that stands is what the asker wants; of the cartridge's names none may be new."""
    return terms.intent in (None, mount.intent) and set(terms.volsers) <= {mount.volser}


MEET: Final[Mapping[Wish, Callable[[Visit, Ask], bool]]] = {
    Wish.READY: ready,
    Wish.UNLOAD: unload,
    Wish.VERIFY: verify,
}
