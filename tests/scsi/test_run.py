"""Every answer of a target is an outcome or one typed error; what each means is in the reference, 5 and 3.3."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tapekey import errors
from tapekey.exchange import Command, Reply
from tapekey.scsi import attribute, inquiry, log, media, mode
from tapekey.scsi.encryption import InPage, Scope, read_page
from tapekey.scsi.log import LogPage
from tapekey.scsi.mode_page import ModePage
from tapekey.scsi.run import judge, notation, perform, run
from tapekey.scsi.sense import FieldPointer
from tapekey.scsi.set_encryption import SetDataEncryption, set_data_encryption
from tapekey.secret import Secret
from tests.waist import good, marked, refused, scripted

TUR = media.test_unit_ready()
KEYED = set_data_encryption(SetDataEncryption(scope=Scope.ALL, algorithm_index=1), Secret(bytes(32)))

# Reference 5.1, 5.3 and 3.3; IBM's private codes 5.1, last paragraph.
TYPES = {
    "2/3A/00": errors.NoCartridge,
    "2/3A/04": errors.NoCartridge,
    "2/04/01": errors.NotReady,
    "2/30/03": errors.NotReady,
    "3/00/02": errors.EndOfMedium,
    "3/11/12": errors.MediumFailed,
    "3/04/10": errors.MediumFailed,
    "4/44/00": errors.HardwareFailed,
    "4/EE/0E": errors.KeyManagedElsewhere,
    "5/20/00": errors.OpcodeUnknown,
    "5/24/00": errors.RequestRefused,
    "5/26/00": errors.RequestRefused,
    "5/53/02": errors.RemovalPrevented,
    "5/55/06": errors.RequestRefused,
    "5/74/21": errors.KeyManagedElsewhere,
    "5/EE/00": errors.KeyManagedElsewhere,
    "6/28/00": errors.StateChanged,
    "6/29/00": errors.StateChanged,
    "6/2A/11": errors.StateChanged,
    "6/2A/12": errors.StateChanged,
    "7/2A/13": errors.StateChanged,
    "7/26/10": errors.KeyTriesExhausted,
    "7/27/00": errors.WriteProtected,
    "7/30/0C": errors.WriteProtected,
    "7/5A/02": errors.WriteProtected,
    "7/74/00": errors.DataProtected,
    "7/74/01": errors.DataProtected,
    "7/74/02": errors.DataProtected,
    "7/74/03": errors.WrongKey,
    "7/74/04": errors.DataProtected,
    "7/74/63": errors.KeyManagedElsewhere,
    "7/EF/10": errors.KeyManagedElsewhere,
    "8/00/05": errors.EndOfData,
    "B/74/40": errors.CommandAborted,
    "D/00/02": errors.EndOfMedium,
    "9/80/00": errors.DeviceError,
    "E/1D/00": errors.DeviceError,
}

STATUSES = {
    0x08: errors.DeviceBusy,
    0x28: errors.DeviceBusy,
    0x18: errors.ReservationConflict,
    0x40: errors.CommandAborted,
    0x30: errors.DeviceError,
    0x77: errors.DeviceError,
}


@pytest.mark.parametrize(("code", "kind"), TYPES.items(), ids=TYPES)
def test_sense_becomes_the_type_that_a_caller_acts_on(code: str, kind: type[errors.DeviceError]) -> None:
    with pytest.raises(errors.DeviceError) as caught:
        run(scripted(refused(code)), TUR)
    assert type(caught.value) is kind
    assert caught.value.code == code


@pytest.mark.parametrize("code", TYPES)
def test_error_says_what_why_with_code_and_mend(code: str) -> None:
    with pytest.raises(errors.DeviceError) as caught:
        run(scripted(refused(code)), TUR)
    assert caught.value.what == "TEST UNIT READY failed"
    assert f"({code})" in caught.value.why
    assert caught.value.mend


@pytest.mark.parametrize(("status", "kind"), STATUSES.items(), ids=str)
def test_status_comes_before_sense(status: int, kind: type[errors.DeviceError]) -> None:
    sense = refused("5/20/00").sense
    with pytest.raises(errors.DeviceError) as caught:
        run(scripted(Reply(status, sense=sense)), TUR)
    assert type(caught.value) is kind


def test_good_gives_the_data() -> None:
    assert run(scripted(good(b"data")), read_page(InPage.STATUS)) == b"data"


def test_recovered_error_is_success_and_noted() -> None:
    outcome = perform(scripted(marked("1/17/01", b"data")), read_page(InPage.STATUS))
    assert outcome.data == b"data"
    assert outcome.sense is not None
    assert outcome.sense.code == "1/17/01"


@pytest.mark.parametrize("sense", [b"", b"\x70", bytes(7), bytes(18), b"\x7f" + bytes(17)])
def test_check_condition_without_usable_sense_is_no_answer(sense: bytes) -> None:
    with pytest.raises(errors.DeviceError) as caught:
        run(scripted(Reply(0x02, sense=sense)), TUR)
    assert type(caught.value) is errors.DeviceError


# Of a deferred error nothing may be concluded about the command that met it.
@pytest.mark.parametrize(
    ("code", "kind"),
    {
        "5/20/00": errors.DeviceError,
        "5/24/00": errors.DeviceError,
        "6/28/00": errors.DeviceError,
        "1/17/01": errors.DeviceError,
        "3/0C/00": errors.MediumFailed,
        "4/44/00": errors.HardwareFailed,
        "D/00/02": errors.EndOfMedium,
    }.items(),
)
def test_deferred_error_is_not_this_commands_refusal(code: str, kind: type[errors.DeviceError]) -> None:
    with pytest.raises(errors.DeviceError, match="an earlier command failed late") as caught:
        run(scripted(refused(code, deferred=True)), TUR, through_attention=4)
    assert type(caught.value) is kind


def test_unit_attention_is_not_retried() -> None:
    transport = scripted(refused("6/28/00"), good())
    with pytest.raises(errors.StateChanged):
        run(transport, TUR)
    assert len(transport.commands) == 1


def test_attentions_that_the_caller_allows_are_passed_and_told() -> None:
    outcome = perform(scripted(refused("6/29/00"), refused("6/28/00"), good(b"x")), TUR, through_attention=2)
    assert outcome.data == b"x"
    assert outcome.attentions == ("6/29/00", "6/28/00")


def test_one_attention_more_than_allowed_is_raised() -> None:
    with pytest.raises(errors.StateChanged):
        run(scripted(refused("6/29/00"), refused("6/28/00"), good()), TUR, through_attention=1)


def test_a_moved_key_counter_is_never_passed() -> None:
    transport = scripted(refused("7/2A/13"), good())
    with pytest.raises(errors.StateChanged):
        run(transport, TUR, through_attention=4)
    assert len(transport.commands) == 1


@pytest.mark.parametrize("flag", ["filemark", "ili", "eom"])
def test_a_tapes_mark_is_an_error_where_it_was_not_expected(flag: str) -> None:
    with pytest.raises(errors.DeviceError):
        run(scripted(marked("0/00/01", b"", **{flag: True})), media.rewind())


# Field pointers as a drive sent them: reference 7.3, sense bytes 15-17 = 8F 00 08 for a wrong algorithm index.
FIELDS = {
    "algorithm index": (KEYED, FieldPointer(8, 7), "ALGORITHM INDEX (byte 8 bit 7 of the parameter list)"),
    "scope": (KEYED, FieldPointer(4, 7), "SCOPE (byte 4 bit 7 of the parameter list)"),
    "lock": (KEYED, FieldPointer(4, 0), "LOCK (byte 4 bit 0 of the parameter list)"),
    "key or KAD": (KEYED, FieldPointer(53), "byte 53 of the parameter list, in the key or its associated data"),
    "page code in CDB": (
        read_page(InPage.STATUS),
        FieldPointer(2, in_cdb=True),
        "SECURITY PROTOCOL SPECIFIC (byte 2 of the CDB)",
    ),
    "elsewhere": (media.rewind(), FieldPointer(1, 0, in_cdb=True), "byte 1 bit 0 of the CDB"),
}


@pytest.mark.parametrize(("command", "pointer", "words"), FIELDS.values(), ids=FIELDS)
def test_the_field_that_the_drive_objects_to_is_named(command: Command, pointer: FieldPointer, words: str) -> None:
    with pytest.raises(errors.RequestRefused) as caught:
        run(scripted(refused("5/26/00", field=pointer)), command)
    assert f"at {words}" in caught.value.why


NOTATIONS = {
    "SPIN(20h[0020h])": read_page(InPage.STATUS),
    "SPOUT(20h[0010h])": KEYED,
    "MODE SENSE(10h[01h])": mode.mode_sense(ModePage.DEVICE_CONFIGURATION, 1),
    "LOG SENSE(17h[00h])": log.log_sense(LogPage.VOLUME_STATISTICS),
    "READ ATTRIBUTE(0401h)": attribute.read_attribute(0x401),
    "INQUIRY": inquiry.inquire(),
    "INQUIRY(80h)": inquiry.inquire_vital(inquiry.VitalPage.SERIAL),
    "REWIND": media.rewind(),
    "WRITE FILEMARKS": media.write_filemarks(),
    "LOCATE": media.locate(0),
    "UNKNOWN C1H": Command(bytes([0xC1]) + bytes(9)),
}


@pytest.mark.parametrize(("words", "command"), NOTATIONS.items(), ids=NOTATIONS)
def test_commands_are_written_as_operators_write_them(words: str, command: Command) -> None:
    assert notation(command) == words


def test_no_error_shows_the_key() -> None:
    key = bytes(range(0x41, 0x61))
    command = set_data_encryption(SetDataEncryption(scope=Scope.ALL), Secret(key))
    with pytest.raises(errors.RequestRefused) as caught:
        run(scripted(refused("5/26/00", field=FieldPointer(20))), command)
    shown = f"{caught.value} {caught.value.mend} {caught.value!r}"
    assert key.decode() not in shown
    assert key.hex() not in shown


@given(st.integers(0, 255), st.binary(max_size=32), st.binary(max_size=64))
def test_any_reply_is_an_outcome_or_a_device_error(status: int, data: bytes, sense: bytes) -> None:
    with contextlib.suppress(errors.DeviceError):
        assert judge(KEYED, Reply(status, data, sense)).data == data
