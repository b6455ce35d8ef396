"""Basic header segments that an initiator sends, one class each (RFC 7143, clause 11)."""

from dataclasses import dataclass

from tapekey.iscsi.codes import NO_TAG, LogoutReason, ManageFunction, Opcode, Stage
from tapekey.wire.layout import bits, octets, uint, wire


@wire(size=48)
@dataclass(frozen=True, slots=True)
class NopOut:
    """NOP-Out (11.18)."""

    # fmt: off
    immediate:      bool   = bits( 0, 6, 6, bool)
    opcode:         Opcode = bits( 0, 5, 0, Opcode, default=Opcode.NOP_OUT)
    final:          bool   = bits( 1, 7, 7, bool, default=1)
    ahs_words:      int    = uint( 4, 1)
    data_length:    int    = uint( 5, 3)
    lun:            bytes  = octets( 8, 8)
    tag:            int    = uint(16, 4)
    transfer_tag:   int    = uint(20, 4, default=NO_TAG)
    command_number: int    = uint(24, 4)
    expected_status: int   = uint(28, 4)
    # fmt: on


@wire(size=48)
@dataclass(frozen=True, slots=True)
class ScsiCommand:
    """SCSI Command (11.3)."""

    # fmt: off
    immediate:      bool   = bits( 0, 6, 6, bool)
    opcode:         Opcode = bits( 0, 5, 0, Opcode, default=Opcode.SCSI_COMMAND)
    final:          bool   = bits( 1, 7, 7, bool, default=1)
    read:           bool   = bits( 1, 6, 6, bool)
    write:          bool   = bits( 1, 5, 5, bool)
    attribute:      int    = bits( 1, 2, 0)
    ahs_words:      int    = uint( 4, 1)
    data_length:    int    = uint( 5, 3)
    lun:            bytes  = octets( 8, 8)
    tag:            int    = uint(16, 4)
    expected_length: int   = uint(20, 4)
    command_number: int    = uint(24, 4)
    expected_status: int   = uint(28, 4)
    cdb:            bytes  = octets(32, 16)
    # fmt: on


@wire(size=48)
@dataclass(frozen=True, slots=True)
class ManageRequest:
    """Task Management Function Request (11.5)."""

    # fmt: off
    immediate:      bool   = bits( 0, 6, 6, bool)
    opcode:         Opcode = bits( 0, 5, 0, Opcode, default=Opcode.TASK_MANAGEMENT)
    final:          bool   = bits( 1, 7, 7, bool, default=1)
    function:       ManageFunction = bits(1, 6, 0, ManageFunction)
    ahs_words:      int    = uint( 4, 1)
    data_length:    int    = uint( 5, 3)
    lun:            bytes  = octets( 8, 8)
    tag:            int    = uint(16, 4)
    referenced_tag: int    = uint(20, 4, default=NO_TAG)
    command_number: int    = uint(24, 4)
    expected_status: int   = uint(28, 4)
    referenced_number: int = uint(32, 4)
    expected_data:  int    = uint(36, 4)
    # fmt: on


@wire(size=48)
@dataclass(frozen=True, slots=True)
class LoginRequest:
    """Login Request (11.12)."""

    # fmt: off
    immediate:      bool   = bits( 0, 6, 6, bool, default=1)
    opcode:         Opcode = bits( 0, 5, 0, Opcode, default=Opcode.LOGIN)
    transit:        bool   = bits( 1, 7, 7, bool)
    more:           bool   = bits( 1, 6, 6, bool)
    current:        Stage  = bits( 1, 3, 2, Stage)
    next:           Stage  = bits( 1, 1, 0, Stage)
    version_max:    int    = uint( 2, 1)
    version_min:    int    = uint( 3, 1)
    ahs_words:      int    = uint( 4, 1)
    data_length:    int    = uint( 5, 3)
    isid:           bytes  = octets( 8, 6)
    tsih:           int    = uint(14, 2)
    tag:            int    = uint(16, 4)
    connection:     int    = uint(20, 2)
    command_number: int    = uint(24, 4)
    expected_status: int   = uint(28, 4)
    # fmt: on


@wire(size=48)
@dataclass(frozen=True, slots=True)
class TextRequest:
    """Text Request (11.10)."""

    # fmt: off
    immediate:      bool   = bits( 0, 6, 6, bool)
    opcode:         Opcode = bits( 0, 5, 0, Opcode, default=Opcode.TEXT)
    final:          bool   = bits( 1, 7, 7, bool, default=1)
    more:           bool   = bits( 1, 6, 6, bool)
    ahs_words:      int    = uint( 4, 1)
    data_length:    int    = uint( 5, 3)
    lun:            bytes  = octets( 8, 8)
    tag:            int    = uint(16, 4)
    transfer_tag:   int    = uint(20, 4, default=NO_TAG)
    command_number: int    = uint(24, 4)
    expected_status: int   = uint(28, 4)
    # fmt: on


@wire(size=48)
@dataclass(frozen=True, slots=True)
class DataOut:
    """SCSI Data-Out (11.7)."""

    # fmt: off
    opcode:         Opcode = bits( 0, 5, 0, Opcode, default=Opcode.DATA_OUT)
    final:          bool   = bits( 1, 7, 7, bool, default=1)
    ahs_words:      int    = uint( 4, 1)
    data_length:    int    = uint( 5, 3)
    lun:            bytes  = octets( 8, 8)
    tag:            int    = uint(16, 4)
    transfer_tag:   int    = uint(20, 4, default=NO_TAG)
    expected_status: int   = uint(28, 4)
    data_number:    int    = uint(36, 4)
    offset:         int    = uint(40, 4)
    # fmt: on


@wire(size=48)
@dataclass(frozen=True, slots=True)
class LogoutRequest:
    """Logout Request (11.14)."""

    # fmt: off
    immediate:      bool   = bits( 0, 6, 6, bool)
    opcode:         Opcode = bits( 0, 5, 0, Opcode, default=Opcode.LOGOUT)
    final:          bool   = bits( 1, 7, 7, bool, default=1)
    reason:         LogoutReason = bits(1, 6, 0, LogoutReason)
    ahs_words:      int    = uint( 4, 1)
    data_length:    int    = uint( 5, 3)
    tag:            int    = uint(16, 4)
    connection:     int    = uint(20, 2)
    command_number: int    = uint(24, 4)
    expected_status: int   = uint(28, 4)
    # fmt: on


@wire(size=48)
@dataclass(frozen=True, slots=True)
class Snack:
    """SNACK Request (11.16): refused at ErrorRecoveryLevel 0."""

    # fmt: off
    opcode:         Opcode = bits( 0, 5, 0, Opcode, default=Opcode.SNACK)
    final:          bool   = bits( 1, 7, 7, bool, default=1)
    kind:           int    = bits( 1, 3, 0)
    ahs_words:      int    = uint( 4, 1)
    data_length:    int    = uint( 5, 3)
    lun:            bytes  = octets( 8, 8)
    tag:            int    = uint(16, 4, default=NO_TAG)
    transfer_tag:   int    = uint(20, 4, default=NO_TAG)
    expected_status: int   = uint(28, 4)
    begin:          int    = uint(40, 4)
    run:            int    = uint(44, 4)
    # fmt: on
