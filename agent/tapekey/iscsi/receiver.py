"""Cuts a stream into PDUs without copying: says where the next bytes go, and when a PDU is whole.

Where the data of a PDU goes is for its owner to say when the header has arrived; what it does not want is read into
scratch and dropped. Lengths are compared with what was declared before anything is made of them.
"""

from collections.abc import Callable
from enum import Enum, auto
from typing import Final

from tapekey.iscsi import digest
from tapekey.iscsi.pdu import HEADER, LONGEST_ADDITIONAL

SCRATCH: Final = memoryview(bytearray(64 * 1024))  # written by everybody, read by nobody
_ZEROES: Final = bytes(len(SCRATCH))
NOTHING: Final = memoryview(bytearray(0))


class Arrival(Enum):
    """What the bytes just taken completed."""

    PART = auto()
    WHOLE = auto()
    HEADER_BROKEN = auto()  # its digest is wrong: nothing in it can be believed
    DATA_BROKEN = auto()
    TOO_LONG = auto()


class Receiver:
    """One direction of a connection.

    place     gives room for the data of the PDU whose header has arrived: at least `length` bytes with padding and
              digest, or None to have them dropped
    longest   MaxRecvDataSegmentLength
    """

    def __init__(self, place: Callable[[int, int], memoryview | None], longest: int) -> None:
        self._place = place
        self._buffer = memoryview(bytearray(HEADER + LONGEST_ADDITIONAL + digest.SIZE))
        self.basic = self._first = self._buffer[:HEADER]  # the basic header segment
        self._data = NOTHING
        self._left = 0  # bytes still to be dropped
        self._step = self._header_came
        self.wants = self._first
        self.longest = longest
        self.header_digest = False
        self.data_digest = False
        self.additional = 0  # bytes of additional header segments
        self.length = 0  # bytes of data

    @property
    def header(self) -> memoryview:
        """Basic header segment and additional ones."""
        return self._buffer[: HEADER + self.additional]

    @property
    def data(self) -> memoryview:
        """The data of a whole PDU, without padding; empty if it was dropped."""
        return self._data[: self.length]

    def took(self, count: int) -> Arrival:
        """Say that the first `count` bytes of `wants` have been filled."""
        wants = self.wants
        if count < len(wants):
            self.wants = wants[count:]
            return Arrival.PART
        return self._step()

    def _await(self, wants: memoryview, step: Callable[[], Arrival]) -> Arrival:
        self.wants = wants
        self._step = step
        return Arrival.PART

    def _done(self, arrival: Arrival = Arrival.WHOLE) -> Arrival:
        self.wants = self._first
        self._step = self._header_came
        return arrival

    def _header_came(self) -> Arrival:
        word = int.from_bytes(self._first[4:8], "big")
        self.length = word & 0xFFFFFF
        self.additional = rest = word >> 24 << 2
        if self.header_digest:
            rest += digest.SIZE
        if rest:
            return self._await(self._buffer[HEADER : HEADER + rest], self._rest_came)
        return self._headed() if self.length else self._bare()

    def _rest_came(self) -> Arrival:
        end = HEADER + self.additional
        if self.header_digest and digest.crc(self._buffer[:end]) != self._buffer[end : end + digest.SIZE]:
            return self._done(Arrival.HEADER_BROKEN)
        return self._headed() if self.length else self._bare()

    def _bare(self) -> Arrival:
        self._data = NOTHING
        self.wants = self._first
        self._step = self._header_came
        return Arrival.WHOLE

    def _headed(self) -> Arrival:
        length = self.length
        if length > self.longest:
            return self._done(Arrival.TOO_LONG)
        whole = length + (-length & 3) + (digest.SIZE if self.data_digest else 0)
        room = self._place(length, whole)
        if room is None:
            self._data = NOTHING
            self._left = whole
            return self._drop()
        self._data = room
        self.wants = room[:whole]
        self._step = self._data_came
        return Arrival.PART

    def _data_came(self) -> Arrival:
        self.wants = self._first
        self._step = self._header_came
        if self.data_digest:
            end = self.length + (-self.length & 3)
            if digest.crc(self._data[:end]) != self._data[end : end + digest.SIZE]:
                return Arrival.DATA_BROKEN
        return Arrival.WHOLE

    def _drop(self) -> Arrival:
        if not self._left:
            SCRATCH[:] = _ZEROES  # what was dropped may have been a key
            return self._done()
        piece = min(self._left, len(SCRATCH))
        self._left -= piece
        return self._await(SCRATCH[:piece], self._drop)
