"""Mode pages: current, changeable, default and saved values, and what MODE SELECT refuses (reference 1.12, 11.3)."""

from pathlib import Path

import pytest

from tapekey.exchange import Command
from tapekey.scsi import media, mode
from tapekey.scsi.mode import Answer, BlockDescriptor, Control, RawPage
from tapekey.scsi.mode_page import ALL_SUBPAGES, EXTENSION, PROTECTION, ModePage
from tapekey.scsi.sense import FieldPointer
from tapekey.target import modes
from tapekey.target.personality import Management
from tests.bench import NAMES, Bench, powered
from tests.target.initiator import code, sense_of, write

CONFIGURATION = ModePage.DEVICE_CONFIGURATION


def page(bench: Bench, which: ModePage, subpage: int = 0, values: Control = Control.CURRENT) -> bytes:
    reply = bench.execute(mode.mode_sense(which, subpage, values=values))
    assert code(reply) == "good"
    return mode.decode_answer_10(reply.data_in).pages[0].image


def select(bench: Bench, image: bytes, *, save: bool = False) -> str:
    return code(bench.execute(mode.mode_select(Answer(pages=(RawPage(image),)), save=save)))


def with_byte(image: bytes, at: int, value: int) -> bytes:
    return image[:at] + bytes([value]) + image[at + 1 :]


def test_changed_value_is_current_and_not_saved(tmp_path: Path) -> None:
    bench = powered(tmp_path)
    assert select(bench, with_byte(page(bench, CONFIGURATION, EXTENSION), 8, 0x04)) == "good"

    assert page(bench, CONFIGURATION, EXTENSION)[8] == 0x04
    assert page(bench, CONFIGURATION, EXTENSION, Control.SAVED)[8] == 0x00
    assert page(bench, CONFIGURATION, EXTENSION, Control.DEFAULT)[8] == 0x00
    assert page(bench, CONFIGURATION, EXTENSION, Control.CHANGEABLE)[8] == 0x05


def test_saved_value_is_current_too(tmp_path: Path) -> None:
    bench = powered(tmp_path)
    assert select(bench, with_byte(page(bench, CONFIGURATION, EXTENSION), 8, 0x05), save=True) == "good"

    assert page(bench, CONFIGURATION, EXTENSION)[8] == 0x05
    assert page(bench, CONFIGURATION, EXTENSION, Control.SAVED)[8] == 0x05


def test_page_may_be_sent_back_as_it_was_read(tmp_path: Path) -> None:
    bench = powered(tmp_path)
    answer = mode.decode_answer_10(bench.execute(mode.mode_sense(ModePage.ALL)).data_in)

    assert code(bench.execute(mode.mode_select(answer))) == "good"
    answer = mode.decode_answer_6(bench.execute(mode.mode_sense_6(ModePage.DATA_COMPRESSION)).data_in)
    assert code(bench.execute(mode.mode_select_6(answer))) == "good"


def test_change_is_told_to_the_others(tmp_path: Path) -> None:
    bench = powered(tmp_path)
    other = bench.as_other()
    image = page(bench, CONFIGURATION, EXTENSION)
    assert select(bench, image) == "good"
    assert code(other.execute(media.test_unit_ready())) == "good"

    assert select(bench, with_byte(image, 8, 0x04)) == "good"

    assert code(other.execute(media.test_unit_ready())) == "6/2A/01"
    assert code(bench.execute(media.test_unit_ready())) == "good"


def test_bit_that_is_not_changeable_is_pointed_at(tmp_path: Path) -> None:
    bench = powered(tmp_path)
    image = with_byte(page(bench, CONFIGURATION, EXTENSION), 8, 0x08)

    sense = sense_of(bench.execute(mode.mode_select(Answer(pages=(RawPage(image),)))))

    assert (sense.code, sense.field) == ("5/26/00", FieldPointer(8 + 8, 3))


@pytest.mark.parametrize("which", [(ModePage.IBM_ENCRYPTION, 0x20), (ModePage.IBM_VENDOR, 0)], ids=str)
def test_ibm_pages_are_not_for_writing(tmp_path: Path, which: tuple[ModePage, int]) -> None:
    bench = powered(tmp_path)

    assert select(bench, page(bench, *which)) == "5/26/00"


METHODS = {
    Management.APPLICATION: ("0301 0100", 0x09),
    Management.LIBRARY: ("0401 0200", 0x09),
    Management.DISABLED: ("0101 0100", 0x01),
    Management.NONE: ("0101 0100", 0x00),
}


@pytest.mark.parametrize(("management", "told"), METHODS.items(), ids=str)
def test_ibm_pages_tell_who_manages_encryption(tmp_path: Path, management: Management, told: tuple[str, int]) -> None:
    bench = powered(tmp_path, management=management)

    assert page(bench, ModePage.IBM_ENCRYPTION, 0x20)[5:9] == bytes.fromhex(told[0])
    assert page(bench, ModePage.IBM_VENDOR)[7] == told[1]


