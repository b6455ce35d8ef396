"""Debian's stenc 1.0.7 and tapekey on one drive: each sees what the other set, and neither is fooled.

stenc prints key-associated data as the bytes they are. Asked for details while the drive cannot tell the next block
(a blank tape) it prints all and then crashes on memory that it freed before: so details are asked of written tapes.
"""

import json
from pathlib import Path

import pytest

from tapekey.cartridge import envelopes
from tapekey.cartridge import identity as cartridge_identity
from tapekey.exchange import Command
from tapekey.scsi import encryption_status
from tapekey.scsi.codes import Opcode
from tapekey.scsi.run import run
from tapekey.secret import Secret
from tapekey.target import drive
from tapekey.target.state import Drive
from tapekey.target.unit import Answer
from tests.real.bench import PLAIN, Bench, Ran
from tests.real.conftest import PowerOn

pytestmark = pytest.mark.real

KEY = bytes(31) + b"\x11"
OTHER = bytes(31) + b"\x22"
INDEX = {
    "ibm-lto4": 1,
    "ibm-lto6": 3,
    "hpe-lto6": 1,
    "ibm-lto9": 3,
    "quantum-lto4": 1,
    "oracle-t10000c": 1,
}  # for the medium of the drive's own generation
DRIVES = list(INDEX)
FILLED = {"oracle-t10000c": 30}  # it keeps each U-KAD at its full length
LETTER = {"UNAUTHENTICATED": "u", "AUTHENTICATED": "a"}
SAFETY_ALARM, SAFETY, DATA_PROTECT = 101, 100, 7
CHANGES = {Opcode.SECURITY_PROTOCOL_OUT, Opcode.MODE_SELECT_6, Opcode.MODE_SELECT_10, Opcode.WRITE_ATTRIBUTE}
READ_A_BLOCK = "08 00 00 10 00 00"  # 4096 bytes, variable


def switched_on(bench: Bench, key: bytes = KEY, name: str = "September key", *options: object, mode: str = "on") -> Ran:
    index = INDEX[bench.machine.description.personality.name]
    return bench.stenc("-e", mode, "-a", index, "-k", bench.key_file(key, name), *options)


def details(bench: Bench) -> Ran:
    """What stenc says of drive and volume, from the first block on."""
    assert bench.raw("01 00 00 00 00 00").status == 0
    told = bench.stenc("--detail")
    assert told.status == 0, told.text
    return told


@pytest.mark.parametrize("name", DRIVES)
def test_a_key_set_by_stenc_is_shown_with_its_kad_as_a_foreign_owners(power_on: PowerOn, name: str) -> None:
    bench = power_on(name)
    assert bench.status()["owner"] == "none"

    assert "Success!" in switched_on(bench).text

    told = bench.status()
    assert told["owner"] == "foreign owner"
    assert (told["encryption_mode"], told["decryption_mode"]) == ("ENCRYPT", "DECRYPT")
    assert told["kads"] == [{"type": "UNAUTHENTICATED", "hex": b"September key".hex(), "text": "September key"}]
    assert (told["algorithm_index"], told["scope"]) == (INDEX[name], "ALL")
    bench.write()
    shown = details(bench)
    assert shown.line("Key Instance Counter:") == str(told["key_instance_counter"])
    assert shown.line("Volume Encryption:") == "Encrypted and able to decrypt"


@pytest.mark.parametrize("name", DRIVES)
def test_save_raises_an_alarm_at_stencs_key_and_touches_nothing(power_on: PowerOn, name: str) -> None:
    bench = power_on(name)
    assert bench.keyed("drive", "approve", "--allow-virtual").status == 0
    switched_on(bench)
    before = everything_that_save_could_touch(bench)

    trace = bench.directory / "trace"
    refused = bench.keyed("save", "--allow-virtual", "--trace", trace)

    assert refused.status == SAFETY_ALARM
    assert "set by somebody else" in refused.text
    assert everything_that_save_could_touch(bench) == before
    assert not CHANGES & operations(trace)


@pytest.mark.parametrize("verb", [("drive", "clear-key"), ("unload",)], ids=" ".join)
def test_neither_clear_key_nor_unload_takes_stencs_key_away(power_on: PowerOn, verb: tuple[str, ...]) -> None:
    bench = power_on("ibm-lto6")
    bench.keyed("drive", "approve", "--allow-virtual")
    switched_on(bench)
    before = bench.machine.drive.parameters.shared

    trace = bench.directory / "trace"
    done = bench.keyed(*verb, "--trace", trace)

    assert verb == ("unload",) or done.status == SAFETY
    assert Opcode.SECURITY_PROTOCOL_OUT not in operations(trace)
    assert bench.machine.drive.parameters.shared == before
    assert bench.status()["owner"] == "foreign owner"


