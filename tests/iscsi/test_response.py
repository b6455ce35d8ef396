"""Headers of a target, byte for byte. Worked out by hand from the figures of RFC 7143, clause 11."""

from typing import Any

import pytest

from tapekey.iscsi import response
from tapekey.iscsi.codes import (
    AsyncEvent,
    LoginStatus,
    LogoutResponse,
    ManageResponse,
    Opcode,
    RejectReason,
    Response,
    Stage,
)
from tapekey.wire.layout import decode, encode
from tests.octets import octets

NUMBERS: dict[str, Any] = {"status_number": 4, "expected_command": 5, "max_command": 0x25}

VECTORS: dict[str, tuple[bytes, Any]] = {
    "SCSI Response with sense, 96 bytes too few (11.4)": (
        octets("""
            21 82 00 02  # F and U; completed at target; CHECK CONDITION
            00 00 00 14  # 20 bytes
            00 00 00 00 00 00 00 00
            00 00 00 11  00 00 00 00  # task tag; SNACK tag
            00 00 00 04  00 00 00 05  00 00 00 25
            00 00 00 01  # ExpDataSN
            00 00 00 00  # bidirectional read residual
            00 00 00 60  # residual
        """),
        response.ScsiResponse(
            underflow=True, status=2, data_length=20, tag=0x11, expected_data=1, residual=96, **NUMBERS
        ),
    ),
    "SCSI Response of a bidirectional command: overflow in, overflow out (11.4)": (
        octets("""
            21 94 01 00  00 00 00 00  00 00 00 00 00 00 00 00  00 00 00 11  00 00 00 00
            00 00 00 04  00 00 00 05  00 00 00 25  00 00 00 00  00 00 00 07  00 00 00 08
        """),
        response.ScsiResponse(
            read_overflow=True,
            overflow=True,
            response=Response.TARGET_FAILURE,
            tag=0x11,
            read_residual=7,
            residual=8,
            **NUMBERS,
        ),
    ),
    "SCSI Response: bidirectional read underflow (11.4)": (
        octets("""
            21 88 00 18  00 00 00 00  00 00 00 00 00 00 00 00  00 00 00 11  00 00 00 00
            00 00 00 04  00 00 00 05  00 00 00 25  00 00 00 00  00 00 00 07  00 00 00 00
        """),
        response.ScsiResponse(read_underflow=True, status=0x18, tag=0x11, read_residual=7, **NUMBERS),
    ),
    "Task Management Function Response (11.6)": (
        octets("""
            22 80 05 00  00 00 00 00  00 00 00 00 00 00 00 00  00 00 00 11  00 00 00 00
            00 00 00 04  00 00 00 05  00 00 00 25  00 00 00 00  00 00 00 00  00 00 00 00
        """),
        response.ManageReply(response=ManageResponse.NOT_SUPPORTED, tag=0x11, **NUMBERS),
    ),
    "Login Response into full feature phase (11.13)": (
        octets("""
            23 87 00 00  00 00 00 30  80 12 34 56 78 9a 00 07  00 00 00 11  00 00 00 00
            00 00 00 04  00 00 00 05  00 00 00 25  00 00 00 00  00 00 00 00  00 00 00 00
        """),
        response.LoginResponse(
            transit=True,
            current=Stage.OPERATIONAL,
            next=Stage.FULL_FEATURE,
            data_length=48,
            isid=octets("80 12 34 56 78 9a"),
            tsih=7,
            tag=0x11,
            **NUMBERS,
        ),
    ),
    "Login Response: authentication failure (11.13)": (
        octets("""
            23 00 00 00  00 00 00 00  80 12 34 56 78 9a 00 00  00 00 00 11  00 00 00 00
            00 00 00 04  00 00 00 05  00 00 00 25  02 01 00 00  00 00 00 00  00 00 00 00
        """),
        response.LoginResponse(
            isid=octets("80 12 34 56 78 9a"), tag=0x11, status=LoginStatus.AUTHENTICATION_FAILURE, **NUMBERS
        ),
    ),
    "Text Response with more to come (11.11)": (
        octets("""
            24 40 00 00  00 00 02 00  00 00 00 00 00 00 00 00  00 00 00 11  00 00 00 09
            00 00 00 04  00 00 00 05  00 00 00 25  00 00 00 00  00 00 00 00  00 00 00 00
        """),
        response.TextResponse(final=False, more=True, data_length=512, tag=0x11, transfer_tag=9, **NUMBERS),
    ),
    "Data-In with status, 4 bytes too few (11.7)": (
        octets("""
            25 83 00 00  00 00 00 0c  00 00 00 00 00 00 00 00
            00 00 00 11  ff ff ff ff  00 00 00 04  00 00 00 05  00 00 00 25
            00 00 00 02  # DataSN
            00 00 04 00  # buffer offset
            00 00 00 04  # residual
        """),
        response.DataIn(
            final=True,
            underflow=True,
            with_status=True,
            data_length=12,
            tag=0x11,
            data_number=2,
            offset=1024,
            residual=4,
            **NUMBERS,
        ),
    ),
    "Data-In that asks for acknowledgement (11.7)": (
        octets("""
            25 44 00 00  00 00 00 00  00 01 00 00 00 00 00 00  00 00 00 11  00 00 00 08
            00 00 00 04  00 00 00 05  00 00 00 25  00 00 00 00  00 00 00 00  00 00 00 00
        """),
        response.DataIn(
            acknowledge=True,
            overflow=True,
            lun=octets("00 01 00 00 00 00 00 00"),
            tag=0x11,
            transfer_tag=8,
            **NUMBERS,
        ),
    ),
    "Logout Response (11.15)": (
        octets("""
            26 80 01 00  00 00 00 00  00 00 00 00 00 00 00 00  00 00 00 11  00 00 00 00
            00 00 00 04  00 00 00 05  00 00 00 25  00 00 00 00
            00 02 00 14  # Time2Wait, Time2Retain
            00 00 00 00
        """),
        response.LogoutReply(
            response=LogoutResponse.CID_NOT_FOUND, tag=0x11, time_to_wait=2, time_to_retain=20, **NUMBERS
        ),
    ),
    "NOP-In that asks (11.19)": (
        octets("""
            20 80 00 00  00 00 00 00  00 00 00 00 00 00 00 00  ff ff ff ff  00 00 00 22
            00 00 00 04  00 00 00 05  00 00 00 25  00 00 00 00  00 00 00 00  00 00 00 00
        """),
        response.NopIn(transfer_tag=0x22, **NUMBERS),
    ),
    "R2T (11.8)": (
        octets("""
            31 80 00 00  00 00 00 00  00 01 00 00 00 00 00 00  00 00 00 11  00 00 00 33
            00 00 00 04  00 00 00 05  00 00 00 25
            00 00 00 01  # R2TSN
            00 01 00 00  # buffer offset
            00 04 00 00  # desired length
        """),
        response.ReadyToTransfer(
            lun=octets("00 01 00 00 00 00 00 00"),
            tag=0x11,
            transfer_tag=0x33,
            number=1,
            offset=0x10000,
            desired=0x40000,
            **NUMBERS,
        ),
    ),
    "Asynchronous Message: the connection will be dropped (11.9)": (
        octets("""
            32 80 00 00  00 00 00 00  00 00 00 00 00 00 00 00  ff ff ff ff  00 00 00 00
            00 00 00 04  00 00 00 05  00 00 00 25
            02 00 00 09  # event, vendor code; parameter 1: CID
            00 02 00 14  # parameters 2 and 3
            00 00 00 00
        """),
        response.AsyncMessage(
            event=AsyncEvent.CONNECTION_DROPPED, parameter1=9, parameter2=2, parameter3=20, **NUMBERS
        ),
    ),
    "Reject: protocol error (11.17)": (
        octets("""
            3f 80 04 00  00 00 00 30  00 00 00 00 00 00 00 00  ff ff ff ff  00 00 00 00
            00 00 00 04  00 00 00 05  00 00 00 25  00 00 00 00  00 00 00 00  00 00 00 00
        """),
        response.Reject(reason=RejectReason.PROTOCOL_ERROR, data_length=48, **NUMBERS),
    ),
}


@pytest.mark.parametrize(("image", "header"), VECTORS.values(), ids=VECTORS)
def test_header_matches_the_figure(image: bytes, header: Any) -> None:
    assert encode(header) == image
    assert decode(type(header), image) == header


def test_every_opcode_of_a_target_has_a_vector() -> None:
    assert {header.opcode for _, header in VECTORS.values()} == {code for code in Opcode if code >= Opcode.NOP_IN}


@pytest.mark.parametrize(("image", "header"), VECTORS.values(), ids=VECTORS)
def test_reserved_bits_are_ignored_when_read(image: bytes, header: Any) -> None:
    set_bits = encode(decode(type(header), b"\xff" * 48))
    noise = bytes(byte | 0xFF ^ mask for byte, mask in zip(image, set_bits, strict=True))
    assert decode(type(header), noise) == header
