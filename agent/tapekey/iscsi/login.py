"""The target's side of a login: requests in, responses out (RFC 7143, 6.3). The stages are a table.

A login ends in full feature phase, or with a status that says why not; then the connection is closed. What the peer
says before it has proven who it is is bounded: text by `LONGEST_TEXT`, requests by `MOST_REQUESTS`.
"""

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import Enum
from typing import Final

from tapekey.errors import Malformed, TapekeyError
from tapekey.exchange import Buffer
from tapekey.iscsi import keys, negotiation, text
from tapekey.iscsi.authentication import Authentication, Randomness, Step
from tapekey.iscsi.codes import LoginStatus, Stage
from tapekey.iscsi.config import Config
from tapekey.iscsi.keys import Sender, Use
from tapekey.iscsi.negotiation import Agreed
from tapekey.iscsi.request import LoginRequest
from tapekey.iscsi.response import LoginResponse
from tapekey.iscsi.text import Pair

MOST_REQUESTS: Final = 64
LONGEST_TEXT: Final = 16 * 1024  # of one step of the negotiation, over all its requests
SEGMENT: Final = 8192  # of every login PDU, whatever is declared in it (13.12)
PORTAL_GROUP: Final = 1


class Phase(Enum):
    """Where a login stands."""

    START = "start"
    SECURITY = "security negotiation"
    OPERATIONAL = "operational negotiation"
    FULL_FEATURE = "full feature phase"


S, O, F = Stage.SECURITY, Stage.OPERATIONAL, Stage.FULL_FEATURE  # noqa: E741

# What a request asks for: its current stage and, if it asks to leave that (T bit), the next (11.12.3).
# fmt: off
NEXT: Final[Mapping[tuple[Phase, tuple[Stage, Stage | None]], Phase]] = {
    (Phase.START,       (S, None)): Phase.SECURITY,
    (Phase.START,       (S, O)):    Phase.OPERATIONAL,
    (Phase.START,       (S, F)):    Phase.FULL_FEATURE,
    (Phase.START,       (O, None)): Phase.OPERATIONAL,
    (Phase.START,       (O, F)):    Phase.FULL_FEATURE,
    (Phase.SECURITY,    (S, None)): Phase.SECURITY,
    (Phase.SECURITY,    (S, O)):    Phase.OPERATIONAL,
    (Phase.SECURITY,    (S, F)):    Phase.FULL_FEATURE,
    (Phase.OPERATIONAL, (O, None)): Phase.OPERATIONAL,
    (Phase.OPERATIONAL, (O, F)):    Phase.FULL_FEATURE,
}
# fmt: on
AT: Final[Mapping[Stage, Phase]] = {S: Phase.SECURITY, O: Phase.OPERATIONAL}


@dataclass(frozen=True, slots=True)
class Peer:
    """Who logged in, and to what."""

    initiator: str
    isid: bytes
    discovery: bool
    connection: int
    replaces: int


class Refused(TapekeyError):
    """The login ends with a status other than success."""

    def __init__(self, status: LoginStatus, why: str) -> None:
        super().__init__("the login is refused", why=why)
        self.status = status


