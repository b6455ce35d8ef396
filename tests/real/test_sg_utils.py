"""What Debian's sg3-utils print of a virtual drive, held against what tapekey says of it.

Two programs that share no line of code read the same bytes: where both agree, neither codec nor drive has its own
idea of the standard. sg_raw carries the bytes themselves, so that statuses and sense data are compared whole.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from tapekey.cartridge import envelopes
from tapekey.cli import exit_status
from tapekey.drive import guard, identity
from tapekey.errors import DeviceError, RequestRefused
from tapekey.exchange import Command
from tapekey.scsi import (
    attribute,
    device_status,
    encryption,
    encryption_support,
    inquiry,
    log,
    media,
    mode,
    opcodes,
    security,
    tape_alert,
    vital,
    volume_statistics,
)
from tapekey.scsi.attribute_table import AttributeId
from tapekey.scsi.codes import Opcode, Status
from tapekey.scsi.encryption import InPage
from tapekey.scsi.inquiry import VitalPage
from tapekey.scsi.log import LogPage
from tapekey.scsi.mode_page import ModePage
from tapekey.scsi.run import run
from tapekey.scsi.security import security_protocol_in
from tapekey.scsi.tape_alert import TapeAlert
from tapekey.scsi.volume_statistics import Statistic
from tests.octets import octets
from tests.real.bench import SERIAL, VOLSER, Bench, Ran
from tests.real.conftest import PowerOn

pytestmark = pytest.mark.real

DRIVES = ["ibm-lto4", "ibm-lto6", "hpe-lto6", "ibm-lto9", "oracle-t10000c"]
ENCRYPTING = {"ibm-lto6": 3, "hpe-lto6": 1, "ibm-lto9": 3}
TAPE_ENCRYPTION = 0x20
HEX_LINE = re.compile(r"^ *[0-9a-f]+ {4,}((?:[0-9a-f]{2} {1,2}){0,15}[0-9a-f]{2})(?: |$)", re.MULTILINE)

# Set Data Encryption as stenc would send it, for a drive that lists algorithm 1 or 3; the key-associated data has
# every reserved bit set that stenc 1.0.7 leaves uninitialised, and bytes that no text would hold.
KAD = bytes.fromhex("4b 00 0a ff 25")
SET_A_KEY = octets("""
    00 10 00 39        # page code, page length
    40 00              # scope: all I_T nexus
    02 03              # encrypt, mixed
    03                 # algorithm index
    00 00 00 00 00 00 00 00 00
    00 20              # key length
    00 01 02 03 04 05 06 07 08 09 0a 0b 0c 0d 0e 0f 10 11 12 13 14 15 16 17 18 19 1a 1b 1c 1d 1e 1f
    00 f8 00 05        # U-KAD, reserved bits set
    4b 00 0a ff 25
