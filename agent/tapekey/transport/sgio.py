"""SG_IO on a device node of this host: one ioctl a command, through the compiled `tapekey.native`.

Host, driver and target status are three things and are looked at in that order: the first two mean that the command's
effect is unknown (TransportFailed, TimedOut); the third is the device's own answer and goes up as it came. Numbers
are those of the kernel's include/scsi/sg.h and of the sg driver's documentation.
"""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum
from pathlib import Path
from typing import Final

from tapekey.errors import TimedOut, TransportFailed
from tapekey.exchange import Command, Reply
from tapekey.secret import Secret

SENSE_ROOM: Final = 252
NONE, TO_DEVICE, FROM_DEVICE = range(3)
DRIVER_SENSE: Final = 0x08  # sense data is there; set beside a check condition
DRIVER_MASK: Final = 0x0F
CHECK_CONDITION: Final = 0x02


class HostStatus(IntEnum):
    """DID_ codes of the kernel's SCSI midlayer."""

    OK = 0x00
    NO_CONNECT = 0x01
    BUS_BUSY = 0x02
    TIME_OUT = 0x03
    BAD_TARGET = 0x04
    ABORT = 0x05
    PARITY = 0x06
    ERROR = 0x07
    RESET = 0x08
    BAD_INTERRUPT = 0x09
    PASSTHROUGH = 0x0A
    SOFT_ERROR = 0x0B
    IMMEDIATE_RETRY = 0x0C
    REQUEUE = 0x0D
    TRANSPORT_DISRUPTED = 0x0E
    TRANSPORT_FAILFAST = 0x0F


class DriverStatus(IntEnum):
    """DRIVER_ codes, low four bits."""

    OK = 0x00
    BUSY = 0x01
    SOFT = 0x02
    MEDIA = 0x03
    ERROR = 0x04
    INVALID = 0x05
    TIMEOUT = 0x06
    HARD = 0x07
    SENSE = 0x08


def _name(kind: type[IntEnum], number: int) -> str:
    return next((code.name for code in kind if code == number), f"{number:02X}h")


class Device:
    """An open node: a transport."""

    def __init__(self, path: str, handle: int) -> None:
        self.path = path
        self._handle = handle

    def execute(self, command: Command) -> Reply:
        """Deliver one command and return the target's answer.

        A command that carries a key is sent from a locked page that is wiped afterwards.
        """
        out = command.data_out
        if isinstance(out, Secret):
            with _locked(out) as page:
                return self._send(command, TO_DEVICE, page, len(out))
        from tapekey.native import ffi

        if len(out):
            return self._send(command, TO_DEVICE, ffi.from_buffer("uint8_t[]", out), len(out))
        if command.data_in_max:
            return self._send(command, FROM_DEVICE, bytearray(command.data_in_max), command.data_in_max)
        return self._send(command, NONE, None, 0)

    def _send(self, command: Command, direction: int, data: object, size: int) -> Reply:
        from tapekey.native import ffi, lib

        sense = bytearray(SENSE_ROOM)
        answer = ffi.new("struct sgio_answer *")
        buffer = ffi.NULL if data is None else ffi.from_buffer(data) if isinstance(data, bytearray) else data
        failed = lib.sgio_execute(
            self._handle,
            command.cdb,
            len(command.cdb),
            direction,
            ffi.cast("uint8_t *", buffer),
            size,
            ffi.from_buffer(sense),
            SENSE_ROOM,
            max(1, round(command.timeout * 1000)),
            answer,
        )
        if failed:
            raise self._undelivered(command, OSError(failed, os.strerror(failed)))
        self._demand_delivery(command, answer.host_status, answer.driver_status, answer.status)
        arrived = bytes(data[: size - max(0, answer.residual)]) if isinstance(data, bytearray) else b""
        return Reply(answer.status, arrived, bytes(sense[: answer.sense_size]))

    def _demand_delivery(self, command: Command, host: int, driver: int, status: int) -> None:
        """Host status, then driver status. Sense data beside a check condition is no failure of the driver."""
        name = f"{command.cdb[0]:02X}h"
        if host == HostStatus.TIME_OUT or driver & DRIVER_MASK == DriverStatus.TIMEOUT:
            raise TimedOut(
                f"{self.path} did not answer command {name} in {command.timeout:g} s",
                why="the kernel has aborted it, and may have reset the device: keys may be gone",
                mend="look at the drive and at the kernel's log; read the encryption status before writing",
            )
        if host != HostStatus.OK:
            raise TransportFailed(
                f"command {name} did not reach {self.path}, or its answer did not come back",
                why=f"host status {_name(HostStatus, host)}",
                mend="look at cable, host adapter and the kernel's log",
            )
        if driver & DRIVER_MASK not in (DriverStatus.OK, DriverStatus.SENSE):
            raise TransportFailed(
                f"the kernel could not complete command {name} on {self.path}",
                why=f"driver status {_name(DriverStatus, driver & DRIVER_MASK)}, target status {status:02X}h",
                mend="look at the kernel's log",
            )

    def _undelivered(self, command: Command, error: OSError) -> TransportFailed:
        gone = error.errno in (errno.ENODEV, errno.ENXIO)
        what = f"{self.path} is gone" if gone else f"{self.path} takes no command {command.cdb[0]:02X}h"
        mends = {
            errno.EPERM: "open the drive's sg node as root or group tape",
            errno.EINVAL: "use the drive's /dev/sg node; nodes of vendors' own drivers take no SG_IO",
            errno.ENOTTY: "use the drive's /dev/sg node",
        }
        return TransportFailed(what, why=error.strerror or str(error), mend=mends.get(error.errno or 0, ""))


@contextmanager
def open_device(path: str | Path) -> Iterator[Device]:
    """Open a node for commands, without waiting for a cartridge and without moving tape."""
    _demand_native()
    try:
        handle = os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        mend = "be root or in group tape" if error.errno == errno.EACCES else "see: tapekey drive list"
        raise TransportFailed(f"cannot open {path}", why=error.strerror or str(error), mend=mend) from error
    try:
        yield Device(str(path), handle)
    finally:
        os.close(handle)


@contextmanager
def _locked(secret: Secret) -> Iterator[object]:
    """A copy of a secret in a page that is locked, left out of core dumps, and wiped."""
    from tapekey.native import ffi, lib

    size = len(secret)
    locked = ffi.new("int *")
    page = lib.locked_new(size, locked)
    if page == ffi.NULL:
        raise TransportFailed("no memory for a key", mend="free memory, then try again")
    try:
        ffi.memmove(page, secret.reveal(), size)
        yield page
    finally:
        lib.locked_free(page, size)


def _demand_native() -> None:
    try:
        import tapekey.native  # noqa: F401
    except ImportError as error:
        raise TransportFailed(
            "SG_IO is not built",
            why=str(error),
            mend="install gcc, libssl-dev and Python's headers, then run: python native/build.py",
        ) from error
