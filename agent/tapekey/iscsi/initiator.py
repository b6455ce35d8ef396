"""The initiator's end of a session of one connection (RFC 7143): the other role of `target`, driven the same way.

    session = InitiatorSession(Account("iqn.…:us", "iqn.…:them"))
    send(session.start())
    while …:
        count = sock.recv_into(session.wants())
        for report in session.took(count): …         # Send, Ready, Finished, …, Closed
    tag, parts = session.command(lun, cdb, data_out=…, data_in_max=…)

Commands beyond the target's window are kept, and go out in a later `Send`. Data of commands are not copied: those that
go out are sent as they were given, and are not to be changed before the answer.
"""

import secrets
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from tapekey.errors import Malformed
from tapekey.exchange import Buffer
from tapekey.iscsi import lun as luns
from tapekey.iscsi import pdu, text
from tapekey.iscsi.codes import NO_TAG, LogoutReason, ManageFunction, Opcode
from tapekey.iscsi.events import NO_DATA, Closed, Send
from tapekey.iscsi.initiator_login import Account, InitiatorLogin
from tapekey.iscsi.negotiation import Agreed
from tapekey.iscsi.outgoing import MASK
from tapekey.iscsi.receiver import NOTHING, Arrival, Receiver
from tapekey.iscsi.reports import Finished, LoggedOut, Managed, Notified, Pong, Ready, Rejected, Report, Said
from tapekey.iscsi.request import DataOut, LogoutRequest, ManageRequest, NopOut, ScsiCommand, TextRequest
from tapekey.iscsi.response import DataIn, LoginResponse, ReadyToTransfer, ScsiResponse
from tapekey.wire.layout import decode

TAIL: Final = 16  # padding and digest
CONTROL: Final = 64 * 1024  # of text, sense, echoes


@dataclass(slots=True, eq=False)
class Work:
    """A command that is not answered yet."""

    tag: int
    lun: bytes
    data_out: memoryview
    into: memoryview
    room: int
    got: int = 0


