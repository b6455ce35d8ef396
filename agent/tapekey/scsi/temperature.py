"""Temperature, log page 0Dh (SPC-4; UNV here, the references in hand name only the page)."""

from typing import Final

from tapekey.errors import Malformed
from tapekey.scsi.log import LogPage, Page, Parameter, decode_page, encode_page

_NOW: Final = 0x0000
_UNKNOWN: Final = 0xFF


def encode_temperature(celsius: int | None) -> bytes:
    """Write the page: a reserved byte and degrees Celsius, FFh where the device cannot tell."""
    return encode_page(
        Page(LogPage.TEMPERATURE, (Parameter(_NOW, bytes([0, _UNKNOWN if celsius is None else celsius])),))
    )


def decode_temperature(data: bytes) -> int | None:
    """Read the page; None if the device cannot tell."""
    value = decode_page(data, LogPage.TEMPERATURE).find(_NOW)
    if value is None or len(value) != 2:
        raise Malformed("the temperature page lacks its temperature")
    return None if value[1] == _UNKNOWN else value[1]