""")
SPOUT = "b5 20 00 10 00 00 00 00 00 {:02x} 00 00"


def hex_bytes(text: str) -> bytes:
    """The bytes of the hex listing that sg3-utils print."""
    return b"".join(bytes.fromhex(found) for found in HEX_LINE.findall(text))


def cdb(command: Command) -> str:
    return command.cdb.hex(" ")


def sense_of(ran: Ran) -> bytes:
    """The raw sense data that sg_raw -v prints."""
    listing = ran.text.partition("Raw sense data")[2].partition("\n\n")[0]
    return bytes.fromhex("".join(re.findall(r"^ {8}((?:[0-9a-f]{2} {0,2})+)$", listing, re.MULTILINE)))


def printed(done: Ran) -> Ran:
    assert done.status == 0, done.text
    return done


# --- who it is ---


@pytest.mark.parametrize("name", DRIVES)
def test_sg_inq_and_sg_vpd_name_the_drive_that_tapekey_names(power_on: PowerOn, name: str) -> None:
    bench = power_on(name)
    told = bench.told("drive", "show")

    standard = printed(bench.real("sg_inq", "/dev/sg0"))
    serial = printed(bench.real("sg_vpd", "-p", "0x80", "/dev/sg0"))
    designators = printed(bench.real("sg_vpd", "-p", "0x83", "/dev/sg0"))

    assert standard.line("Peripheral device type:") == "tape"
    assert standard.line("Vendor identification:") == told["vendor"]
    assert standard.line("Product identification:") == told["product"]
    assert standard.line("Product revision level:") == told["revision"]
    assert serial.line("serial number: ") == told["serial"] == SERIAL
    assert f"designator type: NAA,  code set: Binary\n      0x{told['naa']}" in designators.text


@pytest.mark.parametrize("name", DRIVES)
def test_the_vital_pages_are_those_that_the_drive_lists(power_on: PowerOn, name: str) -> None:
    bench = power_on(name)
    listed = set(vital.decode_supported(run(bench.host, inquiry.inquire_vital(VitalPage.SUPPORTED))))
    assert {VitalPage.SERIAL, VitalPage.IDENTIFICATION, VitalPage.SEQUENTIAL_ACCESS, VitalPage.VIRTUAL} <= listed
    assert hex_bytes(printed(bench.real("sg_vpd", "-H", "-p", "0", "/dev/sg0")).text)[4:] == bytes(sorted(listed))
    for page in (VitalPage.SEQUENTIAL_ACCESS, VitalPage.MANUFACTURER_SERIAL, VitalPage.VIRTUAL):
        seen = bench.real("sg_vpd", "-H", "-p", f"{page:#x}", "/dev/sg0")
        assert (seen.status == 0) is (page in listed), seen.text
        if page in listed:
            assert hex_bytes(seen.text) == run(bench.host, inquiry.inquire_vital(page))


def test_worm_ability_and_manufacturers_serial_are_read_alike(power_on: PowerOn) -> None:
    bench = power_on("ibm-lto6")
    able = vital.decode_sequential_access(run(bench.host, inquiry.inquire_vital(VitalPage.SEQUENTIAL_ACCESS)))
    assert printed(bench.real("sg_vpd", "--raw", "-p", "0xb0", "/dev/sg0")).out[4] & 1 == able
    maker = printed(bench.real("sg_vpd", "-p", "0xb1", "/dev/sg0")).line("Manufacturer-assigned serial number:")
    assert maker == identity.identify(bench.host).manufacturer_serial


def test_a_vital_page_that_is_not_listed_is_refused_to_both(power_on: PowerOn) -> None:
    bench = power_on("ibm-lto6")
    assert bench.real("sg_vpd", "-f", "-p", "0xb3", "/dev/sg0").status != 0
    with pytest.raises(RequestRefused, match="5/24/00"):
        run(bench.host, inquiry.inquire_vital(VitalPage.AUTOMATION_SERIAL))


# --- the bytes themselves ---


@pytest.mark.parametrize("name", DRIVES)
def test_every_security_page_arrives_the_same_by_sg_raw(power_on: PowerOn, name: str) -> None:
    bench = power_on(name)
    listed = run(bench.host, encryption_support.read_in_support())
    pages = encryption.decode_page(encryption_support.InSupport, listed).pages
    assert InPage.STATUS in pages
    commands = {page: security_protocol_in(TAPE_ENCRYPTION, page) for page in pages if page != InPage.RANDOM_NUMBER}
    for page, command in commands.items():
        seen = printed(bench.raw(cdb(command), room=command.data_in_max))
        assert hex_bytes(seen.text) == run(bench.host, command), page


def test_random_numbers_are_never_the_same(power_on: PowerOn) -> None:
    bench = power_on("ibm-lto6")
    command = encryption_support.read_random_number()
    once, twice = (hex_bytes(printed(bench.raw(cdb(command), room=8192)).text) for _ in range(2))
    assert len(once) == len(twice) == 36
    assert once != twice


REFUSALS = {
    "a page that no drive has": "a2 20 00 77 00 00 00 00 20 00 00 00",
    "lengths in units of 512": "a2 20 00 10 80 00 00 00 20 00 00 00",
    "a protocol that tapes lack": "a2 07 00 00 00 00 00 00 20 00 00 00",
    "an operation code that no drive has": "c9 00 00 00 00 00 00 00 00 00 00 00",
    "a log page that is not there": "4d 00 7e 00 00 00 00 20 00 00",
    "a mode page that is not there": "5a 00 3b 00 00 00 00 20 00 00",
    "a read behind the end of data": "08 00 00 10 00 00",
    "an attribute that is not there": "8c 00 00 00 00 00 00 00 08 00 00 00 01 00 00 00",
}


@pytest.mark.parametrize("command", REFUSALS.values(), ids=REFUSALS)
def test_status_sense_and_exit_status_are_the_same_by_sg_raw_and_by_us(power_on: PowerOn, command: str) -> None:
    bench = power_on("ibm-lto6")
    asked = Command(bytes.fromhex(command), data_in_max=8192)

    ours = bench.host.execute(asked)
    theirs = bench.raw(command, room=8192)
    with pytest.raises(DeviceError) as failed:
        run(bench.host, asked)

    assert ours.status == Status.CHECK_CONDITION
    assert "SCSI Status: Check Condition" in theirs.text
    assert sense_of(theirs) == ours.sense
    assert theirs.status == exit_status.status_of(failed.value)


def test_a_key_set_by_sg_raw_is_read_as_it_was_sent(power_on: PowerOn) -> None:
    bench = power_on("ibm-lto6")
    assert bench.raw(SPOUT.format(len(SET_A_KEY)), out=SET_A_KEY).status == 0
    told = bench.status()
    assert (told["owner"], told["encryption_mode"], told["decryption_mode"]) == ("foreign owner", "ENCRYPT", "MIXED")
    assert told["kads"] == [{"type": "UNAUTHENTICATED", "hex": KAD.hex(), "text": None}]
    status = hex_bytes(printed(bench.raw("a2 20 00 20 00 00 00 00 20 00 00 00", room=8192)).text)
    assert status[-9:] == octets("00 00 00 05") + KAD  # U-KAD; byte 1 is reserved in this page


FLAWS: dict[str, tuple[int, int, str]] = {
    "another page code": (1, 0x11, "byte 0"),
    "a scope that does not exist": (4, 0xE0, "byte 4"),
    "an encryption mode that does not exist": (6, 0x09, "byte 6"),
    "a decryption mode that does not exist": (7, 0x09, "byte 7"),
    "an algorithm that is not listed": (8, 0x07, "byte 8"),
    "a key format that is not listed": (9, 0x01, "byte 9"),
    "a key of 31 bytes": (19, 0x1F, ""),
}


@pytest.mark.parametrize(("at", "value", "where"), FLAWS.values(), ids=FLAWS)
def test_a_flaw_in_a_parameter_list_is_pointed_at(power_on: PowerOn, at: int, value: int, where: str) -> None:
    bench = power_on("ibm-lto6")
    flawed = SET_A_KEY[:at] + bytes([value]) + SET_A_KEY[at + 1 :]

    done = bench.raw(SPOUT.format(len(flawed)), out=flawed)

    assert done.status in (5, 19)  # sg3_utils since 1.47 has a status of its own for a parameter list
    assert done.line("Additional sense:") == "Invalid field in parameter list"
    assert f"Error in Data parameters: {where}" in done.text
    assert bench.status()["owner"] == "none"


# --- log pages ---


@dataclass(frozen=True, slots=True)
class Flag:
    """A flag of log page 11h: sg_logs' name, and ours."""

    theirs: str
    ours: str


