"""What a session tells its owner. The owner acts on each in the order given, and does nothing else.

`Execute` is a named tuple because it is made for every command: a frozen dataclass of as many fields costs three times
as much to make.
"""

from dataclasses import dataclass
from typing import NamedTuple

from tapekey.exchange import Buffer
from tapekey.iscsi.codes import ManageFunction

NO_DATA = memoryview(b"")


@dataclass(frozen=True, slots=True)
class Send:
    """Bytes for the peer, to go out before anything that a later call returns."""

    parts: list[Buffer]


class Execute(NamedTuple):
    """A command with all its data; it is owed one `answer(tag, …)`.

    tag          names the task until it is answered
    lun          logical unit number; None: an address that no unit can have (REPORT LUNS still works there)
    cdb          6, 10, 12, 16 or, of variable length, up to 260 bytes
    data_out     what the initiator sent; the session's own buffer, yours until you call `answer`
    data_in_max  the most that may go back; an answer with more is cut, and the rest reported as overflow
    into         room for data-in, at most `data_in_max` long and perhaps shorter; yours until you call `answer`
    """

    tag: int
    lun: int | None
    cdb: bytes
    data_out: memoryview
    data_in_max: int
    into: memoryview


@dataclass(frozen=True, slots=True)
class Manage:
    """A task management function that the units must know of; it is owed one `managed(tag, response)`.

    running  tags of the commands it ends that were given out and not answered yet. Let them finish, and call `answer`
             for them as ever (it returns nothing for a command that was aborted), before you call `managed`.
    lun      the unit meant by ABORT TASK SET, CLEAR TASK SET and LOGICAL UNIT RESET
    """

    tag: int
    function: ManageFunction
    lun: int | None
    running: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class LoggedIn:
    """Full feature phase begins. It stands before the `Send` of the last Login Response.

    replaces  the session handle (TSIH) of the session that this one reinstates, 0 if none: end that first
    """

    initiator: str
    isid: bytes
    tsih: int
    discovery: bool
    replaces: int

    @property
    def nexus(self) -> str:
        """The initiator port's name (RFC 7143, 4.4.2), which names the I_T nexus."""
        return f"{self.initiator},i,0x{self.isid.hex()}"


@dataclass(frozen=True, slots=True)
class Closed:
    """Nothing more comes or goes: send what is before it, then close the connection."""

    why: str


Event = Send | Execute | Manage | LoggedIn | Closed
