"""Log page 11h of reference 1.11; bytes worked out by hand from its table."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tapekey.errors import Malformed
from tapekey.scsi import device_status
from tapekey.scsi.device_status import (
    Activity,
    DeviceStatus,
    DriveStatus,
    ExtendedBits,
    MediumEncryption,
    MediumStatus,
    ParameterCode,
    PollingDelay,
    VeryHighFrequency,
    VolumeSerial,
)
from tapekey.scsi.log import LogPage, Page, Parameter, encode_page
from tapekey.wire.layout import decode, encode
from tests.octets import octets

MOUNTED = octets("""
    11 00 00 32
    00 00 03 04  29 17 0F 10              # MACC WRTP DINIT; MPRSNT MSTD MTHRD MOUNTED; writing encrypted; EPP
    00 01 03 02  03 E8                    # 1000 ms
    00 04 03 08  29 17 0F 10 02 01 00 00  # the same; OVERWRITE; SM
    80 00 03 08  41 30 30 30 30 31 4C 38  # A00001L8
    80 01 03 02  18 42                    # MEC, all encrypted
    81 00 03 02  00 03                    # EE, EC
""")
STATUS = DeviceStatus(
    status=VeryHighFrequency(
        memory_accessible=True,
        write_protected=True,
        initialized=True,
        present=True,
        seated=True,
        threaded=True,
        mounted=True,
        activity=Activity.WRITING_ENCRYPTED,
        encryption_parameters_set=True,
    ),
    polling_delay=PollingDelay(milliseconds=1000),
    extended=ExtendedBits(overwrite=True, sm=True),
    volume_serial=VolumeSerial(barcode="A00001L8"),
    medium=MediumStatus(cartridge_type=0x18, encryption_capable=True, encryption=MediumEncryption.ALL_ENCRYPTED),
    drive=DriveStatus(encryption_enabled=True, encryption_capable=True),
)
# name of the bit in the reference: value byte, mask, our name
BITS = {
    "PAMR": (0, 0x80, "removal_prevented"),
    "HIU": (0, 0x40, "host_initiated_unload"),
    "MACC": (0, 0x20, "memory_accessible"),
    "CMPR": (0, 0x10, "compression"),
    "WRTP": (0, 0x08, "write_protected"),
    "CRQST": (0, 0x04, "cleaning_requested"),
    "CRQRD": (0, 0x02, "cleaning_required"),
    "DINIT": (0, 0x01, "initialized"),
    "INXTN": (1, 0x80, "in_transition"),
    "RAA": (1, 0x20, "robotic_access_allowed"),
    "MPRSNT": (1, 0x10, "present"),
    "MSTD": (1, 0x04, "seated"),
    "MTHRD": (1, 0x02, "threaded"),
    "MOUNTED": (1, 0x01, "mounted"),
    "VS": (3, 0x80, "vendor_specific"),
    "TDDEC": (3, 0x20, "diagnostic_entry_created"),
    "EPP": (3, 0x10, "encryption_parameters_set"),
    "ESR": (3, 0x08, "encryption_service_request"),
    "RRQST": (3, 0x04, "recovery_requested"),
    "INTFC": (3, 0x02, "interface_changed"),
    "TAFC": (3, 0x01, "tape_alert_changed"),
}


def test_page_matches_the_references_bytes() -> None:
    assert device_status.encode_device_status(STATUS) == MOUNTED
    assert device_status.decode_device_status(MOUNTED) == STATUS


@pytest.mark.parametrize(("byte", "mask", "name"), BITS.values(), ids=BITS)
def test_bit_stands_where_the_reference_has_it(byte: int, mask: int, name: str) -> None:
    image = bytes(mask if at == byte else 0 for at in range(4))

    status = decode(VeryHighFrequency, image)

    assert [other for _, _, other in BITS.values() if getattr(status, other)] == [name]
    assert encode(status) == image


def test_nothing_is_believed_before_the_drive_is_initialized() -> None:
    image = bytes.fromhex("11 00 00 08 00 00 03 04 28 17 05 10")

    assert device_status.decode_device_status(image).status is None


def test_drive_without_status_says_that_it_is_not_initialized() -> None:
    assert device_status.encode_device_status(DeviceStatus()) == bytes.fromhex("11 00 00 08 00 00 03 04 00 00 00 00")


def test_parameters_that_are_missing_are_none() -> None:
    assert device_status.decode_device_status(bytes.fromhex("11 00 00 00")) == DeviceStatus()


def test_parameters_that_nobody_knows_are_left() -> None:
    image = bytes.fromhex("11 00 00 0B 90 00 03 01 FF 00 01 03 02 00 64")

    assert device_status.decode_device_status(image).polling_delay == PollingDelay(milliseconds=100)


def test_short_parameter_is_refused() -> None:
    with pytest.raises(Malformed, match="parameter 0000h of log page 11h is cut short: 3 bytes"):
        device_status.decode_device_status(bytes.fromhex("11 00 00 07 00 00 03 03 01 00 00"))


def test_question_is_for_page_11h() -> None:
    assert device_status.read_device_status().cdb[:4] == bytes.fromhex("4D 00 51 00")


@given(st.sampled_from(list(ParameterCode)), st.binary(max_size=12))
def test_any_value_is_a_status_or_malformed(code: ParameterCode, value: bytes) -> None:
    try:
        found = device_status.decode_device_status(encode_page(Page(LogPage.DEVICE_STATUS, (Parameter(code, value),))))
    except Malformed:
        return
    assert isinstance(found, DeviceStatus)


@given(st.binary(max_size=40))
def test_any_bytes_are_a_page_or_malformed(data: bytes) -> None:
    try:
        device_status.decode_device_status(b"\x11\x00" + data)
    except Malformed:
        return
