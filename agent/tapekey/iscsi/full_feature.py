"""A target's session in full feature phase: every request but login, and what answers it (RFC 7143, 4.2, 11)."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any, Final

from tapekey.errors import Malformed
from tapekey.exchange import Buffer
from tapekey.iscsi import lun, pdu
from tapekey.iscsi.codes import (
    NO_TAG,
    AsyncEvent,
    LogoutReason,
    LogoutResponse,
    ManageFunction,
    ManageResponse,
    Opcode,
    RejectReason,
)
from tapekey.iscsi.config import Config
from tapekey.iscsi.events import Closed, Event, Manage, Send
from tapekey.iscsi.login import Peer
from tapekey.iscsi.negotiation import Agreed
from tapekey.iscsi.outgoing import MASK, Outgoing
from tapekey.iscsi.receiver import Arrival, Receiver
from tapekey.iscsi.repeats import Repeats
from tapekey.iscsi.request import LogoutRequest, ManageRequest, NopOut, TextRequest
from tapekey.iscsi.response import AsyncMessage, LogoutReply, ManageReply, NopIn, Reject
from tapekey.iscsi.task_set import TaskSet
from tapekey.iscsi.text_exchange import TextExchange

SMALL: Final = 8192  # a request that comes before its turn is kept only if its data are no longer
MOST_MANAGING: Final = 16
OF_A_UNIT: Final = frozenset(
    {ManageFunction.ABORT_TASK_SET, ManageFunction.CLEAR_TASK_SET, ManageFunction.LOGICAL_UNIT_RESET}
)
OF_THE_TARGET: Final = frozenset({ManageFunction.TARGET_WARM_RESET, ManageFunction.TARGET_COLD_RESET})
RESETS: Final = OF_THE_TARGET | {ManageFunction.LOGICAL_UNIT_RESET}
IN_DISCOVERY: Final = frozenset({Opcode.TEXT, Opcode.LOGOUT, Opcode.NOP_OUT})

# functions that are refused whatever they name (11.6.1)
REFUSED: Final[Mapping[ManageFunction, ManageResponse]] = {
    ManageFunction.CLEAR_ACA: ManageResponse.NOT_SUPPORTED,
    ManageFunction.TASK_REASSIGN: ManageResponse.REASSIGN_NOT_SUPPORTED,
}
NO_ROOM: Final = memoryview(b"")
SCSI_COMMAND: Final = int(Opcode.SCSI_COMMAND)  # plain numbers: these two are compared for every PDU
DATA_OUT: Final = int(Opcode.DATA_OUT)
WITH_DATA: Final = frozenset({int(Opcode.NOP_OUT), int(Opcode.TEXT)})


class FullFeature:
    """What a session does once it is logged in. `came` is called for whole PDUs, and for what made one unusable."""

    def __init__(
        self, config: Config, portal: str, peer: Peer, receiver: Receiver, out: Outgoing, agreed: Agreed
    ) -> None:
        receiver.longest = agreed.max_recv
        receiver.header_digest, receiver.data_digest = agreed.header_digest, agreed.data_digest
        out.digests = (agreed.header_digest, agreed.data_digest)
        self._config = config
        self._peer = peer
        self._receiver = receiver
        self._out = out
        self._agreed = agreed
        self._text = TextExchange(
            config.name, portal, discovery=peer.discovery, max_send=agreed.max_send, beside=config.beside
        )
        self._room = NO_ROOM
        self._managing: dict[int, ManageFunction] = {}
        self._heard = True
        self._quiet_since = self._gap_since = 0.0
        self._pinged: float | None = None
        self.tasks = TaskSet(config, receiver, out, agreed)

    def repeats(self) -> Repeats | None:
        """As `TargetSession.repeats`."""
        if self._peer.discovery or self._managing:
            return None
        self._heard = True
        return self.tasks.repeats()

    def place(self, length: int, whole: int) -> memoryview | None:
        """Room for the data of the PDU whose header has arrived."""
        opcode = self._receiver.basic[0] & 0x3F
        if opcode == SCSI_COMMAND and not self._peer.discovery:
            return self.tasks.place_command(length, whole)
        if opcode == DATA_OUT:
            return self.tasks.place_data(length, whole)
        if opcode not in WITH_DATA:
            return None
        if len(self._room) < whole:
            self._room = memoryview(bytearray(whole))
        return self._room

    def came(self, arrival: Arrival) -> list[Event]:
        """Act on a PDU."""
        self._heard = True
        opcode = self._receiver.basic[0] & 0x3F
        if arrival is not Arrival.WHOLE:
            return self._broken(opcode, arrival)
        if opcode == SCSI_COMMAND and not self._peer.discovery:
            events, refusal = self.tasks.command_came(self._receiver.length)
            return events if refusal is None else [*events, self._reject(refusal)]
        if opcode == DATA_OUT:
            return self.tasks.data_came(self._receiver.length)
        return self._control(Opcode(opcode))

    def _broken(self, opcode: int, arrival: Arrival) -> list[Event]:
        if arrival is Arrival.HEADER_BROKEN:
            return [Closed("a header digest is wrong")]
        if arrival is Arrival.TOO_LONG:
            return [self._reject(RejectReason.PROTOCOL_ERROR), Closed("a data segment is longer than was declared")]
        events: list[Event] = [self._reject(RejectReason.DATA_DIGEST_ERROR)]
        if opcode == DATA_OUT:
            return events + self.tasks.data_broken()
        self.tasks.forget_pending()
        return events

    def _reject(self, reason: RejectReason) -> Send:
        return Send(self._out.reply(Reject(reason=reason), bytes(self._receiver.header)))

    # --- requests other than commands ------------------------------------------------------------------------

    def _control(self, opcode: Opcode) -> list[Event]:
        act = self._ACTS.get(opcode)
        if opcode is Opcode.SNACK:
            return [self._reject(RejectReason.SNACK)]
        if opcode is Opcode.LOGIN:
            return [self._reject(RejectReason.PROTOCOL_ERROR), Closed("a login request after the login")]
        if act is None:
            return [self._reject(RejectReason.PROTOCOL_ERROR if opcode.known else RejectReason.NOT_SUPPORTED)]
        if self._peer.discovery and opcode not in IN_DISCOVERY:
            return [self._reject(RejectReason.PROTOCOL_ERROR)]
        request = pdu.request_of(self._receiver.basic)
        return self._in_turn(request, act)

    def _in_turn(self, request: Any, act: "Act") -> list[Event]:
        out, data = self._out, self._receiver.data
        if request.tag == NO_TAG:  # an answer to our ping has none; every other request is owed an answer
            return [] if request.opcode is Opcode.NOP_OUT else [self._reject(RejectReason.INVALID_FIELD)]
        if request.immediate:
            return act(self, request, data)
        number = request.command_number
        if not out.admits(number):
            return []
        if number == out.expected:
            out.expected = (number + 1) & MASK
            out.last = (out.last + 1) & MASK
            return act(self, request, data) + self.tasks.in_turn()
        if len(data) <= SMALL:
            self.tasks.hold(number, partial(self._late, request, act, bytes(data)))
        return []

    def _late(self, request: Any, act: "Act", data: bytes) -> list[Event]:
        self._out.last = (self._out.last + 1) & MASK
        return act(self, request, data)

    def _nop(self, request: NopOut, data: Buffer) -> list[Event]:
        echo = bytes(data[: self._agreed.max_send])
        return [Send(self._out.reply(NopIn(lun=request.lun, tag=request.tag), echo))]

    def _say(self, request: TextRequest, data: Buffer) -> list[Event]:
        try:
            response, answer = self._text.receive(request, data, self._out.next_transfer_tag())
        except Malformed:
            return [self._reject(RejectReason.PROTOCOL_ERROR)]
        events: list[Event] = [Send(self._out.reply(response, answer))]
        if self._text.max_send != self._agreed.max_send:
            self._agreed = replace(self._agreed, max_send=self._text.max_send)
            self.tasks.renegotiate(self._agreed)
        return events

    def _log_out(self, request: LogoutRequest, data: Buffer) -> list[Event]:
        elsewhere = request.connection != self._peer.connection
        if not request.reason.known:
            return [self._reject(RejectReason.INVALID_FIELD)]
        if request.reason is LogoutReason.REMOVE_FOR_RECOVERY:
            return [self._leave(request, LogoutResponse.RECOVERY_NOT_SUPPORTED)]
        if request.reason is LogoutReason.CLOSE_CONNECTION and elsewhere:
            return [self._leave(request, LogoutResponse.CID_NOT_FOUND)]
        return [self._leave(request, LogoutResponse.CLOSED), Closed("the initiator logged out")]

    def _leave(self, request: LogoutRequest, response: LogoutResponse) -> Send:
        agreed = self._agreed
        header = LogoutReply(
            response=response,
            tag=request.tag,
            time_to_wait=agreed.time_to_wait,
            time_to_retain=agreed.time_to_retain,
        )
        return Send(self._out.reply(header))

    # --- task management -------------------------------------------------------------------------------------

    def _manage(self, request: ManageRequest, data: Buffer) -> list[Event]:
        function, tasks = request.function, self.tasks
        if tasks.knows(request.tag) or request.tag in self._managing:
            return [self._reject(RejectReason.TASK_IN_PROGRESS)]
        if len(self._managing) >= MOST_MANAGING:
            return [self._reject(RejectReason.IMMEDIATE_COMMAND)]
        unit = lun.decode(int.from_bytes(request.lun, "big"))
        if function in REFUSED or not function.known:
            return [self._managed(request.tag, REFUSED.get(function, ManageResponse.NOT_SUPPORTED))]
        if function is ManageFunction.ABORT_TASK:
            return self._abort_task(request)
        if function in OF_A_UNIT and unit is None:
            return [self._managed(request.tag, ManageResponse.LUN_DOES_NOT_EXIST)]
        return self._abort(request, tasks.tags(unit, every=function in OF_THE_TARGET))

    def _abort_task(self, request: ManageRequest) -> list[Event]:
        if self.tasks.knows(request.referenced_tag):
            return self._abort(request, [request.referenced_tag])
        ahead = (request.referenced_number - self._out.expected) & MASK
        before_us = ahead < (request.command_number - self._out.expected) & MASK
        if before_us and self.tasks.skip(request.referenced_number):
            return [self._managed(request.tag, ManageResponse.COMPLETE), *self.tasks.in_turn()]
        return [self._managed(request.tag, ManageResponse.TASK_DOES_NOT_EXIST)]

    def _abort(self, request: ManageRequest, tags: list[int]) -> list[Event]:
        running, events = self.tasks.abort(tags)
        if not running and request.function not in RESETS:
            return [self._managed(request.tag, ManageResponse.COMPLETE), *events]
        self._managing[request.tag] = request.function
        unit = lun.decode(int.from_bytes(request.lun, "big"))
        return [Manage(request.tag, request.function, unit, running), *events]

    def _managed(self, tag: int, response: ManageResponse) -> Send:
        return Send(self._out.reply(ManageReply(response=response, tag=tag)))

    def managed(self, tag: int, response: ManageResponse) -> list[Buffer]:
        """The response to a function that was given out."""
        del self._managing[tag]
        return self._managed(tag, response).parts

    # --- time, and parting -----------------------------------------------------------------------------------

    def wake(self, now: float) -> list[Event]:
        """Ask a silent peer whether it lives; give up on one that is dead, or that leaves a gap in its commands."""
        config = self._config
        if not self.tasks.gap:
            self._gap_since = now
        elif now - self._gap_since > config.ping_within:
            return [Closed("a command that later ones wait for never came")]
        if self._heard:
            self._heard, self._quiet_since, self._pinged = False, now, None
        elif self._pinged is not None:
            return [Closed("the peer did not answer a ping")] if now - self._pinged > config.ping_within else []
        elif config.ping_after and now - self._quiet_since > config.ping_after:
            self._pinged = now
            return [Send(self._out.notice(NopIn(transfer_tag=self._out.next_transfer_tag())))]
        return []

    def ask_logout(self, within: int) -> list[Buffer]:
        """Asynchronous Message, event 1."""
        return self._out.reply(AsyncMessage(event=AsyncEvent.LOGOUT_REQUESTED, parameter3=within))

    def announce_drop(self) -> list[Buffer]:
        """Asynchronous Message, event 2."""
        header = AsyncMessage(
            event=AsyncEvent.CONNECTION_DROPPED,
            parameter1=self._peer.connection,
            parameter2=self._agreed.time_to_wait,
            parameter3=self._agreed.time_to_retain,
        )
        return self._out.reply(header)

    _ACTS: Final[Mapping[Opcode, "Act"]] = {
        Opcode.NOP_OUT: _nop,
        Opcode.TEXT: _say,
        Opcode.LOGOUT: _log_out,
        Opcode.TASK_MANAGEMENT: _manage,
    }


Act = Callable[[FullFeature, Any, Buffer], list[Event]]
