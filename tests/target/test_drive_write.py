"""WRITE, WRITE FILEMARKS and ERASE: protection, policy, the end of the tape, durability (reference 1.5, 6.6)."""

from pathlib import Path
from random import Random

import pytest

from tapekey.exchange import Command
from tapekey.scsi import log, media, mode, mode_page, tape_alert
from tapekey.scsi.encryption import DecryptionMode, EncryptionMode
from tapekey.scsi.log import LogPage
from tapekey.scsi.mode_page import ModePage
from tapekey.scsi.sense import Sense
from tapekey.scsi.tape_alert import TapeAlert
from tapekey.target import cartridge
from tests.bench import Bench, made, powered
from tests.target.initiator import code, install, off, read, rewind, sense_of, write

OFF, ENC, DEC = EncryptionMode.DISABLE, EncryptionMode.ENCRYPT, DecryptionMode.DECRYPT
WRITES = {
    "write": media.write_block(b"x"),
    "filemark": media.write_filemarks(1),
    "erase": media.erase(),
}


@pytest.mark.parametrize("command", WRITES.values(), ids=WRITES)
def test_tab_protects(tmp_path: Path, command: Command) -> None:
    place = made(tmp_path, "lto6", "TAB")
    cartridge.protect(place, True)
    bench = powered(tmp_path, empty=True)
    bench.insert(place)

    assert code(bench.execute(command)) == "7/27/00"
    assert code(bench.execute(media.flush())) == "good"


@pytest.mark.parametrize("command", WRITES.values(), ids=WRITES)
def test_older_generation_that_is_only_read_is_not_written(tmp_path: Path, command: Command) -> None:
    bench = powered(tmp_path, "ibm-lto6", empty=True)
    bench.insert(made(tmp_path, "lto4", "OLD"))

    assert code(bench.execute(media.test_unit_ready())) == "good"
    assert code(bench.execute(command)) == "7/30/05"


def test_generation_that_cannot_be_read_is_told_by_test_unit_ready(tmp_path: Path) -> None:
    bench = powered(tmp_path, "ibm-lto6", empty=True)
    bench.insert(made(tmp_path, "lto7", "NEW"))

    assert code(bench.execute(media.test_unit_ready())) == "3/30/00"


def test_write_once_is_not_overwritten(tmp_path: Path) -> None:
    bench = powered(tmp_path, empty=True)
    bench.insert(made(tmp_path, "lto6", "WORM", worm=True))
    assert write(bench, b"once") == "good"
    rewind(bench)

    assert write(bench, b"twice") == "7/30/0C"
    assert read(bench).data_in == b"once"
    assert write(bench, b"appended") == "good"


# --- writes require encryption ---------------------------------------------------------------------------------


def demand(bench: Bench, bits: int, *, save: bool = False) -> str:
    """Set byte 8 of mode page 10h/01h."""
    answer = bench.execute(mode.mode_sense(ModePage.DEVICE_CONFIGURATION, mode_page.EXTENSION, descriptor=False))
    image = bytearray(mode.decode_answer_10(answer.data_in).pages[0].image)
    image[8] = bits
    return code(bench.execute(mode.mode_select(mode.Answer(pages=(mode.RawPage(bytes(image)),)), save=save)))


def alerts(bench: Bench, page: LogPage = LogPage.TAPE_ALERT_RESPONSE) -> frozenset[TapeAlert]:
    data = bench.execute(log.log_sense(page)).data_in
    if page is LogPage.TAPE_ALERT:
        return tape_alert.decode_tape_alerts(data)
    return tape_alert.decode_tape_alert_response(data)


WRE, VCELBRE = 0x04, 0x01
# bits of the page, what is on the tape, position, mode: is the write taken?
POLICY = {
    "nothing demanded, clear": (0, "clear", 1, OFF, True),
    "WRE, clear": (WRE, "", 0, OFF, False),
    "WRE, clear, behind encrypted": (WRE, "encrypted", 1, OFF, False),
    "WRE, encrypting": (WRE, "", 0, ENC, True),
    "VCELBRE, clear behind clear": (VCELBRE, "clear", 1, OFF, True),
    "VCELBRE, clear behind encrypted": (VCELBRE, "encrypted", 1, OFF, False),
    "VCELBRE, clear over encrypted, from the beginning": (VCELBRE, "encrypted", 0, OFF, True),
    "VCELBRE, encrypting": (VCELBRE, "encrypted", 1, ENC, True),
    "both, clear": (WRE | VCELBRE, "", 0, OFF, False),
}


