"""CDBs of reference 1.3, their bytes worked out by hand from its table."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tapekey.errors import Malformed
from tapekey.exchange import Command
from tapekey.scsi import media
from tapekey.scsi.media import Destination, Format, Overwrite, Removal, SpaceCode
from tapekey.wire.layout import decode, encode

# name: (CDB, builder's command or None where only the device needs it, structure)
CDBS: dict[str, tuple[str, Command | None, object]] = {
    "TEST UNIT READY": ("00 00 00 00 00 00", media.test_unit_ready(), media.TestUnitReady()),
    "REWIND": ("01 00 00 00 00 00", media.rewind(), media.Rewind()),
    "REWIND, IMMED": ("01 01 00 00 00 00", media.rewind(immediate=True), media.Rewind(immediate=True)),
    "REQUEST SENSE": ("03 00 00 00 FC 00", media.request_sense(), media.RequestSense(room=252)),
    "REQUEST SENSE, DESC": ("03 01 00 00 12 00", None, media.RequestSense(descriptor=True, room=18)),
    "FORMAT MEDIUM": ("04 00 00 00 00 00", media.format_medium(), media.FormatMedium()),
    "FORMAT MEDIUM, partition": (
        "04 01 01 00 00 00",
        media.format_medium(Format.PARTITION, immediate=True),
        media.FormatMedium(immediate=True, format=Format.PARTITION),
    ),
    "FORMAT MEDIUM, both, VERIFY": (
        "04 02 02 00 00 00",
        None,
        media.FormatMedium(verify=True, format=Format.DEFAULT_THEN_PARTITION),
    ),
    "READ BLOCK LIMITS": ("05 00 00 00 00 00", media.read_block_limits(), media.ReadBlockLimits()),
    "READ BLOCK LIMITS, MLOI": ("05 01 00 00 00 00", None, media.ReadBlockLimits(maximum_object_id=True)),
    "READ(6), 65536 bytes": ("08 00 01 00 00 00", media.read_block(65536), media.Read6(length=65536)),
    "READ(6), SILI": (
        "08 02 04 00 00 00",
        media.read_block(262144, short_is_good=True),
        media.Read6(suppress_length_incorrect=True, length=262144),
    ),
    "READ(6), FIXED": ("08 01 00 00 10 00", media.read_blocks(16, 512), media.Read6(fixed=True, length=16)),
    "WRITE(6)": ("0A 00 00 00 05 00", media.write_block(b"hello"), media.Write6(length=5)),
    "WRITE(6), FIXED": ("0A 01 00 00 02 00", media.write_blocks(bytes(1024), 512), media.Write6(fixed=True, length=2)),
    "WRITE FILEMARKS(6)": ("10 00 00 00 02 00", media.write_filemarks(2), media.WriteFilemarks6(count=2)),
    "WRITE FILEMARKS(6), IMMED": (
        "10 01 00 00 01 00",
        media.write_filemarks(immediate=True),
        media.WriteFilemarks6(immediate=True, count=1),
    ),
    "WRITE FILEMARKS(6), flush": ("10 00 00 00 00 00", media.flush(), media.WriteFilemarks6()),
    "WRITE FILEMARKS(6), WSMK": ("10 02 00 00 01 00", None, media.WriteFilemarks6(setmarks=True, count=1)),
    "SPACE(6), back 1 filemark": (
        "11 01 FF FF FF 00",
        media.space(SpaceCode.FILEMARKS, -1),
        media.Space6(code=SpaceCode.FILEMARKS, count=-1),
    ),
    "SPACE(6), end of data": (
        "11 03 00 00 00 00",
        media.space(SpaceCode.END_OF_DATA),
        media.Space6(code=SpaceCode.END_OF_DATA),
    ),
    "SPACE(16), back 2 blocks": (
        "91 00 00 00 FF FF FF FF FF FF FF FE 00 00 00 00",
        media.space_far(SpaceCode.BLOCKS, -2),
        media.Space16(count=-2),
    ),
    "VERIFY(6), VTE FIXED": (
        "13 21 00 00 00 00",
        media.verify_blocks(0, fixed=True, to_end_of_data=True),
        media.Verify6(to_end_of_data=True, fixed=True),
    ),
    "VERIFY(6), VLBPM VBF IMMED BYTCMP": (
        "13 1E 00 01 00 00",
        None,
        media.Verify6(protection=True, by_filemarks=True, immediate=True, byte_compare=True, length=256),
    ),
    "ERASE(6)": ("19 00 00 00 00 00", media.erase(), media.Erase6()),
    "ERASE(6), LONG IMMED": (
        "19 03 00 00 00 00",
        media.erase(long=True, immediate=True),
        media.Erase6(long=True, immediate=True),
    ),
    "ERASE(6), METHOD 2 SMD VCM": (
        "19 00 23 00 00 00",
        None,
        media.Erase6(method=2, security_metadata=True, vendor_control=True),
    ),
    "LOAD": ("1B 00 00 00 01 00", media.load(), media.LoadUnload(load=True)),
    "LOAD, HOLD": ("1B 00 00 00 09 00", media.seat(), media.LoadUnload(load=True, hold=True)),
    "UNLOAD": ("1B 00 00 00 00 00", media.unload(), media.LoadUnload()),
    "UNLOAD, IMMED": ("1B 01 00 00 00 00", media.unload(immediate=True), media.LoadUnload(immediate=True)),
    "LOAD UNLOAD, EOT RETEN": ("1B 00 00 00 06 00", None, media.LoadUnload(end_of_tape=True, retension=True)),
    "PREVENT": ("1E 00 00 00 01 00", media.prevent_removal(), media.PreventAllow(removal=Removal.PREVENT)),
    "ALLOW": ("1E 00 00 00 00 00", media.allow_removal(), media.PreventAllow()),
    "LOCATE(10)": ("2B 00 00 00 00 01 02 00 00 00", media.locate_near(0x102), media.Locate10(object=0x102)),
    "LOCATE(10), partition 1": (
        "2B 02 00 00 00 00 07 00 01 00",
        media.locate_near(7, 1),
        media.Locate10(change_partition=True, object=7, partition=1),
    ),
    "LOCATE(10), BT IMMED": ("2B 05 00 00 00 00 00 00 00 00", None, media.Locate10(block_type=True, immediate=True)),
    "LOCATE(16)": (
        "92 00 00 00 00 00 00 01 00 00 00 02 00 00 00 00",
        media.locate(0x1_0000_0002),
        media.Locate16(identifier=0x1_0000_0002),
    ),
    "LOCATE(16), end of data of partition 0": (
        "92 1A 00 00 00 00 00 00 00 00 00 00 00 00 00 00",
        media.locate(0, 0, Destination.END_OF_DATA),
        media.Locate16(destination=Destination.END_OF_DATA, change_partition=True),
    ),
    "LOCATE(16), file, BAM, partition 3": (
        "92 0B 01 03 00 00 00 00 00 00 00 05 00 00 00 00",
        None,
        media.Locate16(
            destination=Destination.FILE,
            change_partition=True,
            immediate=True,
            address_mode=True,
            partition=3,
            identifier=5,
        ),
    ),
    "ALLOW OVERWRITE": (
        "82 00 01 02 00 00 00 00 00 00 01 00 00 00 00 00",
        media.allow_overwrite(Overwrite.CURRENT_POSITION, 2, 256),
        media.AllowOverwrite(overwrite=Overwrite.CURRENT_POSITION, partition=2, object=256),
    ),
}
STRUCTURES = sorted({type(structure) for _, _, structure in CDBS.values()}, key=lambda item: item.__name__)


@pytest.mark.parametrize(("image", "command", "structure"), CDBS.values(), ids=CDBS)
def test_cdb_matches_the_references_bytes(image: str, command: Command | None, structure: object) -> None:
    cdb = bytes.fromhex(image)

    assert encode(structure) == cdb
    assert decode(type(structure), cdb) == structure
    assert command is None or command.cdb == cdb


def test_block_limits_match_what_ibm_answers() -> None:
    limits = media.BlockLimits(maximum=0x800000, minimum=1)

    assert encode(limits) == bytes.fromhex("00 80 00 00 00 01")
    assert decode(media.BlockLimits, bytes.fromhex("E0 80 00 00 00 01")) == limits


def test_object_limits_stand_in_bytes_12_to_19() -> None:
    image = bytes(12) + bytes.fromhex("00 00 00 00 FF FF FF FF")

    assert encode(media.ObjectLimits(maximum_object_id=0xFFFF_FFFF)) == image


def test_data_goes_with_the_command() -> None:
    assert media.write_block(b"hello").data_out == b"hello"
    assert media.read_block(100).data_in_max == 100
    assert media.read_blocks(3, 512).data_in_max == 1536


def test_odd_bytes_are_no_fixed_blocks() -> None:
    with pytest.raises(ValueError, match="no multiple of 512"):
        media.write_blocks(bytes(513), 512)


def test_count_that_the_field_cannot_hold_is_the_callers_mistake() -> None:
    with pytest.raises((ValueError, OverflowError)):
        media.space(SpaceCode.BLOCKS, 1 << 23)


def test_loading_may_take_two_hours() -> None:
    assert media.load().timeout > 7200
    assert media.seat().timeout > 7200


def test_motion_is_given_more_time_than_a_question() -> None:
    assert min(media.MOTION, media.REWIND, media.UNLOAD) > 10 * media.test_unit_ready().timeout
    assert media.erase(long=True).timeout > media.erase().timeout


@pytest.mark.parametrize("structure", STRUCTURES, ids=lambda item: item.__name__)
@given(data=st.binary(max_size=20))
def test_any_bytes_are_a_cdb_or_malformed(structure: type[object], data: bytes) -> None:
    try:
        value = decode(structure, data)
    except Malformed:
        return
    assert decode(structure, encode(value)) == value
