"""READ ELEMENT STATUS data (reference 8.2); bytes worked out by hand from its table."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tapekey.errors import Malformed
from tapekey.scsi import changer_status
from tapekey.scsi.changer import ElementType
from tapekey.scsi.changer_status import DriveName, Element, ElementState, MediumType, Page
from tapekey.scsi.vital import CodeSet, DesignatorType
from tests.octets import octets

TAG = "45 4e 43 30 30 31 4c 38" + " 20" * 24 + " 00 00 00 00"  # ENC001L8

SLOT = "10 00  09  00 00 00  00 00  00  01  00 00"
DRIVE = "01 00  01  00 00 00  00 00  00  81  10 02"
NO_NAME = "00 00 00 00"
SERIAL = "02 00 00 0a 54 4b 30 30 30 30 30 30 30 31"  # TK00000001
NAA = "01 03 00 08 30 00 00 00 00 00 00 01"
T10 = (
    "02 01 00 22 49 42 4d 20 20 20 20 20 55 4c 54 33 35 38 30 2d 54 44 38 20 20 20 20 20 54 4b 30 30 30 30 30 30 30 31"
)

FULL_SLOT = Element(ElementState(0x1000, accessible=True, full=True, medium_type=MediumType.DATA), "ENC001L8")
LOADED = ElementState(0x0100, full=True, source_valid=True, source=0x1002, medium_type=MediumType.DATA)

DATA = {
    "one full slot with its tag": (
        f"10 00 00 01 00 00 00 3c  02 80 00 34 00 00 00 34  {SLOT} {TAG} {NO_NAME}",
        Page(ElementType.STORAGE, (FULL_SLOT,)),
        0,
    ),
    "a drive with its serial number, mounted from slot 3": (
        f"01 00 00 01 00 00 00 46  04 80 00 3e 00 00 00 3e  {DRIVE} {TAG} {SERIAL}",
        Page(
            ElementType.DRIVE,
            (Element(LOADED, "ENC001L8", DriveName(CodeSet.ASCII, DesignatorType.VENDOR_SPECIFIC, b"TK00000001")),),
        ),
        10,
    ),
    "a drive with its NAA, without tags": (
        f"01 00 00 01 00 00 00 20  04 00 00 18 00 00 00 18  {DRIVE} {NAA}",
        Page(
            ElementType.DRIVE,
            (Element(LOADED, None, DriveName(CodeSet.BINARY, DesignatorType.NAA, bytes.fromhex("3000000000000001"))),),
        ),
        8,
    ),
    "a drive with its T10 name, without tags": (
        f"01 00 00 01 00 00 00 3a  04 00 00 32 00 00 00 32  {DRIVE} {T10}",
        Page(
            ElementType.DRIVE,
            (
                Element(
                    LOADED,
                    None,
                    DriveName(CodeSet.ASCII, DesignatorType.T10_VENDOR_ID, b"IBM     ULT3580-TD8     TK00000001"),
                ),
            ),
        ),
        34,
    ),
    "an import/export element that an operator filled, with an exception": (
        "00 10 00 01 00 00 00 18  03 00 00 10 00 00 00 10  00 10 3f 00 3a 00 00 00 00 00 00 00 00 00 00 00",
        Page(
            ElementType.IMPORT_EXPORT,
            (
                Element(
                    ElementState(
                        0x10,
                        import_able=True,
                        export_able=True,
                        accessible=True,
                        exception=True,
                        by_operator=True,
                        full=True,
                        asc=0x3A,
                    )
                ),
            ),
        ),
        0,
    ),
    "an empty transport": (
        "00 01 00 01 00 00 00 18  01 00 00 10 00 00 00 10  00 01 00 00 00 00 00 00 00 00 00 00 00 00 00 00",
        Page(ElementType.TRANSPORT, (Element(ElementState(1)),)),
        0,
    ),
}


def encoded(page: Page, longest: int) -> bytes:
    tags = any(element.barcode is not None for element in page.elements)
    length = changer_status.descriptor_length(volume_tags=tags, longest_name=longest)
    found = [changer_status.encode_element(element, length, volume_tags=tags) for element in page.elements]
    image = changer_status.encode_page(page.type, found, length, volume_tags=tags)
    return changer_status.encode_status(page.elements[0].state.address, len(page.elements), [image])


@pytest.mark.parametrize(("image", "page", "longest"), DATA.values(), ids=DATA)
def test_status_matches_the_references_bytes(image: str, page: Page, longest: int) -> None:
    assert encoded(page, longest) == octets(image)
    assert changer_status.decode_status(octets(image)) == (page,)
    assert changer_status.announced(octets(image)) == len(octets(image))


def test_an_empty_slot_has_a_tag_of_zeros() -> None:
    image = changer_status.encode_element(Element(ElementState(0x1001, accessible=True)), 52, volume_tags=True)

    assert image == octets("10 01 08") + bytes(49)


def test_longer_descriptors_are_stepped_over_by_their_length() -> None:
    padded = f"{SLOT} {TAG} {NO_NAME}" + " 00" * 64
    image = octets(f"10 00 00 02 00 00 00 f0  02 80 00 74 00 00 00 e8  {padded} {padded}")

    assert changer_status.decode_status(image) == (Page(ElementType.STORAGE, (FULL_SLOT, FULL_SLOT)),)


def test_an_alternate_tag_is_passed_over() -> None:
    image = octets(f"10 00 00 01 00 00 00 60  02 c0 00 58 00 00 00 58  {SLOT} {TAG} {TAG} {NO_NAME}")

    assert changer_status.decode_status(image) == (Page(ElementType.STORAGE, (FULL_SLOT,)),)


def test_status_that_was_cut_at_the_room_is_read_as_far_as_it_came() -> None:
    whole = octets(f"10 00 00 02 00 00 00 70  02 80 00 34 00 00 00 68  {SLOT} {TAG} {NO_NAME} {SLOT} {TAG} {NO_NAME}")

    assert changer_status.decode_status(whole[:-20]) == (Page(ElementType.STORAGE, (FULL_SLOT,)),)
    assert changer_status.announced(whole[:8]) == len(whole)


@pytest.mark.parametrize("length", [0, 11, 12, 47])
def test_a_descriptor_too_short_for_its_own_flags_is_malformed(length: int) -> None:
    with pytest.raises(Malformed):
        changer_status.decode_status(octets(f"10 00 00 01 00 00 00 3c  02 80 00 {length:02x} 00 00 00 34") + bytes(52))


@given(st.binary(max_size=300))
def test_any_bytes_are_a_status_or_malformed(data: bytes) -> None:
    with contextlib.suppress(Malformed):
        changer_status.decode_status(data)
