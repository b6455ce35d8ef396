"""TransportID of an iSCSI initiator port (SPC-4 7.6.4.6): how READ FULL STATUS and REGISTER AND MOVE name one.

Format 01b carries `IQN,i,0xISID`, which is also the name of the initiator port (RFC 7143 4.4.2); 00b the name alone.
"""

from tapekey.errors import Malformed
from tapekey.wire.codes import Code

_HEADER = 4
_SMALLEST = 20  # additional length, SPC-4


class Protocol(Code):
    """PROTOCOL IDENTIFIER."""

    FIBRE_CHANNEL = 0x0
    ISCSI = 0x5
    SAS = 0x6


class Format(Code):
    """FORMAT CODE of an iSCSI TransportID."""

    NAME = 0b00
    PORT = 0b01


def encode_transport_id(name: str) -> bytes:
    """Write the TransportID of a port (`IQN,i,0xISID`) or of all ports of an initiator (no such tail)."""
    form = Format.PORT if ",i,0x" in name else Format.NAME
    body = name.encode() + b"\0"
    body = body.ljust(max(_SMALLEST, -(-len(body) // 4) * 4), b"\0")
    return bytes([form << 6 | Protocol.ISCSI, 0]) + len(body).to_bytes(2, "big") + body


def decode_transport_id(data: bytes) -> str:
    """Read a TransportID: the initiator's name, with `,i,0x` and its ISID where it names one port."""
    if len(data) < _HEADER:
        raise Malformed("a TransportID is cut short", why=f"{len(data)} bytes of {_HEADER}")
    if Protocol(data[0] & 0x0F) is not Protocol.ISCSI or Format(data[0] >> 6) not in (Format.NAME, Format.PORT):
        raise Malformed("a TransportID is not of iSCSI", why=f"it begins with {data[0]:02X}h")
    length = int.from_bytes(data[2:4], "big")
    body = data[_HEADER : _HEADER + length]
    if len(body) < length or b"\0" not in body:
        raise Malformed("a TransportID is cut short", why=f"{len(body)} bytes of {length}")
    try:
        name = body[: body.index(b"\0")].decode()
    except UnicodeDecodeError as error:
        raise Malformed("the name in a TransportID is no text", why=str(error)) from error
    if not name or (Format(data[0] >> 6) is Format.PORT) is not (",i,0x" in name):
        raise Malformed("the name in a TransportID has another form than it says", why=repr(name[:80]))
    return name
