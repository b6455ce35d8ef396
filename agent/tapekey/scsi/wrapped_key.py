"""Keys that do not travel plain: page 0031h (the drive's public key), and the KEY field of formats 01h and 02h (SSC-4).

Layouts of the RSA 2048 key and of the label are known from one working client only. ECC 521 has a name here and
nothing more: no drive and no client is known to use it.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from tapekey.errors import Malformed
from tapekey.exchange import Buffer, Command
from tapekey.scsi.encryption import InPage, decode_page, encode_page, read_page
from tapekey.scsi.security import ROOM
from tapekey.wire.codes import Code
from tapekey.wire.layout import Reader, decode, encode, rest, text, uint, wire

RSA_2048_BYTES = 256


class PublicKeyType(Code):
    """PUBLIC KEY TYPE of page 0031h, and PARAMETER SET of a wrapped key."""

    RSA_2048 = 0x00
    ECC_521 = 0x10


class LabelType(Code):
    """Wrapped key descriptors, of which a label consists."""

    DEVICE_SERVER = 0x00  # the drive's logical unit designator, as in VPD 83h
    WRAPPING_ENTITY = 0x01
    KEY_INFORMATION = 0x02
    REQUESTED_KEY = 0x03
    KEY_LENGTH = 0x04  # 0100h in the one client known: bits of the key, or bytes of the wrapped key


@dataclass(frozen=True, slots=True)
class PublicKey:
    """An RSA public key."""

    modulus: int
    exponent: int


@wire(size=14)
@dataclass(frozen=True, slots=True)
class PublicKeyPage:
    """Device Server Key Wrapping Public Key page (0031h)."""

    # fmt: off
    page_code:   InPage        = uint( 0, 2, InPage, default=InPage.PUBLIC_KEY)
    page_length: int           = uint( 2, 2)
    type:        PublicKeyType = uint( 4, 4, PublicKeyType)
    format:      int           = uint( 8, 4)  # 0 for both types
    key_length:  int           = uint(12, 2)
    key:         bytes         = rest(14)
    # fmt: on


def read_public_key(room: int = ROOM) -> Command:
    """Ask for the key that the drive wants data keys wrapped with."""
    return read_page(InPage.PUBLIC_KEY, room)


def encode_public_key(key: PublicKey) -> bytes:
    """Write page 0031h for an RSA 2048 key: modulus and exponent, 256 bytes each."""
    image = b"".join(number.to_bytes(RSA_2048_BYTES, "big") for number in (key.modulus, key.exponent))
    return encode_page(PublicKeyPage(key_length=len(image), key=image))


def decode_public_key(data: bytes) -> PublicKeyPage:
    """Read page 0031h, whatever the type of the key."""
    page = decode_page(PublicKeyPage, data)
    if page.key_length != len(page.key):
        raise Malformed(
            "PublicKeyPage contradicts itself", why=f"key of {page.key_length} bytes in room for {len(page.key)}"
        )
    return page


def rsa_2048(page: PublicKeyPage) -> PublicKey | None:
    """The RSA key of a page; None for a key of another type or format."""
    if page.type != PublicKeyType.RSA_2048 or page.format != 0:
        return None
    reader = Reader(page.key, "RSA 2048 public key")
    modulus = reader.number(RSA_2048_BYTES, "modulus")
    exponent = reader.number(RSA_2048_BYTES, "exponent")
    reader.finish()
    return PublicKey(modulus, exponent)


@wire(size=4)
@dataclass(frozen=True, slots=True)
class LabelHeader:
    """Head of a wrapped key descriptor."""

    # fmt: off
    type:   LabelType = uint(0, 1, LabelType)
    length: int       = uint(2, 2)
    # fmt: on


@dataclass(frozen=True, slots=True)
class LabelPart:
    """One wrapped key descriptor."""

    type: LabelType
    value: bytes


def encode_label(parts: Iterable[LabelPart]) -> bytes:
    """Write a label, its parts in ascending order of type. These bytes are also the label of the OAEP padding."""
    ordered = sorted(parts, key=lambda part: part.type)
    return b"".join(encode(LabelHeader(part.type, len(part.value))) + part.value for part in ordered)


def decode_label(data: bytes) -> tuple[LabelPart, ...]:
    """Read a label to its end."""
    reader = Reader(data, "label of a wrapped key")
    parts = []
    while reader.left:
        head = reader.read(LabelHeader, "descriptor")
        parts.append(LabelPart(head.type, reader.take(head.length, "value")))
    return tuple(parts)


@dataclass(frozen=True, slots=True)
class WrappedKey:
    """KEY field of format 02h. The label is kept as it came, since unwrapping needs its very bytes."""

    parameter_set: PublicKeyType
    label: bytes
    wrapped: bytes
    signature: bytes = b""


def encode_wrapped_key(key: WrappedKey) -> bytes:
    """Write the KEY field of format 02h."""
    parts = (key.label, key.wrapped, key.signature)
    return key.parameter_set.to_bytes(2, "big") + b"".join(len(part).to_bytes(2, "big") + part for part in parts)


def decode_wrapped_key(data: Buffer) -> WrappedKey:
    """Read the KEY field of format 02h, which is used up exactly, and whose label is one."""
    reader = Reader(data, "wrapped key")
    parameter_set = PublicKeyType(reader.number(2, "parameter set"))
    label = reader.take(reader.number(2, "label length"), "label")
    wrapped = reader.take(reader.number(2, "wrapped key length"), "wrapped key")
    signature = reader.take(reader.number(2, "signature length"), "signature")
    reader.finish()
    decode_label(label)
    return WrappedKey(parameter_set, label, wrapped, signature)


@wire(size=8)
@dataclass(frozen=True, slots=True)
class VendorReference:
    """KEY field of format 01h: a key that the drive knows by a name of its vendor's making. No drive seen."""

    # fmt: off
    vendor:    str   = text(0, 8)
    reference: bytes = rest(8)
    # fmt: on


def decode_vendor_reference(data: Buffer) -> VendorReference:
    """Read the KEY field of format 01h."""
    return decode(VendorReference, data)
