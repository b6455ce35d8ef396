"""The four headers of the data path, packed: what `request` and `response` say in rows, at a twentieth of the time.

Tests hold the two to the same bytes. Bytes 4 to 7 are one number here: TotalAHSLength, then DataSegmentLength.
"""

from struct import Struct
from typing import Final

# opcode, flags, lengths, LUN, task tag, expected length, CmdSN, CDB
COMMAND: Final = Struct(">BBxxIQIII4x16s")

# flags, lengths, task tag, transfer tag, DataSN, offset
DATA_OUT: Final = Struct(">xBxxI8xII12xII4x")

# opcode, flags, status, lengths, task tag, transfer tag, StatSN, ExpCmdSN, MaxCmdSN, DataSN, offset, residual
DATA_IN: Final = Struct(">BBxBI8xIIIIIIII")

# opcode, flags, response, status, lengths, task tag, StatSN, ExpCmdSN, MaxCmdSN, ExpDataSN, read residual, residual
RESPONSE: Final = Struct(">BBBBI8xI4xIIIIII")
