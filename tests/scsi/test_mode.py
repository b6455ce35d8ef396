"""MODE SENSE and MODE SELECT of reference 1.3, 1.12, 11.2, 11.3; bytes worked out by hand from its tables."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tapekey.errors import Malformed
from tapekey.exchange import Command
from tapekey.scsi import mode, mode_page
from tapekey.scsi.mode import (
    Answer,
    BlockDescriptor,
    Control,
    ModeSelect6,
    ModeSelect10,
    ModeSense6,
    ModeSense10,
    RawPage,
)
from tapekey.scsi.mode_page import (
    DataCompression,
    DeviceConfigurationExtension,
    IbmEncryption,
    MediumPartition,
    ModePage,
)
from tapekey.wire.layout import decode, encode
from tests.octets import octets

EXTENSION = octets("D0 01 00 1C  00 02 00 00  04" + " 00" * 23)
UNKNOWN = octets("2F 02 DE AD")
SENSE_10 = (
    octets("""
        00 32        # 52 bytes - 2
        88           # medium type: LTO-8
        90           # WP, buffered mode 1
        00 00
        00 08        # block descriptor
        5E 00 00 00  00 01 00 00
    """)
    + EXTENSION
    + UNKNOWN
)
SENSE_6 = octets("""
    0F               # 16 bytes - 1
    58 12 08         # LTO-5, buffered mode 1, speed 2, block descriptor
    58 00 00 00  00 00 02 00
    2F 02 DE AD
