"""The commands of a session: from their headers over their data to their answers (RFC 7143, 4.2, 11.3, 11.7, 11.8).

This is the data path: it takes headers apart with `packed`, receives into kept buffers and passes data through unread.
"""

from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Final

from tapekey.errors import Malformed
from tapekey.exchange import Buffer
from tapekey.iscsi import answers, lun, pdu
from tapekey.iscsi.answers import Outcome
from tapekey.iscsi.buffers import Buffers
from tapekey.iscsi.codes import NO_TAG, Opcode, RejectReason
from tapekey.iscsi.config import Config
from tapekey.iscsi.events import NO_DATA, Event, Execute, Send
from tapekey.iscsi.negotiation import Agreed
from tapekey.iscsi.outgoing import MASK, Outgoing
from tapekey.iscsi.packed import COMMAND, DATA_IN, DATA_OUT, RESPONSE
from tapekey.iscsi.receiver import Receiver
from tapekey.iscsi.repeats import Repeats
from tapekey.iscsi.response import ReadyToTransfer
from tapekey.iscsi.task import (
    CHECK_CONDITION,
    DIGEST_FAILED,
    TASK_SET_FULL,
    TOO_LONG,
    UNEXPECTED_DATA,
    WRONG_AMOUNT,
    State,
    Task,
)

SCSI_COMMAND: Final = int(Opcode.SCSI_COMMAND)
MORE_IMMEDIATE: Final = 8  # commands that may come beside the window (4.2.2.1)
READ: Final = 0x40
WRITE: Final = 0x20
FINAL: Final = 0x80
VARIABLE_LENGTH: Final = 0x7F
SET_KEY: Final = 0xB5  # SECURITY PROTOCOL OUT: its data may be a key, and outlive no command
CDB_LENGTHS: Final = (6, 10, 10, 16, 16, 12, 16, 16)  # by the opcode's group (SPC-5, 4.2.5.1)


