"""Commands of media changers (reference 8.1); bytes worked out by hand from its tables."""

import pytest

from tapekey.exchange import Command
from tapekey.scsi import changer
from tapekey.scsi.changer import (
    ElementType,
    ExchangeMedium,
    Initialize,
    InitializeRange,
    MoveMedium,
    Opcode,
    PositionToElement,
    ReadElementStatus,
)
from tapekey.wire.layout import decode, encode
from tests.octets import octets

CDBS = {
    "initialize element status": ("07 00 00 00 00 00", Initialize()),
    "initialize a range": (
        "37 01 10 00 00 00 00 18 00 00",
        InitializeRange(ranged=True, first=0x1000, count=24),
    ),
    "initialize a range, by the vendors' number, fast": (
        "e7 03 00 10 00 00 00 02 00 00",
        InitializeRange(opcode=Opcode.INITIALIZE_WITH_RANGE_E7, fast=True, ranged=True, first=0x10, count=2),
    ),
    "move from the third slot to the first drive": (
        "a5 00 00 01 10 02 01 00 00 00 00 00",
        MoveMedium(transport=1, source=0x1002, destination=0x0100),
    ),
    "move, turned over": (
        "a5 00 00 00 10 02 01 00 00 00 01 00",
        MoveMedium(source=0x1002, destination=0x100, invert=True),
    ),
    "exchange": (
        "a6 00 00 00 10 00 01 00 10 01 00 00",
        ExchangeMedium(source=0x1000, first=0x0100, second=0x1001),
    ),
    "exchange, the first turned over": (
        "a6 00 00 00 00 01 00 02 00 03 02 00",
        ExchangeMedium(source=1, first=2, second=3, invert_first=True),
    ),
    "position": ("2b 00 00 01 10 05 00 00 00 00", PositionToElement(transport=1, destination=0x1005)),
    "read the status of storage, as mtx does": (
        "b8 12 10 00 00 18 00 00 20 00 00 00",
        ReadElementStatus(volume_tags=True, type=ElementType.STORAGE, first=0x1000, count=24, room=0x2000),
    ),
    "read the status of drives with their names, without motion": (
        "b8 14 00 00 ff ff 03 01 00 00 00 00",
        ReadElementStatus(
            volume_tags=True, type=ElementType.DRIVE, count=0xFFFF, current=True, drive_names=True, room=0x10000
        ),
    ),
}

BUILT = {
    "07 00 00 00 00 00": changer.initialize(),
    "37 01 10 00 00 00 00 02 00 00": changer.initialize_range(0x1000, 2),
    "a5 00 00 00 10 02 01 00 00 00 00 00": changer.move(0x1002, 0x0100),
    "a6 00 00 00 10 00 01 00 10 01 00 00": changer.exchange(0x1000, 0x0100, 0x1001),
    "2b 00 00 00 10 05 00 00 00 00": changer.position(0x1005),
    "b8 10 00 00 ff ff 02 10 00 00 00 00": changer.read_status(),
}


@pytest.mark.parametrize(("image", "cdb"), CDBS.values(), ids=CDBS)
def test_commands_match_the_references_bytes(image: str, cdb: object) -> None:
    assert encode(cdb) == octets(image)
    assert decode(type(cdb), octets(image)) == cdb


@pytest.mark.parametrize(("image", "command"), BUILT.items(), ids=BUILT)
def test_builders_send_the_references_bytes(image: str, command: Command) -> None:
    assert command.cdb == octets(image)


def test_motion_is_given_more_time_than_a_question() -> None:
    assert changer.move(1, 2).timeout > changer.read_status().timeout
