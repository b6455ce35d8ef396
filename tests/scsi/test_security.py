"""SPIN and SPOUT, and the pages of protocol 00h (reference 1.1 and 1.2)."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tapekey.errors import Malformed
from tapekey.scsi.codes import Opcode, SecurityProtocol
from tapekey.scsi.security import (
    Compliance,
    InformationPage,
    SecurityCdb,
    decode_certificate,
    decode_compliance,
    decode_supported,
    encode_certificate,
    encode_compliance,
    encode_supported,
    field_name,
    read_information,
    security_protocol_in,
    security_protocol_out,
)
from tapekey.scsi.sense import FieldPointer
from tapekey.secret import Secret
from tapekey.wire.codes import Code
from tapekey.wire.layout import decode, encode
from tests.octets import octets

CDBS = {
    "reference 3.2: send 52 bytes of page 0010h": (
        octets("b5 20 00 10 00 00 00 00 00 34 00 00"),
        SecurityCdb(Opcode.SECURITY_PROTOCOL_OUT, SecurityProtocol.TAPE_DATA_ENCRYPTION, 0x0010, length=52),
    ),
    "worked out by hand: ask for page 0020h": (
        octets("a2 20 00 20 00 00 00 00 20 00 00 00"),
        SecurityCdb(Opcode.SECURITY_PROTOCOL_IN, SecurityProtocol.TAPE_DATA_ENCRYPTION, 0x0020, length=8192),
    ),
    "worked out by hand: every field": (
        octets("a2 41 12 34 80 00 01 02 03 04 00 05"),
        SecurityCdb(Opcode.SECURITY_PROTOCOL_IN, SecurityProtocol.IKEV2_SCSI, 0x1234, True, 0x01020304, 5),
    ),
}


@pytest.mark.parametrize(("image", "cdb"), CDBS.values(), ids=CDBS)
def test_cdb_matches_its_bytes(image: bytes, cdb: SecurityCdb) -> None:
    assert encode(cdb) == image
    assert decode(SecurityCdb, image) == cdb


def test_asking_makes_room_for_what_it_asks() -> None:
    command = security_protocol_in(SecurityProtocol.TAPE_DATA_ENCRYPTION, 0x0020, room=100)

    assert command.cdb == octets("a2 20 00 20 00 00 00 00 00 64 00 00")
    assert command.data_in_max == 100
    assert command.data_out == b""


def test_sending_counts_what_it_sends() -> None:
    secret = Secret(bytes(52))

    command = security_protocol_out(SecurityProtocol.TAPE_DATA_ENCRYPTION, 0x0010, secret, timeout=5.0)

    assert command.cdb == octets("b5 20 00 10 00 00 00 00 00 34 00 00")
    assert command.data_out is secret
    assert command.data_in_max == 0
    assert command.timeout == 5.0


def test_supported_list_matches_a_tape_drives_answer() -> None:  # reference 1.2: length 0002h, 00 20
    image = octets("00 00 00 00 00 00 00 02 00 20")
    protocols = (SecurityProtocol.INFORMATION, SecurityProtocol.TAPE_DATA_ENCRYPTION)

    assert encode_supported(reversed(protocols)) == image
    assert decode_supported(image) == protocols
    assert decode_supported(image + b"tail") == protocols


def test_asking_for_the_supported_list() -> None:
    assert read_information(InformationPage.SUPPORTED, 16).cdb == octets("a2 00 00 00 00 00 00 00 00 10 00 00")


@pytest.mark.parametrize("certificate", [b"", b"\x30\x03\x02\x01\x01"], ids=["none", "DER"])
def test_certificate_goes_both_ways(certificate: bytes) -> None:
    image = octets("00 00 00") + bytes([len(certificate)]) + certificate

    assert encode_certificate(certificate) == image
    assert decode_certificate(image) == certificate


COMPLIANCE = (
    octets("00 00 02 10  00 01 00 00 00 00 02 08")  # total length; type, reserved, length
    + b"31"  # FIPS 140-3, level 1
    + bytes(6)
    + b"HW 1".ljust(128)
    + b"FW 2".ljust(128)
    + b"Module".ljust(256)
)


def test_compliance_matches_the_references_layout() -> None:
    compliance = Compliance("3", "1", "HW 1", "FW 2", "Module")

    assert len(COMPLIANCE) == 532
    assert encode_compliance(compliance) == COMPLIANCE
    assert decode_compliance(COMPLIANCE) == (compliance,)
    assert decode_compliance(COMPLIANCE.replace(b" " * 100, bytes(100))) == (compliance,)


def test_compliance_of_an_unknown_type_is_passed_over() -> None:
    assert decode_compliance(octets("00 00 00 0a  00 09 00 00 00 00 00 02 aa bb")) == ()


CUT_SHORT = {
    "supported list without its head": (decode_supported, "00 00 00 00 00 00 00"),
    "supported list that announces more": (decode_supported, "00 00 00 00 00 00 00 02 00"),
    "certificate without its head": (decode_certificate, "00 00 00"),
    "certificate that announces more": (decode_certificate, "00 00 00 02 30"),
    "compliance without its length": (decode_compliance, "00 00 02"),
    "compliance that announces more": (decode_compliance, "00 00 02 10 00 01"),
    "compliance with half a descriptor": (decode_compliance, "00 00 00 0a 00 01 00 00 00 00 00 02 33 31"),
}


@pytest.mark.parametrize(("read", "image"), CUT_SHORT.values(), ids=CUT_SHORT)
def test_page_cut_short_is_malformed(read: object, image: str) -> None:
    assert callable(read)
    with pytest.raises(Malformed, match="cut short"):
        read(octets(image))


@pytest.mark.parametrize(
    ("pointer", "name"),
    [
        (FieldPointer(1, None, True), "SECURITY PROTOCOL"),
        (FieldPointer(2, 7, True), "SECURITY PROTOCOL SPECIFIC"),  # an unsupported page: ORA, MHV
        (FieldPointer(4, 7, True), "INC 512"),
        (FieldPointer(9, None, True), "LENGTH"),
        (FieldPointer(5, None, True), "byte 5"),
    ],
)
def test_field_of_the_cdb_is_named(pointer: FieldPointer, name: str) -> None:
    assert field_name(pointer) == name


# fmt: off
NUMBERS: dict[type[Code], dict[str, int]] = {
    InformationPage: {
        "SUPPORTED": 0, "CERTIFICATE": 1, "COMPLIANCE": 2,
    },
}
# fmt: on


@pytest.mark.parametrize(("codes", "numbers"), NUMBERS.items(), ids=lambda one: getattr(one, "__name__", ""))
def test_codes_have_the_references_numbers(codes: type[Code], numbers: dict[str, int]) -> None:
    assert {code.name: code.value for code in codes} == numbers


@given(st.binary(max_size=600))
def test_any_bytes_are_pages_or_malformed(data: bytes) -> None:
    for read in (decode_supported, decode_certificate, decode_compliance):
        with suppress(Malformed):
            read(data)
