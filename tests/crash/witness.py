"""Who sees how far the story came: what was promised, which gap it was in, and where it is to be killed.

The witness writes one line of JSON for each event into a pipe, after the promise has been made: what a line says must
hold after any crash that follows.
"""

import json
import os
import signal
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import Enum

from tapekey.exchange import Command, Reply, Transport
from tapekey.keys.data_key import KeyId
from tapekey.manager.local import LocalManager
from tapekey.manager.questions import KeyMaterial, Mount, Prepared, Request, WrapTarget
from tapekey.secret import Secret
from tests.crash import shim

READ_ATTRIBUTE, WRITE_ATTRIBUTE, SECURITY_PROTOCOL_OUT = 0x8C, 0x8D, 0xB5
WRITE, WRITE_FILEMARKS = 0x0A, 0x10
LONGEST_TRIAL = 100  # an envelope is longer than this, a trial of the memory or a removal shorter


class Gap(Enum):
    """A stretch between two promises."""

    COMMIT = "commit"
    MAM_WRITE = "MAM write"
    READ_BACK = "read-back"
    RELEASE = "release"
    SPOUT = "SPOUT"
    VERIFY = "verify"  # from the reply to SPOUT until the installation is on record
    WRITE = "write"
    FILEMARK = "filemark"
    UNLOAD = "unload"


class Point(Enum):
    """Where in a gap."""

    ENTER = "enter"
    INSIDE = "inside"
    LEAVE = "leave"


@dataclass(frozen=True, slots=True)
class Doom:
    """To be killed in the `nth` gap of that name: at its door, or before its `call`th change or command."""

    gap: Gap
    nth: int
    point: Point
    call: int = 0


def die() -> None:
    """End as by kill -9."""
    os.kill(os.getpid(), signal.SIGKILL)


@dataclass(slots=True)
class Witness:
    """Writes down what happens, and carries out the doom."""

    pipe: int
    doom: Doom | None = None
    met: Counter[Gap] = field(default_factory=Counter)
    inside: set[Gap] = field(default_factory=set)
    left: int = 0  # commands until death

    def tell(self, *event: object) -> None:
        os.write(self.pipe, json.dumps(event).encode() + b"\n")

    @contextmanager
    def gap(self, gap: Gap) -> Iterator[None]:
        self.enter(gap)
        yield
        self.leave(gap)

    def enter(self, gap: Gap) -> None:
        self.tell("enter", gap.value)
        self.met[gap] += 1
        self.inside.add(gap)
        if self._doomed(gap):
            self._strike()

    def leave(self, gap: Gap) -> None:
        if self._doomed(gap):
            die()
        self.inside.discard(gap)
        self.tell("leave", gap.value)

    def command(self) -> None:
        """A command is about to be sent."""
        self.left -= 1
        if self.left == 0:
            die()

    def _doomed(self, gap: Gap) -> bool:
        return self.doom is not None and (gap, self.met[gap]) == (self.doom.gap, self.doom.nth)

    def _strike(self) -> None:
        assert self.doom is not None
        if self.doom.point is Point.ENTER:
            die()
        if self.doom.point is Point.INSIDE:
            self.left = self.doom.call
            shim.arm(self.doom.call)


@dataclass(frozen=True, slots=True)
class WatchedManager(LocalManager):
    """The embedded manager, its promises witnessed."""

    observer: Witness

    def prepare(self, request: Request) -> Prepared:
        with self.observer.gap(Gap.COMMIT):
            prepared = LocalManager.prepare(self, request)
        self.observer.tell("prepared", prepared.key_id.raw.hex())
        return prepared

    def release(
        self, key_id: KeyId, *, medium_serial: str, drive: str, witnessed: bytes, wrap: WrapTarget | None
    ) -> KeyMaterial:
        with self.observer.gap(Gap.RELEASE):
            material = LocalManager.release(
                self, key_id, medium_serial=medium_serial, drive=drive, witnessed=witnessed, wrap=wrap
            )
        self.observer.tell("released", key_id.raw.hex())
        return material

    def installed(self, mount: Mount) -> None:
        LocalManager.installed(self, mount)
        self.observer.leave(Gap.VERIFY)
        assert mount.key_id is not None
        self.observer.tell("installed", mount.drive_serial, mount.generation, mount.key_id.raw.hex())

    def scratch(self, medium_serial: str, *, by: str) -> None:
        LocalManager.scratch(self, medium_serial, by=by)
        self.observer.tell("scratched")


GAP_OF = {WRITE: Gap.WRITE, WRITE_FILEMARKS: Gap.FILEMARK}


@dataclass(slots=True)
class WatchedTransport:
    """A transport whose commands open and close gaps."""

    inner: Transport
    observer: Witness

    def execute(self, command: Command) -> Reply:
        self.observer.command()
        gap = self._gap(command)
        if gap is None:
            return self._seen(command, self.inner.execute(command))
        with self.observer.gap(gap):
            reply = self.inner.execute(command)
        if gap is Gap.MAM_WRITE:
            self.observer.enter(Gap.READ_BACK)
        if gap is Gap.SPOUT:
            self.observer.enter(Gap.VERIFY)
        return reply

    def _gap(self, command: Command) -> Gap | None:
        opcode, out = command.cdb[0], command.data_out
        if opcode == WRITE_ATTRIBUTE and len(out) > LONGEST_TRIAL:
            return Gap.MAM_WRITE
        keyed = opcode == SECURITY_PROTOCOL_OUT and isinstance(out, Secret)
        # unloading takes the key out again, by a command of the same kind
        if keyed and Gap.UNLOAD not in self.observer.inside:
            return Gap.SPOUT
        return GAP_OF.get(opcode)

    def _seen(self, command: Command, reply: Reply) -> Reply:
        if command.cdb[0] == READ_ATTRIBUTE and Gap.READ_BACK in self.observer.inside:
            self.observer.leave(Gap.READ_BACK)
        return reply