class Login:
    """One login. `receive` until `phase` is full feature, or it raises `Refused`; then `peer` and `agreed` hold."""

    def __init__(
        self,
        config: Config,
        tsih: int,
        sessions: Callable[[str, bytes], int | None],
        randomness: Randomness = secrets.token_bytes,
    ) -> None:
        self._config = config
        self._tsih = tsih
        self._sessions = sessions
        self._authentication = None if config.chap is None else Authentication(config.chap, randomness)
        self._ours = negotiation.ours(config.offer)
        self._first: LoginRequest | None = None
        self._requests = 0
        self._text = b""
        self._waiting = b""  # of our answer, what did not fit one response
        self._seen: set[str] = set()
        self._results: dict[str, str] = {}
        self._declared = False
        self._max_send = SEGMENT
        self.phase = Phase.START
        self.peer: Peer | None = None

    @property
    def agreed(self) -> Agreed:
        """What was negotiated."""
        max_recv = self._config.offer.max_recv_segment if self._declared else SEGMENT
        return negotiation.agreed(self._results, max_recv, self._max_send)

    @property
    def silent(self) -> bool:
        """Whether nothing has been received yet."""
        return self._first is None

    def receive(self, request: LoginRequest, data: Buffer) -> tuple[LoginResponse, bytes]:
        """The response to a request, without its sequence numbers, and its text."""
        following = self._admit(request)
        if request.more:
            self._collect(data)
            return self._respond(request, Stage.SECURITY, transit=False), b""
        if self._waiting:
            if len(data):
                raise Refused(LoginStatus.INITIATOR_ERROR, "text in the middle of an answer")
        else:
            self._collect(data)
            self._waiting = text.image(self._negotiate(request))
        piece, self._waiting = self._waiting[:SEGMENT], self._waiting[SEGMENT:]
        if not request.transit or self._waiting or not self._may_leave(request.current):
            self.phase = AT[request.current]
            return replace(self._respond(request, S, transit=False), more=bool(self._waiting)), piece
        self.phase = following
        return self._respond(request, request.next, transit=True), piece

    def refuse(self, request: LoginRequest, status: LoginStatus) -> LoginResponse:
        """The response that ends a login."""
        return replace(self._respond(request, S, transit=False), status=status)

    def _respond(self, request: LoginRequest, following: Stage, *, transit: bool) -> LoginResponse:
        return LoginResponse(
            transit=transit,
            current=request.current,
            next=following,
            isid=request.isid,
            tsih=self._tsih if self.phase is Phase.FULL_FEATURE else request.tsih,
            tag=request.tag,
        )

    def _admit(self, request: LoginRequest) -> Phase:
        self._requests += 1
        following = NEXT.get((self.phase, (request.current, request.next if request.transit else None)))
        if request.version_min > 0:
            raise Refused(LoginStatus.UNSUPPORTED_VERSION, f"version {request.version_min} or later is asked for")
        if following is None or (request.transit and request.more):
            raise Refused(LoginStatus.INITIATOR_ERROR, f"no such step from {self.phase.value}")
        if self._requests > MOST_REQUESTS:
            raise Refused(LoginStatus.INITIATOR_ERROR, "the login does not end")
        self._first = first = self._first or request
        if (request.isid, request.tsih, request.connection) != (first.isid, first.tsih, first.connection):
            raise Refused(LoginStatus.INITIATOR_ERROR, "the login changed its name under way")
        return following

    def _collect(self, data: Buffer) -> None:
        if len(self._text) + len(data) > LONGEST_TEXT:
            raise Refused(LoginStatus.INITIATOR_ERROR, "too much text")
        self._text += bytes(data)

    def _negotiate(self, request: LoginRequest) -> list[Pair]:
        found, self._text = self._pairs(), b""
        answers = [] if self.peer else self._identify(request, dict(found))
        if request.current is Stage.SECURITY:
            return answers + self._secure(request, found)
        if not self._proven():
            raise Refused(LoginStatus.AUTHENTICATION_FAILURE, "the peer did not authenticate itself")
        return answers + self._operate(found)

    def _pairs(self) -> list[Pair]:
        try:
            found = text.pairs(self._text)
        except Malformed as error:
            raise Refused(LoginStatus.INITIATOR_ERROR, str(error)) from error
        names = [name for name, _ in found]
        if len(set(names)) != len(names) or self._seen.intersection(names):
            raise Refused(LoginStatus.INITIATOR_ERROR, "a key is sent twice")
        self._seen.update(names)
        return found

    def _identify(self, request: LoginRequest, found: Mapping[str, str]) -> list[Pair]:
        kind, initiator, target = (
            found.get("SessionType", "Normal"),
            found.get("InitiatorName"),
            found.get("TargetName"),
        )
        if not initiator or (kind == "Normal" and not target):
            raise Refused(LoginStatus.MISSING_PARAMETER, "InitiatorName, or TargetName of a normal session")
        if kind not in ("Normal", "Discovery"):
            raise Refused(LoginStatus.SESSION_TYPE_NOT_SUPPORTED, "neither a normal nor a discovery session")
        if len(initiator.encode()) > keys.KEYS["InitiatorName"].high:
            raise Refused(LoginStatus.INITIATOR_ERROR, "the initiator's name is too long")
        if target is not None and target != self._config.name:
            raise Refused(LoginStatus.NOT_FOUND, "there is no such target here")
        living = self._sessions(initiator, request.isid) if kind == "Normal" else 0
        if living is None:
            raise Refused(LoginStatus.OUT_OF_RESOURCES, "there is no room for another session")
        if request.tsih:
            known = request.tsih == living
            raise Refused(
                LoginStatus.TOO_MANY_CONNECTIONS if known else LoginStatus.SESSION_DOES_NOT_EXIST,
                "a session has one connection" if known else "there is no such session",
            )
        self.peer = Peer(initiator, request.isid, kind == "Discovery", request.connection, living)
        if kind == "Discovery":
            return []
        alias = [("TargetAlias", self._config.alias)] if self._config.alias else []
        return [*alias, ("TargetPortalGroupTag", str(PORTAL_GROUP))]

    def _secure(self, request: LoginRequest, found: list[Pair]) -> list[Pair]:
        proof = {name: value for name, value in found if name == "AuthMethod" or name in keys.CHAP}
        others = [pair for pair in found if pair[0] not in proof]
        answers = self._authenticate(proof, leaving=request.transit)
        return answers + [reply for pair in others for reply in self._reply(pair, Use.SECURITY)]

    def _authenticate(self, proof: Mapping[str, str], *, leaving: bool) -> list[Pair]:
        if self._authentication is None:
            if not proof:
                return []
            if "None" not in proof.get("AuthMethod", "").split(","):
                raise Refused(LoginStatus.AUTHENTICATION_FAILURE, "the peer insists on a method that is not set up")
            return [("AuthMethod", "None")]
        try:
            answers = self._authentication.receive(proof)
        except Malformed as error:
            raise Refused(LoginStatus.AUTHENTICATION_FAILURE, str(error)) from error
        if leaving and self._authentication.step is Step.UNASKED:
            raise Refused(LoginStatus.AUTHENTICATION_FAILURE, "the peer did not authenticate itself")
        return answers

    def _operate(self, found: list[Pair]) -> list[Pair]:
        if any(name == "AuthMethod" or name in keys.CHAP for name, _ in found):
            raise Refused(LoginStatus.INITIATOR_ERROR, "authentication after its stage")
        # the first burst is part of a burst, so it comes after it (13.14)
        ordered = sorted(found, key=lambda pair: pair[0] == "FirstBurstLength")
        answers = [reply for pair in ordered for reply in self._reply(pair, Use.OPERATIONAL)]
        if not self._declared:
            self._declared = True
            answers.append(("MaxRecvDataSegmentLength", self._ours["MaxRecvDataSegmentLength"]))
        return answers

    def _reply(self, pair: Pair, stage: Use) -> list[Pair]:
        name, offered = pair
        key = keys.KEYS.get(name)
        if key is not None and stage not in key.use:
            raise Refused(LoginStatus.INITIATOR_ERROR, f"{name} is not for this stage")
        if key is not None and Sender.INITIATOR not in key.sender:
            return [(name, negotiation.REJECT)]
        assert self.peer is not None
        reply = negotiation.answer(name, offered, self._bounded(), discovery=self.peer.discovery)
        if reply is None:
            if name == "MaxRecvDataSegmentLength":
                self._max_send = text.number(offered) or SEGMENT
            return []
        if key is not None and reply not in negotiation.RESERVED:
            self._results[name] = reply
        return [(name, reply)]

    def _bounded(self) -> dict[str, str]:
        """Our values, the first burst no longer than the burst that was agreed."""
        burst = self._results.get("MaxBurstLength", keys.KEYS["MaxBurstLength"].default)
        return {**self._ours, "FirstBurstLength": str(min(int(self._ours["FirstBurstLength"]), int(burst)))}

    def _may_leave(self, stage: Stage) -> bool:
        return stage is not Stage.SECURITY or self._proven()

    def _proven(self) -> bool:
        return self._authentication is None or self._authentication.step is Step.PROVEN
