"""The call and the exceptions of the PyPI package `sgio`, over our own binding, so that python-scsi runs on it.

Put this module into `sys.modules["sgio"]` before importing `pyscsi`. What it leaves out of a failure (host and driver
status) is the reason why tapekey itself uses `transport.sgio` instead.
"""

from typing import Final, Protocol

from tapekey.native import ffi, lib

TIMEOUT_MS: Final = 30 * 60 * 1000
NONE, TO_DEVICE, FROM_DEVICE = range(3)


class File(Protocol):
    def fileno(self) -> int: ...


class CheckConditionError(Exception):
    """The device answered with sense data, which is in `sense`."""

    def __init__(self, sense: bytes) -> None:
        super().__init__(f"SCSI Check Condition: {sense.hex()}")
        self.sense = sense


class UnspecifiedError(Exception):
    """The command failed, and the device gave no sense data."""


def execute(
    fid: File,
    cdb: bytes | bytearray,
    data_out: bytes | bytearray | None,
    data_in: bytearray | None,
    max_sense_data_length: int = 32,
) -> int:
    """Send one command; data comes into `data_in` in place. Returns the residual count in bytes.

    OSError: the ioctl itself failed. CheckConditionError, UnspecifiedError: the command did.
    """
    if data_out and data_in:
        raise ValueError("a command moves data one way")
    direction = TO_DEVICE if data_out else FROM_DEVICE if data_in else NONE
    data = ffi.from_buffer(data_out or data_in) if direction else ffi.NULL
    sense = bytearray(max_sense_data_length)
    answer = ffi.new("struct sgio_answer *")
    failed = lib.sgio_execute(
        fid.fileno(),
        ffi.from_buffer(cdb),
        len(cdb),
        direction,
        ffi.cast("uint8_t *", data),
        len(data_out or data_in or b""),
        ffi.from_buffer(sense),
        max_sense_data_length,
        TIMEOUT_MS,
        answer,
    )
    if failed:
        raise OSError(failed, "SG_IO failed")
    if answer.sense_size:
        raise CheckConditionError(bytes(sense[: answer.sense_size]))
    if answer.status or answer.host_status or answer.driver_status:
        raise UnspecifiedError
    return int(answer.residual)
