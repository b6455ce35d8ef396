"""The virtual drive as a thing with a power switch and a front panel: what outlasts the power, and what does not."""

import threading
import time
from pathlib import Path

import pytest

from tapekey.errors import Conflict, Malformed, TapekeyError, Usage
from tapekey.exchange import Command
from tapekey.scsi import inquiry, media, mode, vital
from tapekey.scsi.codes import DeviceType
from tapekey.scsi.encryption import DecryptionMode, EncryptionMode, InPage, Scope, read_page
from tapekey.scsi.encryption_status import decode_status, read_status
from tapekey.scsi.inquiry import VitalPage
from tapekey.scsi.mode import Answer, RawPage
from tapekey.scsi.mode_page import EXTENSION, ModePage
from tapekey.scsi.set_encryption import SetDataEncryption, set_data_encryption
from tapekey.secret import Secret
from tapekey.target import cartridge, machine
from tapekey.target.cartridge import Cartridge
from tapekey.target.machine import Machine
from tapekey.target.personality import PERSONALITIES, Management, replace
from tapekey.target.tray import Place
from tests.bench import made
from tests.target.initiator import KEY, code


def drive(directory: Path, name: str = "ibm-lto6") -> Path:
    machine.create(directory / "drive", name)
    return directory / "drive"


def ready(powered: Machine, nexus: str = "host") -> str:
    """What TEST UNIT READY says once the attentions are taken."""
    answer = code(powered.execute(nexus, media.test_unit_ready()))
    while answer.startswith("6/"):
        answer = code(powered.execute(nexus, media.test_unit_ready()))
    return answer


def set_key(powered: Machine) -> str:
    page = SetDataEncryption(
        scope=Scope.ALL, encryption=EncryptionMode.ENCRYPT, decryption=DecryptionMode.DECRYPT, algorithm_index=3
    )
    return code(powered.execute("host", set_data_encryption(page, Secret(KEY))))


def run(powered: Machine, command: Command) -> str:
    return code(powered.execute("host", command))


@pytest.mark.parametrize("name", PERSONALITIES)
def test_every_personality_makes_a_drive_that_says_it_is_virtual(tmp_path: Path, name: str) -> None:
    with Machine.open(drive(tmp_path, name)) as powered:
        page = powered.execute("host", inquiry.inquire_vital(VitalPage.VIRTUAL)).data_in
        standard = inquiry.decode_standard(powered.execute("host", inquiry.inquire()).data_in)

    assert vital.decode_virtual(page) == f"TAPEKEY VIRTUAL {name}"
    assert standard.vendor == PERSONALITIES[name].vendor
    assert standard.device_type is DeviceType.TAPE


def test_identity_stays_and_differs_between_drives(tmp_path: Path) -> None:
    seen = []
    for place in (drive(tmp_path / "a"), drive(tmp_path / "b")):
        for _ in range(2):
            with Machine.open(place) as powered:
                names = powered.execute("host", inquiry.inquire_vital(VitalPage.IDENTIFICATION)).data_in
                seen.append(vital.naa(vital.decode_designators(names)))

    assert seen[0] == seen[1] != seen[2] == seen[3]


def test_existing_directory_is_not_made_a_drive(tmp_path: Path) -> None:
    with pytest.raises(Conflict):
        machine.create(tmp_path, "ibm-lto6")


@pytest.mark.parametrize("serial", ["x" * 13, "TÄPE", "a\nb"])
def test_serial_that_no_page_could_tell_is_refused(tmp_path: Path, serial: str) -> None:
    with pytest.raises(Usage):
        machine.create(tmp_path / "drive", "ibm-lto6", serial=serial)


def test_unknown_personality_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="ibm-lto6"):
        machine.create(tmp_path / "drive", "ibm-lto66")


def test_drive_is_powered_on_once(tmp_path: Path) -> None:
    place = drive(tmp_path)
    with Machine.open(place), pytest.raises(Conflict, match="powered on elsewhere"), Machine.open(place):
        pass
    with Machine.open(place):
        pass


@pytest.mark.parametrize("damage", [b"", b"rubbish", None])
def test_directory_that_is_no_drive_is_refused(tmp_path: Path, damage: bytes | None) -> None:
    place = drive(tmp_path)
    if damage is None:
        (place / "drive").unlink()
    else:
        (place / "drive").write_bytes(damage)

    with pytest.raises(Malformed, match="not a virtual drive"), Machine.open(place):
        pass