FLAGS = [
    Flag("PAMR", "removal_prevented"),
    Flag("MACC", "memory_accessible"),
    Flag("CMPR", "compression"),
    Flag("WRTP", "write_protected"),
    Flag("DINIT", "initialized"),
    Flag("INXTN", "in_transition"),
    Flag("RAA", "robotic_access_allowed"),
]


@pytest.mark.parametrize("name", DRIVES)
@pytest.mark.parametrize("mounted", [True, False], ids=["mounted", "empty"])
def test_sg_logs_reads_the_device_status_as_we_do(power_on: PowerOn, name: str, mounted: bool) -> None:
    bench = power_on(name)
    if not mounted:
        bench.machine.eject()
    ours = device_status.decode_device_status(run(bench.host, device_status.read_device_status())).status
    assert ours is not None
    theirs = printed(bench.real("sg_logs", "-p", "0x11", "/dev/sg0")).text
    for flag in FLAGS:
        assert f"{flag.theirs}={int(getattr(ours, flag.ours))}" in theirs, flag
    assert f"MPRSNT={int(mounted)}" in theirs
    assert f"MOUNTED={int(mounted)}" in theirs


@pytest.mark.parametrize("name", ENCRYPTING)
def test_sg_logs_finds_the_first_encrypted_object_where_tapekey_finds_it(power_on: PowerOn, name: str) -> None:
    bench = power_on(name)
    for block in (b"clear", b"clear"):
        run(bench.host, media.write_block(block))
    page = SET_A_KEY[:8] + bytes([ENCRYPTING[name]]) + SET_A_KEY[9:]
    assert bench.raw(SPOUT.format(len(page)), out=page).status == 0
    run(bench.host, media.write_block(b"secret"))
    run(bench.host, media.write_filemarks())

    shown = printed(bench.real("sg_logs", "-p", "0x17", "/dev/sg0")).text
    first, clear_after = re.findall(r"partition record data counter: (0x[0-9a-f]+)", shown)[:2]
    told = bench.told("cartridge", "show")

    assert (int(first, 16), int(clear_after, 16)) == (2, 0xFFFF_FFFF_FFFF)
    assert (told["first_encrypted"], told["first_clear_after"]) == (2, -1)
    attributes = printed(bench.real("sg_read_attr", "-f", "0x224", "/dev/sg0"))
    assert attributes.line("Logical position of first encrypted block:") == "2"


