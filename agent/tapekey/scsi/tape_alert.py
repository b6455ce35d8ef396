"""TapeAlert: log page 2Eh, and 12h which is not reset by reading (SSC-4, ADC-3; reference 1.11).

Reading the whole of 2Eh clears the flags for this I_T nexus, and so takes them from the backup software of the
same host. To look without taking, read 12h.
"""

from collections.abc import Iterable
from typing import Final

from tapekey.errors import Malformed
from tapekey.exchange import Command
from tapekey.scsi.log import LogPage, Page, Parameter, decode_page, encode_page, log_sense
from tapekey.wire.codes import Code

COUNT: Final = 64
_RESPONSE: Final = 0x0000
_RESPONSE_BYTES: Final = 8


class TapeAlert(Code):
    """The 64 flags."""

    # fmt: off
    READ_WARNING                   = 0x01
    WRITE_WARNING                  = 0x02
    HARD_ERROR                     = 0x03
    MEDIA                          = 0x04
    READ_FAILURE                   = 0x05
    WRITE_FAILURE                  = 0x06
    MEDIA_LIFE                     = 0x07
    NOT_DATA_GRADE                 = 0x08
    WRITE_PROTECT                  = 0x09
    NO_REMOVAL                     = 0x0A
    CLEANING_MEDIA                 = 0x0B
    UNSUPPORTED_FORMAT             = 0x0C
    RECOVERABLE_CARTRIDGE_FAULT    = 0x0D
    UNRECOVERABLE_CARTRIDGE_FAULT  = 0x0E
    MEMORY_CHIP_FAILURE            = 0x0F
    FORCED_EJECT                   = 0x10
    READ_ONLY_FORMAT               = 0x11
    DIRECTORY_CORRUPTED_ON_LOAD    = 0x12
    NEARING_MEDIA_LIFE             = 0x13
    CLEAN_NOW                      = 0x14
    CLEAN_PERIODIC                 = 0x15
    EXPIRED_CLEANING_MEDIA         = 0x16
    INVALID_CLEANING_MEDIA         = 0x17
    RETENSION_REQUESTED            = 0x18
    INTERFACE_ERROR_PORT           = 0x19
    COOLING_FAN_FAILURE            = 0x1A
    POWER_SUPPLY_FAILURE           = 0x1B
    POWER_CONSUMPTION              = 0x1C
    PREVENTIVE_MAINTENANCE         = 0x1D
    HARDWARE_A                     = 0x1E
    HARDWARE_B                     = 0x1F
    INTERFACE                      = 0x20
    EJECT_MEDIA                    = 0x21
    DOWNLOAD_FAULT                 = 0x22
    HUMIDITY                       = 0x23
    TEMPERATURE                    = 0x24
    VOLTAGE                        = 0x25
    PREDICTIVE_FAILURE             = 0x26
    DIAGNOSTICS_REQUIRED           = 0x27
    LOADER_HARDWARE_A              = 0x28
    LOADER_STRAY_TAPE              = 0x29
    LOADER_HARDWARE_B              = 0x2A
    LOADER_DOOR                    = 0x2B
    LOADER_HARDWARE_C              = 0x2C
    LOADER_MAGAZINE                = 0x2D
    LOADER_PREDICTIVE_FAILURE      = 0x2E
    RESERVED_2F                    = 0x2F
    RESERVED_30                    = 0x30
    DIMINISHED_CAPACITY            = 0x31
    LOST_STATISTICS                = 0x32
    DIRECTORY_INVALID_AT_UNLOAD    = 0x33
    SYSTEM_AREA_WRITE_FAILURE      = 0x34
    SYSTEM_AREA_READ_FAILURE       = 0x35
    NO_START_OF_DATA               = 0x36
    LOAD_FAILURE                   = 0x37
    UNLOAD_FAILURE                 = 0x38
    AUTOMATION_INTERFACE_FAILURE   = 0x39
    FIRMWARE_FAILURE               = 0x3A
    WORM_INTEGRITY_CHECK_FAILED    = 0x3B
    WORM_OVERWRITE_ATTEMPTED       = 0x3C
    ENCRYPTION_POLICY_VIOLATION    = 0x3D
    RESERVED_3E                    = 0x3E
    RESERVED_3F                    = 0x3F
    RESERVED_40                    = 0x40
    # fmt: on


def take_tape_alerts() -> Command:
    """Ask for page 2Eh. This clears the flags for everyone on this host."""
    return log_sense(LogPage.TAPE_ALERT)


def look_at_tape_alerts() -> Command:
    """Ask for page 12h, which leaves the flags as they are."""
    return log_sense(LogPage.TAPE_ALERT_RESPONSE)


def encode_tape_alerts(flags: Iterable[TapeAlert]) -> bytes:
    """Write page 2Eh: a one-byte parameter a flag."""
    raised = frozenset(flags)
    parameters = tuple(Parameter(code, bytes([code in raised])) for code in range(1, COUNT + 1))
    return encode_page(Page(LogPage.TAPE_ALERT, parameters))


def decode_tape_alerts(data: bytes) -> frozenset[TapeAlert]:
    """Read page 2Eh: which flags are raised."""
    page = decode_page(data, LogPage.TAPE_ALERT)
    for item in page.parameters:
        if len(item.value) != 1:
            raise Malformed(f"TapeAlert flag {item.code:02X}h has another size", why=f"{len(item.value)} bytes, not 1")
    return frozenset(TapeAlert(item.code) for item in page.parameters if item.value[0] & 0x01)


def encode_tape_alert_response(flags: Iterable[TapeAlert]) -> bytes:
    """Write page 12h: one parameter of 64 bits, flag 01h first."""
    number = 0
    for flag in flags:
        number |= 1 << COUNT - flag
    value = number.to_bytes(_RESPONSE_BYTES, "big")
    return encode_page(Page(LogPage.TAPE_ALERT_RESPONSE, (Parameter(_RESPONSE, value),)))


def decode_tape_alert_response(data: bytes) -> frozenset[TapeAlert]:
    """Read page 12h: which flags are raised."""
    value = decode_page(data, LogPage.TAPE_ALERT_RESPONSE).find(_RESPONSE)
    if value is None or len(value) != _RESPONSE_BYTES:
        raise Malformed("the TapeAlert response page lacks its flags")
    number = int.from_bytes(value, "big")
    return frozenset(TapeAlert(flag) for flag in range(1, COUNT + 1) if number >> COUNT - flag & 1)