class TaskSet:
    """The tasks that are not answered yet, and the memory that they use."""

    def __init__(self, config: Config, receiver: Receiver, out: Outgoing, agreed: Agreed) -> None:
        self._config = config
        self._receiver = receiver
        self._out = out
        self._agreed = agreed
        self._plain = not any(out.digests)
        self._one_pdu = min(agreed.max_send, agreed.max_burst)
        self._buffers = Buffers(config.memory)
        self._tasks: dict[int, Task] = {}
        self._queues: dict[int | None, deque[Task]] = {}  # of units of which a task waits for data
        self._held: dict[int, Callable[[], list[Event]]] = {}  # by CmdSN: what came before its turn
        self._lent = NO_DATA  # data-in of the last answer, perhaps still being sent
        self._pending: Task | None = None
        self._number = 0  # CmdSN of the pending task

    def renegotiate(self, agreed: Agreed) -> None:
        """The initiator declared another MaxRecvDataSegmentLength."""
        self._agreed = agreed
        self._one_pdu = min(agreed.max_send, agreed.max_burst)

    # --- commands come ---------------------------------------------------------------------------------------

    def place_command(self, length: int, whole: int) -> memoryview | None:
        """Room for the immediate data of the command whose header has arrived."""
        task = self._pending = self._begin()
        if task is None or task.status or len(task.buffer) < whole:
            return None
        return task.buffer

    def command_came(self, length: int) -> tuple[list[Event], RejectReason | None]:
        """A command PDU is whole; `length` bytes of immediate data came with it."""
        task = self._pending if length else self._begin()
        self._pending = None
        if task is None:
            return [], None
        refusal = self._refusal(task)
        if refusal is not None:
            self._release(task)
            return [], refusal
        task.got = length
        self._tasks[task.tag] = task
        if not task.immediate:
            if self._number != self._out.expected:
                self._held[self._number] = partial(self._enter, task)
                return [], None
            self._out.expected = (self._number + 1) & MASK
        events = self._enter(task)
        if self._held:
            events += self.in_turn()
        return events, None

    def forget_pending(self) -> None:
        """The command PDU just received was broken: it counts as not received."""
        if self._pending is not None:
            self._release(self._pending)
            self._pending = None

    def _begin(self) -> Task | None:
        """A task made of the header, with room for its data; None if it lies outside the window and is ignored."""
        first, flags, lengths, field, tag, expected, number, cdb = COMMAND.unpack_from(self._receiver.basic)
        immediate = first & 0x40 != 0
        out = self._out
        self._number = number
        if not immediate and (
            out.last + 1 & MASK == number  # beyond the window, though it is the next
            if number == out.expected
            else not out.admits(number) or number in self._held
        ):
            return None
        unit = field >> 48 if not field & 0xFF00FFFFFFFFFFFF else lun.decode(field)
        size = CDB_LENGTHS[cdb[0] >> 5]
        task = Task(
            tag,
            unit,
            cdb if size == 16 else cdb[:size],
            immediate,
            expected if flags & WRITE else 0,
            expected if flags & (READ | WRITE) == READ else 0,
            0,
            flags & FINAL != 0,
        )
        if lengths >> 24 or flags & (READ | WRITE) == READ | WRITE:
            self._lengthen(task, two_ways=flags & (READ | WRITE) == READ | WRITE)
        self._provide(task, lengths & 0xFFFFFF)
        return task

    def _lengthen(self, task: Task, *, two_ways: bool) -> None:
        """Take what additional header segments say."""
        try:
            additional = pdu.additional_headers(self._receiver.header[pdu.HEADER :])
        except Malformed:
            task.status, task.sense = CHECK_CONDITION, TOO_LONG
            return
        if task.cdb[0] == VARIABLE_LENGTH:
            task.cdb += additional.cdb
        task.one_way = not two_ways
        if two_ways:
            task.in_length = additional.read_length or 0

    def _provide(self, task: Task, length: int) -> None:
        """Lend a task its memory, or decide why it may not have it."""
        agreed = self._agreed
        if task.out_length or length:
            if task.out_length > self._config.max_transfer:
                task.status, task.sense = CHECK_CONDITION, TOO_LONG
            elif (length and not agreed.immediate_data) or (not task.final and agreed.initial_r2t):
                task.status, task.sense = CHECK_CONDITION, UNEXPECTED_DATA
            elif length > task.out_length or length > agreed.first_burst:
                task.status, task.sense = CHECK_CONDITION, WRONG_AMOUNT
            else:
                task.buffer = self._lend(task, task.out_length)
        if task.in_length and not task.status:
            task.into = self._lend(task, min(task.in_length, self._config.max_transfer))

    def _lend(self, task: Task, size: int) -> memoryview:
        buffer = self._buffers.lend(size)
        if buffer is None:
            task.status = TASK_SET_FULL
            return NO_DATA
        return buffer

    def _refusal(self, task: Task) -> RejectReason | None:
        if task.tag in self._tasks:
            return RejectReason.TASK_IN_PROGRESS
        if task.tag == NO_TAG:
            return RejectReason.INVALID_FIELD
        if task.immediate and len(self._tasks) >= self._config.commands + MORE_IMMEDIATE:
            return RejectReason.IMMEDIATE_COMMAND
        return None

    # --- and go in order -------------------------------------------------------------------------------------

    def hold(self, number: int, act: Callable[[], list[Event]]) -> None:
        """Keep what came before its turn; what comes twice is not kept twice."""
        self._held.setdefault(number, act)

    def in_turn(self) -> list[Event]:
        """Act on what had come before its turn, and whose turn it is now."""
        events: list[Event] = []
        while self._out.expected in self._held:
            act = self._held.pop(self._out.expected)
            self._out.expected = (self._out.expected + 1) & MASK
            events += act()
        return events

    @property
    def gap(self) -> bool:
        """Whether a command is missing that later ones wait for."""
        return bool(self._held)

    def skip(self, number: int) -> bool:
        """Count a command that has not come as received, for ABORT TASK (11.5.1); False if that cannot be."""
        if not self._out.admits(number) or number in self._held:
            return False
        self._held[number] = self._skipped
        return True

    def _skipped(self) -> list[Event]:
        self._out.last = (self._out.last + 1) & MASK
        return []

    def _enter(self, task: Task) -> list[Event]:
        task.entered = True
        if task.state is State.ABORTED:
            return []
        if task.status:
            return [Send(self._finish(task, task.status, task.sense))]
        if task.got == task.out_length and task.lun not in self._queues:
            return [self._run(task)]
        self._queues.setdefault(task.lun, deque()).append(task)
        return self._ask_for_data(task)

    def _run(self, task: Task) -> Execute:
        task.state = State.RUNNING
        return Execute(
            task.tag,
            task.lun,
            task.cdb,
            task.buffer[: task.out_length],
            task.in_length,
            task.into[: task.in_length],
        )

    def _advance(self, unit: int | None) -> list[Event]:
        """Run the commands of a unit up to the next that still waits for data."""
        queue = self._queues.get(unit)
        events: list[Event] = []
        while queue and queue[0].complete:
            events.append(self._run(queue.popleft()))
        if queue is not None and not queue:
            del self._queues[unit]
        return events

    # --- data-out --------------------------------------------------------------------------------------------

    def _ask_for_data(self, task: Task) -> list[Event]:
        """Send an R2T if it is the target's turn to ask (11.8); one at a time, as MaxOutstandingR2T is 1."""
        if not task.final or task.complete or task.transfer_tag != NO_TAG or not task.entered:
            return []
        task.transfer_tag = self._out.next_transfer_tag()
        task.limit = min(task.got + self._agreed.max_burst, task.out_length)
        task.data_number = 0
        header = ReadyToTransfer(
            lun=bytes(8) if task.lun is None else lun.encode(task.lun),
            tag=task.tag,
            transfer_tag=task.transfer_tag,
            number=task.requests,
            offset=task.got,
            desired=task.limit - task.got,
        )
        task.requests += 1
        return [Send(self._out.notice(header))]

    def place_data(self, length: int, whole: int) -> memoryview | None:
        """Room for the data of the Data-Out whose header has arrived; None if nobody waits for them."""
        task = self._pending = self._expecting(length)
        return None if task is None else task.buffer[task.got : task.got + whole]

    def data_came(self, length: int) -> list[Event]:
        """A Data-Out is whole."""
        task = self._pending if length else self._expecting(0)
        self._pending = None
        if task is None:
            return self._misplaced()
        flags, _, _, _, _, _ = DATA_OUT.unpack_from(self._receiver.basic)
        task.got += length
        task.data_number += 1
        if not flags & FINAL:
            return []
        if task.transfer_tag != NO_TAG and task.got != task.limit:
            return self._fail(task, WRONG_AMOUNT)
        task.transfer_tag = NO_TAG
        task.final = True
        return self._advance(task.lun) if task.complete else self._ask_for_data(task)

    def data_broken(self) -> list[Event]:
        """The digest of a Data-Out is wrong: at this recovery level its command is over (7.8)."""
        task, self._pending = self._pending, None
        return [] if task is None else self._fail(task, DIGEST_FAILED)

    def _expecting(self, length: int) -> Task | None:
        """The task for which the Data-Out in the header is the next one."""
        _, _, tag, transfer_tag, number, offset = DATA_OUT.unpack_from(self._receiver.basic)
        task = self._tasks.get(tag)
        if task is None or task.status or task.state is not State.COLLECTING or transfer_tag != task.transfer_tag:
            return None
        if transfer_tag == NO_TAG:
            if task.final:
                return None
            task.limit = min(self._agreed.first_burst, task.out_length)
        if offset != task.got or number != task.data_number or offset + length > task.limit:
            return None
        return task

    def _misplaced(self) -> list[Event]:
        """A Data-Out that nobody expects: its command is over if it is still collecting, else the data are dropped.

        Data for a command that has ended are no error: they were under way when it did.
        """
        _, _, tag, transfer_tag, _, _ = DATA_OUT.unpack_from(self._receiver.basic)
        task = self._tasks.get(tag)
        if task is None or task.state is not State.COLLECTING or task.status:
            return []
        stale = transfer_tag not in (NO_TAG, task.transfer_tag)
        unasked = transfer_tag == NO_TAG and (task.final or task.transfer_tag != NO_TAG)
        return [] if stale else self._fail(task, UNEXPECTED_DATA if unasked else DIGEST_FAILED)

    def _fail(self, task: Task, sense: bytes) -> list[Event]:
        """End a command of which data are missing; if its turn has not come, it will be told then."""
        task.status, task.sense = CHECK_CONDITION, sense
        if not task.entered:
            return []
        self._leave_queue(task)
        return [Send(self._finish(task, CHECK_CONDITION, sense)), *self._advance(task.lun)]

    def _leave_queue(self, task: Task) -> None:
        queue = self._queues.get(task.lun)
        if queue is not None and task in queue:
            queue.remove(task)

    # --- answers ---------------------------------------------------------------------------------------------

    def answer(self, tag: int, status: int, data: Buffer, sense: bytes, taken: int | None) -> list[Buffer]:
        """What goes back for a command that was run."""
        if self._lent:
            self._buffers.give_back(self._lent)
            self._lent = NO_DATA
        task = self._tasks[tag]
        if task.state is State.ABORTED:
            self._close(task)
            return []
        self._lent, task.into = task.into, NO_DATA
        if status or sense or not self._plain or not task.one_way:
            return self._finish(task, status, sense, data, taken)
        size = len(data)
        if size and size <= self._one_pdu and size <= task.in_length:
            return self._read(task, data, size)
        if size or task.in_length or taken not in (None, task.out_length):
            return self._finish(task, status, sense, data, taken)
        return self._written(task)

    def _read(self, task: Task, data: Buffer, size: int) -> list[Buffer]:
        """The common answer to a read: one Data-In that carries the status. `answers` has every other."""
        self._close(task)
        out = self._out
        residual = task.in_length - size
        flags = 0x83 if residual else 0x81
        head = DATA_IN.pack(0x25, flags, 0, size, task.tag, NO_TAG, out.stat, out.expected, out.last, 0, 0, residual)
        out.stat = (out.stat + 1) & MASK
        return [head, data] if not size & 3 else [head, data, pdu.PADS[size & 3]]

    def _written(self, task: Task) -> list[Buffer]:
        """The common answer to a write: all of it taken, nothing to say."""
        self._close(task)
        out = self._out
        head = RESPONSE.pack(0x21, FINAL, 0, 0, 0, task.tag, out.stat, out.expected, out.last, task.requests, 0, 0)
        out.stat = (out.stat + 1) & MASK
        return [head]

    def _finish(
        self, task: Task, status: int, sense: bytes, data: Buffer = b"", taken: int | None = None
    ) -> list[Buffer]:
        """Whatever is not the common case."""
        self._close(task)
        return answers.parts(task, Outcome(status, sense, memoryview(data), taken), self._out, self._agreed)

    def _close(self, task: Task) -> None:
        """The command is over: give its memory back and open the window by one."""
        del self._tasks[task.tag]
        if task.buffer:
            if task.cdb[0] == SET_KEY:
                task.buffer[:] = bytes(len(task.buffer))
            self._buffers.give_back(task.buffer)
            task.buffer = NO_DATA
        if task.into:
            self._buffers.give_back(task.into)
            task.into = NO_DATA
        if not task.immediate:
            self._out.last = (self._out.last + 1) & MASK

    def _release(self, task: Task) -> None:
        """Give back the memory of a task that never became one."""
        if task.buffer and task.cdb[0] == SET_KEY:
            task.buffer[:] = bytes(len(task.buffer))
        for buffer in (task.buffer, task.into):
            if buffer:
                self._buffers.give_back(buffer)

    def repeats(self) -> Repeats | None:
        """What to make of commands like the last PDU, if that was a plain one and nothing is under way; else None."""
        receiver = self._receiver
        first, flags, lengths, _, _, size, _, _ = COMMAND.unpack_from(receiver.basic)
        if self._tasks or self._held or not self._plain or receiver.wants is not receiver.basic:
            return None
        if first != SCSI_COMMAND or size & 3:
            return None
        kind = flags & (FINAL | READ | WRITE)
        if kind == FINAL | WRITE and lengths == size:
            answer = RESPONSE.pack(0x21, FINAL, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)
        elif kind == FINAL | READ and not lengths and 0 < size <= self._one_pdu:
            answer = DATA_IN.pack(0x25, 0x81, 0, size, 0, NO_TAG, 0, 0, 0, 0, 0, 0)
        else:
            return None
        return Repeats(self._out, receiver.basic, answer, size, incoming=kind & WRITE != 0)

    # --- task management -------------------------------------------------------------------------------------

    def knows(self, tag: int) -> bool:
        """Whether a command of this tag is not answered yet."""
        return tag in self._tasks

    def tags(self, unit: int | None, *, every: bool = False) -> list[int]:
        """The commands of a unit, or all."""
        return [task.tag for task in self._tasks.values() if every or task.lun == unit]

    def abort(self, tags: list[int]) -> tuple[tuple[int, ...], list[Event]]:
        """End commands without an answer: those of them that run on, and the commands that are free to run now."""
        for tag in tags:
            task = self._tasks[tag]
            if task.state is not State.COLLECTING:
                task.state = State.ABORTED
                continue
            self._leave_queue(task)
            task.state = State.ABORTED
            self._close(task)
        events = [event for unit in list(self._queues) for event in self._advance(unit)]
        return tuple(tag for tag in tags if tag in self._tasks), events