def test_power_cycle_takes_keys_and_nexuses_and_current_modes(tmp_path: Path) -> None:
    with Machine.open(drive(tmp_path)) as powered:
        powered.insert(made(tmp_path, "lto6"))
        assert ready(powered) == "good"
        assert set_key(powered) == "good"
        assert demand(powered, 0x04, save=False) == "good"

        powered.power_cycle()

        assert run(powered, media.test_unit_ready()) == "6/29/00"
        status = decode_status(powered.execute("host", read_status()).data_in)
        assert (status.encryption, status.key_instance_counter, status.nexus_scope) == (0, 0, 0)
        assert demanded(powered) == 0
        assert ready(powered) == "good"


@pytest.mark.parametrize("how", ["power off", "power cycle", "reset"])
def test_key_bytes_are_wiped_with_the_power(tmp_path: Path, how: str) -> None:
    with Machine.open(drive(tmp_path)) as powered:
        ready(powered)
        assert set_key(powered) == "good"
        key = powered.drive.parameters.shared.key
        assert key is not None
        if how == "power cycle":
            powered.power_cycle()
        elif how == "reset":
            powered.reset()

    with pytest.raises(ValueError, match="wiped"):
        key.reveal()


def test_hard_reset_takes_keys_and_leaves_the_volume(tmp_path: Path) -> None:
    with Machine.open(drive(tmp_path)) as powered:
        powered.insert(made(tmp_path, "lto6"))
        assert ready(powered) == "good"
        assert set_key(powered) == "good"

        powered.reset()

        assert run(powered, media.test_unit_ready()) == "6/29/03"
        assert run(powered, media.test_unit_ready()) == "good"
        assert decode_status(powered.execute("host", read_status()).data_in).encryption is EncryptionMode.DISABLE


def demand(powered: Machine, bits: int, *, save: bool) -> str:
    data = powered.execute("host", mode.mode_sense(ModePage.DEVICE_CONFIGURATION, EXTENSION)).data_in
    image = bytearray(mode.decode_answer_10(data).pages[0].image)
    image[8] = bits
    return run(powered, mode.mode_select(Answer(pages=(RawPage(bytes(image)),)), save=save))


def demanded(powered: Machine) -> int:
    data = powered.execute("host", mode.mode_sense(ModePage.DEVICE_CONFIGURATION, EXTENSION)).data_in
    return mode.decode_answer_10(data).pages[0].image[8]


def test_saved_pages_outlast_the_power(tmp_path: Path) -> None:
    place = drive(tmp_path)
    with Machine.open(place) as powered:
        ready(powered)
        assert demand(powered, 0x04, save=True) == "good"
    with Machine.open(place) as powered:
        ready(powered)
        assert demanded(powered) == 0x04


@pytest.mark.parametrize("unloaded", [False, True])
def test_cartridge_stays_where_it_was(tmp_path: Path, unloaded: bool) -> None:
    place, tape = drive(tmp_path), made(tmp_path, "lto6")
    with Machine.open(place) as powered:
        powered.insert(tape)
        assert ready(powered) == "good"
        if unloaded:
            assert run(powered, media.unload()) == "good"

    with Machine.open(place) as powered:
        assert ready(powered) == ("2/3A/00" if unloaded else "good")
        assert powered.status()["cartridge"] == str(tape)
        assert run(powered, media.load()) == "good"
        assert ready(powered) == "good"


def test_written_block_outlasts_an_orderly_power_off(tmp_path: Path) -> None:
    place = drive(tmp_path)
    with Machine.open(place) as powered:
        powered.insert(made(tmp_path, "lto6"))
        ready(powered)
        assert run(powered, media.write_block(b"kept")) == "good"
    with Machine.open(place) as powered:
        ready(powered)
        assert powered.execute("host", media.read_block(4)).data_in == b"kept"


def test_ejected_cartridge_goes_into_another_drive(tmp_path: Path) -> None:
    tape = made(tmp_path, "lto6")
    with Machine.open(drive(tmp_path / "a")) as first, Machine.open(drive(tmp_path / "b")) as second:
        first.insert(tape)
        with pytest.raises(Conflict, match="another drive"):
            second.insert(tape)
        with pytest.raises(Conflict, match="already"):
            first.insert(tape)

        first.eject()
        second.insert(tape)

        assert (ready(first), ready(second)) == ("2/3A/00", "good")
        with pytest.raises(Conflict, match="no cartridge"):
            first.eject()


def test_prevented_removal_holds_the_button(tmp_path: Path) -> None:
    with Machine.open(drive(tmp_path)) as powered:
        powered.insert(made(tmp_path, "lto6"))
        ready(powered)
        assert run(powered, media.prevent_removal()) == "good"

        with pytest.raises(Conflict, match="does not let"):
            powered.eject()


