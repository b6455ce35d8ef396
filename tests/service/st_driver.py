"""A drive and the kernel's tape driver at it, as far as a look needs them: who is told of a new cartridge, and when.

Seen on 6.1 and 7.3 (tests/kernel/cases/library/test_attention_thief.py, test_agent_door.py): one holder at a time; an
open asks the drive and takes its attentions; LOAD fails if it is what is told one; only a new session makes the
driver's position 0 again, and a driver that `counts` begins one whoever was told 6/28/00.
"""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest

from tapekey.discovery.st_mode import StMode
from tapekey.exchange import Command, Reply, Transport
from tapekey.service.tape_node import TapeNode
from tapekey.transport import tape_driver

READY = Reply(0)
UNKNOWN = -1


def check(key: int, asc: int, ascq: int) -> Reply:
    return Reply(2, sense=bytes([0x70, 0, key, 0, 0, 0, 0, 10, 0, 0, 0, 0, asc, ascq, 0, 0, 0, 0]))


EMPTY, SETTLING, BROKEN = check(2, 0x3A, 0), check(2, 0x04, 1), check(4, 0x44, 0)
NEW_MEDIUM, KEY_CHANGED = check(6, 0x28, 0), check(6, 0x2A, 0x11)


@dataclass
class StDriver:
    """Both. `events` are in the order in which they happened; `position` is what the driver believes."""

    counts: bool = True
    answer: Reply = EMPTY
    attentions: list[Reply] = field(default_factory=list)
    online: bool = False
    none: bool = True
    position: int = UNKNOWN
    counted: int = 0
    heeded: int = 0
    holder: str = ""
    refused: int = 0  # an errno for the next open
    slips_in: str = ""  # who opens the node as soon as it is free
    events: list[str] = field(default_factory=list)

    # --- the world ---

    def insert(self) -> None:
        self.answer, self.attentions = READY, [NEW_MEDIUM]
        self.tape = 0

    def settle(self) -> None:
        self.answer, self.attentions = SETTLING, []

    # --- the drive, for whoever sends a command ---

    def execute(self, command: Command) -> Reply:
        self.events.append(f"{command.cdb[0]:02X}")
        return self.told()

    def told(self) -> Reply:
        if self.attentions:
            told = self.attentions.pop(0)
            self.counted += told == NEW_MEDIUM
            return told
        return self.answer

    # --- the driver ---

    def open(self, path: str) -> int:
        if self.refused:
            raise OSError(self.refused, os.strerror(self.refused))
        if self.holder:
            raise OSError(errno.EBUSY, "busy")
        self.holder = "us"
        self.events.append("open")
        self.look()
        return 3

    def close(self, path: str, handle: int) -> None:
        self.events.append("close")
        self.holder = self.slips_in

    def look(self) -> None:
        """check_tape."""
        met = []
        while (reply := self.told()).status and reply.sense[2] == 6:
            met.append(reply)
        new_session = self.counted != self.heeded if self.counts else NEW_MEDIUM in met
        self.heeded = self.counted
        self.online, self.none = reply == READY, reply == EMPTY
        if not self.online:
            self.position = UNKNOWN
        elif new_session:
            self.position = 0

    def general_status(self, handle: int) -> int:
        return self.online * tape_driver.ONLINE | self.none * tape_driver.DOOR_OPEN

    def operate(self, handle: int, operation: bytes) -> None:
        name = "load" if operation == tape_driver.LOAD else "rewind"
        self.events.append(name)
        if self.told() != READY:
            raise OSError(errno.EIO, "input/output error")
        if name == "load":
            self.look()
        self.position = 0 if name == "rewind" else self.position


def door(st: StDriver, patch: pytest.MonkeyPatch, **more: object) -> TapeNode:
    """The way in, with this driver in place of the kernel's."""
    patch.setattr(tape_driver, "general_status", st.general_status)
    patch.setattr(tape_driver, "operate", st.operate)
    mode = StMode(counts=st.counts, sets_defaults=bool(more.pop("sets_defaults", False)))
    return TapeNode("/dev/nst0", lambda: reach(st), mode=mode, nodes=st, **more)  # type: ignore[arg-type]


@contextmanager
def reach(st: Transport) -> Iterator[Transport]:
    yield st
