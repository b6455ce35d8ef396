"""Headers of an initiator, byte for byte. Worked out by hand from the figures of RFC 7143, clause 11, unless a row says
otherwise."""

from typing import Any

import pytest

from tapekey.iscsi import request
from tapekey.iscsi.codes import LogoutReason, ManageFunction, Opcode, Stage
from tapekey.wire.layout import decode, encode
from tests.octets import octets

VECTORS: dict[str, tuple[bytes, Any]] = {
    "SCSI Read(10), as printed in RFC 3720, B.4": (
        octets("""
            01 c0 00 00  # SCSI Command; F and R; untagged
            00 00 00 00  # no AHS, no data
            00 00 00 00 00 00 00 00  # LUN
            14 00 00 00  # task tag
            00 00 04 00  # expected data transfer length
            00 00 00 14  # CmdSN
            00 00 00 18  # ExpStatSN
            28 00 00 00 00 00 00 00 02 00 00 00 00 00 00 00
        """),
        request.ScsiCommand(
            read=True,
            tag=0x14000000,
            expected_length=1024,
            command_number=20,
            expected_status=24,
            cdb=octets("28 00 00 00 00 00 00 00 02 00 00 00 00 00 00 00"),
        ),
    ),
    "SCSI Write(6), immediate, with data to follow, ordered (11.3)": (
        octets("""
            41 22 00 00  # I; W without F; ordered
            05 00 02 00  # five words of AHS, 512 bytes of data
            00 03 00 00 00 00 00 00
            00 00 00 07  00 04 00 00  00 00 00 09  00 00 00 0a
            0a 00 04 00 00 00 00 00 00 00 00 00 00 00 00 00
        """),
        request.ScsiCommand(
            immediate=True,
            final=False,
            write=True,
            attribute=2,
            ahs_words=5,
            data_length=512,
            lun=octets("00 03 00 00 00 00 00 00"),
            tag=7,
            expected_length=0x40000,
            command_number=9,
            expected_status=10,
            cdb=octets("0a 00 04 00 00 00 00 00 00 00 00 00 00 00 00 00"),
        ),
    ),
    "NOP-Out that answers a ping (11.18)": (
        octets("""
            40 80 00 00  00 00 00 04  00 01 00 00 00 00 00 00
            ff ff ff ff  # task tag: no answer is wanted
            00 00 00 22  # the ping's transfer tag
            00 00 00 05  00 00 00 06
            00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00
        """),
        request.NopOut(
            immediate=True,
            data_length=4,
            lun=octets("00 01 00 00 00 00 00 00"),
            tag=0xFFFFFFFF,
            transfer_tag=0x22,
            command_number=5,
            expected_status=6,
        ),
    ),
    "LOGICAL UNIT RESET (11.5)": (
        octets("""
            42 85 00 00  00 00 00 00  00 02 00 00 00 00 00 00
            00 00 00 21  ff ff ff ff  00 00 00 05  00 00 00 06
            00 00 00 00  00 00 00 00  00 00 00 00 00 00 00 00
        """),
        request.ManageRequest(
            immediate=True,
            function=ManageFunction.LOGICAL_UNIT_RESET,
            lun=octets("00 02 00 00 00 00 00 00"),
            tag=0x21,
            command_number=5,
            expected_status=6,
        ),
    ),
    "ABORT TASK (11.5)": (
        octets("""
            42 81 00 00  00 00 00 00  00 02 00 00 00 00 00 00
            00 00 00 21  00 00 00 11  00 00 00 05  00 00 00 06
            00 00 00 04  # RefCmdSN
            00 00 00 01  # ExpDataSN
            00 00 00 00 00 00 00 00
        """),
        request.ManageRequest(
            immediate=True,
            function=ManageFunction.ABORT_TASK,
            lun=octets("00 02 00 00 00 00 00 00"),
            tag=0x21,
            referenced_tag=0x11,
            command_number=5,
            expected_status=6,
            referenced_number=4,
            expected_data=1,
        ),
    ),
    "Login Request, security to operational (11.12)": (
        octets("""
            43 81 00 00  # I; T, current 0, next 1; versions 0 to 0
            00 00 00 2d
            80 12 34 56 78 9a  00 01  # ISID, TSIH
            00 00 00 02  00 03 00 00  # task tag; CID
            00 00 00 04  00 00 00 05
            00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00
        """),
        request.LoginRequest(
            transit=True,
            current=Stage.SECURITY,
            next=Stage.OPERATIONAL,
            data_length=45,
            isid=octets("80 12 34 56 78 9a"),
            tsih=1,
            tag=2,
            connection=3,
            command_number=4,
            expected_status=5,
        ),
    ),
    "Login Request, operational, more text to come, versions 2 to 1 (11.12)": (
        octets("""
            43 44 02 01  00 00 00 00  80 12 34 56 78 9a 00 00  00 00 00 02  00 03 00 00
            00 00 00 04  00 00 00 05  00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00
        """),
        request.LoginRequest(
            more=True,
            current=Stage.OPERATIONAL,
            version_max=2,
            version_min=1,
            isid=octets("80 12 34 56 78 9a"),
            tag=2,
            connection=3,
            command_number=4,
            expected_status=5,
        ),
    ),
    "Text Request (11.10)": (
        octets("""
            04 80 00 00  00 00 00 10  00 00 00 00 00 00 00 00
            00 00 00 02  ff ff ff ff  00 00 00 04  00 00 00 05
            00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00
        """),
        request.TextRequest(data_length=16, tag=2, command_number=4, expected_status=5),
    ),
    "Data-Out, solicited (11.7)": (
        octets("""
            05 80 00 00  00 00 20 00  00 01 00 00 00 00 00 00
            00 00 00 02  00 00 00 33  00 00 00 00  00 00 00 05
            00 00 00 00  # reserved
            00 00 00 03  # DataSN
            00 01 00 00  # buffer offset
            00 00 00 00
        """),
        request.DataOut(
            data_length=0x2000,
            lun=octets("00 01 00 00 00 00 00 00"),
            tag=2,
            transfer_tag=0x33,
            expected_status=5,
            data_number=3,
            offset=0x10000,
        ),
    ),
    "Logout Request, of a connection (11.14)": (
        octets("""
            06 81 00 00  00 00 00 00  00 00 00 00 00 00 00 00
            00 00 00 02  00 09 00 00  00 00 00 04  00 00 00 05
            00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00
        """),
        request.LogoutRequest(
            reason=LogoutReason.CLOSE_CONNECTION, tag=2, connection=9, command_number=4, expected_status=5
        ),
    ),
    "SNACK for status (11.16)": (
        octets("""
            10 81 00 00  00 00 00 00  00 00 00 00 00 00 00 00
            ff ff ff ff  ff ff ff ff  00 00 00 00  00 00 00 05
            00 00 00 00  00 00 00 00  00 00 00 07  00 00 00 02
        """),
        request.Snack(kind=1, expected_status=5, begin=7, run=2),
    ),
}


@pytest.mark.parametrize(("image", "header"), VECTORS.values(), ids=VECTORS)
def test_header_matches_the_figure(image: bytes, header: Any) -> None:
    assert encode(header) == image
    assert decode(type(header), image) == header


def test_every_opcode_of_an_initiator_has_a_vector() -> None:
    assert {header.opcode for _, header in VECTORS.values()} == {code for code in Opcode if code < Opcode.NOP_IN}


@pytest.mark.parametrize(("image", "header"), VECTORS.values(), ids=VECTORS)
def test_reserved_bits_are_ignored_when_read(image: bytes, header: Any) -> None:
    set_bits = encode(decode(type(header), b"\xff" * 48))
    noise = bytes(byte | 0xFF ^ mask for byte, mask in zip(image, set_bits, strict=True))
    assert decode(type(header), noise) == header
