"""The target's end of one connection, which is one session: MaxConnections is 1.

The session opens nothing. Its owner moves bytes and runs commands, without an `if` about the protocol:

    session = TargetSession(config, portal="127.0.0.1:3260", tsih=7, now=monotonic())
    while not closed:
        count = sock.recv_into(session.wants())    # MSG_WAITALL is fine: never more than is needed is asked for
        for event in session.took(count) if count else session.lost():
            match event:
                case Send(parts):
                    send_all(sock, parts)
                case Execute(tag, lun, cdb, out, room, into):    # here, or in a thread of the unit's
                    answer = rack.serve(nexus, lun, Command(cdb, out, room, into=into))
                    send_all(sock, session.answer(tag, answer.status, answer.data, answer.sense))
                case Manage(tag):      # reset units if need be, let `running` finish, then
                    send_all(sock, session.managed(tag, ManageResponse.COMPLETE))
                case LoggedIn():       # first end the session it `replaces`, if that is not 0; remember `nexus`
                    nexus = event.nexus
                case Closed():
                    closed = True
        # and about once a second: the same with session.wake(monotonic())

Three rules. Calls do not overlap: one lock around `took`, `answer`, `managed`, `wake` and `lost` *and* the sending of
what each returned; reading into `wants()` needs no lock. Commands of one unit are run in the order in which they were
given out; those of different units may run at once, and be answered in any order. What `answer` was given may lie in
`into`, and stays as it is until it has been sent. After TARGET COLD RESET the owner closes every connection (11.5.1).
"""

import secrets
from collections.abc import Callable

from tapekey.exchange import Buffer
from tapekey.iscsi import pdu
from tapekey.iscsi.codes import LoginStatus, ManageResponse, Opcode
from tapekey.iscsi.config import Config
from tapekey.iscsi.events import Closed, Event, LoggedIn, Send
from tapekey.iscsi.full_feature import FullFeature
from tapekey.iscsi.login import SEGMENT, Login, Phase, Refused
from tapekey.iscsi.outgoing import Outgoing
from tapekey.iscsi.receiver import NOTHING, Arrival, Receiver
from tapekey.iscsi.repeats import Repeats
from tapekey.iscsi.request import LoginRequest
from tapekey.wire.layout import decode


class TargetSession:
    """One connection, from its first byte to its last.

    portal      the address it was asked on, `host:port` ([v6]:port), which discovery gives back as TargetAddress
    tsih        the session handle it gets if it becomes a session: not 0, unlike that of any living session
    now         the time at which the connection came, in the clock of `wake`
    sessions    the handle of the living session of an initiator name and ISID, 0 if there is none; None if there is no
                room for one either
    randomness  source of challenges
    """

    def __init__(
        self,
        config: Config,
        *,
        portal: str,
        tsih: int,
        now: float,
        sessions: Callable[[str, bytes], int | None] = lambda initiator, isid: 0,
        randomness: Callable[[int], bytes] = secrets.token_bytes,
    ) -> None:
        self._config = config
        self._portal = portal
        self._tsih = tsih
        self._began = now
        self._out = Outgoing()
        self._receiver = Receiver(self._place, SEGMENT)
        self._login = Login(config, tsih, sessions, randomness)
        self._login_data: bytearray | None = None
        self._full: FullFeature | None = None
        self._closed = False

    @property
    def logged_in(self) -> bool:
        """Whether full feature phase has been reached."""
        return self._full is not None

    def wants(self) -> memoryview:
        """Where the next bytes from the peer go, never empty until the session is closed."""
        return self._receiver.wants

    def took(self, count: int) -> list[Event]:
        """Say that the first `count` bytes of `wants()` have been filled."""
        if self._closed:
            return []
        arrival = self._receiver.took(count)
        if arrival is Arrival.PART:
            return []
        events = self._in_login(arrival) if self._full is None else self._full.came(arrival)
        return self._noted(events)

    def answer(
        self, tag: int, status: int, data: Buffer = b"", sense: bytes = b"", taken: int | None = None
    ) -> list[Buffer]:
        """What to send when a command has been run; nothing if it was aborted meanwhile.

        data   all that the CDB asks for: what exceeds `data_in_max` is cut off and counted as overflow
        taken  bytes of data-out that the CDB asks for, if they are not as many as the initiator announced
        """
        if self._closed or self._full is None:
            return []
        return self._full.tasks.answer(tag, status, data, sense, taken)

    def repeats(self) -> Repeats | None:
        """A shorter way for commands like the one just answered, or None.

        Its owner may use it instead of `wants`, `took` and `answer` until something else comes, which `took` then gets.
        """
        return None if self._closed or self._full is None else self._full.repeats()

    def managed(self, tag: int, response: ManageResponse) -> list[Buffer]:
        """What to send when a task management function has been carried out."""
        if self._closed or self._full is None:
            return []
        return self._full.managed(tag, response)

    def wake(self, now: float) -> list[Event]:
        """Deadlines and pings; call it about once a second."""
        if self._closed:
            return []
        if self._full is not None:
            return self._noted(self._full.wake(now))
        late = now - self._began > self._config.login_within
        return self._noted([Closed("the login took too long")]) if late else []

    def lost(self) -> list[Event]:
        """The peer has gone: nothing will be sent or received any more."""
        return [] if self._closed else self._noted([Closed("the peer closed the connection")])

    def ask_logout(self, within: int) -> list[Buffer]:
        """Ask the initiator to log out within so many seconds (Asynchronous Message, event 1)."""
        return [] if self._closed or self._full is None else self._full.ask_logout(within)

    def announce_drop(self) -> list[Buffer]:
        """Tell the initiator that the connection is about to be dropped (event 2)."""
        return [] if self._closed or self._full is None else self._full.announce_drop()

    def _noted(self, events: list[Event]) -> list[Event]:
        if events and type(events[-1]) is Closed:
            self._closed = True
            self._receiver.wants = NOTHING
        return events

    # --- login -----------------------------------------------------------------------------------------------

    def _place(self, length: int, whole: int) -> memoryview | None:
        if self._full is not None:
            return self._full.place(length, whole)
        if self._login_data is None:
            self._login_data = bytearray(SEGMENT + pdu.HEADER)
        return memoryview(self._login_data)

    def _in_login(self, arrival: Arrival) -> list[Event]:
        receiver, login = self._receiver, self._login
        if arrival is not Arrival.WHOLE or (pdu.opcode_of(receiver.basic) is not Opcode.LOGIN and login.silent):
            return [Closed("what came first was no login request")]
        request = decode(LoginRequest, receiver.basic)
        if login.silent:
            self._out.open_window(request.command_number, self._config.commands)
        try:
            if request.opcode is not Opcode.LOGIN:
                raise Refused(LoginStatus.INVALID_DURING_LOGIN, "another request during the login")
            response, data = login.receive(request, receiver.data)
        except Refused as refused:
            return [Send(self._out.reply(login.refuse(request, refused.status))), Closed(str(refused))]
        sent = Send(self._out.reply(response, data))
        return [sent] if login.phase is not Phase.FULL_FEATURE else [self._enter(request), sent]

    def _enter(self, request: LoginRequest) -> LoggedIn:
        """Full feature phase begins: what was agreed holds from the next byte on."""
        agreed, peer = self._login.agreed, self._login.peer
        assert peer is not None
        self._login_data = None
        self._full = FullFeature(self._config, self._portal, peer, self._receiver, self._out, agreed)
        return LoggedIn(peer.initiator, peer.isid, self._tsih, peer.discovery, peer.replaces)