@pytest.mark.parametrize("name", DRIVES)
def test_the_volume_of_log_page_17h_is_the_cartridge_that_tapekey_names(power_on: PowerOn, name: str) -> None:
    bench = power_on(name)
    shown = printed(bench.real("sg_logs", "-p", "0x17", "/dev/sg0"))
    told = bench.told("cartridge", "show")
    statistics = volume_statistics.decode_volume_statistics(run(bench.host, volume_statistics.read_volume_statistics()))
    assert shown.line("Volume serial number:") == told["serial"] == statistics.volume_serial
    assert shown.line("Volume barcode:") == VOLSER == statistics.barcode
    assert told["volsers"] == [VOLSER]
    assert shown.line("Page valid:") == "1"
    assert shown.line("Thread count:") == str(statistics.numbers[Statistic.MOUNTS])


@pytest.mark.parametrize("name", DRIVES)
def test_sg_logs_lists_the_log_pages_that_we_read(power_on: PowerOn, name: str) -> None:
    bench = power_on(name)
    ours = log.decode_supported(run(bench.host, log.log_sense(LogPage.SUPPORTED)))
    theirs = printed(bench.real("sg_logs", "-l", "/dev/sg0")).text
    listed = [int(code, 16) for code in re.findall(r"^ {2,4}(0x[0-9a-f]{2}) ", theirs, re.MULTILINE)]
    assert listed == list(ours)
    assert {LogPage.DEVICE_STATUS, LogPage.VOLUME_STATISTICS, LogPage.TAPE_ALERT} <= set(ours)


