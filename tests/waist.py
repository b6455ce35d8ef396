"""Stand-ins at the waist: a transport that answers from a script, and one that meddles with another's answers."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tapekey.exchange import Command, Reply, Transport
from tapekey.scsi.codes import Opcode, Status
from tapekey.scsi.sense import FieldPointer, Sense, SenseKey, encode_fixed

Matches = Callable[[Command], bool]
Change = Callable[[Reply], Reply]


def good(data: bytes = b"") -> Reply:
    """GOOD with data."""
    return Reply(Status.GOOD, data)


def refused(code: str, *, field: FieldPointer | None = None, deferred: bool = False) -> Reply:
    """CHECK CONDITION with the sense code written as 7/74/03."""
    return marked(code, field=field, deferred=deferred)


def marked(code: str, data: bytes = b"", **flags: Any) -> Reply:
    """CHECK CONDITION with data and flags of the sense, as tapes answer at marks."""
    key, asc, ascq = (int(part, 16) for part in code.split("/"))
    sense = Sense(SenseKey(key), asc, ascq, **flags)
    return Reply(Status.CHECK_CONDITION, data, encode_fixed(sense))


@dataclass
class Scripted:
    """Answers in the order of its script, and keeps what was asked; the script must cover every command."""

    replies: list[Reply]
    commands: list[Command] = field(default_factory=list)

    def execute(self, command: Command) -> Reply:
        self.commands.append(command)
        return self.replies[len(self.commands) - 1]

    @property
    def opcodes(self) -> list[Opcode]:
        return [Opcode(command.cdb[0]) for command in self.commands]


def scripted(*replies: Reply) -> Scripted:
    return Scripted(list(replies))


@dataclass
class Meddling:
    """Passes commands on, but changes what comes back for those that match, from the `after`-th match on.

    With `instead` the command is not passed on at all.
    """

    inner: Transport
    matches: Matches
    change: Change | None = None
    instead: Reply | None = None
    after: int = 0
    times: int = 1_000_000
    seen: int = 0
    commands: list[Command] = field(default_factory=list)

    def execute(self, command: Command) -> Reply:
        self.commands.append(command)
        if not self.matches(command):
            return self.inner.execute(command)
        self.seen += 1
        if not self.after < self.seen <= self.after + self.times:
            return self.inner.execute(command)
        if self.instead is not None:
            return self.instead
        reply = self.inner.execute(command)
        return self.change(reply) if self.change else reply


def by_opcode(opcode: Opcode) -> Matches:
    return lambda command: command.cdb[0] == opcode


def spin(page: int) -> Matches:
    """SECURITY PROTOCOL IN for a page of tape data encryption."""
    return lambda command: command.cdb[:4] == bytes([0xA2, 0x20]) + page.to_bytes(2, "big")


def attribute_read(identifier: int, action: int = 0) -> Matches:
    """READ ATTRIBUTE from this identifier on."""
    return lambda command: (
        command.cdb[:2] == bytes([0x8C, action]) and command.cdb[8:10] == identifier.to_bytes(2, "big")
    )


def at_step(inner: Transport, step: int, *, instead: Reply | None = None, change: Change | None = None) -> Meddling:
    """Meddles with the one command that comes as number `step`, counted from 0."""
    return Meddling(inner, lambda command: True, change=change, instead=instead, after=step, times=1)


def cut(size: int) -> Change:
    """The answer, of which only the first bytes arrived."""
    return lambda reply: Reply(reply.status, reply.data_in[:size], reply.sense)


def patched(offset: int, value: bytes) -> Change:
    """The answer with other bytes at an offset."""
    return lambda reply: Reply(
        reply.status, reply.data_in[:offset] + value + reply.data_in[offset + len(value) :], reply.sense
    )


def steps_of(inner: Transport, verb: Callable[[Transport], object]) -> int:
    """How many commands a verb sends when all goes well."""
    watched = Meddling(inner, lambda command: False)
    verb(watched)
    return len(watched.commands)
