"""The way into a drive of the kernel's tape driver: its node, opened without waiting and without moving tape.

Not held, a look is an open: `st` asks the drive, is told of a new cartridge before any command of ours, and says what
it found. Held, the node is never let go to look again: TEST UNIT READY goes through the sg node, where nobody else can
be waiting for its answer, and once the drive itself says that another cartridge is ready, `st` is made to look by
MTLOAD through the held descriptor. That loads what is loaded already, and is never sent on suspicion: only after the
drive was empty, or told 6/28/00, in this hold. Why so, and what it costs: docs/decisions/gate-without-gap.md.
"""

import errno
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Final

from tapekey.discovery.st_mode import StMode
from tapekey.errors import TransportFailed
from tapekey.exchange import Transport
from tapekey.service import own_nexus
from tapekey.service.door import Presence, Sight
from tapekey.transport import tape_driver
from tapekey.transport.tape_driver import UNWATCHED, Opens

NEW_MEDIUM: Final = "6/28/00"
COUNTING: Final = StMode()
TRIES: Final = 2  # of a command at which st may be told an attention instead


class TapeNode:
    """A Door, and the tape driver as `tape_driver.beside` wants it.

    `reach` opens the drive's sg node. `pause` is how often at most the node is let go while the drive is empty, which
    is done only where `mode` says that something is lost otherwise.
    """

    def __init__(
        self,
        path: str,
        reach: Callable[[], AbstractContextManager[Transport]],
        *,
        mode: StMode = COUNTING,
        nodes: Opens = UNWATCHED,
        pause: float = 5.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.path = path
        self._reach = reach
        self._mode = mode
        self._nodes = nodes
        self._pause, self._clock = pause, clock
        self._handle: int | None = None
        self._told = False  # the driver has seen the cartridge that is in
        self._new = False  # it came in this hold: to load it again does not move it
        self._opened = 0.0

    @property
    def keeps_others_out(self) -> bool:
        return True

    @property
    def held(self) -> bool:
        return self._handle is not None

    def look(self) -> Sight:
        """See what is there; afterwards the driver has seen a cartridge that is LOADED."""
        if self._handle is not None:
            return self._look_held()
        try:
            self._take()
        except OSError as error:
            return _shut_out(error)
        try:
            return self._remembered()
        finally:
            self.release()

    def shut(self) -> bool:
        """Hold the node. TransportFailed: it cannot be opened, and nobody is in either."""
        if self._handle is not None:
            return True
        try:
            self._take()
        except OSError as error:
            if error.errno == errno.EBUSY:
                return False
            raise TransportFailed(
                f"{self.path} cannot be held", why=error.strerror or str(error), mend="look at the drive and its node"
            ) from error
        return True

    def release(self) -> None:
        """Let the node go, without moving tape."""
        if self._handle is not None:
            handle, self._handle = self._handle, None
            self._nodes.close(self.path, handle)

    def seen(self) -> bool:
        """Let the driver look before a command of ours. TransportFailed: it would not come to know what we are told."""
        if self._handle is None:
            return tape_driver.look(self.path, self._nodes)
        return self.look().presence in {Presence.LOADED, Presence.HELD}

    def rewind(self) -> None:
        """Have the driver rewind what commands of ours moved, so that it counts from the beginning again."""
        if self._handle is None:
            tape_driver.rewind(self.path, self._nodes)
        elif self._told:
            _try(self._handle, tape_driver.REWIND)

    def _take(self) -> None:
        """Open the node; by that the driver looks."""
        self._handle = self._nodes.open(self.path)
        self._opened = self._clock()
        flags = _flags(self._handle)
        self._told = bool(flags & tape_driver.ONLINE)
        self._new = bool(flags & tape_driver.DOOR_OPEN)

    def _remembered(self) -> Sight:
        """What the driver found when the node was opened; the drive is asked only if the driver cannot say."""
        if self._told:
            return Sight(Presence.LOADED)
        if self._new:
            return Sight(Presence.EMPTY)
        return self._look_held() if self._lost() else Sight(Presence.SETTLING)

    def _look_held(self) -> Sight:
        if self._mode.must_be_told_first and not self._told:
            return self._look_again()
        try:
            with self._reach() as drive:
                told = own_nexus.ask(drive)
        except TransportFailed as error:
            return Sight(Presence.UNKNOWN, str(error))
        self._new |= told.presence == Presence.EMPTY or NEW_MEDIUM in told.met
        self._told &= told.presence not in {Presence.EMPTY, Presence.SETTLING} and NEW_MEDIUM not in told.met
        if told.presence != Presence.LOADED or self._told:
            return told
        return replace(self._tell() if self._new else self._reopen(), met=told.met)

    def _tell(self) -> Sight:
        """Have the driver look at the cartridge that has come, without letting the node go."""
        assert self._handle is not None
        loaded = any(_try(self._handle, tape_driver.LOAD) for _ in range(TRIES))
        if not loaded or not _flags(self._handle) & tape_driver.ONLINE:
            return self._reopen()
        if not self._mode.counts and not _try(self._handle, tape_driver.REWIND):  # it does not know where the tape is
            return self._reopen()
        self._told, self._new = True, False
        return Sight(Presence.LOADED)

    def _reopen(self) -> Sight:
        """Let the node go for a moment: for want of anything better, since another may take it."""
        self.release()
        try:
            self._take()
        except OSError as error:
            return _shut_out(error)
        if self._told or self._lost():  # a driver that lost the position knows it: that is for who rewinds
            return Sight(Presence.LOADED)
        return Sight(Presence.EMPTY if self._new else Presence.SETTLING)

    def _look_again(self) -> Sight:
        """For a driver that has to be told first: as `_reopen`, but not too often, and believing only it."""
        if self._clock() - self._opened < self._pause:
            return Sight(Presence.EMPTY if self._new else Presence.SETTLING)
        return self._reopen()

    def _lost(self) -> bool:
        assert self._handle is not None
        try:
            tape_driver.general_status(self._handle)
        except OSError as error:
            return error.errno == errno.EIO
        return False


def _flags(handle: int) -> int:
    try:
        return tape_driver.general_status(handle)
    except OSError:
        return 0


def _try(handle: int, operation: bytes) -> bool:
    try:
        tape_driver.operate(handle, operation)
    except OSError:
        return False
    return True


def _shut_out(error: OSError) -> Sight:
    if error.errno == errno.EBUSY:
        return Sight(Presence.HELD)
    return Sight(Presence.UNKNOWN, error.strerror or str(error))