""")
ANSWER_10 = Answer(
    medium_type=0x88,
    write_protected=True,
    buffered=1,
    descriptor=BlockDescriptor(density=0x5E, block_length=65536),
    pages=(RawPage(EXTENSION), RawPage(UNKNOWN)),
)
ANSWER_6 = Answer(
    medium_type=0x58,
    buffered=1,
    speed=2,
    descriptor=BlockDescriptor(density=0x58, block_length=512),
    pages=(RawPage(UNKNOWN),),
)
CDBS: dict[str, tuple[str, Command | None, object]] = {
    "MODE SENSE(10), 10h/01h, changeable": (
        "5A 00 50 01 00 00 00 10 00 00",
        mode.mode_sense(ModePage.DEVICE_CONFIGURATION, 1, values=Control.CHANGEABLE),
        ModeSense10(page_control=Control.CHANGEABLE, page=ModePage.DEVICE_CONFIGURATION, subpage=1, room=4096),
    ),
    "MODE SENSE(10), all pages and subpages, DBD": (
        "5A 08 3F FF 00 00 00 10 00 00",
        mode.mode_sense(ModePage.ALL, mode_page.ALL_SUBPAGES, descriptor=False),
        ModeSense10(no_descriptor=True, page=ModePage.ALL, subpage=0xFF, room=4096),
    ),
    "MODE SENSE(10), LLBAA": ("5A 10 00 00 00 00 00 00 08 00", None, ModeSense10(long_descriptor=True, room=8)),
    "MODE SENSE(6), as st asks at open": (
        "1A 00 00 00 0C 00",
        mode.mode_sense_6(ModePage.VENDOR, room=12),
        ModeSense6(room=12),
    ),
    "MODE SENSE(6), saved, DBD": (
        "1A 08 CF 00 FF 00",
        mode.mode_sense_6(ModePage.DATA_COMPRESSION, values=Control.SAVED, descriptor=False),
        ModeSense6(no_descriptor=True, page_control=Control.SAVED, page=ModePage.DATA_COMPRESSION, room=255),
    ),
    "MODE SELECT(10), SP": (
        "55 11 00 00 00 00 00 00 34 00",
        mode.mode_select(ANSWER_10, save=True),
        ModeSelect10(page_format=True, save=True, length=52),
    ),
    "MODE SELECT(6)": (
        "15 10 00 00 10 00",
        mode.mode_select_6(ANSWER_6),
        ModeSelect6(page_format=True, length=16),
    ),
}


@pytest.mark.parametrize(("image", "command", "structure"), CDBS.values(), ids=CDBS)
def test_cdb_matches_the_references_bytes(image: str, command: Command | None, structure: object) -> None:
    cdb = bytes.fromhex(image)

    assert encode(structure) == cdb
    assert decode(type(structure), cdb) == structure
    assert command is None or command.cdb == cdb


def test_answers_match_the_references_bytes() -> None:
    assert mode.encode_answer_10(ANSWER_10) == SENSE_10
    assert mode.decode_answer_10(SENSE_10) == ANSWER_10
    assert mode.encode_answer_6(ANSWER_6) == SENSE_6
    assert mode.decode_answer_6(SENSE_6) == ANSWER_6


def test_page_gets_its_structure() -> None:
    page = ANSWER_10.read(DeviceConfigurationExtension)

    assert page == DeviceConfigurationExtension(saveable=True, short_erase_mode=2, writes_require_encryption=True)


def test_page_that_is_not_there_is_none() -> None:
    assert ANSWER_10.read(IbmEncryption) is None
    assert ANSWER_10.find(ModePage.DEVICE_CONFIGURATION) is None


def test_page_that_nobody_knows_is_kept() -> None:
    unknown = ANSWER_10.find(ModePage(0x2F))

    assert unknown is not None
    assert unknown.image == UNKNOWN
    assert not unknown.page.known


def test_selection_has_no_length_no_protection_and_no_saveable_bits() -> None:
    image = mode.encode_selection_10(ANSWER_10)

    assert image[:8] == bytes.fromhex("00 00 88 10 00 00 00 08")
    assert image[16:20] == bytes.fromhex("50 01 00 1C")
    assert image[20:] == SENSE_10[20:]


def test_device_reads_what_was_selected() -> None:
    unsaved = replace(ANSWER_10, write_protected=False, pages=(RawPage(b"\x50" + EXTENSION[1:]), RawPage(UNKNOWN)))

    assert mode.decode_selection_10(mode.encode_selection_10(ANSWER_10)) == unsaved
    assert mode.decode_selection_6(mode.encode_selection_6(ANSWER_6)) == ANSWER_6


def test_ltfs_sends_48_bytes_for_the_extension() -> None:
    selection = Answer(descriptor=BlockDescriptor(), pages=(RawPage(EXTENSION),))

    assert len(mode.encode_selection_10(selection)) == 48


def test_changed_page_is_laid_into_its_own_length() -> None:
    assert mode.raw(MediumPartition(sizes=bytes(8))).image[:2] == bytes.fromhex("11 0E")
    assert mode.raw(DeviceConfigurationExtension()).image[:4] == bytes.fromhex("50 01 00 1C")
    assert mode.raw(DataCompression()).image[:2] == bytes.fromhex("0F 0E")


def test_answer_without_block_descriptor() -> None:
    found = mode.decode_answer_10(bytes.fromhex("00 0A 00 00 00 00 00 00 2F 02 DE AD"))

    assert found == Answer(pages=(RawPage(UNKNOWN),))


def test_answer_whose_length_is_the_allocation_ends_where_the_bytes_end() -> None:
    assert mode.decode_answer_10(b"\x10\x00" + SENSE_10[2:]) == ANSWER_10


def test_bytes_behind_the_answer_are_left() -> None:
    assert mode.decode_answer_6(SENSE_6 + b"\x0f") == ANSWER_6


TORN = {
    "header": (mode.decode_answer_10, SENSE_10[:7]),
    "header of 6": (mode.decode_answer_6, SENSE_6[:3]),
    "block descriptor": (mode.decode_answer_10, SENSE_10[:12]),
    "descriptor of 4 bytes": (mode.decode_answer_6, bytes.fromhex("07 00 00 04 00 00 00 00")),
    "page": (mode.decode_answer_10, SENSE_10[:-1]),
    "page's header": (mode.decode_answer_10, SENSE_10[:17]),
    "subpage's length": (mode.decode_answer_10, SENSE_10[:19]),
    "selected page": (mode.decode_selection_6, SENSE_6[:-1]),
}


@pytest.mark.parametrize(("read", "image"), TORN.values(), ids=TORN)
def test_torn_answer_is_refused(read: Callable[[bytes], Answer], image: bytes) -> None:
    with pytest.raises(Malformed):
        read(image)


def test_page_shorter_than_its_structure_is_refused() -> None:
    with pytest.raises(Malformed):
        Answer(pages=(RawPage(bytes.fromhex("50 01 00 02 00 00")),)).read(DeviceConfigurationExtension)


@given(st.binary(max_size=80))
def test_any_bytes_are_an_answer_or_malformed(data: bytes) -> None:
    for read in (mode.decode_answer_6, mode.decode_answer_10, mode.decode_selection_6, mode.decode_selection_10):
        try:
            found = read(data)
            found.read(DeviceConfigurationExtension)
        except Malformed:
            continue


@pytest.mark.parametrize("vendor", ["00", "40", "00 FF", "80 01 02 03"])
def test_vendors_page_00h_needs_no_form_and_ends_the_answer(vendor: str) -> None:
    image = bytes.fromhex("00 00 00 00 00 00 00 00 2F 02 DE AD") + bytes.fromhex(vendor)

    found = mode.decode_selection_10(image)

    assert found.pages == (RawPage(UNKNOWN), RawPage(bytes.fromhex(vendor)))
    assert found.find(ModePage.VENDOR) == found.pages[1]
