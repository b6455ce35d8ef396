"""Mode pages of reference 1.12 and 11.3; bytes worked out by hand from its tables."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tapekey.errors import Malformed
from tapekey.scsi import mode_page
from tapekey.scsi.mode_page import (
    Control,
    ControlExtension,
    ControlProtection,
    DataCompression,
    DeviceConfiguration,
    DeviceConfigurationExtension,
    EncryptionDefault,
    EncryptionMethod,
    IbmEncryption,
    IbmVendor,
    MediumConfiguration,
    MediumPartition,
    PartitionUnit,
    ProtectionMethod,
    WriteMode,
)
from tapekey.wire.layout import decode, encode
from tests.octets import octets

PAGES: dict[str, tuple[bytes, object]] = {
    "0Ah Control, D_SENSE": (
        octets("0A 0A 04 00 00 00 00 00 00 00 00 00"),
        Control(descriptor_sense=True),
    ),
    "0Ah/01h Control Extension, SCSIP": (
        octets("4A 01 00 1C  02" + " 00" * 27),
        ControlExtension(timestamp_changeable=True),
    ),
    "0Ah/F0h Control Data Protection, as LTFS sets it on LTO-7": (
        octets("4A F0 00 1C  02 04 C0" + " 00" * 25),
        ControlProtection(method=ProtectionMethod.CRC32C, information_length=4, on_write=True, on_read=True),
    ),
    "0Ah/F0h RBDP": (
        octets("CA F0 00 1C  01 04 20" + " 00" * 25),
        ControlProtection(saveable=True, method=ProtectionMethod.REED_SOLOMON, information_length=4, on_recover=True),
    ),
    "0Fh Data Compression, as IBM answers": (
        octets("""
            0F 0E
            C0           # DCE, DCC
            80           # DDE
            00 00 00 FF
            00 00 00 FF
            00 00 00 00
        """),
        DataCompression(
            enabled=True,
            capable=True,
            decompression_enabled=True,
            compression_algorithm=0xFF,
            decompression_algorithm=0xFF,
        ),
    ),
    "0Fh RED": (octets("0F 0E 00 60" + " 00" * 12), DataCompression(report_exceptions=3)),
    "10h Device Configuration, as IBM answers": (
        octets("""
            10 0E
            00
            01           # active partition
            00 00
            01 2C        # write delay, 30 s
            40           # LOIS
            00
            18           # EEG, SEW
            00 00 00
            01           # compression
            00
        """),
        DeviceConfiguration(
            active_partition=1,
            write_delay=300,
            object_identifiers=True,
            end_of_data_generation=True,
            synchronize_early_warning=True,
            compression=1,
        ),
    ),
    "10h the other bits of byte 8": (
        octets("10 0E 20 00 00 00 00 00 9F 00 00 00 00 00 00 00"),
        DeviceConfiguration(
            change_format=True,
            buffer_recovery=True,
            automatic_velocity=True,
            stop_on_filemarks=3,
            recover_buffer_order=True,
            report_early_warning=True,
        ),
    ),
    "10h write protection": (
        octets("10 0E 00 00 00 00 00 00 00 00 E7 00 00 00 00 FF"),
        DeviceConfiguration(
            end_of_data_defined=7,
            soft_write_protect=True,
            block_address_mode_lock=True,
            block_address_mode=True,
            write_retention=3,
            only_if_reserved=True,
            rewind_on_reset=3,
            associated_write_protect=True,
            persistent_write_protect=True,
            permanent_write_protect=True,
        ),
    ),
    "10h/01h writes require encryption": (
        octets("D0 01 00 1C  00 02 00 00  04" + " 00" * 23),
        DeviceConfigurationExtension(saveable=True, short_erase_mode=2, writes_require_encryption=True),
    ),
    "10h/01h appends require encryption": (
        octets("50 01 00 1C  00 00 00 00  01" + " 00" * 23),
        DeviceConfigurationExtension(appends_require_encryption=True),
    ),
    "10h/01h the automation's two": (
        octets("50 01 00 1C  00 00 00 00  0A" + " 00" * 23),
        DeviceConfigurationExtension(
            automation_writes_require_encryption=True, automation_appends_require_encryption=True
        ),
    ),
    "10h/01h append-only, early warning, TapeAlert bits": (
        octets("50 01 00 1C  1F 12 01 F4  00" + " 00" * 23),
        DeviceConfigurationExtension(
            early_warning_unit=1,
            tape_alert_respect_fields=True,
            tape_alert_select_exceptions=True,
            tape_alert_respect_control=True,
            tape_alert_prevent_deletion=True,
            write_mode=WriteMode.APPEND_ONLY,
            short_erase_mode=2,
            early_warning_size=500,
        ),
    ),
    "11h Medium Partition, as mkltfs sets it": (
        octets("""
            11 0A
            01           # at most one additional partition
            01           # one defined
            3C           # IDP, 10^units, POFM
            03
            19           # wrap-wise, 10^9
            00
            00 01 FF FF  # sizes
        """),
        MediumPartition(
            length=0x0A,
            maximum_additional=1,
            additional=1,
            by_sizes=True,
            unit=PartitionUnit.TEN_TO_THE_UNITS,
            on_format=True,
            recognition=3,
            partitioning=1,
            units=9,
            sizes=bytes([0, 1, 0xFF, 0xFF]),
        ),
    ),
    "11h FDP SDP CLEAR ADDP": (
        octets("11 06 00 00 C3 00 00 00"),
        MediumPartition(fixed=True, by_count=True, clear=True, add=True),
    ),
    "1Dh Medium Configuration, WORM": (
        octets("1D 1E 01 00 01 02" + " 00" * 26),
        MediumConfiguration(write_once=True, label_restrictions=1, filemark_restrictions=2),
    ),
    "24h IBM vendor": (
        octets("24 06 00 00 00 00 00 0B"),
        IbmVendor(encryption_enabled=True, fips=True, encryption_capable=True),
    ),
    "30h/20h application managed": (
        octets("70 20 00 05 00 03 01 01 00"),
        IbmEncryption(method=EncryptionMethod.APPLICATION, key_path=1, default_state=EncryptionDefault.NONE),
    ),
    "30h/20h library managed, always": (
        octets("70 20 00 05 00 04 01 02 00"),
        IbmEncryption(method=EncryptionMethod.LIBRARY, key_path=1, default_state=EncryptionDefault.ALWAYS),
    ),
    "30h/20h a method that nobody knows": (
        octets("70 20 00 05 00 06 00 00 01"),
        IbmEncryption(method=EncryptionMethod(6), key_path=0, default_state=EncryptionDefault(0), density_reporting=1),
    ),
}


@pytest.mark.parametrize(("image", "page"), PAGES.values(), ids=PAGES)
def test_page_matches_the_references_bytes(image: bytes, page: object) -> None:
    assert encode(page) == image
    assert decode(type(page), image) == page


def test_bytes_without_a_row_survive() -> None:
    image = octets("50 01 00 1C  00 00 00 00  00 AA" + " 00" * 21 + " BB")

    assert encode(decode(DeviceConfigurationExtension, image)) == image


def test_subpages_have_the_references_numbers() -> None:
    assert (mode_page.EXTENSION, mode_page.PROTECTION, mode_page.ENCRYPTION_MODE) == (0x01, 0xF0, 0x20)


@pytest.mark.parametrize("structure", sorted({type(page) for _, page in PAGES.values()}, key=str))
@given(data=st.binary(max_size=40))
def test_any_bytes_are_a_page_or_malformed(structure: type[object], data: bytes) -> None:
    try:
        page = decode(structure, data)
    except Malformed:
        return
    assert decode(structure, encode(page)) == page
