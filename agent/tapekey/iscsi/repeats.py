"""Commands that repeat the one before them in all but their numbers, and what answers them when all goes well.

The session looks once at a command of the plainest kind: all of its data with it, or one Data-In of the expected length
as its answer. What comes next is compared with it byte by byte, and whatever differs goes through `TargetSession.took`.
"""

from struct import Struct
from typing import Final

from tapekey.iscsi.codes import NO_TAG
from tapekey.iscsi.outgoing import MASK, Outgoing

# what is alike, task tag, expected length, CmdSN, ExpStatSN, CDB
_LIKE: Final = Struct(">16sI4sI4x16s")
# task tag, transfer tag, StatSN, ExpCmdSN, MaxCmdSN
_NUMBERS: Final = Struct(">5I")
_AT: Final = 16


class Repeats:
    """The comparison, and the answer.

    header    where a header has been received
    reply     the header that answers it, once it has its numbers; data that go out follow it
    size      bytes of data of each command
    incoming  whether they come with the command
    """

    __slots__ = ("_cdb", "_expected", "_first", "_out", "_tag", "_transfer", "header", "incoming", "reply", "size")

    def __init__(self, out: Outgoing, header: memoryview, answer: bytes, size: int, *, incoming: bool) -> None:
        self._out, self.header, self.size, self.incoming = out, header, size, incoming
        self._first, self._tag, self._expected, _, self._cdb = _LIKE.unpack_from(header)
        self.reply = memoryview(bytearray(answer))
        self._transfer = _NUMBERS.unpack_from(answer, _AT)[1]

    def came(self) -> bool:
        """Whether `header` is the next such command; its data, if it has any, are the next that come."""
        out = self._out
        first, tag, expected, number, cdb = _LIKE.unpack_from(self.header)
        self._tag = tag
        like: bool = first == self._first and cdb == self._cdb and expected == self._expected
        # the next in order may lie beyond the window
        return like and number == out.expected and out.last + 1 & MASK != number and tag != NO_TAG

    def number(self) -> None:
        """Make `reply` the answer to it, which is on its way from now on."""
        out = self._out
        number = out.expected = out.expected + 1 & MASK
        last = out.last = out.last + 1 & MASK
        _NUMBERS.pack_into(self.reply, _AT, self._tag, self._transfer, out.stat, number, last)
        out.stat = out.stat + 1 & MASK
