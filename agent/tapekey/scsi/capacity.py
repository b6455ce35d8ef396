"""SET CAPACITY (0Bh), SSC-4 (reference 11.5): how much of the medium is used; it destroys what is recorded."""

from dataclasses import dataclass
from typing import Final

from tapekey.exchange import Command
from tapekey.scsi import media
from tapekey.scsi.codes import Opcode
from tapekey.wire.layout import bits, encode, uint, wire

WHOLE: Final = 0xFFFF


# fmt: off
@wire(size=6)
@dataclass(frozen=True, slots=True)
class SetCapacity:
    """SET CAPACITY (0Bh); `proportion` is a share of 65,535."""

    opcode:     Opcode = uint(0, 1, Opcode, default=Opcode.SET_CAPACITY)
    immediate:  bool   = bits(1, 0, 0, bool)
    proportion: int    = uint(3, 2)
    control:    int    = uint(5, 1)
# fmt: on


def set_capacity(proportion: int = WHOLE) -> Command:
    """Let the volume use that share of its medium."""
    return Command(encode(SetCapacity(proportion=proportion)), timeout=media.FORMAT)
