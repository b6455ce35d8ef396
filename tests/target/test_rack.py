"""The rack: which unit is where, and what a LUN answers behind which there is nothing (SPC-4, SAM-5)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tapekey.exchange import Command
from tapekey.scsi import inquiry, media
from tapekey.scsi.codes import Status
from tapekey.scsi.sense import decode_sense
from tapekey.target.rack import Rack
from tapekey.target.unit import Answer
from tests.octets import octets


class Echo:
    """A unit that keeps what it was given."""

    def __init__(self) -> None:
        self.seen: list[str] = []

    def serve(self, nexus: str, command: Command) -> Answer:
        self.seen.append(f"{nexus} {command.cdb.hex()}")
        return Answer(Status.GOOD, b"echo")

    def stream(self, nexus: str, cdb: bytes, size: int) -> None:
        self.seen.append(f"{nexus} {cdb.hex()} {size}")

    def reset(self) -> None:
        self.seen.append("reset")

    def nexus_lost(self, nexus: str) -> None:
        self.seen.append(f"{nexus} lost")


@pytest.fixture
def units() -> dict[int, Echo]:
    return {0: Echo(), 2: Echo(), 300: Echo()}


@pytest.fixture
def rack(units: dict[int, Echo]) -> Rack:
    return Rack(units, "name")


def code(answer: Answer) -> str:
    return decode_sense(answer.sense).code


def test_command_goes_to_its_unit(rack: Rack, units: dict[int, Echo]) -> None:
    assert rack.serve("host", 2, media.test_unit_ready()) == Answer(Status.GOOD, b"echo")
    assert [unit.seen for unit in units.values()] == [[], ["host 000000000000"], []]


LUNS = {
    "00": "00 00 00 18 00 00 00 00  00 00 00 00 00 00 00 00  00 02 00 00 00 00 00 00  41 2c 00 00 00 00 00 00",
    "01": "00 00 00 00 00 00 00 00",
    "02": "00 00 00 18 00 00 00 00  00 00 00 00 00 00 00 00  00 02 00 00 00 00 00 00  41 2c 00 00 00 00 00 00",
}


@pytest.mark.parametrize("select", LUNS)
@pytest.mark.parametrize("lun", [0, 1])
def test_every_lun_tells_which_there_are(rack: Rack, lun: int, select: str) -> None:
    command = Command(octets(f"a0 00 {select} 00 00 00 00 00 01 00 00 00"), data_in_max=256)

    assert rack.serve("host", lun, command) == Answer(Status.GOOD, octets(LUNS[select]))


def test_list_of_units_is_cut_at_the_room(rack: Rack) -> None:
    whole = bytes(rack.serve("host", 0, inquiry.report_luns()).data)
    assert rack.serve("host", 0, inquiry.report_luns(12)).data == whole[:12]
    assert rack.serve("host", 0, Command(inquiry.report_luns().cdb, data_in_max=5)).data == whole[:5]


@pytest.mark.parametrize("cdb", ["a0 00 03 00 00 00 00 00 01 00 00 00", "a0 00 00"])
def test_wrong_question_for_units_is_refused(rack: Rack, cdb: str) -> None:
    assert code(rack.serve("host", 0, Command(octets(cdb), data_in_max=64))) == "5/24/00"


def test_absent_unit_says_so_to_inquiry(rack: Rack) -> None:
    answer = rack.serve("host", 1, inquiry.inquire(36))

    assert answer.status == Status.GOOD
    assert bytes(answer.data)[:5] == octets("7f 00 06 02 1f")
    assert code(rack.serve("host", 1, inquiry.inquire_vital(inquiry.VitalPage.SERIAL))) == "5/24/00"


@pytest.mark.parametrize(("flag", "place"), [(0, 12), (1, 2)])
def test_absent_unit_tells_its_absence_as_sense_data(rack: Rack, flag: int, place: int) -> None:
    answer = rack.serve("host", 1, Command(bytes([0x03, flag, 0, 0, 252, 0]), data_in_max=252))

    assert answer.status == Status.GOOD
    assert bytes(answer.data)[place] == 0x25
    assert code(Answer(Status.CHECK_CONDITION, b"", bytes(answer.data))) == "5/25/00"


@pytest.mark.parametrize("cdb", ["00 00 00 00 00 00", "08 00 00 00 10 00", ""])
def test_absent_unit_refuses_everything_else(rack: Rack, cdb: str) -> None:
    assert code(rack.serve("host", 1, Command(octets(cdb)))) == "5/25/00"


def test_resets_and_lost_sessions_reach_the_units(rack: Rack, units: dict[int, Echo]) -> None:
    assert rack.reset(2)
    assert not rack.reset(1)
    rack.reset_all()
    rack.nexus_lost("host")

    assert [unit.seen for unit in units.values()] == [
        ["reset", "host lost"],
        ["reset", "reset", "host lost"],
        ["reset", "host lost"],
    ]


@given(st.integers(0, 400), st.binary(max_size=16), st.integers(0, 300))
def test_any_command_to_any_lun_is_answered(lun: int, cdb: bytes, room: int) -> None:
    answer = Rack({0: Echo()}, "name").serve("host", lun, Command(cdb, data_in_max=room))

    assert answer.status in (Status.GOOD, Status.CHECK_CONDITION)
    assert len(answer.data) <= max(room, 4 * (lun == 0))
