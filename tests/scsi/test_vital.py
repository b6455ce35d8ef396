"""Vital product data of reference 1.7; bytes worked out by hand from its table (B5h: SSC-5)."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tapekey.errors import Malformed
from tapekey.scsi import vital
from tapekey.scsi.inquiry import VitalPage
from tapekey.scsi.vital import Association, CodeSet, Designator, DesignatorType, ProtectionMethod
from tests.octets import octets

SUPPORTED = octets("01 00 00 04  00 80 83 B0")
SERIAL = octets("01 80 00 0A  31 30 31 33 30 30 30 31 41 46  # 10130001AF")
MANUFACTURER = octets("01 B1 00 0C  20 20 31 30 31 33 30 30 30 31 41 46  # right-aligned")
IDENTIFICATION = octets("""
    01 83 00 3A
    02 01 00 22              # ASCII, logical unit, T10 vendor id, 34 bytes
    49 42 4D 20 20 20 20 20
    55 4C 54 52 49 55 4D 2D 54 44 38 20 20 20 20 20
    31 30 31 33 30 30 30 31 41 46
    01 03 00 08              # binary, logical unit, NAA
    50 05 07 63 12 34 56 78
    61 94 00 04              # SAS, binary, PIV, port, relative port 1
    00 00 00 01
""")
DESIGNATORS = (
    Designator(DesignatorType.T10_VENDOR_ID, b"IBM     ULTRIUM-TD8     10130001AF", CodeSet.ASCII),
    Designator(DesignatorType.NAA, bytes.fromhex("5005076312345678")),
    Designator(DesignatorType.RELATIVE_PORT, bytes([0, 0, 0, 1]), CodeSet.BINARY, Association.PORT, protocol=6),
)
PROTECTION = octets("""
    01 B5 00 0C
    00 00 00 00
    03 01 04 C0   # Reed-Solomon, 4 bytes, write and read
    03 02 04 E0   # CRC32C, and recovered data
""")
METHODS = (
    ProtectionMethod(method=1, information_length=4, on_write=True, on_read=True),
    ProtectionMethod(method=2, information_length=4, on_write=True, on_read=True, on_recover=True),
)


def test_supported_pages() -> None:
    pages = (VitalPage.SUPPORTED, VitalPage.SERIAL, VitalPage.IDENTIFICATION, VitalPage.SEQUENTIAL_ACCESS)

    assert vital.encode_supported(reversed(pages)) == SUPPORTED
    assert vital.decode_supported(SUPPORTED) == pages


def test_serial() -> None:
    assert vital.encode_serial("10130001AF") == SERIAL
    assert vital.decode_serial(SERIAL) == "10130001AF"


def test_manufacturer_serial_is_right_aligned() -> None:
    assert vital.encode_serial("10130001AF", VitalPage.MANUFACTURER_SERIAL, 12) == MANUFACTURER
    assert vital.decode_serial(MANUFACTURER, VitalPage.MANUFACTURER_SERIAL) == "10130001AF"


def test_padding_with_nul_is_stripped_too() -> None:
    assert vital.decode_serial(bytes.fromhex("01 80 00 04 41 42 00 20")) == "AB"


def test_designators() -> None:
    assert vital.encode_designators(DESIGNATORS) == IDENTIFICATION
    assert vital.decode_designators(IDENTIFICATION) == DESIGNATORS


def test_names_of_the_logical_unit() -> None:
    assert vital.naa(DESIGNATORS) == bytes.fromhex("5005076312345678")
    assert vital.t10_id(DESIGNATORS) == "IBM     ULTRIUM-TD8     10130001AF"


def test_name_of_a_port_is_not_the_units() -> None:
    port = Designator(DesignatorType.NAA, bytes(8), association=Association.PORT)

    assert vital.naa([port]) is None


def test_torn_designator_is_refused() -> None:
    with pytest.raises(Malformed, match="device identification page 83h is cut short"):
        vital.decode_designators(IDENTIFICATION[:-1])


def test_write_once_is_bit_0_of_page_b0h() -> None:
    assert vital.encode_sequential_access(write_once=True) == octets("01 B0 00 02  01 00")
    assert vital.decode_sequential_access(octets("01 B0 00 06  01 00 00 00 00 00"))
    assert not vital.decode_sequential_access(octets("01 B0 00 02  FE 00"))


def test_element_address() -> None:
    assert vital.encode_element_address(0x101) == octets("01 B4 00 04  00 00 01 01")
    assert vital.decode_element_address(octets("01 B4 00 02  01 01")) == 0x101
    assert vital.decode_element_address(octets("01 B4 00 00")) is None


def test_block_protection() -> None:
    assert vital.encode_block_protection(METHODS) == PROTECTION
    assert vital.decode_block_protection(PROTECTION) == METHODS


def test_virtual_drive_says_so() -> None:
    page = vital.encode_virtual("0.1.0 ibm-lto8")

    assert page[4:] == b"TAPEKEY VIRTUAL 0.1.0 ibm-lto8"
    assert vital.decode_virtual(page) == "TAPEKEY VIRTUAL 0.1.0 ibm-lto8"


def test_another_vendors_page_d0h_is_not_ours() -> None:
    assert vital.decode_virtual(octets("01 D0 00 03  41 42 43")) is None


def test_other_page_than_asked_is_refused() -> None:
    with pytest.raises(Malformed, match="vital product data page 80h, not 83h"):
        vital.decode_designators(SERIAL)


def test_page_whose_length_is_the_allocation_ends_where_the_bytes_end() -> None:
    assert vital.decode_serial(b"\x01\x80\x02\x00" + SERIAL[4:]) == "10130001AF"


READERS: dict[str, tuple[VitalPage, Callable[[bytes], object]]] = {
    "supported": (VitalPage.SUPPORTED, vital.decode_supported),
    "serial": (VitalPage.SERIAL, vital.decode_serial),
    "designators": (VitalPage.IDENTIFICATION, vital.decode_designators),
    "sequential access": (VitalPage.SEQUENTIAL_ACCESS, vital.decode_sequential_access),
    "element address": (VitalPage.ELEMENT_ADDRESS, vital.decode_element_address),
    "block protection": (VitalPage.BLOCK_PROTECTION, vital.decode_block_protection),
    "virtual": (VitalPage.VIRTUAL, vital.decode_virtual),
}


@pytest.mark.parametrize(("page", "read"), READERS.values(), ids=READERS)
@given(body=st.binary(max_size=80), framed=st.booleans())
def test_any_bytes_are_a_page_or_malformed(
    page: VitalPage, read: Callable[[bytes], object], body: bytes, framed: bool
) -> None:
    data = vital.encode_vital(page, body) if framed else body
    try:
        read(data)
    except Malformed:
        return
    assert len(data) >= 4
