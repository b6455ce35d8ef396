"""Text of login and text PDUs: `key=value` pairs, each ended by a NUL (RFC 7143, 6.1). Every size is bounded here."""

import base64
import binascii
import re
from collections.abc import Iterable
from typing import Final

from tapekey.errors import Malformed
from tapekey.exchange import Buffer

LONGEST: Final = 64 * 1024  # of one exchange in full feature phase, over all its PDUs
MOST_PAIRS: Final = 128
LONGEST_VALUE: Final = 8192  # what one login PDU holds; only binary values are longer than 255 (6.1)
LONGEST_BINARY: Final = 1024  # bytes of a binary value: CHAP_C and CHAP_R (12.1.3)

KEY_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9.\-+@_#/]{0,62}")
DECIMAL: Final = re.compile(r"(0|[1-9][0-9]{0,18})")
HEXADECIMAL: Final = re.compile(r"0[xX][0-9A-Fa-f]{1,16}")
HEXADECIMAL_STRING: Final = re.compile(r"0[xX][0-9A-Fa-f]{1,2048}")
BASE64_STRING: Final = re.compile(r"0[bB][A-Za-z0-9+/]{2,1368}={0,2}")

Pair = tuple[str, str]


def pairs(data: Buffer) -> list[Pair]:
    """The pairs in the order sent. A last pair without its NUL is read too; empty entries are passed over."""
    found = [_pair(entry) for entry in bytes(data).split(b"\0", MOST_PAIRS + 1) if entry]
    if len(found) > MOST_PAIRS:
        raise Malformed("a negotiation has too many keys", why=f"more than {MOST_PAIRS}")
    return found


def _pair(entry: bytes) -> Pair:
    name, mark, value = entry.partition(b"=")
    try:
        key, content = name.decode("ascii"), value.decode("utf-8")
    except UnicodeDecodeError:
        raise Malformed("a key or its value is not text") from None
    if not mark or not KEY_NAME.fullmatch(key):
        raise Malformed("text is not a key with a value")
    if len(value) > LONGEST_VALUE:
        raise Malformed(f"the value of {key} is too long", why=f"{len(value)} bytes of at most {LONGEST_VALUE}")
    return key, content


def image(entries: Iterable[Pair]) -> bytes:
    """The bytes of pairs."""
    return b"".join(f"{key}={value}\0".encode() for key, value in entries)


def number(value: str) -> int | None:
    """A numerical value, decimal or hexadecimal; None if it is neither, or beyond 64 bits."""
    if DECIMAL.fullmatch(value):
        return int(value)
    return int(value, 16) if HEXADECIMAL.fullmatch(value) else None


def binary(value: str) -> bytes | None:
    """A binary value in hexadecimal (an odd digit stands alone in the first byte) or base64; None if it is neither."""
    if HEXADECIMAL_STRING.fullmatch(value):
        digits = value[2:]
        return bytes.fromhex("0" * (len(digits) % 2) + digits)
    if BASE64_STRING.fullmatch(value):
        try:
            return base64.b64decode(value[2:], validate=True)[: LONGEST_BINARY + 1]
        except binascii.Error:
            return None
    return None


def of_binary(value: bytes) -> str:
    """A binary value in hexadecimal."""
    return f"0x{value.hex()}"
