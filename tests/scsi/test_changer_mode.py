"""Mode pages of media changers; bytes worked out by hand from SMC-3's tables, as mtx reads them."""

import pytest

from tapekey.scsi import changer_mode
from tapekey.scsi.changer import ElementType
from tapekey.scsi.changer_mode import Capabilities, ElementAddresses, TransportGeometry
from tapekey.wire.layout import decode, encode
from tests.octets import octets

PAGES = {
    "element addresses": (
        "1d 12  00 01 00 01  10 00 00 18  00 10 00 02  01 00 00 04  00 00",
        ElementAddresses(
            first_transport=1,
            transports=1,
            first_storage=0x1000,
            storages=24,
            first_mail_slot=0x10,
            mail_slots=2,
            first_drive=0x100,
            drives=4,
        ),
    ),
    "transport geometry": ("1e 02 00 00", TransportGeometry()),
    "capabilities: slots, mail slots and drives, all ways": (
        "1f 12 0e 00  00 0e 0e 0e  00 00 00 00  00 0e 0e 0e  00 00 00 00",
        Capabilities(
            stores=0x0E,
            from_storage=0x0E,
            from_mail_slot=0x0E,
            from_drive=0x0E,
            exchange_storage=0x0E,
            exchange_mail_slot=0x0E,
            exchange_drive=0x0E,
        ),
    ),
}


@pytest.mark.parametrize(("image", "page"), PAGES.values(), ids=PAGES)
def test_pages_match_the_standards_bytes(image: str, page: object) -> None:
    assert encode(page) == octets(image)
    assert decode(type(page), octets(image)) == page


def test_a_bit_stands_for_each_element_type() -> None:
    assert [changer_mode.flags(type) for type in ElementType if type] == [1, 2, 4, 8]
    assert changer_mode.flags(ElementType.STORAGE, ElementType.DRIVE) == 0x0A