def test_cartridge_that_was_taken_from_the_disk_leaves_an_empty_drive(tmp_path: Path) -> None:
    place, tape = drive(tmp_path), made(tmp_path, "lto6")
    with Machine.open(place) as powered:
        powered.insert(tape)
    tape.rename(tmp_path / "elsewhere")

    with Machine.open(place) as powered:
        assert ready(powered) == "2/3A/00"


def test_tab_is_slid_outside_the_drive_only(tmp_path: Path) -> None:
    tape = made(tmp_path, "lto6")
    with Machine.open(drive(tmp_path)) as powered:
        powered.insert(tape)
        with pytest.raises(Conflict, match="in the drive"):
            powered.write_protect(tape, True)
        powered.eject()
        powered.write_protect(tape, True)
        powered.insert(tape)
        ready(powered)

        assert run(powered, media.write_block(b"x")) == "7/27/00"


def test_knob_outlasts_the_power(tmp_path: Path) -> None:
    place = drive(tmp_path)
    with Machine.open(place) as powered:
        powered.set(management="library", load_time=5, wrong_key_limit=3)
    with Machine.open(place) as powered:
        facts = powered.drive.personality
        assert (facts.management, facts.load_time, facts.wrong_key_limit) == (Management.LIBRARY, 5.0, 3)
        ready(powered)
        assert run(powered, read_page(InPage.STATUS)) == "5/20/00"


@pytest.mark.parametrize(
    "knob", [{"vendor": "ACME"}, {"management": "nobody"}, {"load_time": -1}, {"mam_vendor_range": 1}], ids=str
)
def test_knob_that_does_not_turn_is_refused(tmp_path: Path, knob: dict[str, object]) -> None:
    with Machine.open(drive(tmp_path)) as powered:
        before = powered.drive.personality
        with pytest.raises(Usage):
            powered.set(**knob)
        assert powered.drive.personality == before


def test_drive_can_be_made_with_knobs_turned(tmp_path: Path) -> None:
    machine.create(tmp_path / "drive", replace(PERSONALITIES["ibm-lto6"], mam_vendor_range=False))

    with Machine.open(tmp_path / "drive") as powered:
        assert not powered.drive.personality.mam_vendor_range


@pytest.mark.parametrize(("name", "there"), [("ibm-lto9", True), ("ibm-lto6", False)])
def test_wrapping_key_is_kept_and_private(tmp_path: Path, name: str, there: bool) -> None:
    place = drive(tmp_path, name)
    seen = []
    for _ in range(2 if there else 0):
        with Machine.open(place) as powered:
            ready(powered)
            seen.append(powered.execute("host", read_page(InPage.PUBLIC_KEY)).data_in)

    assert (place / "wrapping-key.pem").exists() is there
    assert len(set(seen)) == int(there)
    if there:
        assert (place / "wrapping-key.pem").stat().st_mode & 0o777 == 0o600


def test_no_key_is_ever_in_the_directories(tmp_path: Path) -> None:
    with Machine.open(drive(tmp_path)) as powered:
        powered.insert(made(tmp_path, "lto6"))
        ready(powered)
        assert set_key(powered) == "good"
        assert run(powered, media.write_block(b"a clear block")) == "good"
        assert run(powered, media.write_filemarks(1)) == "good"

    found = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())

    assert KEY not in found
    assert KEY.hex().encode() not in found
    assert b"a clear block" not in found


def test_transport_is_one_initiator(tmp_path: Path) -> None:
    with Machine.open(drive(tmp_path)) as powered:
        first, second = powered.transport("first"), powered.transport("second")
        assert code(first.execute(media.test_unit_ready())) == "6/29/00"
        assert code(first.execute(media.test_unit_ready())) == "2/3A/00"
        assert code(second.execute(media.test_unit_ready())) == "6/29/00"


def test_unorderly_power_loss_keeps_what_was_flushed(tmp_path: Path) -> None:
    with Machine.open(drive(tmp_path)) as powered:
        powered.insert(made(tmp_path, "lto6"))
        ready(powered)
        assert run(powered, media.write_block(b"flushed")) == "good"
        assert run(powered, media.flush()) == "good"

        powered.power_cycle(orderly=False)

        ready(powered)
        assert powered.execute("host", media.read_block(7)).data_in == b"flushed"


def test_cartridge_in_a_drive_is_held(tmp_path: Path) -> None:
    tape = made(tmp_path, "lto6")
    with Machine.open(drive(tmp_path)) as powered:
        powered.insert(tape)
        with pytest.raises(Conflict):
            Cartridge.open(tape)
    with Cartridge.open(tape) as held:
        assert held.identity.barcode == "ENC001"
    assert not cartridge.is_protected(tape)