@pytest.mark.parametrize("name", DRIVES)
def test_stenc_shows_the_key_and_the_kad_that_tapekey_set(power_on: PowerOn, name: str) -> None:
    bench = power_on(name)
    bench.keyed("drive", "approve", "--allow-virtual")
    assert bench.keyed("save", "--allow-virtual").status == 0
    bench.write()

    shown, told = details(bench), bench.status()

    assert told["owner"] == "ours"
    assert shown.line("Drive Encryption:") == "mixed"  # on, and clear blocks are read too
    assert shown.line("Drive Input:") == "Encrypting"
    assert shown.line("Drive Output:") == "Decrypting"
    assert told["kads"]
    for kad in told["kads"]:
        assert printed(f"Drive Key Desc.({LETTER[kad['type']]}KAD):", bytes.fromhex(kad["hex"])) in shown.out
    assert shown.line("Key Instance Counter:") == str(told["key_instance_counter"])
    assert shown.line("Encryption Algorithm:") == str(told["algorithm_index"]) == str(INDEX[name])
    assert shown.line("Volume Encryption:") == "Encrypted and able to decrypt"


@pytest.mark.parametrize("name", DRIVES)
def test_a_wrong_key_is_data_protect_and_stenc_says_so(power_on: PowerOn, name: str) -> None:
    bench = power_on(name)
    switched_on(bench)
    bench.write()
    switched_on(bench, OTHER, "October key")

    shown = details(bench)

    assert shown.line("Volume Encryption:") == "Encrypted, but unable to decrypt due to invalid key."
    assert printed("Volume Key Desc.(uKAD):", b"September key".ljust(FILLED.get(name, 0), b"\0")) in shown.out
    assert printed("Drive Key Desc.(uKAD):", b"October key") in shown.out
    read = bench.raw(READ_A_BLOCK, room=4096)
    assert (read.status, read.line("Sense key:")) == (DATA_PROTECT, "Data Protect")
    assert read.line("Additional sense:") == "Incorrect data encryption key"
    ours = bench.tapekey("tape", "read", "--block", 4096)
    assert (ours.status, ours.out) == (DATA_PROTECT, b"")
    assert "7/74/03" in ours.text


def test_a_read_without_key_says_that_decryption_is_off(power_on: PowerOn) -> None:
    bench = power_on("ibm-lto6")
    switched_on(bench)
    bench.write()
    bench.stenc("-e", "off")

    read = bench.raw(READ_A_BLOCK, room=4096)

    assert read.status == DATA_PROTECT
    assert read.line("Additional sense:") == "Unable to decrypt data"
    assert "7/74/01" in bench.tapekey("tape", "read").text


@pytest.mark.parametrize("name", DRIVES)
def test_stencs_off_names_algorithm_0_and_is_taken(power_on: PowerOn, name: str, sent: list[bytes]) -> None:
    bench = power_on(name)
    switched_on(bench)
    sent.clear()

    done = bench.stenc("-e", "off")

    assert done.status == 0, done.text
    assert [(page[6:8], page[8], page[18:20]) for page in sent] == [(b"\0\0", 0, b"\0\x20")]  # off, index 0, zero key
    told = bench.status()
    assert (told["owner"], told["encryption_mode"], told["decryption_mode"]) == ("none", "DISABLE", "DISABLE")
    assert told["kads"] == []


@pytest.mark.parametrize("name", DRIVES)
def test_stenc_without_an_index_is_refused_where_index_0_is_not_listed(power_on: PowerOn, name: str) -> None:
    bench = power_on(name)

    done = bench.stenc("-e", "on", "-k", bench.key_file(KEY))

    assert done.status == 1
    assert (done.line("Sense Code:"), done.line("ASC:"), done.line("ASCQ:")) == (
        "Illegal Request (0x05)",
        "0x26",
        "0x00",
    )
    assert bench.status()["owner"] == "none"


def test_every_mode_of_stenc_is_named_as_the_drive_has_it(power_on: PowerOn) -> None:
    bench = power_on("ibm-lto6")
    modes = {}
    for mode in ("on", "mixed", "rawread"):
        assert switched_on(bench, mode=mode).status == 0
        told = bench.status()
        modes[mode] = told["encryption_mode"], told["decryption_mode"]
    assert modes == {"on": ("ENCRYPT", "DECRYPT"), "mixed": ("ENCRYPT", "MIXED"), "rawread": ("ENCRYPT", "RAW")}


@pytest.mark.parametrize(("option", "disabled"), [("--protect", True), ("--unprotect", False)])
def test_protection_from_raw_reads_is_seen_by_both(power_on: PowerOn, option: str, disabled: bool) -> None:
    bench = power_on("ibm-lto6")
    assert switched_on(bench, KEY, "September key", option).status == 0
    bench.write()
    assert ("Protecting from raw read" in details(bench).text) is disabled
    assert encryption_status.decode_status(run(bench.host, encryption_status.read_status())).rdmd is disabled


def test_a_key_that_is_to_go_with_the_tape_goes_with_it(power_on: PowerOn) -> None:
    bench = power_on("ibm-lto6")
    assert switched_on(bench, KEY, "September key", "--ckod").status == 0
    assert bench.status()["owner"] == "foreign owner"
    bench.machine.eject()
    assert bench.status()["owner"] == "none"
    refused = switched_on(bench, KEY, "September key", "--ckod")  # needs a mounted tape
    assert (refused.status, refused.line("ASC:")) == (1, "0x26")