@pytest.mark.parametrize("name", ["ibm-lto5", "ibm-lto6", "ibm-lto9"])
@pytest.mark.parametrize(("bits", "what", "position", "mode_asked", "taken"), POLICY.values(), ids=POLICY)
def test_clear_write_is_refused_where_encryption_is_demanded(
    tmp_path: Path, name: str, bits: int, what: str, position: int, mode_asked: EncryptionMode, taken: bool
) -> None:
    bench = powered(tmp_path, name)
    if what:
        install(bench, ENC if what == "encrypted" else OFF, DEC)
        assert write(bench, b"first") == "good"
    install(bench, mode_asked, DEC)
    assert demand(bench, bits) == "good"
    assert code(bench.execute(media.locate(position))) == "good"

    answer = write(bench, b"second")

    assert answer == ("good" if taken else "7/74/00")
    assert (TapeAlert.ENCRYPTION_POLICY_VIOLATION in alerts(bench)) is not taken


def test_filemarks_are_never_encrypted_and_pass(tmp_path: Path) -> None:
    bench = powered(tmp_path)
    assert demand(bench, WRE) == "good"

    assert code(bench.execute(media.write_filemarks(1))) == "good"


@pytest.mark.parametrize("name", ["hpe-lto6", "oracle-t10000c"])
def test_drive_without_the_guard_refuses_to_be_told(tmp_path: Path, name: str) -> None:
    bench = powered(tmp_path, name)

    assert demand(bench, WRE) == "5/26/00"


@pytest.mark.parametrize("bit", [0x08, 0x02])
def test_library_policy_bits_are_read_only(tmp_path: Path, bit: int) -> None:
    assert demand(powered(tmp_path), bit) == "5/26/00"


def test_alert_is_cleared_by_reading_the_page_for_this_nexus_only(tmp_path: Path) -> None:
    bench = powered(tmp_path)
    other = bench.as_other()
    assert demand(bench, WRE) == "good"
    other.settle()
    assert write(bench, b"x") == "7/74/00"

    assert TapeAlert.ENCRYPTION_POLICY_VIOLATION in alerts(bench, LogPage.TAPE_ALERT)
    assert alerts(bench, LogPage.TAPE_ALERT) == frozenset()
    assert TapeAlert.ENCRYPTION_POLICY_VIOLATION in alerts(other, LogPage.TAPE_ALERT)


def test_alert_is_cleared_at_load(tmp_path: Path) -> None:
    bench = powered(tmp_path)
    assert demand(bench, WRE) == "good"
    assert write(bench, b"x") == "7/74/00"
    assert code(bench.execute(media.unload())) == "good"
    assert code(bench.execute(media.load())) == "good"

    assert alerts(bench) == frozenset()


# --- the end of the tape -----------------------------------------------------------------------------------------


NOISE = Random(1).randbytes(10_000)  # as long when it is compressed


def small(directory: Path) -> Bench:
    bench = powered(directory, empty=True)
    bench.insert(made(directory, "lto6", "SMALL", capacity=100_000, margin=20_000))
    return bench


def test_early_warning_takes_the_block_and_says_so(tmp_path: Path) -> None:
    bench = small(tmp_path)
    while (reply := bench.execute(media.write_block(NOISE))).status == 0:
        pass

    sense = sense_of(reply)

    assert (sense.code, sense.eom, sense.information) == ("0/00/02", True, 0)
    assert bench.drive.tape.position == bench.drive.tape.objects == 8


def test_end_of_medium_refuses_the_block_and_does_not_move(tmp_path: Path) -> None:
    bench = small(tmp_path)
    while (sense := sense_of_or_none(bench)) is None or sense.code == "0/00/02":
        pass

    assert (sense.code, sense.eom, sense.information) == ("D/00/02", True, 10_000)
    assert bench.drive.tape.position == bench.drive.tape.objects


def sense_of_or_none(bench: Bench) -> Sense | None:
    reply = bench.execute(media.write_block(NOISE))
    return sense_of(reply) if reply.sense else None


# --- what is acknowledged lasts ----------------------------------------------------------------------------------


@pytest.mark.parametrize("command", [media.write_filemarks(1), media.flush()], ids=["filemark", "flush"])
def test_acknowledged_filemark_and_flush_are_on_disk(tmp_path: Path, command: Command) -> None:
    bench = powered(tmp_path)
    assert write(bench, b"kept") == "good"

    assert code(bench.execute(command)) == "good"

    assert not bench.drive.tape.log.dirty


def test_immediate_filemark_may_wait(tmp_path: Path) -> None:
    bench = powered(tmp_path)

    assert code(bench.execute(media.write_filemarks(1, immediate=True))) == "good"

    assert bench.drive.tape.log.dirty


def test_erase_makes_end_of_data(tmp_path: Path) -> None:
    bench = powered(tmp_path)
    for _ in range(3):
        assert write(bench, b"x") == "good"
    assert code(bench.execute(media.locate(1))) == "good"

    assert code(bench.execute(media.erase())) == "good"

    assert code(bench.execute(media.read_block(1))) == "8/00/05"
    assert bench.drive.tape.objects == 1


def test_setmarks_are_refused(tmp_path: Path) -> None:
    bench = powered(tmp_path)
    off(bench)

    assert code(bench.execute(Command(bytes.fromhex("100200000100")))) == "5/24/00"
