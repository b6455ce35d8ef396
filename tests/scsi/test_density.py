"""REPORT DENSITY SUPPORT of reference 1.10; bytes worked out by hand from its table."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tapekey.errors import Malformed
from tapekey.scsi import density
from tapekey.scsi.density import MEDIUM_TYPES, Density, DensityDescriptor, ReportDensity
from tapekey.wire.layout import decode, encode
from tests.octets import octets

LTO_8 = octets("""
    5E 5E
    A0                       # WRTOK, DEFLT
    00 00
    00 4B 00                 # 19200 bits/mm
    00 7F                    # 12.7 mm
    1A 00                    # 6656 tracks
    00 B7 1B 00              # 12 000 000 MB
    4C 54 4F 2D 43 56 45 20  # LTO-CVE
    55 2D 38 20 20 20 20 20  # U-8
    55 6C 74 72 69 75 6D 20 38 2F 31 36 54 20 20 20 20 20 20 20  # Ultrium 8/16T
""")
DESCRIPTOR = DensityDescriptor(
    primary=Density.LTO_8,
    secondary=Density.LTO_8,
    writable=True,
    default=True,
    bits_per_mm=19200,
    width=127,
    tracks=6656,
    capacity=12_000_000,
    organization="LTO-CVE",
    name="U-8",
    description="Ultrium 8/16T",
)
PAGE = bytes.fromhex("00 36 00 00") + LTO_8


def test_page_matches_the_references_bytes() -> None:
    assert density.encode_densities([DESCRIPTOR]) == PAGE
    assert density.decode_densities(PAGE) == (DESCRIPTOR,)


def test_commands_match_the_references_bytes() -> None:
    assert density.report_densities().cdb == bytes.fromhex("44 00 00 00 00 00 00 20 00 00")
    assert density.report_densities(of_medium=True).cdb == bytes.fromhex("44 01 00 00 00 00 00 20 00 00")
    assert decode(ReportDensity, bytes.fromhex("44 03 00 00 00 00 00 00 38 00")) == ReportDensity(
        medium_type=True, of_medium=True, room=56
    )


def test_flags_of_byte_2() -> None:
    image = bytes.fromhex("00 00 41 00 2F") + bytes(11) + b" " * 36

    assert encode(DensityDescriptor(duplicate=True, length_valid=True, length=0x2F)) == image


def test_descriptor_with_its_own_length_is_stepped_over_whole() -> None:
    longer = LTO_8[:2] + bytes.fromhex("A1 00 33") + LTO_8[5:] + b"\xff" * 4
    found = density.decode_densities(bytes.fromhex("00 6E 00 00") + longer + LTO_8)

    assert [item.primary for item in found] == [Density.LTO_8, Density.LTO_8]
    assert found[1] == DESCRIPTOR


def test_page_whose_length_is_the_allocation_ends_where_the_bytes_end() -> None:
    assert density.decode_densities(b"\x20\x00" + PAGE[2:]) == (DESCRIPTOR,)


TORN = {
    "header": PAGE[:3],
    "descriptor": PAGE[:-1],
    "descriptor's head": PAGE[:6],
    "descriptor shorter than the table": bytes.fromhex("00 08 00 00 5E 5E 01 00 01 00"),
}


@pytest.mark.parametrize("image", TORN.values(), ids=TORN)
def test_torn_page_is_refused(image: bytes) -> None:
    with pytest.raises(Malformed):
        density.decode_densities(image)


def test_write_once_media_have_their_own_type() -> None:
    assert MEDIUM_TYPES[Density.LTO_9] == (0x98, 0x9C)
    assert MEDIUM_TYPES[Density.LTO_5] == (0x58, 0x5C)
    assert MEDIUM_TYPES[Density.LTO_2] == (0x28, None)


@given(st.binary(max_size=120), st.booleans())
def test_any_bytes_are_densities_or_malformed(data: bytes, framed: bool) -> None:
    image = (len(data) + 2).to_bytes(2, "big") + bytes(2) + data if framed else data
    try:
        density.decode_densities(image)
    except Malformed:
        return


def test_bytes_behind_the_page_are_left() -> None:
    assert density.decode_densities(PAGE + LTO_8[:9]) == (DESCRIPTOR,)


def test_medium_types_match_the_standards_bytes() -> None:
    """SSC-3, worked out by hand: 56 bytes a descriptor, of which 52 follow its length."""
    image = (
        octets("""
        00 3A 00 00
        68 00 00 34  01 5A 00 00 00 00 00 00 00 00  00 7F  03 4E  00 00
    """)
        + b"LTO-CVE LTO6    virtual LTO6        "
    )
    kind = density.MediumTypeDescriptor(
        medium_type=0x68,
        densities=1,
        density=Density.LTO_6,
        width=127,
        length=846,
        organization="LTO-CVE",
        name="LTO6",
        description="virtual LTO6",
    )

    assert density.encode_medium_types([kind]) == image
    assert density.decode_medium_types(image) == (kind,)
    assert density.report_medium_types().cdb == octets("44 02 00 00 00 00 00 20 00 00")
