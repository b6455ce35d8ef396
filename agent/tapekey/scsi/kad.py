"""Key-associated data: the descriptors that stand behind a key and beside every encrypted block (SSC-4).

The same descriptors are in Set Data Encryption (AUTHENTICATED is 0 there), Data Encryption Status and Next Block
Encryption Status. AUTHENTICATED of unauthenticated data is 1 on some drives and 2 on others.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from tapekey.wire.codes import Code
from tapekey.wire.layout import Reader, bits, encode, uint, wire


class KadType(Code):
    """KEY DESCRIPTOR TYPE."""

    UNAUTHENTICATED = 0x00  # U-KAD
    AUTHENTICATED = 0x01  # A-KAD
    NONCE = 0x02
    METADATA = 0x03  # M-KAD: only for raw reads and EXTERNAL writes
    WRAPPED_KEY = 0x04  # no drive seen


class Authentication(Code):
    """AUTHENTICATED: what the drive knows of the value. Never more than the drive's account."""

    NOT_SAID = 0
    NOT_COVERED = 1
    NOT_ATTEMPTED = 2
    AUTHENTICATED = 3
    FAILED = 4


@wire(size=4)
@dataclass(frozen=True, slots=True)
class KadHeader:
    """Head of a key-associated data descriptor."""

    # fmt: off
    type:           KadType        = uint(0, 1, KadType)
    authentication: Authentication = bits(1, 2, 0, Authentication)
    length:         int            = uint(2, 2)
    # fmt: on


@dataclass(frozen=True, slots=True)
class Kad:
    """One piece of key-associated data. Nothing in it is secret: it is readable without the key."""

    type: KadType
    value: bytes
    authentication: Authentication = Authentication.NOT_SAID


def encode_kads(kads: Iterable[Kad]) -> bytes:
    """Write descriptors in ascending order of type, without padding, as the standard has them."""
    ordered = sorted(kads, key=lambda kad: kad.type)
    return b"".join(encode(KadHeader(kad.type, kad.authentication, len(kad.value))) + kad.value for kad in ordered)


def decode_kads(data: bytes) -> tuple[Kad, ...]:
    """Read descriptors to the end of `data`. One that is cut short is refused: half a key name is no key name."""
    reader = Reader(data, "key-associated data")
    kads = []
    while reader.left:
        head = reader.read(KadHeader, "descriptor")
        kads.append(Kad(head.type, reader.take(head.length, "value"), head.authentication))
    return tuple(kads)