def test_insert_of_what_is_no_cartridge_is_refused(tmp_path: Path) -> None:
    with Machine.open(drive(tmp_path)) as powered:
        with pytest.raises(TapekeyError):
            powered.insert(tmp_path)
        assert powered.status()["place"] == "empty"


# --- loads and unloads that take their time ---


def test_load_that_waits_takes_its_time_and_lets_others_in(tmp_path: Path) -> None:
    with Machine.open(drive(tmp_path)) as powered:
        powered.set(load_time=0.5)
        powered.insert(made(tmp_path, "lto6"))
        for nexus in ("host", "other"):
            ready(powered, nexus)
        begun, answers = time.monotonic(), list[str]()
        loader = threading.Thread(target=lambda: answers.append(run(powered, media.load())))
        loader.start()
        time.sleep(0.1)

        assert ready(powered, "other") == "2/04/01"
        asked = time.monotonic() - begun
        loader.join()

        assert asked < 0.4 < time.monotonic() - begun
        assert answers == ["good"]
        assert powered.drive.mounted


def test_load_that_does_not_wait_is_answered_at_once(tmp_path: Path) -> None:
    with Machine.open(drive(tmp_path)) as powered:
        powered.set(load_time=60)
        powered.insert(made(tmp_path, "lto6"))
        ready(powered)
        begun = time.monotonic()

        assert run(powered, media.load(immediate=True)) == "good"

        assert time.monotonic() - begun < 5
        assert ready(powered) == "2/04/01"


def test_power_off_ends_the_waiting_of_a_load(tmp_path: Path) -> None:
    answers: list[str] = []
    with Machine.open(drive(tmp_path)) as powered:
        powered.set(load_time=60)
        powered.insert(made(tmp_path, "lto6"))
        ready(powered)
        loader = threading.Thread(target=lambda: answers.append(run(powered, media.load())))
        loader.start()
        time.sleep(0.1)
        begun = time.monotonic()
    loader.join()

    assert time.monotonic() - begun < 5
    assert answers == ["3/53/00"]


def test_tape_that_cannot_be_threaded_comes_out_again(tmp_path: Path) -> None:
    tape = made(tmp_path, "lto6")
    (tape / "layout").write_bytes(b"rubbish")
    with Machine.open(drive(tmp_path)) as powered:
        powered.insert(tape)
        ready(powered)

        assert powered.drive.place is Place.MOUTH
        assert run(powered, media.load()) == "3/53/00"
        assert ready(powered) == "2/3A/00"
        powered.eject()


def test_unload_takes_its_time_before_the_cartridge_is_out(tmp_path: Path) -> None:
    with Machine.open(drive(tmp_path)) as powered:
        powered.insert(made(tmp_path, "lto6"))
        ready(powered)
        powered.set(unload_time=0.3)
        begun = time.monotonic()
        assert run(powered, media.unload(immediate=True)) == "good"
        assert not powered.lets_go
        assert run(powered, media.unload()) == "good"

        assert 0.3 <= time.monotonic() - begun < 5
        assert powered.lets_go


@pytest.mark.parametrize(("unloaded", "seconds"), [(False, 0.3), (True, 0.0)])
def test_robot_is_told_how_long_it_takes_until_the_cartridge_is_out(
    tmp_path: Path, unloaded: bool, seconds: float
) -> None:
    with Machine.open(drive(tmp_path)) as powered:
        powered.insert(made(tmp_path, "lto6"))
        ready(powered)
        if unloaded:
            assert run(powered, media.unload()) == "good"
        powered.set(unload_time=0.3)

        assert powered.hand_out(unloads=True) == pytest.approx(seconds, abs=0.05)
        assert powered.status()["place"] == "empty"


def test_command_that_lets_others_in_does_not_tell_of_their_data(tmp_path: Path) -> None:
    """LOAD has none; MODE SELECT, which comes while it waits, has twelve bytes."""
    with Machine.open(drive(tmp_path)) as powered:
        powered.set(load_time=0.5)
        powered.insert(made(tmp_path, "lto6"))
        assert ready(powered) == "2/04/01"
        ready(powered, "other")
        answers = []
        waiting = threading.Thread(target=lambda: answers.append(powered.serve("host", media.load())))
        waiting.start()
        time.sleep(0.1)
        select = Command(bytes([0x15, 0x10, 0, 0, 12, 0]), bytes.fromhex("00 00 10 08 00 00 00 00 00 00 02 00"))
        assert powered.serve("other", select).taken == 12
        waiting.join()
    assert [answer.taken for answer in answers] == [0]