def test_a_refused_clear_write_raises_the_alert_that_both_read(power_on: PowerOn) -> None:
    bench = power_on("ibm-lto6")
    assert raised(bench.real("sg_logs", "-p", "0x2e", "/dev/sg0")) == set()
    guard.close(bench.host)
    assert bench.raw("0a 00 00 00 05 00", out=b"clear").status == 7

    ours = tape_alert.decode_tape_alert_response(run(bench.host, tape_alert.look_at_tape_alerts()))
    theirs = raised(bench.real("sg_logs", "-p", "0x2e", "/dev/sg0"))

    assert ours == theirs == {TapeAlert.ENCRYPTION_POLICY_VIOLATION}
    assert raised(bench.real("sg_logs", "-p", "0x2e", "/dev/sg0")) == set()  # reading it took it


def raised(done: Ran) -> set[int]:
    """The flags that sg_logs shows as raised, by their place among the 64."""
    values = re.findall(r": ([01])$", printed(done).out.decode(), re.MULTILINE)
    assert len(values) == 64
    return {number for number, value in enumerate(values, 1) if value == "1"}


# --- mode pages ---


@pytest.mark.parametrize("name", ["ibm-lto6", "ibm-lto9"])
def test_sg_modes_shows_the_write_guard_as_tapekey_set_it(power_on: PowerOn, name: str) -> None:
    bench = power_on(name)
    for change, closed in ((guard.close, True), (guard.open, False)):
        change(bench.host)
        assert bench.status()["writes_require_encryption"] is closed
        for control in (0, 3):  # current and saved values
            assert bool(extension(bench, control)[8] & 0x04) is closed
    assert extension(bench, 1)[8] == 0x05  # changeable: WRE and VCELBRE, not the automation's two
    assert extension(bench, 2)[8] == 0x00  # default


def extension(bench: Bench, control: int) -> bytes:
    """Mode page 10h/01h by sg_modes: without header and block descriptor."""
    shown = printed(bench.real("sg_modes", "-d", "-c", control, "-p", "0x10,1", "-R", "/dev/sg0"))
    page = bytes.fromhex(shown.out.decode())
    assert len(page) == 32
    return page


@pytest.mark.parametrize("name", ["ibm-lto4", "oracle-t10000c"])
def test_a_drive_without_the_guard_says_so_to_both(power_on: PowerOn, name: str) -> None:
    bench = power_on(name)
    shown = bench.real("sg_modes", "-d", "-p", "0x10,1", "-R", "/dev/sg0")
    byte = bytes.fromhex(shown.out.decode())[8:9] if shown.status == 0 else b"\0"
    assert not byte[0] & 0x04
    assert bench.told("drive", "show")["write_guard"] is False


@pytest.mark.parametrize("name", DRIVES)
def test_every_mode_page_arrives_the_same_by_sg_modes(power_on: PowerOn, name: str) -> None:
    bench = power_on(name)
    answer = mode.decode_answer_10(run(bench.host, mode.mode_sense(ModePage.ALL)))
    assert {ModePage.DEVICE_CONFIGURATION, ModePage.DATA_COMPRESSION} <= {page.page for page in answer.pages}
    shown = printed(bench.real("sg_modes", "-H", "-p", "0x3f", "/dev/sg0"))
    assert hex_bytes(shown.out.decode()) == run(bench.host, mode.mode_sense(ModePage.ALL))
    six = printed(bench.real("sg_modes", "-6", "-H", "-p", "0x10", "/dev/sg0"))
    assert hex_bytes(six.out.decode()) == run(bench.host, mode.mode_sense_6(ModePage.DEVICE_CONFIGURATION))


# --- the cartridge's memory ---


@pytest.mark.parametrize("name", DRIVES)
def test_sg_read_attr_names_the_cartridge_that_tapekey_names(power_on: PowerOn, name: str) -> None:
    bench = power_on(name)
    shown, told = printed(bench.real("sg_read_attr", "/dev/sg0")), bench.told("cartridge", "show")
    assert shown.line("Medium serial number:") == told["serial"]
    assert shown.line("Medium manufacturer:") == told["manufacturer"]
    assert shown.line("Barcode:") == VOLSER
    assert shown.line("Load count:") == str(told["loads"])
    assert int(shown.line("Volume change reference:"), 16) == int(told["change_reference"], 16)


