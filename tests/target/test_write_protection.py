"""What keeps a drive from writing: the bits of mode page 10h beside the tab and the generation (reference 1.12)."""

from pathlib import Path

import pytest

from tapekey.exchange import Command
from tapekey.scsi import attribute, media, mode
from tapekey.scsi.attribute import Attribute
from tapekey.scsi.attribute_table import AttributeId, Format
from tapekey.scsi.mode_page import DeviceConfiguration, ModePage
from tests.bench import Bench, made, powered
from tests.octets import octets
from tests.target.initiator import code, sense_of, write

ASSOCIATED, PERSISTENT, PERMANENT = 0x04, 0x02, 0x01


def configuration(bench: Bench) -> bytes:
    answer = mode.decode_answer_10(bench.execute(mode.mode_sense(ModePage.DEVICE_CONFIGURATION)).data_in)
    assert answer.write_protected is (code(bench.execute(media.write_block(b""))) == "7/27/00")
    return answer.pages[0].image


def protect(bench: Bench, bits: int) -> str:
    image = configuration(bench)
    image = image[:15] + bytes([image[15] & 0xF8 | bits])
    return code(bench.execute(mode.mode_select(mode.Answer(pages=(mode.RawPage(image),)))))


# bits; does it last through a reload, and a move to another drive; can it be taken off
BITS = {
    "associated": (ASSOCIATED, False, True),
    "persistent": (PERSISTENT, True, True),
    "permanent": (PERMANENT, True, False),
}


@pytest.mark.parametrize(("bits", "lasts", "goes"), BITS.values(), ids=BITS)
def test_volume_is_protected(tmp_path: Path, bits: int, lasts: bool, goes: bool) -> None:
    bench = powered(tmp_path)
    assert protect(bench, bits) == "good"
    assert configuration(bench)[15] & 0x07 == bits
    assert write(bench, b"x") == "7/27/00"
    assert protect(bench, 0) == ("good" if goes else "5/26/00")
    assert protect(bench, bits) == "good"

    assert code(bench.execute(media.unload())) == "good"
    assert code(bench.execute(media.load())) == "good"

    assert write(bench, b"x") == ("7/27/00" if lasts else "good")


def test_lasting_protection_goes_with_the_cartridge(tmp_path: Path) -> None:
    bench = powered(tmp_path)
    assert protect(bench, PERSISTENT) == "good"
    place = bench.drive.require_cartridge().directory
    bench.drive.take_out()
    other = powered(tmp_path / "other", "ibm-lto7", empty=True)

    other.insert(place)

    assert write(other.settle(), b"x") == "7/27/00"


def test_next_volume_is_not_protected(tmp_path: Path) -> None:
    bench = powered(tmp_path)
    assert protect(bench, ASSOCIATED | PERSISTENT) == "good"

    bench.swap(made(tmp_path, "lto6", "NEXT"))

    assert write(bench.settle(), b"x") == "good"


def test_bits_that_did_not_change_may_be_sent_back(tmp_path: Path) -> None:
    bench = powered(tmp_path)
    assert protect(bench, PERMANENT) == "good"
    image = configuration(bench)

    assert code(bench.execute(mode.mode_select(mode.Answer(pages=(mode.RawPage(image),))))) == "good"


def test_without_a_volume_there_is_nothing_to_protect(tmp_path: Path) -> None:
    bench = powered(tmp_path, empty=True)
    page = mode.raw(
        DeviceConfiguration(
            write_delay=300, object_identifiers=True, end_of_data_generation=True, persistent_write_protect=True
        )
    )

    assert code(bench.execute(mode.mode_select(mode.Answer(pages=(page,))))) == "2/3A/00"


def test_attribute_is_not_written_on_a_protected_volume(tmp_path: Path) -> None:
    bench = powered(tmp_path)
    assert protect(bench, PERSISTENT) == "good"
    item = Attribute(AttributeId.BARCODE, b"ENC001".ljust(32), Format.ASCII)

    assert code(bench.execute(attribute.write_attributes((item,)))) == "7/27/00"


def test_permanent_bit_is_pointed_at(tmp_path: Path) -> None:
    bench = powered(tmp_path)
    assert protect(bench, PERMANENT) == "good"
    image = configuration(bench)
    data = bytes(4) + bytes([image[0] & 0x7F]) + image[1:15] + b"\0"

    sense = sense_of(bench.execute(Command(octets("15 10 00 00 14 00"), data)))

    assert sense.field is not None
    assert (sense.code, sense.field.byte, sense.field.bit) == ("5/26/00", 4 + 15, 0)
