"""Header and data digests: CRC32C, least significant byte first on the wire (RFC 7143, 13.1)."""

from typing import Final

import crc32c

from tapekey.exchange import Buffer

SIZE: Final = 4


def crc(*parts: Buffer) -> bytes:
    """The digest of the parts one after the other; the GIL is given up over long ones."""
    value = 0
    for part in parts:
        value = crc32c.crc32c(part, value, gil_release_mode=1)
    return value.to_bytes(SIZE, "little")