class InitiatorSession:
    """One connection, from its first byte to its last."""

    def __init__(self, account: Account, randomness: Callable[[int], bytes] = secrets.token_bytes) -> None:
        self._account = account
        self._login: InitiatorLogin | None = InitiatorLogin(account, randomness)
        self._receiver = Receiver(self._place, 8192)
        self._room = NO_DATA
        self._agreed = Agreed()
        self._digests = (False, False)
        self._number = 1  # CmdSN
        self._last = 1  # MaxCmdSN
        self._stat = 0  # ExpStatSN
        self._tag = 0
        self._works: dict[int, Work] = {}
        self._texts: dict[int, bytes] = {}
        self._queue: deque[tuple[Any, Buffer, bytes, Work | None]] = deque()
        self._closed = False

    def start(self) -> list[Buffer]:
        """The first login request."""
        assert self._login is not None
        return self._send_login(*self._login.first())

    def wants(self) -> memoryview:
        """Where the next bytes from the target go, never empty until the session is closed."""
        return self._receiver.wants

    def took(self, count: int) -> list[Report]:
        """Say that the first `count` bytes of `wants()` have been filled."""
        if self._closed:
            return []
        arrival = self._receiver.took(count)
        if arrival is Arrival.PART:
            return []
        try:
            reports = self._came(arrival)
        except Malformed as error:
            reports = [Closed(str(error))]
        if reports and isinstance(reports[-1], Closed):
            self._closed = True
            self._receiver.wants = NOTHING
        return reports

    # --- asking ----------------------------------------------------------------------------------------------

    def command(
        self, lun: int, cdb: bytes, *, data_out: Buffer = b"", data_in_max: int = 0, immediate: bool = False
    ) -> tuple[int, list[Buffer]]:
        """Send a command; its tag, and what to send now."""
        data = memoryview(data_out)
        work = Work(self._next_tag(), luns.encode(lun), data, memoryview(bytearray(data_in_max + TAIL)), data_in_max)
        self._works[work.tag] = work
        both = bool(len(data)) and data_in_max > 0
        additional = pdu.extended_cdb(cdb) + (pdu.bidirectional_length(data_in_max) if both else b"")
        agreed = self._agreed
        now = data[: min(agreed.first_burst, agreed.max_send) if agreed.immediate_data else 0]
        header = ScsiCommand(
            immediate=immediate,
            final=agreed.initial_r2t or len(now) >= min(len(data), agreed.first_burst),
            read=data_in_max > 0,
            write=len(data) > 0,
            lun=work.lun,
            tag=work.tag,
            expected_length=len(data) or data_in_max,
            cdb=cdb[:16].ljust(16, b"\0"),
        )
        return work.tag, self._submit(header, now, additional, work)

    def manage(self, function: ManageFunction, lun: int = 0, referenced: int = NO_TAG) -> tuple[int, list[Buffer]]:
        """Send a task management function, immediate."""
        header = ManageRequest(
            immediate=True, function=function, lun=luns.encode(lun), tag=self._next_tag(), referenced_tag=referenced
        )
        return header.tag, self._submit(header)

    def ping(self, data: bytes = b"") -> tuple[int, list[Buffer]]:
        """Ask whether the target lives."""
        header = NopOut(immediate=True, tag=self._next_tag())
        return header.tag, self._submit(header, data)

    def say(self, entries: list[text.Pair]) -> tuple[int, list[Buffer]]:
        """Send a text request, such as SendTargets=All."""
        header = TextRequest(tag=self._next_tag())
        self._texts[header.tag] = b""
        return header.tag, self._submit(header, text.image(entries))

    def log_out(self, reason: LogoutReason = LogoutReason.CLOSE_SESSION) -> tuple[int, list[Buffer]]:
        """Leave."""
        header = LogoutRequest(reason=reason, tag=self._next_tag(), connection=1)
        return header.tag, self._submit(header)

    def _next_tag(self) -> int:
        self._tag = (self._tag + 1) & 0x7FFFFFFF
        return self._tag

    def _submit(
        self, header: Any, data: Buffer = b"", additional: bytes = b"", work: Work | None = None
    ) -> list[Buffer]:
        self._queue.append((header, data, additional, work))
        return self._flush()

    def _flush(self) -> list[Buffer]:
        """Everything that the target's window lets out now."""
        parts: list[Buffer] = []
        while self._queue and (self._queue[0][0].immediate or (self._last - self._number) & MASK < 1 << 31):
            header, data, additional, work = self._queue.popleft()
            numbered = replace(header, command_number=self._number, expected_status=self._stat)
            parts += pdu.parts(numbered, data, additional=additional, digests=self._digests)
            if not header.immediate:
                self._number = (self._number + 1) & MASK
            if work is not None and not header.final:
                end = min(len(work.data_out), self._agreed.first_burst)
                parts += self._data_out(work, NO_TAG, len(data), end)
        return parts

    def _data_out(self, work: Work, transfer_tag: int, offset: int, end: int) -> list[Buffer]:
        parts: list[Buffer] = []
        number = 0
        while offset < end:
            piece = work.data_out[offset : min(offset + self._agreed.max_send, end)]
            header = DataOut(
                final=offset + len(piece) == end,
                lun=work.lun,
                tag=work.tag,
                transfer_tag=transfer_tag,
                expected_status=self._stat,
                data_number=number,
                offset=offset,
            )
            parts += pdu.parts(header, piece, digests=self._digests)
            offset, number = offset + len(piece), number + 1
        return parts

    # --- being answered --------------------------------------------------------------------------------------

    def _place(self, length: int, whole: int) -> memoryview | None:
        if pdu.opcode_of(self._receiver.basic) is Opcode.DATA_IN and self._login is None:
            header = decode(DataIn, self._receiver.basic)
            work = self._works.get(header.tag)
            if work is None or header.offset != work.got or header.offset + length > work.room:
                return None
            return work.into[header.offset : header.offset + whole]
        if len(self._room) < whole:
            self._room = memoryview(bytearray(whole))
        return self._room

    def _came(self, arrival: Arrival) -> list[Report]:
        if arrival is not Arrival.WHOLE:
            raise Malformed("a PDU of the target's cannot be read", why=arrival.name.lower().replace("_", " "))
        header = pdu.response_of(self._receiver.basic)
        opcode = pdu.opcode_of(self._receiver.basic)
        if self._login is not None:
            if not isinstance(header, LoginResponse):
                raise Malformed("the target answers the login with something else")
            return self._logged(self._login, header)
        act = self._ACTS.get(opcode)
        if act is None:
            raise Malformed("the target sends what no target sends", why=f"opcode {opcode:02x}h")
        reports = act(self, header)
        self._count(header)
        more = self._flush()
        return [*reports, Send(more)] if more else reports

    def _count(self, header: Any) -> None:
        """Follow the target's numbers (4.2.2)."""
        if (header.max_command - self._last) & MASK < 1 << 31:
            self._last = header.max_command
        opcode = header.opcode
        ping = opcode is Opcode.NOP_IN and header.tag == NO_TAG
        if not (ping or opcode is Opcode.R2T or (opcode is Opcode.DATA_IN and not header.with_status)):
            self._stat = (header.status_number + 1) & MASK

    def _send_login(self, request: Any, data: bytes) -> list[Buffer]:
        return pdu.parts(replace(request, command_number=self._number, expected_status=self._stat), data)

    def _logged(self, login: InitiatorLogin, response: LoginResponse) -> list[Report]:
        self._stat = (response.status_number + 1) & MASK
        following = login.receive(response, bytes(self._receiver.data))
        if following is not None:
            return [Send(self._send_login(*following))]
        agreed, receiver = login.agreed, self._receiver
        self._login = None
        self._agreed = agreed
        self._last = response.max_command
        self._digests = (agreed.header_digest, agreed.data_digest)
        receiver.header_digest, receiver.data_digest = self._digests
        receiver.longest = agreed.max_recv
        return [Ready(login.tsih, agreed)]

    def _finished(self, header: ScsiResponse) -> list[Report]:
        work = self._works.pop(header.tag, None)
        if work is None:
            raise Malformed("the target answers a command that nobody sent")
        data = bytes(self._receiver.data)
        sense = data[2 : 2 + int.from_bytes(data[:2], "big")]
        overflow, underflow = header.residual * header.overflow, header.residual * header.underflow
        return [
            Finished(work.tag, header.status, work.into[: work.got], sense, overflow, underflow, int(header.response))
        ]

    def _data(self, header: DataIn) -> list[Report]:
        work = self._works.get(header.tag)
        if work is None or header.offset != work.got or work.got + header.data_length > work.room:
            raise Malformed("the target sends data that nobody asked for")
        work.got += header.data_length
        if not header.with_status:
            return []
        del self._works[header.tag]
        overflow, underflow = header.residual * header.overflow, header.residual * header.underflow
        return [Finished(work.tag, header.status, work.into[: work.got], b"", overflow, underflow, 0)]

    def _asked(self, header: ReadyToTransfer) -> list[Report]:
        work = self._works.get(header.tag)
        end = header.offset + header.desired
        if work is None or end > len(work.data_out) or not header.desired or header.desired > self._agreed.max_burst:
            raise Malformed("the target asks for data that nobody has")
        return [Send(self._data_out(work, header.transfer_tag, header.offset, end))]

    def _pinged(self, header: Any) -> list[Report]:
        data = bytes(self._receiver.data)
        if header.transfer_tag == NO_TAG:
            return [Pong(header.tag, data)]
        reply = NopOut(immediate=True, lun=header.lun, transfer_tag=header.transfer_tag, tag=NO_TAG)
        return [Send(self._submit(reply, data))]

    def _said(self, header: Any) -> list[Report]:
        said = self._texts.pop(header.tag, None)
        if said is None or len(said) + header.data_length > CONTROL:
            raise Malformed("the target answers a text request that nobody sent, or without end")
        said += bytes(self._receiver.data)
        if header.final:
            return [Said(header.tag, tuple(text.pairs(said)))]
        self._texts[header.tag] = said
        request = TextRequest(tag=header.tag, transfer_tag=header.transfer_tag, lun=header.lun)
        return [Send(self._submit(request))]

    def _managed(self, header: Any) -> list[Report]:
        return [Managed(header.tag, header.response)]

    def _left(self, header: Any) -> list[Report]:
        return [LoggedOut(header.tag, header.response)]

    def _rejected(self, header: Any) -> list[Report]:
        return [Rejected(header.reason, bytes(self._receiver.data))]

    def _notified(self, header: Any) -> list[Report]:
        return [Notified(header.event, (header.parameter1, header.parameter2, header.parameter3))]

    def aborted(self, tag: int) -> None:
        """Forget a command that was aborted: no answer to it will come."""
        self._works.pop(tag, None)

    _ACTS: Final[Mapping[Opcode, Callable[["InitiatorSession", Any], list[Report]]]] = {
        Opcode.SCSI_RESPONSE: _finished,
        Opcode.DATA_IN: _data,
        Opcode.R2T: _asked,
        Opcode.NOP_IN: _pinged,
        Opcode.TEXT_RESPONSE: _said,
        Opcode.TASK_MANAGEMENT_RESPONSE: _managed,
        Opcode.LOGOUT_RESPONSE: _left,
        Opcode.REJECT: _rejected,
        Opcode.ASYNC: _notified,
    }
