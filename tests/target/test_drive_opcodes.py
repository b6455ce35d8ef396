"""REPORT SUPPORTED OPERATION CODES: usage maps are the bits that a command evaluates (reference 1.9); maps by hand."""

import re
from pathlib import Path

import pytest

from tapekey.scsi import media, opcodes
from tapekey.scsi.codes import Opcode
from tapekey.target.drive import COMMANDS
from tapekey.target.drive_opcodes import usage
from tapekey.target.personality import PERSONALITIES
from tests.bench import powered
from tests.octets import octets
from tests.target.initiator import code

MAPS = {
    "SECURITY PROTOCOL IN": (0xA2, None, "a2 ff ff ff 80 00 ff ff ff ff 00 00"),
    "SECURITY PROTOCOL OUT": (0xB5, None, "b5 ff ff ff 80 00 ff ff ff ff 00 00"),
    "REWIND": (0x01, None, "01 01 00 00 00 00"),
    "WRITE": (0x0A, None, "0a 01 ff ff ff 00"),
    "LOCATE(10), whose BT is ignored": (0x2B, None, "2b 03 00 ff ff ff ff 00 ff 00"),
    "LOCATE(16), whose BAM is ignored": (0x92, None, "92 3b 00 ff ff ff ff ff ff ff ff ff 00 00 00 00"),
    "FORMAT MEDIUM": (0x04, None, "04 03 0f ff ff 00"),
    "READ POSITION, long": (0x34, 0x06, "34 06 00 00 00 00 00 ff ff 00"),
    "PERSISTENT RESERVE OUT, preempt": (0x5F, 0x04, "5f 04 ff 00 00 ff ff ff ff 00"),
    "REPORT TIMESTAMP": (0xA3, 0x0F, "a3 0f 00 00 00 00 ff ff ff ff 00 00"),
    "REPORT SUPPORTED OPERATION CODES": (0xA3, 0x0C, "a3 0c 87 ff ff ff ff ff ff ff 00 00"),
}


@pytest.mark.parametrize(("opcode", "action", "image"), MAPS.values(), ids=MAPS)
def test_usage_map_marks_what_is_read(tmp_path: Path, opcode: int, action: int | None, image: str) -> None:
    reply = powered(tmp_path).execute(opcodes.report_opcode(Opcode(opcode), action))

    one = opcodes.decode_one(reply.data_in)

    assert one.supported
    assert one.usage == octets(image)


def test_every_map_begins_with_its_code_and_is_as_long_as_its_cdb() -> None:
    for opcode, row in COMMANDS.items():
        for action in row.actions or [None]:
            image = usage(row, opcode, action)
            assert (image[0], len(image)) == (opcode, row.length)
            assert image[-1] == 0  # nothing of CONTROL is evaluated
            assert action is None or image[1] & 0x1F == action


def test_no_time_is_shorter_than_the_command_may_take(tmp_path: Path) -> None:
    found = opcodes.decode_all(powered(tmp_path).execute(opcodes.report_opcodes()).data_in)

    told = {entry.opcode: entry.timeouts.recommended for entry in found if entry.timeouts}

    assert told[Opcode.FORMAT_MEDIUM] == media.FORMAT
    assert told[Opcode.ERASE_6] == media.ERASE_LONG
    assert set(told) == {entry.opcode for entry in found}


OPTIONS = {
    "an option that is none": "a3 0c 03 01 00 00 00 00 01 00 00 00",
    "one by opcode that has actions": "a3 0c 01 5e 00 00 00 00 01 00 00 00",
    "one by action that has none": "a3 0c 02 01 00 00 00 00 01 00 00 00",
}


@pytest.mark.parametrize("cdb", OPTIONS.values(), ids=OPTIONS)
def test_option_that_does_not_fit_is_refused(tmp_path: Path, cdb: str) -> None:
    command = opcodes.report_opcodes()
    reply = powered(tmp_path).execute(type(command)(octets(cdb), data_in_max=256))

    assert code(reply) == "5/24/00"


@pytest.mark.parametrize(("name", "there"), [("ibm-lto4", False), ("ibm-lto6", True), ("hpe-lto6", False)])
def test_allow_overwrite_is_where_append_only_mode_is(tmp_path: Path, name: str, there: bool) -> None:
    bench = powered(tmp_path, name)
    one = opcodes.decode_one(bench.execute(opcodes.report_opcode(Opcode.ALLOW_OVERWRITE)).data_in)

    assert one.supported is there
    assert (code(bench.execute(media.allow_overwrite(media.Overwrite.DISABLED))) == "5/20/00") is not there


def test_document_lists_the_commands_that_there_are() -> None:
    """docs/virtual-drive.md; the codes stand in the first column of its table."""
    text = (Path(__file__).parents[2] / "docs" / "virtual-drive.md").read_text()
    rows = text.split("## Commands")[1].split("## ")[0].splitlines()
    codes = {code for row in rows for code in re.findall(r"\b([0-9A-F]{2})h", row.split("|")[1] if "|" in row else "")}

    assert codes == {f"{opcode:02X}" for opcode in COMMANDS}
    assert all(name in text for name in PERSONALITIES)
