"""The PDUs that answer a command: Data-In, Response, and the residuals in them (RFC 7143, 11.4, 11.7)."""

from dataclasses import dataclass
from typing import Final

from tapekey.exchange import Buffer
from tapekey.iscsi import pdu
from tapekey.iscsi.codes import NO_TAG, Opcode
from tapekey.iscsi.negotiation import Agreed
from tapekey.iscsi.outgoing import MASK, Outgoing
from tapekey.iscsi.packed import DATA_IN, RESPONSE
from tapekey.iscsi.task import Task

FINAL: Final = 0x80
WITH_STATUS: Final = 0x01
OVERFLOW: Final = 0x04
UNDERFLOW: Final = 0x02


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a command; `taken` as in `TargetSession.answer`."""

    status: int
    sense: bytes
    data: memoryview
    taken: int | None

    @property
    def collapses(self) -> bool:
        """Whether the status may come with the last Data-In (11.7.3)."""
        return self.status == 0 and not self.sense


def parts(task: Task, outcome: Outcome, out: Outgoing, agreed: Agreed) -> list[Buffer]:
    """Data-In PDUs, then a Response, or the status in the last Data-In."""
    room = min(len(outcome.data), task.in_length)
    collapsed = room > 0 and outcome.collapses and task.one_way
    pieces = _cut(room, agreed)
    found: list[Buffer] = []
    for number, (offset, size) in enumerate(pieces):
        end = offset + size
        flags = FINAL if end == room or end % agreed.max_burst == 0 else 0
        residual = stat = 0
        if collapsed and end == room:
            more, residual = residual_of(task.in_length, len(outcome.data))
            flags |= more | WITH_STATUS
            stat = _next_status(out)
        head = DATA_IN.pack(
            Opcode.DATA_IN,
            flags,
            0,
            size,
            task.tag,
            NO_TAG,
            stat,
            out.expected,
            out.last,
            number,
            offset,
            residual,
        )
        found += pdu.framed(head, outcome.data[offset:end], out.digests)
    return found if collapsed else found + _response(task, outcome, out, len(pieces))


def _cut(length: int, agreed: Agreed) -> list[tuple[int, int]]:
    """Offset and size of each Data-In: no longer than the initiator takes, and none across the end of a burst."""
    found = []
    offset = 0
    while offset < length:
        size = min(length - offset, agreed.max_send, agreed.max_burst - offset % agreed.max_burst)
        found.append((offset, size))
        offset += size
    return found


def _response(task: Task, outcome: Outcome, out: Outgoing, sent: int) -> list[Buffer]:
    sense = outcome.sense
    flags, residual = residual_of(task.out_length, task.out_length if outcome.taken is None else outcome.taken)
    read_flags, read_residual = residual_of(task.in_length, len(outcome.data))
    if task.one_way and not task.out_length:
        flags, residual = read_flags, read_residual
    if task.one_way:
        read_flags = read_residual = 0
    head = RESPONSE.pack(
        Opcode.SCSI_RESPONSE,
        FINAL | flags | read_flags << 2,
        0,
        outcome.status,
        len(sense) + 2 if sense else 0,
        task.tag,
        _next_status(out),
        out.expected,
        out.last,
        sent + task.requests,
        read_residual,
        residual,
    )
    return pdu.framed(head, len(sense).to_bytes(2, "big") + sense if sense else b"", out.digests)


def _next_status(out: Outgoing) -> int:
    stat = out.stat
    out.stat = (stat + 1) & MASK
    return stat


def residual_of(expected: int, wanted: int) -> tuple[int, int]:
    """The flag and the count: what was expected less what was asked for and there, exactly (11.4.5)."""
    if wanted > expected:
        return OVERFLOW, wanted - expected
    return (UNDERFLOW, expected - wanted) if wanted < expected else (0, 0)
