"""TapeAlert of reference 1.11; bytes worked out by hand from it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tapekey.errors import Malformed
from tapekey.scsi import tape_alert
from tapekey.scsi.log import LogPage, Page, Parameter, encode_page
from tapekey.scsi.tape_alert import TapeAlert
from tests.octets import octets

RAISED = frozenset({TapeAlert.READ_WARNING, TapeAlert.CLEAN_NOW, TapeAlert.ENCRYPTION_POLICY_VIOLATION})
RESPONSE = octets("""
    12 00 00 0C
    00 00 03 08
    80 00 10 00 00 00 00 08  # 01h, 14h, 3Dh
""")


def test_page_2eh_has_64_parameters_of_one_byte() -> None:
    image = tape_alert.encode_tape_alerts(RAISED)

    assert image[:4] == bytes.fromhex("2E 00 01 40")
    assert len(image) == 324
    assert image[4:9] == bytes.fromhex("00 01 03 01 01")
    assert image[9:14] == bytes.fromhex("00 02 03 01 00")
    assert image[4 + 60 * 5 :][:5] == bytes.fromhex("00 3D 03 01 01")
    assert sum(image[8::5]) == 3


def test_page_2eh_is_read() -> None:
    assert tape_alert.decode_tape_alerts(tape_alert.encode_tape_alerts(RAISED)) == RAISED
    assert tape_alert.decode_tape_alerts(bytes.fromhex("2E 00 00 0A 00 09 00 01 01 00 0A 00 01 00")) == {
        TapeAlert.WRITE_PROTECT
    }


def test_page_12h_matches_the_references_bytes() -> None:
    assert tape_alert.encode_tape_alert_response(RAISED) == RESPONSE
    assert tape_alert.decode_tape_alert_response(RESPONSE) == RAISED


def test_first_flag_is_the_first_bit_and_the_last_the_last() -> None:
    ends = [TapeAlert.READ_WARNING, TapeAlert.RESERVED_40]

    assert tape_alert.encode_tape_alert_response(ends)[8:] == bytes.fromhex("80 00 00 00 00 00 00 01")


def test_all_64_flags_have_a_name() -> None:
    assert [flag.value for flag in TapeAlert] == list(range(1, 65))


@pytest.mark.parametrize(
    ("code", "name"),
    [
        (0x0F, "MEMORY_CHIP_FAILURE"),
        (0x26, "PREDICTIVE_FAILURE"),
        (0x37, "LOAD_FAILURE"),
        (0x3B, "WORM_INTEGRITY_CHECK_FAILED"),
    ],
)
def test_flag_has_the_references_number(code: int, name: str) -> None:
    assert TapeAlert(code).name == name


def test_looking_does_not_take() -> None:
    assert tape_alert.look_at_tape_alerts().cdb[2] == 0x52
    assert tape_alert.take_tape_alerts().cdb[2] == 0x6E


def test_flag_of_another_size_is_refused() -> None:
    with pytest.raises(Malformed, match="TapeAlert flag 02h has another size"):
        tape_alert.decode_tape_alerts(bytes.fromhex("2E 00 00 06 00 02 03 02 00 01"))


def test_response_without_flags_is_refused() -> None:
    with pytest.raises(Malformed):
        tape_alert.decode_tape_alert_response(bytes.fromhex("12 00 00 00"))


@given(st.sets(st.sampled_from(list(TapeAlert))))
def test_every_set_of_flags_survives_both_pages(flags: set[TapeAlert]) -> None:
    assert tape_alert.decode_tape_alerts(tape_alert.encode_tape_alerts(flags)) == flags
    assert tape_alert.decode_tape_alert_response(tape_alert.encode_tape_alert_response(flags)) == flags


@given(st.binary(max_size=40), st.integers(0, 0xFFFF), st.binary(max_size=12))
def test_any_bytes_are_flags_or_malformed(data: bytes, code: int, value: bytes) -> None:
    images = [data, *(encode_page(Page(page, (Parameter(code, value),))) for page in (LogPage(0x2E), LogPage(0x12)))]
    for image in images:
        for read in (tape_alert.decode_tape_alerts, tape_alert.decode_tape_alert_response):
            try:
                read(image)
            except Malformed:
                continue
