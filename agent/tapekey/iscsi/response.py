"""Basic header segments that a target sends, one class each (RFC 7143, clause 11)."""

from dataclasses import dataclass

from tapekey.iscsi.codes import (
    NO_TAG,
    AsyncEvent,
    LoginStatus,
    LogoutResponse,
    ManageResponse,
    Opcode,
    RejectReason,
    Response,
    Stage,
)
from tapekey.wire.layout import bits, octets, uint, wire


@wire(size=48)
@dataclass(frozen=True, slots=True)
class NopIn:
    """NOP-In (11.19)."""

    # fmt: off
    opcode:         Opcode = bits( 0, 5, 0, Opcode, default=Opcode.NOP_IN)
    final:          bool   = bits( 1, 7, 7, bool, default=1)
    ahs_words:      int    = uint( 4, 1)
    data_length:    int    = uint( 5, 3)
    lun:            bytes  = octets( 8, 8)
    tag:            int    = uint(16, 4, default=NO_TAG)
    transfer_tag:   int    = uint(20, 4, default=NO_TAG)
    status_number:  int    = uint(24, 4)
    expected_command: int  = uint(28, 4)
    max_command:    int    = uint(32, 4)
    # fmt: on


@wire(size=48)
@dataclass(frozen=True, slots=True)
class ScsiResponse:
    """SCSI Response (11.4)."""

    # fmt: off
    opcode:         Opcode = bits( 0, 5, 0, Opcode, default=Opcode.SCSI_RESPONSE)
    final:          bool   = bits( 1, 7, 7, bool, default=1)
    read_overflow:  bool   = bits( 1, 4, 4, bool)
    read_underflow: bool   = bits( 1, 3, 3, bool)
    overflow:       bool   = bits( 1, 2, 2, bool)
    underflow:      bool   = bits( 1, 1, 1, bool)
    response:       Response = uint(2, 1, Response)
    status:         int    = uint( 3, 1)
    ahs_words:      int    = uint( 4, 1)
    data_length:    int    = uint( 5, 3)
    tag:            int    = uint(16, 4)
    snack_tag:      int    = uint(20, 4)
    status_number:  int    = uint(24, 4)
    expected_command: int  = uint(28, 4)
    max_command:    int    = uint(32, 4)
    expected_data:  int    = uint(36, 4)
    read_residual:  int    = uint(40, 4)
    residual:       int    = uint(44, 4)
    # fmt: on


@wire(size=48)
@dataclass(frozen=True, slots=True)
class ManageReply:
    """Task Management Function Response (11.6)."""

    # fmt: off
    opcode:         Opcode = bits( 0, 5, 0, Opcode, default=Opcode.TASK_MANAGEMENT_RESPONSE)
    final:          bool   = bits( 1, 7, 7, bool, default=1)
    response:       ManageResponse = uint(2, 1, ManageResponse)
    ahs_words:      int    = uint( 4, 1)
    data_length:    int    = uint( 5, 3)
    tag:            int    = uint(16, 4)
    status_number:  int    = uint(24, 4)
    expected_command: int  = uint(28, 4)
    max_command:    int    = uint(32, 4)
    # fmt: on


@wire(size=48)
@dataclass(frozen=True, slots=True)
class LoginResponse:
    """Login Response (11.13)."""

    # fmt: off
    opcode:         Opcode = bits( 0, 5, 0, Opcode, default=Opcode.LOGIN_RESPONSE)
    transit:        bool   = bits( 1, 7, 7, bool)
    more:           bool   = bits( 1, 6, 6, bool)
    current:        Stage  = bits( 1, 3, 2, Stage)
    next:           Stage  = bits( 1, 1, 0, Stage)
    version_max:    int    = uint( 2, 1)
    version_active: int    = uint( 3, 1)
    ahs_words:      int    = uint( 4, 1)
    data_length:    int    = uint( 5, 3)
    isid:           bytes  = octets( 8, 6)
    tsih:           int    = uint(14, 2)
    tag:            int    = uint(16, 4)
    status_number:  int    = uint(24, 4)
    expected_command: int  = uint(28, 4)
    max_command:    int    = uint(32, 4)
    status:         LoginStatus = uint(36, 2, LoginStatus)
    # fmt: on


@wire(size=48)
@dataclass(frozen=True, slots=True)
class TextResponse:
    """Text Response (11.11)."""

    # fmt: off
    opcode:         Opcode = bits( 0, 5, 0, Opcode, default=Opcode.TEXT_RESPONSE)
    final:          bool   = bits( 1, 7, 7, bool, default=1)
    more:           bool   = bits( 1, 6, 6, bool)
    ahs_words:      int    = uint( 4, 1)
    data_length:    int    = uint( 5, 3)
    lun:            bytes  = octets( 8, 8)
    tag:            int    = uint(16, 4)
    transfer_tag:   int    = uint(20, 4, default=NO_TAG)
    status_number:  int    = uint(24, 4)
    expected_command: int  = uint(28, 4)
    max_command:    int    = uint(32, 4)
    # fmt: on


