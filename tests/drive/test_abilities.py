"""Who may set parameters, and what the drive can do: reference 2.2 to 2.4, 7.1, 7.2."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tapekey import errors
from tapekey.drive.abilities import KadRoom, Management, abilities, choose
from tapekey.exchange import Command, Reply, Transport
from tapekey.policy import facts
from tapekey.scsi.codes import Opcode
from tapekey.scsi.encryption import Algorithm, AlgorithmCode, Cryption, DkadCapability, KeyFormat, Validity
from tapekey.target import personality
from tests.bench import NAMES, made, powered
from tests.waist import Change, Meddling, at_step, by_opcode, cut, good, patched, refused, spin, steps_of

# name: algorithm index, code, A-KAD, U-KAD, takes wrapped keys, has the guard. Reference 7.1, 6.9.
DRIVES = {
    "ibm-lto4": (1, AlgorithmCode.AES_256_GCM_128, 12, 32, False, False),
    "ibm-lto6": (3, AlgorithmCode.AES_256_GCM_128, 60, 32, False, True),
    "ibm-lto9": (3, AlgorithmCode.AES_256_GCM_128, 60, 32, True, True),
    "hpe-lto6": (1, AlgorithmCode.AES_256_GCM_128, 60, 32, True, False),
    "oracle-t10000c": (1, AlgorithmCode.ESP_AES_256_CCM_128, 0, 30, False, False),
}


@pytest.mark.parametrize("name", NAMES)
def test_a_drive_is_known_by_its_pages(name: str, tmp_path: Path) -> None:
    index, code, authenticated, unauthenticated, wraps, guarded = DRIVES[name]
    able = abilities(powered(tmp_path, name))
    assert able.management is Management.APPLICATION
    assert able.algorithm is not None
    assert (able.algorithm.index, able.algorithm.code) == (index, code)
    assert (able.kad_room.authenticated, able.kad_room.unauthenticated) == (authenticated, unauthenticated)
    assert (KeyFormat.WRAPPED in able.key_formats, able.public_key is not None) == (wraps, wraps)
    assert (able.locks, able.clears_on_demount, able.all_nexuses) == (True, True, True)
    assert able.write_guard is guarded


def test_an_older_cartridge_gives_less_room(tmp_path: Path) -> None:
    bench = powered(tmp_path, "ibm-lto6", empty=True)
    bench.insert(made(tmp_path, "lto5", "OLD001"))
    able = abilities(bench)
    assert able.algorithm is not None
    assert able.algorithm.index == 2


@pytest.mark.parametrize("name", NAMES)
def test_without_a_cartridge_there_is_no_algorithm_but_still_an_answer(name: str, tmp_path: Path) -> None:
    able = abilities(powered(tmp_path, name, empty=True))
    assert (able.management, able.algorithm) == (Management.APPLICATION, None)
    assert "no suitable algorithm" in able.why


def test_the_words_are_those_of_the_policy() -> None:
    assert {item.name: item.value for item in Management} == {item.name: item.value for item in facts.Management}


# --- who is in charge ---------------------------------------------------------------------------------------

# An HPE drive that hides SPIN does not say why: nobody can tell that from a drive without encryption.
KNOBS = {
    "ibm library, SPIN unknown": ("ibm-lto6", personality.Management.LIBRARY, True, Management.ELSEWHERE),
    "ibm library, SPIN answers": ("ibm-lto6", personality.Management.LIBRARY, False, Management.ELSEWHERE),
    "ibm disabled, SPIN unknown": ("ibm-lto6", personality.Management.DISABLED, True, Management.DISABLED),
    "ibm disabled, SPIN answers": ("ibm-lto6", personality.Management.DISABLED, False, Management.DISABLED),
    "hpe library": ("hpe-lto6", personality.Management.LIBRARY, False, Management.ELSEWHERE),
    "hpe disabled": ("hpe-lto6", personality.Management.DISABLED, False, Management.DISABLED),
    "hpe none": ("hpe-lto6", personality.Management.NONE, True, Management.NONE),
    "oracle none": ("oracle-t10000c", personality.Management.NONE, True, Management.NONE),
}


@pytest.mark.parametrize(("name", "knob", "hides", "found"), KNOBS.values(), ids=KNOBS)
def test_management_is_told_apart(
    name: str, knob: personality.Management, hides: bool, found: Management, tmp_path: Path
) -> None:
    able = abilities(powered(tmp_path, name, management=knob, external_hides_security=hides))
    assert able.management is found
    assert able.why
    assert able.algorithm is None


CAPABILITIES, STATUS = spin(0x10), spin(0x20)
# Reference 7.2: one sign each, on a drive that is application-managed in everything else.
SIGNS = {
    "CFG_P 10b": (CAPABILITIES, patched(4, b"\x0a"), Management.ELSEWHERE),
    "parameters control 011b": (STATUS, patched(12, b"\x30"), Management.ELSEWHERE),
    "parameters control 100b": (STATUS, patched(12, b"\x40"), Management.ELSEWHERE),
    "ENCRYPT_C 11b": (CAPABILITIES, patched(24, b"\xbf"), Management.ELSEWHERE),
    "ENCRYPT_C 00b": (CAPABILITIES, patched(24, b"\xb0"), Management.DISABLED),
    "CFG_P 11b, reserved": (CAPABILITIES, patched(4, b"\x0b"), Management.BROKEN),
    "parameters control 111b, reserved": (STATUS, patched(12, b"\x70"), Management.BROKEN),
    "another page": (CAPABILITIES, patched(1, b"\x11"), Management.BROKEN),
    "capabilities cut short": (CAPABILITIES, cut(19), Management.BROKEN),
    "status cut short": (STATUS, cut(12), Management.BROKEN),
    "descriptor cut short": (CAPABILITIES, cut(30), Management.BROKEN),
}


@pytest.mark.parametrize(("page", "change", "found"), SIGNS.values(), ids=SIGNS)
def test_each_sign_is_enough(page: object, change: Change, found: Management, tmp_path: Path) -> None:
    able = abilities(Meddling(powered(tmp_path, "hpe-lto6"), page, change=change))  # type: ignore[arg-type]
    assert able.management is found
    assert able.why


# Byte 5 of IBM's mode page 30h/20h (reference 1.12), behind eight bytes of header.
METHODS = {
    0x00: Management.ELSEWHERE,
    0x01: Management.DISABLED,
    0x03: Management.APPLICATION,
    0x04: Management.ELSEWHERE,
    0x7F: Management.ELSEWHERE,
}


def _ibm_page(command: Command) -> bool:
    return command.cdb[0] == Opcode.MODE_SENSE_10 and command.cdb[2:4] == bytes([0x30, 0x20])


@pytest.mark.parametrize(("method", "found"), METHODS.items())
def test_ibms_own_page_has_a_say(method: int, found: Management, tmp_path: Path) -> None:
    bench = powered(tmp_path)
    assert abilities(Meddling(bench, _ibm_page, change=patched(13, bytes([method])))).management is found


@pytest.mark.parametrize("name", ["hpe-lto6", "oracle-t10000c"])
def test_nobody_else_is_asked_for_ibms_page(name: str, tmp_path: Path) -> None:
    bench = powered(tmp_path, name, management=personality.Management.NONE)
    abilities(bench)
    assert not any(_ibm_page(command) for command in bench.commands)


# --- no encryption, or a failure ----------------------------------------------------------------------------

SPIN = by_opcode(Opcode.SECURITY_PROTOCOL_IN)
RSOC = by_opcode(Opcode.MAINTENANCE_IN)
ONLY_INFORMATION = good(bytes.fromhex("0000000000000001 00"))


def _without_spin(transport: Transport) -> Transport:
    return Meddling(transport, SPIN, instead=refused("5/20/00"))


def test_protocol_20h_missing_from_the_list_is_no_encryption(tmp_path: Path) -> None:
    bench = powered(tmp_path, "hpe-lto6")
    able = abilities(Meddling(bench, SPIN, instead=ONLY_INFORMATION))
    assert able.management is Management.NONE
    assert "20h" in able.why


# One-command data of REPORT SUPPORTED OPERATION CODES: SUPPORT in byte 1 (reference 1.9).
REPORTS = {
    "not supported": (good(bytes.fromhex("00010000")), Management.NONE),
    "command unknown too": (refused("5/20/00"), Management.NONE),
    "supported": (good(bytes.fromhex("0003000c a2") + bytes(11)), Management.BROKEN),
    "supported, and about no command": (good(bytes.fromhex("0003000c") + bytes(12)), Management.BROKEN),
    "not available now": (good(bytes.fromhex("00000000")), Management.BROKEN),
    "failure": (refused("4/44/00"), Management.BROKEN),
    "cut short": (good(b"\0"), Management.BROKEN),
}


@pytest.mark.parametrize(("report", "found"), REPORTS.values(), ids=REPORTS)
def test_an_unknown_command_is_believed_unless_contradicted(report: Reply, found: Management, tmp_path: Path) -> None:
    bench = powered(tmp_path, "hpe-lto6")
    assert abilities(Meddling(_without_spin(bench), RSOC, instead=report)).management is found


# What tgt 1.0.85 (Debian) says of any command that it does not know, as captured: supported, with an empty usage map.
ABOUT_NOTHING = good(bytes.fromhex("0003000c") + bytes(12))
# All-commands data, reference 1.9: length, then opcode, service action, flags and CDB length of each command.
LISTS = {
    "without it": ("00000008 1200000000000006", Management.NONE),
    "with it": ("00000010 1200000000000006 a20000000000000c", Management.BROKEN),
    "without INQUIRY": ("00000008 0000000000000006", Management.BROKEN),
    "empty": ("00000000", Management.BROKEN),
}


@pytest.mark.parametrize(("listed", "found"), LISTS.values(), ids=LISTS)
def test_an_answer_about_no_command_has_the_whole_list_asked(listed: str, found: Management, tmp_path: Path) -> None:
    bench = _without_spin(powered(tmp_path, "hpe-lto6"))
    whole = Meddling(bench, RSOC, instead=good(bytes.fromhex(listed)))
    one = Meddling(whole, lambda command: command.cdb[:3] == b"\xa3\x0c\x01", instead=ABOUT_NOTHING)
    assert abilities(one).management is found


def test_an_application_managed_ibm_that_hides_encryption_is_broken(tmp_path: Path) -> None:
    silent = Meddling(powered(tmp_path), SPIN, instead=ONLY_INFORMATION)
    assert abilities(silent).management is Management.BROKEN


def test_a_drive_not_set_to_application_management_is_not_called_incapable(tmp_path: Path) -> None:
    able = abilities(Meddling(powered(tmp_path, "oracle-t10000c"), CAPABILITIES, instead=refused("5/24/00")))
    assert able.management is Management.BROKEN
    assert "application-managed" in able.why


PASSING = {
    "6/28/00": errors.StateChanged,
    "6/29/00": errors.StateChanged,
    "2/04/01": errors.NotReady,
    "B/47/00": errors.CommandAborted,
}


@pytest.mark.parametrize(("code", "kind"), PASSING.items(), ids=PASSING)
def test_not_now_is_no_answer(code: str, kind: type[errors.DeviceError], tmp_path: Path) -> None:
    bench = powered(tmp_path)
    for step in range(steps_of(bench, abilities)):
        with pytest.raises(kind):
            abilities(at_step(bench, step, instead=refused(code)))


def test_a_reserved_drive_is_no_answer(tmp_path: Path) -> None:
    with pytest.raises(errors.ReservationConflict):
        abilities(at_step(powered(tmp_path), 0, instead=Reply(0x18)))


@pytest.mark.parametrize("name", ["ibm-lto9", "hpe-lto6"])
@pytest.mark.parametrize("code", ["4/44/00", "5/26/00", "3/11/00", "7/74/00", "9/80/00"])
def test_a_failure_at_any_step_is_broken_and_never_none(code: str, name: str, tmp_path: Path) -> None:
    bench = powered(tmp_path, name)
    for step in range(steps_of(bench, abilities)):
        assert abilities(at_step(bench, step, instead=refused(code))).management is Management.BROKEN


def test_a_short_answer_at_any_step_is_broken_and_never_none(tmp_path: Path) -> None:
    bench = powered(tmp_path, "ibm-lto9")
    for step in range(steps_of(bench, abilities)):
        assert abilities(at_step(bench, step, change=cut(3))).management is Management.BROKEN


def test_a_transport_that_fails_is_raised(tmp_path: Path) -> None:
    class Cut:
        def execute(self, command: Command) -> Reply:
            raise errors.TimedOut("no answer")

    with pytest.raises(errors.TimedOut):
        abilities(Cut())


# --- choosing -----------------------------------------------------------------------------------------------

GOOD = Algorithm(
    index=7,
    avfmv=True,
    encrypt_c=Cryption.HARDWARE,
    decrypt_c=Cryption.HARDWARE,
    avfclp=Validity.VALID,
    key_size=32,
    dkad_c=DkadCapability.OPTIONAL,
    code=AlgorithmCode.AES_256_GCM_128,
)
UNFIT = {
    "not valid for the volume": replace(GOOD, avfmv=False),
    "encrypts in software": replace(GOOD, encrypt_c=Cryption.SOFTWARE),
    "does not decrypt": replace(GOOD, decrypt_c=Cryption.NONE),
    "external control": replace(GOOD, encrypt_c=Cryption.EXTERNAL_CONTROL, decrypt_c=Cryption.EXTERNAL_CONTROL),
    "short key": replace(GOOD, key_size=16),
    "CBC": replace(GOOD, code=AlgorithmCode.AES_256_CBC_HMAC_SHA1),
    "unknown": replace(GOOD, code=AlgorithmCode(0x80010400)),
}


@pytest.mark.parametrize("algorithm", UNFIT.values(), ids=UNFIT)
def test_an_algorithm_that_is_not_fit_is_not_chosen(algorithm: Algorithm) -> None:
    assert choose((algorithm,)) is None
    assert choose((algorithm, GOOD)) == GOOD


def test_gcm_is_preferred_to_ccm_and_the_valid_position_to_others() -> None:
    ccm = replace(GOOD, index=1, code=AlgorithmCode.AES_256_CCM_128)
    elsewhere = replace(GOOD, index=0, avfclp=Validity.NOT_VALID)
    assert choose((ccm, elsewhere, GOOD)) == GOOD
    assert choose((ccm, elsewhere)) == elsewhere
    assert choose((ccm,)) == ccm


# --- room for key-associated data ---------------------------------------------------------------------------


@given(st.binary(max_size=92))
def test_bytes_are_laid_authenticated_first(kad: bytes) -> None:
    first, second = KadRoom(60, 32).split(kad)
    assert first + second == kad
    assert len(first) == min(60, len(kad))


def test_a_fixed_length_is_filled_up() -> None:
    assert KadRoom(4, 4, True, True).split(b"abcde") == (b"abcd", b"e\0\0\0")
    assert KadRoom(4, 4, True, True).split(b"ab") == (b"ab\0\0", b"")


def test_too_many_bytes_do_not_fit() -> None:
    with pytest.raises(errors.DoesNotFit):
        KadRoom(0, 30).split(bytes(31))
