"""The table of attributes against reference 4.2."""

import pytest

from tapekey.scsi.attribute_table import HOST_VENDOR, KINDS, AttributeId, Format, Kind, kind_of, range_of

# id: length, format, host writes; the rows of the reference that tapekey relies on, typed again
ROWS = {
    0x0000: (8, "BINARY", False),
    0x0004: (8, "BINARY", False),
    0x0007: (2, "BINARY", False),
    0x0009: (None, "BINARY", False),
    0x020A: (40, "ASCII", False),
    0x0224: (8, "BINARY", False),
    0x0225: (8, "BINARY", False),
    0x0400: (8, "ASCII", False),
    0x0401: (32, "ASCII", False),
    0x0405: (1, "BINARY", False),
    0x0406: (8, "ASCII", False),
    0x0407: (8, "BINARY", False),
    0x0408: (1, "BINARY", False),
    0x0800: (8, "ASCII", True),
    0x0801: (32, "ASCII", True),
    0x0802: (8, "ASCII", True),
    0x0803: (160, "TEXT", True),
    0x0804: (12, "ASCII", True),
    0x0805: (1, "BINARY", True),
    0x0806: (32, "ASCII", True),
    0x0807: (80, "TEXT", True),
    0x0808: (160, "TEXT", True),
    0x080B: (16, "ASCII", True),
    0x080C: (None, "BINARY", True),
    0x0820: (36, "BINARY", True),
    0x1000: (28, "BINARY", False),
    0x1623: (1, "BINARY", True),
}


@pytest.mark.parametrize("identifier", ROWS, ids=lambda item: f"{item:04X}h")
def test_row_matches_the_reference(identifier: int) -> None:
    length, form, host_writes = ROWS[identifier]

    assert kind_of(identifier) == Kind(length, Format[form], host_writes)


def test_every_named_attribute_has_a_row() -> None:
    assert set(KINDS) == set(AttributeId)


def test_exceptions_to_the_ranges_are_the_references_two() -> None:
    odd = [
        item for item, kind in KINDS.items() if (lies_in := range_of(item)) and lies_in.host_writes != kind.host_writes
    ]

    assert odd == [AttributeId.USER_CARTRIDGE_IDENTITY, AttributeId.OPTIMIZATION_NEEDED]


@pytest.mark.parametrize(
    ("identifier", "writer"),
    [
        (0x03FF, "device"),
        (0x0400, "medium"),
        (0x07FF, "medium"),
        (0x0800, "host"),
        (0x0BFF, "host"),
        (0x0C00, "device"),
        (0x1000, "medium"),
        (0x13FF, "medium"),
        (0x1400, "host"),
        (0x17FF, "host"),
        (0x1800, None),
        (0xFFFF, None),
    ],
)
def test_ranges_end_where_the_reference_ends_them(identifier: int, writer: str | None) -> None:
    lies_in = range_of(identifier)

    assert (lies_in.writer if lies_in else None) == writer


def test_host_vendor_range_is_the_one_for_envelopes() -> None:
    assert (HOST_VENDOR.first, HOST_VENDOR.last, HOST_VENDOR.host_writes) == (0x1400, 0x17FF, True)


def test_unlisted_attribute_of_the_host_may_be_written_at_any_length() -> None:
    assert kind_of(0x1401) == Kind(None, Format.BINARY, True)
    assert not kind_of(0x2000).host_writes
