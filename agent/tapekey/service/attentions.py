"""Hears at the waist what a drive tells once: that it was reset, that its key changed, that its cartridge did.

Unit attentions are told to whoever sends the next command, and flows that begin a session collect them. Whoever has to
know of them later listens here. Codes: SPC-4 table 57, SSC-4 4.2.21.
"""

import threading
from dataclasses import dataclass, field
from typing import Final

from tapekey.errors import Malformed, TransportFailed
from tapekey.exchange import Command, Reply, Transport
from tapekey.scsi.codes import Status
from tapekey.scsi.sense import SenseKey, decode_sense

RESET_ASC: Final = 0x29  # power on, reset, nexus loss
CHANGED_KEY: Final = frozenset({(0x2A, 0x11), (0x2A, 0x12), (0x2A, 0x13)})
NEW_MEDIUM: Final = (0x28, 0x00)


@dataclass(slots=True)
class Attentive:
    """A transport that keeps what was told by the way, until it is taken."""

    inner: Transport
    over: threading.Event = field(default_factory=threading.Event)  # the device is gone: nothing late acts on the next
    told: list[str] = field(default_factory=list)

    def execute(self, command: Command) -> Reply:
        """Pass it on, and listen."""
        self._demand()
        reply = self.inner.execute(command)
        self._demand()
        if reply.status == Status.CHECK_CONDITION:
            self._hear(reply.sense)
        return reply

    def taken(self) -> tuple[str, ...]:
        """What was told since the last time, as 6/29/00."""
        told, self.told = tuple(self.told), []
        return told

    def _demand(self) -> None:
        if self.over.is_set():
            raise TransportFailed("the device is gone", mend="see tapekey status")

    def _hear(self, raw: bytes) -> None:
        try:
            sense = decode_sense(raw)
        except Malformed:
            return
        code = (sense.asc, sense.ascq)
        attention = sense.key == SenseKey.UNIT_ATTENTION and (sense.asc == RESET_ASC or code == NEW_MEDIUM)
        if attention or code in CHANGED_KEY:  # 2A/13 comes with 7/DATA PROTECT too, where LOCK is set
            self.told.append(sense.code)
