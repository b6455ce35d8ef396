"""A command of a session from its header to its answer, and the sense data of iSCSI itself (RFC 7143, 11.4.7.2)."""

from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

from tapekey.iscsi.codes import NO_TAG
from tapekey.iscsi.events import NO_DATA

CHECK_CONDITION: Final = 0x02
TASK_SET_FULL: Final = 0x28


def _fixed_sense(key: int, asc: int, ascq: int) -> bytes:
    return bytes([0x70, 0, key, 0, 0, 0, 0, 10, 0, 0, 0, 0, asc, ascq, 0, 0, 0, 0])


UNEXPECTED_DATA: Final = _fixed_sense(0xB, 0x0C, 0x0C)
WRONG_AMOUNT: Final = _fixed_sense(0xB, 0x0C, 0x0D)
DIGEST_FAILED: Final = _fixed_sense(0xB, 0x47, 0x05)
TOO_LONG: Final = _fixed_sense(0x5, 0x24, 0x00)


class State(Enum):
    """Where a task stands."""

    COLLECTING = auto()  # data-out is missing, or an earlier command of its unit is
    RUNNING = auto()  # given out
    ABORTED = auto()  # given out, and nobody waits for the answer


@dataclass(slots=True, eq=False)
class Task:
    """What a session knows of a command. Lengths are the initiator's expectations (11.3.4)."""

    tag: int
    lun: int | None
    cdb: bytes
    immediate: bool
    out_length: int
    in_length: int
    got: int
    final: bool  # no unsolicited data follow
    buffer: memoryview = NO_DATA  # of data-out, with room for a tail
    into: memoryview = NO_DATA  # of data-in
    one_way: bool = True
    entered: bool = False  # its turn by CmdSN has come
    state: State = State.COLLECTING
    status: int = 0  # other than GOOD: decided before it could run
    sense: bytes = b""
    transfer_tag: int = NO_TAG  # of the R2T under way
    limit: int = 0  # where the burst under way ends
    data_number: int = 0  # of the next Data-Out
    requests: int = 0  # R2Ts sent

    @property
    def complete(self) -> bool:
        """Whether all its data has come."""
        return self.got == self.out_length
