"""REPORT SUPPORTED OPERATION CODES of reference 1.9; bytes worked out by hand from it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tapekey.errors import Malformed
from tapekey.exchange import Command
from tapekey.scsi import opcodes
from tapekey.scsi.codes import Opcode
from tapekey.scsi.opcodes import Entry, One, Options, ReportOpcodes, Support, Timeouts
from tapekey.wire.layout import decode, encode
from tests.octets import octets

ALL = octets("""
    00 00 00 24
    00 00 00 00 00 00 00 06              # TEST UNIT READY
    A2 00 00 00 00 02 00 0C              # SECURITY PROTOCOL IN, timeouts
    00 0A 00 00 00 00 00 05 00 00 00 3C  # 5 s, 60 s
    A3 00 00 0C 00 01 00 0C              # this command
""")
ENTRIES = (
    Entry(Opcode.TEST_UNIT_READY, 6),
    Entry(Opcode.SECURITY_PROTOCOL_IN, 12, timeouts=Timeouts(nominal=5, recommended=60)),
    Entry(Opcode.MAINTENANCE_IN, 12, service_action=0x0C),
)
ONE = octets("""
    00 83 00 06                          # CTDP, supported, 6 bytes
    12 01 FF FF FF 00
    00 0A 00 00 00 00 00 00 00 00 00 1E  # 30 s
""")
CDBS = {
    "all, with timeouts": (
        "A3 0C 80 00 00 00 00 01 00 00 00 00",
        opcodes.report_opcodes(),
        ReportOpcodes(timeouts=True, room=65536),
    ),
    "one opcode": (
        "A3 0C 01 A2 00 00 00 01 00 00 00 00",
        opcodes.report_opcode(Opcode.SECURITY_PROTOCOL_IN),
        ReportOpcodes(options=Options.OPCODE, requested=Opcode.SECURITY_PROTOCOL_IN, room=65536),
    ),
    "one opcode and service action": (
        "A3 0C 82 8C 00 05 00 01 00 00 00 00",
        opcodes.report_opcode(Opcode.READ_ATTRIBUTE, 5, timeouts=True),
        ReportOpcodes(
            timeouts=True,
            options=Options.SERVICE_ACTION,
            requested=Opcode.READ_ATTRIBUTE,
            requested_action=5,
            room=65536,
        ),
    ),
}


@pytest.mark.parametrize(("image", "command", "structure"), CDBS.values(), ids=CDBS)
def test_cdb_matches_the_references_bytes(image: str, command: Command, structure: ReportOpcodes) -> None:
    assert command.cdb == bytes.fromhex(image)
    assert decode(ReportOpcodes, command.cdb) == structure
    assert encode(structure) == command.cdb


def test_all_commands() -> None:
    assert opcodes.encode_all(ENTRIES) == ALL
    assert opcodes.decode_all(ALL) == ENTRIES


def test_one_command() -> None:
    one = One(Support.STANDARD, bytes.fromhex("1201FFFFFF00"), Timeouts(recommended=30))

    assert opcodes.encode_one(one) == ONE
    assert opcodes.decode_one(ONE) == one
    assert one.supported


@pytest.mark.parametrize(
    ("byte", "support"), [(0, Support.UNKNOWN_NOW), (1, Support.NOT_SUPPORTED), (5, Support.VENDOR)]
)
def test_support_is_told_apart(byte: int, support: Support) -> None:
    one = opcodes.decode_one(bytes([0, byte, 0, 0]))

    assert one.support is support
    assert one.supported == (support is Support.VENDOR)


def test_command_that_is_not_supported_may_lack_its_map() -> None:
    assert opcodes.decode_one(bytes.fromhex("00 01 00 06")) == One(Support.NOT_SUPPORTED)


@pytest.mark.parametrize("size", [3, 11, 19, 31, len(ALL) - 1])
def test_list_that_is_cut_short_is_refused(size: int) -> None:
    with pytest.raises(Malformed):
        opcodes.decode_all(ALL[:size])


def test_map_that_is_cut_short_is_refused() -> None:
    with pytest.raises(Malformed):
        opcodes.decode_one(ONE[:9])


def test_longer_timeouts_descriptor_is_read_to_its_end() -> None:
    image = bytes.fromhex("00 00 00 16 00 00 00 00 00 02 00 06 00 0C 00 00 00 00 00 00 00 00 00 09 FF FF")

    assert opcodes.decode_all(image) == (Entry(Opcode.TEST_UNIT_READY, 6, None, Timeouts(12, 0, 0, 9)),)


@given(st.binary(max_size=80), st.booleans())
def test_any_bytes_are_commands_or_malformed(data: bytes, framed: bool) -> None:
    for read in (opcodes.decode_all, opcodes.decode_one):
        try:
            read(len(data).to_bytes(4, "big") + data if framed else data)
        except Malformed:
            continue