def test_all_pages_leave_the_vendor_page_out_and_subpages_unless_asked(tmp_path: Path) -> None:
    bench = powered(tmp_path)

    def listed(subpage: int) -> list[tuple[int, int]]:
        answer = mode.decode_answer_10(bench.execute(mode.mode_sense(ModePage.ALL, subpage)).data_in)
        return [(int(item.page), item.subpage) for item in answer.pages]

    assert (0x24, 0) not in listed(ALL_SUBPAGES)
    assert (0x30, 0x20) in listed(ALL_SUBPAGES)
    assert (0x10, 0x01) in listed(ALL_SUBPAGES)
    assert all(not subpage for _, subpage in listed(0))
    assert listed(ALL_SUBPAGES) == sorted(listed(ALL_SUBPAGES))


def test_page_00h_is_header_and_block_descriptor_as_st_asks(tmp_path: Path) -> None:
    bench = powered(tmp_path)

    data = bench.execute(mode.mode_sense_6(ModePage.VENDOR, room=12)).data_in

    assert data == bytes.fromhex("0b 68 10 08  5a 000000 00 000000")


PRESENT = {"ibm-lto4": False, "ibm-lto6": True, "hpe-lto6": True, "quantum-lto4": False, "oracle-t10000c": True}


@pytest.mark.parametrize(("name", "there"), PRESENT.items())
def test_extension_page_is_where_the_personality_has_it(tmp_path: Path, name: str, there: bool) -> None:
    reply = powered(tmp_path, name).execute(mode.mode_sense(CONFIGURATION, EXTENSION))

    assert code(reply) == ("good" if there else "5/24/00")


@pytest.mark.parametrize("name", NAMES)
def test_no_page_is_longer_than_it_says(tmp_path: Path, name: str) -> None:
    bench = powered(tmp_path, name)
    for values in Control:
        reply = bench.execute(mode.mode_sense(ModePage.ALL, ALL_SUBPAGES, values=values))
        keys = [(int(item.page), item.subpage) for item in mode.decode_answer_10(reply.data_in).pages]
        assert keys == sorted(set(modes.rows(bench.drive.personality)) - {modes.IBM_VENDOR})


SELECTIONS = {
    "block length": (BlockDescriptor(block_length=512), "good"),
    "its own density": (BlockDescriptor(density=0x5A), "good"),
    "density unchanged": (BlockDescriptor(density=0x7F), "good"),
    "another density": (BlockDescriptor(density=0x58), "5/26/00"),
    "block length beyond the limit": (BlockDescriptor(block_length=0x80_0001), "5/26/00"),
}


@pytest.mark.parametrize(("descriptor", "answer"), SELECTIONS.values(), ids=SELECTIONS)
def test_block_descriptor(tmp_path: Path, descriptor: BlockDescriptor, answer: str) -> None:
    bench = powered(tmp_path)

    assert code(bench.execute(mode.mode_select_6(Answer(descriptor=descriptor)))) == answer
    assert bench.drive.modes.block_length == (descriptor.block_length if answer == "good" else 0)


LISTS = {
    "cut short in the header": ("15 10 00 00 03 00", "000000", "5/1A/00"),
    "cut short in a page": ("15 10 00 00 0a 00", "00000000 100e 00000000", "5/1A/00"),
    "unknown page": ("15 10 00 00 08 00", "00000000 3d020000", "5/26/00"),
    "page of another length": ("15 10 00 00 08 00", "00000000 10020000", "5/26/00"),
    "pages without PF": ("15 00 00 00 08 00", "00000000 3d020000", "5/24/00"),
    "nothing": ("15 10 00 00 00 00", "", "good"),
    "only a header": ("15 10 00 00 04 00", "00000000", "good"),
}


@pytest.mark.parametrize(("cdb", "data", "answer"), LISTS.values(), ids=LISTS)
def test_list_is_answered(tmp_path: Path, cdb: str, data: str, answer: str) -> None:
    assert code(powered(tmp_path).execute(Command(bytes.fromhex(cdb), bytes.fromhex(data)))) == answer


def test_soft_write_protect_protects(tmp_path: Path) -> None:
    bench = powered(tmp_path)
    image = page(bench, CONFIGURATION)
    assert select(bench, with_byte(image, 10, image[10] | 0x04)) == "good"

    assert write(bench, b"x") == "7/27/00"
    assert mode.decode_answer_10(bench.execute(mode.mode_sense(CONFIGURATION)).data_in).write_protected


def test_medium_type_is_none_without_a_cartridge(tmp_path: Path) -> None:
    answer = mode.decode_answer_10(powered(tmp_path, empty=True).execute(mode.mode_sense(ModePage.ALL)).data_in)

    assert (answer.medium_type, answer.descriptor) == (0, BlockDescriptor())


# --- compression, in two pages ---------------------------------------------------------------------------------------

COMPRESSION = ModePage.DATA_COMPRESSION


def compressing(bench: Bench) -> tuple[bool, int]:
    """DCE of page 0Fh, and byte 14 of page 10h."""
    return bool(page(bench, COMPRESSION)[2] & 0x80), page(bench, CONFIGURATION)[14]


