"""A PDU around its basic header segment: additional headers, data, padding, digests (RFC 7143, 11.2)."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final, Protocol, TypeVar, cast

from tapekey.exchange import Buffer
from tapekey.iscsi import digest, request, response
from tapekey.iscsi.codes import AdditionalHeader, Opcode
from tapekey.wire.layout import Reader, decode, encode

HEADER: Final = 48
LONGEST_ADDITIONAL: Final = 4 * 255
PADS: Final = (b"", bytes(3), bytes(2), bytes(1))  # by length modulo 4
IMMEDIATE: Final = 0x40
FINAL: Final = 0x80

REQUESTS: Final[Mapping[Opcode, type]] = {
    Opcode.NOP_OUT: request.NopOut,
    Opcode.SCSI_COMMAND: request.ScsiCommand,
    Opcode.TASK_MANAGEMENT: request.ManageRequest,
    Opcode.LOGIN: request.LoginRequest,
    Opcode.TEXT: request.TextRequest,
    Opcode.DATA_OUT: request.DataOut,
    Opcode.LOGOUT: request.LogoutRequest,
    Opcode.SNACK: request.Snack,
}
RESPONSES: Final[Mapping[Opcode, type]] = {
    Opcode.NOP_IN: response.NopIn,
    Opcode.SCSI_RESPONSE: response.ScsiResponse,
    Opcode.TASK_MANAGEMENT_RESPONSE: response.ManageReply,
    Opcode.LOGIN_RESPONSE: response.LoginResponse,
    Opcode.TEXT_RESPONSE: response.TextResponse,
    Opcode.DATA_IN: response.DataIn,
    Opcode.LOGOUT_RESPONSE: response.LogoutReply,
    Opcode.R2T: response.ReadyToTransfer,
    Opcode.ASYNC: response.AsyncMessage,
    Opcode.REJECT: response.Reject,
}


class Header(Protocol):
    """What every basic header segment has."""

    @property
    def ahs_words(self) -> int: ...
    @property
    def data_length(self) -> int: ...


H = TypeVar("H", bound=Header)


def sized(header: H, data: Buffer, additional: Buffer = b"") -> H:
    """The header with the lengths of what follows it."""
    if not len(data) and not len(additional):
        return header
    return replace(header, ahs_words=len(additional) // 4, data_length=len(data))  # type: ignore[type-var]


def parts(
    header: Header, data: Buffer = b"", *, additional: bytes = b"", digests: tuple[bool, bool] = (False, False)
) -> list[Buffer]:
    """A whole PDU as a scatter list; `digests` says whether header and data carry one."""
    return framed(encode(sized(header, data, additional)) + additional, data, digests)


def framed(head: bytes, data: Buffer, digests: tuple[bool, bool]) -> list[Buffer]:
    """An encoded header whose lengths are right, with its data: padded, and with the digests of either."""
    pieces: list[Buffer] = [head + digest.crc(head) if digests[0] else head]
    if not len(data):
        return pieces
    pieces.append(data)
    pad = PADS[len(data) % 4]
    if digests[1]:
        pieces.append(pad + digest.crc(data, pad))
    elif pad:
        pieces.append(pad)
    return pieces


def opcode_of(header: Buffer) -> Opcode:
    """The opcode, without the immediate bit."""
    return Opcode(header[0] & 0x3F)


@dataclass(frozen=True, slots=True)
class Additional:
    """What the additional header segments of a command say: the CDB beyond 16 bytes, the bidirectional read length."""

    cdb: bytes = b""
    read_length: int | None = None


def additional_headers(image: Buffer) -> Additional:
    """Read the additional header segments (11.2.2); kinds that we do not know are passed over."""
    found = Additional()
    reader = Reader(bytes(image), "additional header segment")
    while reader.left:
        size = reader.number(2, "length")
        kind = AdditionalHeader(reader.number(1, "type"))
        body = reader.take(size, "body")
        reader.take(min(reader.left, -(size + 3) % 4), "padding")
        if kind is AdditionalHeader.EXTENDED_CDB:
            found = replace(found, cdb=body[1:])
        elif kind is AdditionalHeader.BIDIRECTIONAL_READ_LENGTH and size == 5:
            found = replace(found, read_length=int.from_bytes(body[1:], "big"))
    return found


def extended_cdb(cdb: bytes) -> bytes:
    """The additional header segment for what a CDB has beyond 16 bytes (11.2.2.3)."""
    beyond = cdb[16:]
    if not beyond:
        return b""
    image = (len(beyond) + 1).to_bytes(2, "big") + bytes([AdditionalHeader.EXTENDED_CDB, 0]) + beyond
    return image + PADS[len(image) % 4]


def bidirectional_length(length: int) -> bytes:
    """The additional header segment with the length of data-in of a bidirectional command (11.2.2.4)."""
    return b"\x00\x05" + bytes([AdditionalHeader.BIDIRECTIONAL_READ_LENGTH, 0]) + length.to_bytes(4, "big")


def request_of(image: Buffer) -> Header | None:
    """An initiator's header decoded; None if the opcode is not one of an initiator's."""
    structure = REQUESTS.get(opcode_of(image))
    return None if structure is None else cast(Header, decode(structure, image))


def response_of(image: Buffer) -> Header | None:
    """A target's header decoded; None if the opcode is not one of a target's."""
    structure = RESPONSES.get(opcode_of(image))
    return None if structure is None else cast(Header, decode(structure, image))