def test_a_drive_that_saw_too_many_wrong_keys_takes_none_from_stenc_either(power_on: PowerOn) -> None:
    bench = power_on("hpe-lto6", wrong_key_limit=2)
    switched_on(bench)
    bench.write()
    for _ in range(2):
        switched_on(bench, OTHER, "October key")
        assert bench.raw(READ_A_BLOCK, room=4096).status == DATA_PROTECT

    refused = switched_on(bench)

    assert refused.status == 1
    sense = (refused.line("Sense Code:"), refused.line("ASC:"), refused.line("ASCQ:"))
    assert sense == ("Data protect (0x07)", "0x26", "0x10")


def test_a_short_key_is_refused_by_the_drive(power_on: PowerOn) -> None:
    bench = power_on("ibm-lto6")
    refused = switched_on(bench, KEY[:16])
    assert (refused.status, refused.line("ASC:")) == (1, "0x26")
    assert bench.status()["owner"] == "none"


def test_a_key_of_ours_that_stenc_replaced_is_no_longer_ours(power_on: PowerOn) -> None:
    bench = power_on("ibm-lto6")
    bench.keyed("drive", "approve", "--allow-virtual")
    assert bench.keyed("save", "--allow-virtual").status == 0
    switched_on(bench)
    assert bench.status()["owner"] == "foreign owner"
    assert bench.keyed("save", "--allow-virtual").status == SAFETY_ALARM


def test_a_key_of_ours_that_stenc_switched_off_is_set_again_by_save(power_on: PowerOn) -> None:
    bench = power_on("ibm-lto6")
    bench.keyed("drive", "approve", "--allow-virtual")
    assert bench.keyed("save", "--allow-virtual").status == 0
    kads = bench.status()["kads"]
    bench.stenc("-e", "off")
    assert bench.status()["owner"] == "none"
    assert bench.keyed("save", "--allow-virtual").status == 0
    assert (bench.status()["owner"], bench.status()["kads"]) == ("ours", kads)


def test_a_tape_written_under_stencs_key_is_read_with_that_key_set_by_hand(power_on: PowerOn) -> None:
    bench = power_on("ibm-lto6")
    bench.keyed("drive", "approve", "--allow-virtual")
    switched_on(bench)
    bench.write()
    bench.stenc("-e", "off")
    by_hand = bench.directory / "by-hand"
    by_hand.touch(mode=0o600)
    by_hand.write_bytes(KEY)

    done = bench.keyed("drive", "set-key", "--data-key", by_hand, "--allow-virtual")

    assert done.status == 0, done.text
    assert bench.tapekey("tape", "read", "--block", 4096).out == PLAIN
    assert details(bench).line("Drive Input:") == "Not encrypting"


def test_a_tape_written_under_our_key_keeps_stencs_hands_off(power_on: PowerOn) -> None:
    bench = power_on("ibm-lto6")
    bench.keyed("drive", "approve", "--allow-virtual")
    assert bench.keyed("save", "--allow-virtual").status == 0
    kad = {each["type"]: bytes.fromhex(each["hex"]) for each in bench.status()["kads"]}
    bench.write()
    bench.stenc("-e", "off")

    shown = details(bench)

    assert shown.line("Volume Encryption:") == "Encrypted, but unable to decrypt due to invalid key."
    assert printed("Volume Key Desc.(uKAD):", kad["UNAUTHENTICATED"]) in shown.out
    assert bench.tapekey("tape", "write", stdin=PLAIN).status == SAFETY
    clear = bench.tapekey("tape", "write", "--in-clear", stdin=PLAIN)  # the guard that save closed stands
    assert clear.status == DATA_PROTECT


def printed(label: str, value: bytes) -> bytes:
    """A line of stenc's."""
    return label.ljust(25).encode() + value + b"\n"


def everything_that_save_could_touch(bench: Bench) -> object:
    """The drive's parameters, its guard, the cartridge's memory."""
    bench.settle()
    told = bench.status()
    return told, envelopes.read(bench.host), cartridge_identity.identify(bench.host).change_reference


def operations(trace: Path) -> set[int]:
    """The operation codes of a trace."""
    return {bytes.fromhex(json.loads(line)["cdb"])[0] for line in trace.read_text().splitlines()}


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """The parameter lists of SECURITY PROTOCOL OUT as they arrive at drives."""
    lists: list[bytes] = []
    carry_out = drive.serve

    def listen(powered: Drive, nexus: str, command: Command) -> Answer:
        if command.cdb[0] == Opcode.SECURITY_PROTOCOL_OUT and isinstance(command.data_out, Secret):
            lists.append(bytes(command.data_out.reveal()))
        return carry_out(powered, nexus, command)

    monkeypatch.setattr(drive, "serve", listen)
    return lists
