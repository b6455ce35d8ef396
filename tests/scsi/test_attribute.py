"""Cartridge memory of reference 4.1; bytes worked out by hand from its tables."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tapekey.errors import Malformed
from tapekey.exchange import Command
from tapekey.scsi import attribute
from tapekey.scsi.attribute import Attribute, Numbering, ReadAction, ReadAttribute, WriteAttribute
from tapekey.scsi.attribute_table import AttributeId, Format
from tapekey.scsi.counter import Absent
from tapekey.wire.layout import decode, encode
from tests.octets import octets

VALUES = octets("""
    00 00 00 25
    00 04 80 00 08              # MAM space remaining: read only, binary
    00 00 00 00 00 00 03 10
    04 06 81 00 08              # manufacture date: read only, ASCII
    32 30 32 36 30 31 33 31
    08 05 00 00 01              # text localization
    81
    14 00 00 00 00              # ours, empty
""")
ATTRIBUTES = (
    Attribute(AttributeId.MEMORY_SPACE_REMAINING, bytes([0, 0, 0, 0, 0, 0, 3, 0x10]), read_only=True),
    Attribute(AttributeId.MANUFACTURE_DATE, b"20260131", Format.ASCII, read_only=True),
    Attribute(AttributeId.LOCALIZATION, b"\x81"),
    Attribute(AttributeId(0x1400), b""),
)
CDBS: dict[str, tuple[str, Command, ReadAttribute]] = {
    "values of one, with room for it and its header": (
        "8C 00 00 00 00 00 00 00 04 01 00 00 00 29 00 00",
        attribute.read_attribute(0x0401),
        ReadAttribute(first=AttributeId.MEDIUM_SERIAL, room=41),
    ),
    "values from one on, partition 1": (
        "8C 00 00 00 00 00 00 01 08 0C 00 00 01 00 00 00",
        attribute.read_attributes(0x080C, 1, room=256),
        ReadAttribute(partition=1, first=AttributeId.VOLUME_COHERENCY, room=256),
    ),
    "list": (
        "8C 01 00 00 00 00 00 00 00 00 00 01 00 00 00 00",
        attribute.list_attributes(),
        ReadAttribute(action=ReadAction.LIST, room=65536),
    ),
    "logical volumes": (
        "8C 02 00 00 00 00 00 00 00 00 00 00 00 04 00 00",
        attribute.list_volumes(),
        ReadAttribute(action=ReadAction.LOGICAL_VOLUMES, room=4),
    ),
    "partitions": (
        "8C 03 00 00 00 00 00 00 00 00 00 00 00 04 00 00",
        attribute.list_partitions(),
        ReadAttribute(action=ReadAction.PARTITIONS, room=4),
    ),
    "supported": (
        "8C 05 00 00 00 00 00 00 14 00 00 01 00 00 00 00",
        attribute.list_supported(0x1400),
        ReadAttribute(action=ReadAction.SUPPORTED, first=AttributeId(0x1400), room=65536),
    ),
}


@pytest.mark.parametrize(("image", "command", "structure"), CDBS.values(), ids=CDBS)
def test_cdb_matches_the_references_bytes(image: str, command: Command, structure: ReadAttribute) -> None:
    assert command.cdb == bytes.fromhex(image)
    assert decode(ReadAttribute, command.cdb) == structure
    assert command.data_in_max == structure.room


def test_cache_is_never_asked_for() -> None:
    assert not any(decode(ReadAttribute, command.cdb).cache for _, command, _ in CDBS.values())
    assert decode(ReadAttribute, bytes.fromhex("8C" + "00" * 13 + "01 00")).cache


def test_values_match_the_references_bytes() -> None:
    assert attribute.encode_attributes(reversed(ATTRIBUTES)) == VALUES
    assert attribute.decode_attributes(VALUES) == ATTRIBUTES


def test_write_goes_through_to_the_chip() -> None:
    command = attribute.write_attributes([attribute.attribute(0x0806, b"A00001L8")])

    assert command.cdb == bytes.fromhex("8D 01 00 00 00 00 00 00 00 00 00 00 00 29 00 00")
    assert command.data_out == bytes.fromhex("00 00 00 25 08 06 01 00 20") + b"A00001L8".ljust(32)
    assert decode(WriteAttribute, command.cdb) == WriteAttribute(write_through=True, length=41)


def test_removing_writes_no_value() -> None:
    assert attribute.remove_attribute(0x0800).data_out == bytes.fromhex("00 00 00 05 08 00 01 00 00")


def test_text_is_padded_with_nul() -> None:
    assert attribute.attribute(0x0803, b"label").value == b"label".ljust(160, b"\0")


def test_envelope_is_written_as_it_is() -> None:
    assert attribute.attribute(0x1401, b"\x01" * 300) == Attribute(AttributeId(0x1401), b"\x01" * 300)


def test_value_that_is_too_long_is_the_callers_mistake() -> None:
    with pytest.raises(ValueError, match="attribute 0806h takes 32 bytes, not 33"):
        attribute.attribute(0x0806, bytes(33))


def test_device_ignores_the_lists_own_length() -> None:
    assert attribute.decode_written(bytes(4) + VALUES[4:]) == ATTRIBUTES


def test_device_sees_the_order_as_sent() -> None:
    image = bytes(4) + bytes.fromhex("08 02 01 00 00  08 00 01 00 00")

    assert [item.id for item in attribute.decode_written(image)] == [0x0802, 0x0800]


def test_first_attribute_is_read_though_the_rest_is_cut_off() -> None:
    cut = VALUES[:25]

    assert attribute.decode_attribute(cut, 0x0004) == ATTRIBUTES[0]
    with pytest.raises(Malformed):
        attribute.decode_attributes(cut)


def test_next_attribute_is_not_the_wanted_one() -> None:
    assert attribute.decode_attribute(VALUES, 0x0003) is None
    assert attribute.decode_attribute(bytes(4), 0x0003) is None


def test_value_that_is_cut_off_is_no_value() -> None:
    with pytest.raises(Malformed, match="attribute 0004h needs 8 bytes, 7 are left"):
        attribute.decode_attribute(VALUES[:16], 0x0004)


def test_list_whose_length_is_the_allocation_ends_where_the_bytes_end() -> None:
    assert attribute.decode_attributes(bytes.fromhex("00 01 00 00") + VALUES[4:]) == ATTRIBUTES


def test_bytes_behind_the_announced_list_are_left() -> None:
    assert attribute.decode_attributes(VALUES + b"\xff" * 9) == ATTRIBUTES


def test_identifiers() -> None:
    image = bytes.fromhex("00 00 00 06 00 00 04 01 14 00")

    assert attribute.encode_ids([0x1400, 0x0401, 0x0000]) == image
    assert attribute.decode_ids(image) == (0x0000, 0x0401, 0x1400)
    assert attribute.decode_ids(image)[2].known is False


def test_torn_identifier_is_refused() -> None:
    with pytest.raises(Malformed):
        attribute.decode_ids(bytes.fromhex("00 00 00 06 00 00 04"))


def test_partition_list() -> None:
    assert decode(Numbering, bytes.fromhex("00 02 00 04")) == Numbering(first=0, count=4)
    assert encode(Numbering(count=4)) == bytes.fromhex("00 02 00 04")


@pytest.mark.parametrize("value", [b"A00001L8", b"A00001L8   ", b"A00001L8\0\0", b"A00001L8 \0 "])
def test_words_are_read_without_either_padding(value: bytes) -> None:
    assert attribute.words(Attribute(AttributeId.BARCODE, value, Format.ASCII)) == "A00001L8"


def test_numbers_are_big_endian() -> None:
    assert attribute.number(ATTRIBUTES[0]) == 784


def test_empty_value_is_no_number() -> None:
    with pytest.raises(Malformed, match="attribute 0009h is empty"):
        attribute.number(Attribute(AttributeId.VOLUME_CHANGE_REFERENCE, b""))


@pytest.mark.parametrize(
    ("image", "value"),
    [("FF" * 8, Absent.NONE), ("FF" * 7 + "FE", Absent.UNKNOWN), ("00" * 7 + "05", 5)],
)
def test_no_encrypted_block_is_not_unknown(image: str, value: int | Absent) -> None:
    assert attribute.block(Attribute(AttributeId.FIRST_ENCRYPTED_BLOCK, bytes.fromhex(image))) == value


READERS: list[Callable[[bytes], object]] = [
    attribute.decode_attributes,
    attribute.decode_written,
    attribute.decode_ids,
    lambda data: attribute.decode_attribute(data, 0x0401),
]


@given(st.binary(max_size=60), st.booleans())
def test_any_bytes_are_attributes_or_malformed(data: bytes, framed: bool) -> None:
    image = len(data).to_bytes(4, "big") + data if framed else data
    for read in READERS:
        try:
            read(image)
        except Malformed:
            continue
