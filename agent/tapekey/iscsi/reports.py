"""What an initiator's session tells its owner, beside `Send` and `Closed` of `events`."""

from dataclasses import dataclass

from tapekey.exchange import Buffer
from tapekey.iscsi.codes import AsyncEvent, LogoutResponse, ManageResponse, RejectReason
from tapekey.iscsi.events import Closed, Send
from tapekey.iscsi.negotiation import Agreed
from tapekey.iscsi.text import Pair


@dataclass(frozen=True, slots=True)
class Ready:
    """The login is done."""

    tsih: int
    agreed: Agreed


@dataclass(frozen=True, slots=True)
class Finished:
    """A command was answered. `overflow` and `underflow` are the residuals of its one direction; the other is 0."""

    tag: int
    status: int
    data: Buffer
    sense: bytes
    overflow: int
    underflow: int
    response: int


@dataclass(frozen=True, slots=True)
class Managed:
    """A task management function was answered."""

    tag: int
    response: ManageResponse


@dataclass(frozen=True, slots=True)
class Pong:
    """A ping was answered."""

    tag: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Said:
    """A text request was answered in full."""

    tag: int
    pairs: tuple[Pair, ...]


@dataclass(frozen=True, slots=True)
class LoggedOut:
    """A logout was answered."""

    tag: int
    response: LogoutResponse


@dataclass(frozen=True, slots=True)
class Rejected:
    """The target refused a PDU; `header` is what it refused."""

    reason: RejectReason
    header: bytes


@dataclass(frozen=True, slots=True)
class Notified:
    """The target sent an asynchronous message."""

    event: AsyncEvent
    parameters: tuple[int, int, int]


Report = Send | Ready | Finished | Managed | Pong | Said | LoggedOut | Rejected | Notified | Closed