def test_the_two_pages_agree(tmp_path: Path) -> None:
    bench = powered(tmp_path)
    assert compressing(bench) == (True, 1)

    assert select(bench, with_byte(page(bench, COMPRESSION), 2, 0x40)) == "good"
    assert compressing(bench) == (False, 0)
    assert select(bench, with_byte(page(bench, CONFIGURATION), 14, 1)) == "good"
    assert compressing(bench) == (True, 1)
    assert select(bench, with_byte(page(bench, CONFIGURATION), 14, 0)) == "good"
    assert compressing(bench) == (False, 0)


def test_select_algorithm_wins_over_dce_in_one_list(tmp_path: Path) -> None:
    bench = powered(tmp_path)
    off, on = with_byte(page(bench, COMPRESSION), 2, 0x40), with_byte(page(bench, CONFIGURATION), 14, 1)

    assert code(bench.execute(mode.mode_select(Answer(pages=(RawPage(off), RawPage(on)))))) == "good"

    assert compressing(bench) == (True, 1)


def test_dce_stands_where_the_other_page_selects_none(tmp_path: Path) -> None:
    bench = powered(tmp_path)
    assert select(bench, with_byte(page(bench, COMPRESSION), 2, 0x40)) == "good"
    on, none = with_byte(page(bench, COMPRESSION), 2, 0xC0), page(bench, CONFIGURATION)

    assert code(bench.execute(mode.mode_select(Answer(pages=(RawPage(on), RawPage(none)))))) == "good"

    assert compressing(bench) == (True, 1)


def test_algorithm_1_is_the_drives_own(tmp_path: Path) -> None:
    bench = powered(tmp_path)
    image = page(bench, COMPRESSION)

    assert select(bench, image[:4] + bytes([0, 0, 0, 1]) + image[8:]) == "good"
    assert page(bench, COMPRESSION)[4:8] == image[4:8]
    assert select(bench, image[:4] + bytes([0, 0, 0, 5]) + image[8:]) == "5/26/00"


VALUES = {
    "an algorithm beyond 1": (CONFIGURATION, 0, 14, 2, "5/26/00"),
    "a write mode that is none": (CONFIGURATION, EXTENSION, 5, 0x22, "5/26/00"),
    "append-only": (CONFIGURATION, EXTENSION, 5, 0x12, "good"),
    "another short erase": (CONFIGURATION, EXTENSION, 5, 0x01, "5/26/00"),
    "early warning": (CONFIGURATION, EXTENSION, 7, 0x05, "good"),
    "TapeAlert respect": (CONFIGURATION, EXTENSION, 4, 0x08, "5/26/00"),
    "write delay": (CONFIGURATION, 0, 7, 0x10, "good"),
    "active partition": (CONFIGURATION, 0, 3, 0x01, "5/26/00"),
    "tamper reading": (CONFIGURATION, 0, 15, 0x40, "good"),
    "disconnecting": (ModePage.DISCONNECT, 0, 2, 0x10, "5/26/00"),
    "write-once": (ModePage.MEDIUM_CONFIGURATION, 0, 2, 0x01, "5/26/00"),
}


@pytest.mark.parametrize(("which", "subpage", "at", "value", "answer"), VALUES.values(), ids=VALUES)
def test_value_of_a_field(tmp_path: Path, which: ModePage, subpage: int, at: int, value: int, answer: str) -> None:
    bench = powered(tmp_path)

    assert select(bench, with_byte(page(bench, which, subpage), at, value)) == answer


# --- logical block protection ------------------------------------------------------------------------------------

PROTECTIONS = {
    "CRC32C": ("02 04 c0", "good", None),
    "none": ("00 00 00", "good", None),
    "Reed-Solomon": ("01 04 40", "good", None),
    "a method that is none": ("03 04 c0", "5/26/00", 8 + 4),
    "another length": ("02 08 c0", "5/26/00", 8 + 5),
    "bits without a method": ("00 00 80", "5/26/00", 8 + 6),
}


@pytest.mark.parametrize(("fields", "answer", "byte"), PROTECTIONS.values(), ids=PROTECTIONS)
def test_block_protection_is_checked(tmp_path: Path, fields: str, answer: str, byte: int | None) -> None:
    bench = powered(tmp_path, "ibm-lto7")
    image = page(bench, ModePage.CONTROL, PROTECTION)
    changed = RawPage(image[:4] + bytes.fromhex(fields) + image[7:])

    reply = bench.execute(mode.mode_select(Answer(pages=(changed,)), save=True))

    assert code(reply) == answer
    if byte is not None:
        field = sense_of(reply).field
        assert field is not None
        assert field.byte == byte
    assert not bench.drive.modes.saved


def test_block_protection_is_where_the_personality_has_it(tmp_path: Path) -> None:
    bench = powered(tmp_path / "old", "ibm-lto4")
    assert code(bench.execute(mode.mode_sense(ModePage.CONTROL, PROTECTION))) == "5/24/00"
    bench = powered(tmp_path)
    image = page(bench, ModePage.CONTROL, PROTECTION)
    assert select(bench, image[:4] + bytes.fromhex("0204c0") + image[7:]) == "5/26/00"
    assert select(bench, image[:4] + bytes.fromhex("0104c0") + image[7:]) == "good"