@wire(size=48)
@dataclass(frozen=True, slots=True)
class DataIn:
    """SCSI Data-In (11.7)."""

    # fmt: off
    opcode:         Opcode = bits( 0, 5, 0, Opcode, default=Opcode.DATA_IN)
    final:          bool   = bits( 1, 7, 7, bool)
    acknowledge:    bool   = bits( 1, 6, 6, bool)
    overflow:       bool   = bits( 1, 2, 2, bool)
    underflow:      bool   = bits( 1, 1, 1, bool)
    with_status:    bool   = bits( 1, 0, 0, bool)
    status:         int    = uint( 3, 1)
    ahs_words:      int    = uint( 4, 1)
    data_length:    int    = uint( 5, 3)
    lun:            bytes  = octets( 8, 8)
    tag:            int    = uint(16, 4)
    transfer_tag:   int    = uint(20, 4, default=NO_TAG)
    status_number:  int    = uint(24, 4)
    expected_command: int  = uint(28, 4)
    max_command:    int    = uint(32, 4)
    data_number:    int    = uint(36, 4)
    offset:         int    = uint(40, 4)
    residual:       int    = uint(44, 4)
    # fmt: on


@wire(size=48)
@dataclass(frozen=True, slots=True)
class LogoutReply:
    """Logout Response (11.15)."""

    # fmt: off
    opcode:         Opcode = bits( 0, 5, 0, Opcode, default=Opcode.LOGOUT_RESPONSE)
    final:          bool   = bits( 1, 7, 7, bool, default=1)
    response:       LogoutResponse = uint(2, 1, LogoutResponse)
    ahs_words:      int    = uint( 4, 1)
    data_length:    int    = uint( 5, 3)
    tag:            int    = uint(16, 4)
    status_number:  int    = uint(24, 4)
    expected_command: int  = uint(28, 4)
    max_command:    int    = uint(32, 4)
    time_to_wait:   int    = uint(40, 2)
    time_to_retain: int    = uint(42, 2)
    # fmt: on


@wire(size=48)
@dataclass(frozen=True, slots=True)
class ReadyToTransfer:
    """R2T (11.8)."""

    # fmt: off
    opcode:         Opcode = bits( 0, 5, 0, Opcode, default=Opcode.R2T)
    final:          bool   = bits( 1, 7, 7, bool, default=1)
    ahs_words:      int    = uint( 4, 1)
    data_length:    int    = uint( 5, 3)
    lun:            bytes  = octets( 8, 8)
    tag:            int    = uint(16, 4)
    transfer_tag:   int    = uint(20, 4)
    status_number:  int    = uint(24, 4)
    expected_command: int  = uint(28, 4)
    max_command:    int    = uint(32, 4)
    number:         int    = uint(36, 4)
    offset:         int    = uint(40, 4)
    desired:        int    = uint(44, 4)
    # fmt: on


@wire(size=48)
@dataclass(frozen=True, slots=True)
class AsyncMessage:
    """Asynchronous Message (11.9)."""

    # fmt: off
    opcode:         Opcode = bits( 0, 5, 0, Opcode, default=Opcode.ASYNC)
    final:          bool   = bits( 1, 7, 7, bool, default=1)
    ahs_words:      int    = uint( 4, 1)
    data_length:    int    = uint( 5, 3)
    lun:            bytes  = octets( 8, 8)
    tag:            int    = uint(16, 4, default=NO_TAG)
    status_number:  int    = uint(24, 4)
    expected_command: int  = uint(28, 4)
    max_command:    int    = uint(32, 4)
    event:          AsyncEvent = uint(36, 1, AsyncEvent)
    vendor_code:    int    = uint(37, 1)
    parameter1:     int    = uint(38, 2)
    parameter2:     int    = uint(40, 2)
    parameter3:     int    = uint(42, 2)
    # fmt: on


@wire(size=48)
@dataclass(frozen=True, slots=True)
class Reject:
    """Reject (11.17); the header that was refused follows as data."""

    # fmt: off
    opcode:         Opcode = bits( 0, 5, 0, Opcode, default=Opcode.REJECT)
    final:          bool   = bits( 1, 7, 7, bool, default=1)
    reason:         RejectReason = uint(2, 1, RejectReason)
    ahs_words:      int    = uint( 4, 1)
    data_length:    int    = uint( 5, 3)
    tag:            int    = uint(16, 4, default=NO_TAG)
    status_number:  int    = uint(24, 4)
    expected_command: int  = uint(28, 4)
    max_command:    int    = uint(32, 4)
    data_number:    int    = uint(36, 4)
    # fmt: on