@pytest.mark.parametrize("name", DRIVES)
@pytest.mark.parametrize(
    ("action", "ask"),
    [(1, attribute.list_attributes), (5, attribute.list_supported)],
    ids=["existing", "supported"],
)
def test_attribute_lists_are_the_same(power_on: PowerOn, name: str, action: int, ask: Callable[[], Command]) -> None:
    bench = power_on(name)
    ours = run(bench.host, ask())
    shown = printed(bench.real("sg_read_attr", "-r", "-s", action, "/dev/sg0"))
    assert shown.out == ours
    assert AttributeId.MEDIUM_SERIAL in attribute.decode_ids(ours)


def test_the_envelope_that_save_wrote_is_the_attribute_that_sg_read_attr_reads(power_on: PowerOn) -> None:
    bench = power_on("ibm-lto6")
    bench.keyed("drive", "approve", "--allow-virtual")
    assert bench.keyed("save", "--allow-virtual").status == 0
    (found,) = envelopes.read(bench.host)
    shown = printed(bench.real("sg_read_attr", "-r", "-F", f"{found.attribute:#x}", "/dev/sg0")).out
    item = attribute.decode_attribute(shown, found.attribute)
    assert item is not None
    assert item.value == found.value
    assert told_envelopes(bench) == [(f"{found.attribute:04X}h", len(item.value))]


def told_envelopes(bench: Bench) -> list[Any]:
    return [(one["attribute"], one["bytes"]) for one in bench.told("cartridge", "show")["envelopes"]]


# --- commands ---


@pytest.mark.parametrize("name", DRIVES)
def test_sg_opcodes_lists_the_commands_that_we_read(power_on: PowerOn, name: str) -> None:
    bench = power_on(name)
    ours = opcodes.decode_all(run(bench.host, opcodes.report_opcodes(timeouts=False)))
    theirs = printed(bench.real("sg_opcodes", "-u", "/dev/sg0")).text
    rows = re.findall(r"^ ([0-9a-f]{2}) {2}( {8}|[ 0-9a-f]{8}) +(\d+) ", theirs, re.MULTILINE)
    listed = [(int(code, 16), int(action, 16) if action.strip() else None, int(size)) for code, action, size in rows]
    assert listed == [(entry.opcode, entry.service_action, entry.cdb_length) for entry in ours]
    assert {Opcode.SECURITY_PROTOCOL_IN, Opcode.SECURITY_PROTOCOL_OUT} <= {entry.opcode for entry in ours}


@pytest.mark.parametrize("code", [0xA2, 0xB5, 0x8D, 0xC9], ids=lambda code: f"{code:02X}h")
def test_one_command_is_supported_to_both_or_to_none(power_on: PowerOn, code: int) -> None:
    bench = power_on("ibm-lto6")
    ours = opcodes.decode_one(run(bench.host, opcodes.report_opcode(Opcode(code))))
    theirs = printed(bench.real("sg_opcodes", "-n", "-o", f"{code:#x}", "/dev/sg0")).text
    assert ("Command is supported [conforming to SCSI standard]" in theirs) is ours.supported
    assert ("Command is NOT supported" in theirs) is not ours.supported
    assert ours.supported is (code != 0xC9)


def test_the_security_protocols_are_the_same_by_sg_raw(power_on: PowerOn) -> None:
    bench = power_on("ibm-lto6")
    command = security.read_information(security.InformationPage.SUPPORTED)
    seen = hex_bytes(printed(bench.raw(cdb(command), room=command.data_in_max)).text)
    assert seen == octets("00 00 00 00 00 00 00 02 00 20")
    assert security.decode_supported(seen) == security.decode_supported(run(bench.host, command))
    assert encryption.decode_page(encryption.Capabilities, run(bench.host, encryption.read_capabilities())).algorithms
