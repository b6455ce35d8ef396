"""Both roles joined in memory: an initiator, a target, a unit that answers, and every byte that went between them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Protocol

from tapekey.exchange import Buffer
from tapekey.iscsi import pdu, text
from tapekey.iscsi.codes import ManageResponse, Stage
from tapekey.iscsi.config import Config
from tapekey.iscsi.events import Closed, Event, Execute, LoggedIn, Manage, Send
from tapekey.iscsi.initiator import InitiatorSession
from tapekey.iscsi.initiator_login import Account
from tapekey.iscsi.reports import Finished, Report
from tapekey.iscsi.request import LoginRequest
from tapekey.iscsi.target import TargetSession

TARGET = "iqn.2026-11.org.tapekey:library"
INITIATOR = "iqn.2026-11.org.tapekey:host"
PORTAL = "127.0.0.1:3260"
ISID = bytes.fromhex("800000000001")
FIRST = 1  # CmdSN of the login, and so of the first command

Unit = Callable[[Execute], tuple[int, Buffer, bytes]]


class Session(Protocol):
    def wants(self) -> memoryview: ...
    def took(self, count: int) -> Any: ...


def scripted(start: int = 1) -> Callable[[int], bytes]:
    """Randomness that a test can foresee: no two draws alike."""
    numbers = count(start)

    def draw(size: int) -> bytes:
        first = next(numbers) * 7
        return bytes((first + place) % 251 for place in range(size))

    return draw


def joined(parts: list[Buffer]) -> bytes:
    return b"".join(bytes(part) for part in parts)


def feed(session: Session, data: bytes, step: int = 0) -> list[Any]:
    """Give a session bytes as a socket would, at most `step` at a time; what is left when it closes is lost."""
    found: list[Any] = []
    rest = memoryview(data)
    while rest and session.wants():
        wants = session.wants()
        size = min(len(wants), len(rest), step or len(rest))
        wants[:size] = rest[:size]
        rest = rest[size:]
        found += session.took(size)
    return found


def good(command: Execute) -> tuple[int, Buffer, bytes]:
    """A unit that takes everything and has nothing."""
    return 0, b"", b""


@dataclass
class Conversation:
    """What both ends said, in order; `step` cuts the stream."""

    config: Config = field(default_factory=lambda: Config(TARGET))
    account: Account = field(default_factory=lambda: Account(INITIATOR, TARGET, ISID))
    unit: Unit = good
    step: int = 0
    sessions: Callable[[str, bytes], int] = lambda initiator, isid: 0
    events: list[Event] = field(default_factory=list)
    reports: list[Report] = field(default_factory=list)
    to_target: bytes = b""
    to_initiator: bytes = b""

    def __post_init__(self) -> None:
        self.target = TargetSession(
            self.config, portal=PORTAL, tsih=7, now=0.0, sessions=self.sessions, randomness=scripted()
        )
        self.initiator = InitiatorSession(self.account, scripted(100))

    def begin(self) -> "Conversation":
        """Log in."""
        self.say(self.initiator.start())
        return self

    def say(self, parts: list[Buffer]) -> None:
        """Have the initiator send, and let both go on until neither has more to say."""
        forth = joined(parts)
        while forth:
            self.to_target += forth
            back = self._target_acts(feed(self.target, forth, self.step))
            self.to_initiator += back
            forth = self._initiator_acts(feed(self.initiator, back, self.step))

    def command(self, lun: int, cdb: bytes, data_out: Buffer = b"", data_in_max: int = 0) -> Finished:
        """Run a command to its end."""
        tag, parts = self.initiator.command(lun, cdb, data_out=data_out, data_in_max=data_in_max)
        self.say(parts)
        return next(report for report in self.reports if isinstance(report, Finished) and report.tag == tag)

    def _target_acts(self, events: list[Event]) -> bytes:
        back = b""
        for event in events:
            self.events.append(event)
            match event:
                case Send(parts):
                    back += joined(parts)
                case Execute():
                    back += joined(self.target.answer(event.tag, *self.unit(event)))
                case Manage(tag):
                    back += joined(self.target.managed(tag, ManageResponse.COMPLETE))
                case LoggedIn() | Closed():
                    pass
        return back

    def _initiator_acts(self, reports: list[Report]) -> bytes:
        self.reports += reports
        return b"".join(joined(report.parts) for report in reports if isinstance(report, Send))


LOGIN: dict[str, str] = {"InitiatorName": INITIATOR, "TargetName": TARGET}


def login_request(pairs: Mapping[str, str], **fields: Any) -> bytes:
    """One login request as bytes: straight from the operational stage to full feature unless told otherwise."""
    defaults = {
        "transit": True,
        "current": Stage.OPERATIONAL,
        "next": Stage.FULL_FEATURE,
        "isid": ISID,
        "tag": 1,
        "connection": 1,
        "command_number": FIRST,
    }
    return joined(pdu.parts(LoginRequest(**{**defaults, **fields}), text.image(pairs.items())))


def logged_in(config: Config | None = None, **keys: str) -> TargetSession:
    """A target's session in full feature phase, its numbers known: CmdSN is FIRST, StatSN 1."""
    session = TargetSession(config or Config(TARGET), portal=PORTAL, tsih=7, now=0.0, randomness=scripted())
    feed(session, login_request({**LOGIN, **keys}))
    assert session.logged_in
    return session


def pdus(stream: bytes, *, digests: tuple[bool, bool] = (False, False)) -> list[tuple[Any, bytes]]:
    """A target's stream cut into headers and data."""
    found = []
    while stream:
        header = pdu.response_of(stream[:48])
        assert header is not None
        start = 48 + 4 * header.ahs_words + 4 * digests[0]
        end = start + header.data_length
        found.append((header, stream[start:end]))
        stream = stream[end + -header.data_length % 4 + (4 if digests[1] and header.data_length else 0) :]
    return found


def sent(events: list[Event]) -> list[tuple[Any, bytes]]:
    """The PDUs that a target's events send."""
    return pdus(b"".join(joined(event.parts) for event in events if isinstance(event, Send)))
