"""Sequence numbers of a target's connection, and PDUs that carry them (RFC 7143, 4.2.2)."""

from dataclasses import replace
from typing import Any, Final

from tapekey.exchange import Buffer
from tapekey.iscsi import pdu

MASK: Final = 0xFFFFFFFF


class Outgoing:
    """What the target counts, and how it says it.

    stat      StatSN of the next response
    expected  ExpCmdSN: the next command in order
    last      MaxCmdSN: the last command that may be sent; it only ever grows (4.2.2.1)
    """

    __slots__ = ("digests", "expected", "last", "stat", "transfer_tag")

    def __init__(self) -> None:
        self.stat = 0
        self.expected = 0
        self.last = MASK
        self.transfer_tag = 0
        self.digests = (False, False)

    def open_window(self, first: int, commands: int) -> None:
        """Begin with the CmdSN of the login."""
        self.expected = first
        self.last = (first + commands - 1) & MASK

    def admits(self, number: int) -> bool:
        """Whether a CmdSN lies in the window (4.2.2.1)."""
        return (number - self.expected) & MASK < (self.last + 1 - self.expected) & MASK

    def reply(self, header: Any, data: Buffer = b"") -> list[Buffer]:
        """A PDU that carries a status: it takes a StatSN."""
        parts = self.notice(header, data)
        self.stat = (self.stat + 1) & MASK
        return parts

    def notice(self, header: Any, data: Buffer = b"") -> list[Buffer]:
        """A PDU that carries none: it names the next StatSN."""
        numbered = replace(header, status_number=self.stat, expected_command=self.expected, max_command=self.last)
        return pdu.parts(numbered, data, digests=self.digests)

    def next_transfer_tag(self) -> int:
        """A Target Transfer Tag unlike the last ones, and never the reserved one."""
        self.transfer_tag = (self.transfer_tag + 1) & 0x7FFFFFFF
        return self.transfer_tag
