"""Block limits, densities, clock and self-test."""

from pathlib import Path

import pytest

from tapekey.exchange import Command
from tapekey.scsi import density, media, mode, timestamp
from tapekey.scsi.mode_page import ControlExtension
from tapekey.wire.layout import decode
from tests.bench import powered
from tests.target.initiator import code


def test_block_limits(tmp_path: Path) -> None:
    bench = powered(tmp_path)

    assert bench.execute(media.read_block_limits()).data_in == bytes.fromhex("00 800000 0001")
    assert len(bench.execute(Command(bytes.fromhex("050100000000"), data_in_max=20)).data_in) == 20


def test_densities_of_drive_and_medium(tmp_path: Path) -> None:
    bench = powered(tmp_path)

    drive = density.decode_densities(bench.execute(density.report_densities()).data_in)
    medium = density.decode_densities(bench.execute(density.report_densities(of_medium=True)).data_in)

    assert [(row.primary, row.writable, row.default) for row in drive] == [
        (0x46, False, False),
        (0x58, True, False),
        (0x5A, True, True),
    ]
    assert [row.primary for row in medium] == [0x5A]


def test_density_of_no_medium(tmp_path: Path) -> None:
    assert code(powered(tmp_path, empty=True).execute(density.report_densities(of_medium=True))) == "2/3A/00"


def test_clock_runs_from_what_it_was_set_to_and_the_others_are_told(tmp_path: Path) -> None:
    bench = powered(tmp_path)
    other = bench.as_other()
    now = 0.0
    bench.drive.clock = lambda: now

    assert code(bench.execute(timestamp.set_timestamp(1_700_000_000_000))) == "good"
    now = 2.5
    told = decode(timestamp.Timestamp, bench.execute(timestamp.report_timestamp()).data_in)

    assert (told.origin, told.milliseconds) == (timestamp.Origin.SET, 1_700_000_002_500)
    assert code(other.execute(media.test_unit_ready())) == "6/2A/10"


def test_clock_begins_at_power_on(tmp_path: Path) -> None:
    told = decode(timestamp.Timestamp, powered(tmp_path).execute(timestamp.report_timestamp()).data_in)

    assert (told.origin, told.milliseconds) == (timestamp.Origin.POWER_ON, 0)


CLOCKS = {
    "beyond F0h": ("a40f00000000 0000000c 0000", bytes(4) + b"\xf1" + bytes(7), "5/26/00"),
    "cut short": ("a40f00000000 0000000b 0000", bytes(11), "5/1A/00"),
    "nothing": ("a40f00000000 00000000 0000", b"", "good"),
    "another action": ("a40a00000000 00000000 0000", b"", "5/24/00"),
}


@pytest.mark.parametrize(("cdb", "data", "answer"), CLOCKS.values(), ids=CLOCKS)
def test_clock_refuses(tmp_path: Path, cdb: str, data: bytes, answer: str) -> None:
    assert code(powered(tmp_path).execute(Command(bytes.fromhex(cdb), data))) == answer


@pytest.mark.parametrize(("cdb", "answer"), [("1d0400000000", "good"), ("1d1000000800", "5/26/00")])
def test_self_test_passes_and_diagnostic_pages_are_refused(tmp_path: Path, cdb: str, answer: str) -> None:
    assert code(powered(tmp_path).execute(Command(bytes.fromhex(cdb), bytes(8)))) == answer


def test_clock_is_not_set_where_the_mode_page_forbids_it(tmp_path: Path) -> None:
    bench = powered(tmp_path)
    page = mode.raw(ControlExtension(timestamp_changeable=False))
    assert code(bench.execute(timestamp.set_timestamp(1_000))) == "good"
    assert code(bench.execute(mode.mode_select(mode.Answer(pages=(page,))))) == "good"

    assert code(bench.execute(timestamp.set_timestamp(2_000))) == "5/24/00"


def test_media_are_reported_by_type(tmp_path: Path) -> None:
    bench = powered(tmp_path)

    found = density.decode_medium_types(bench.execute(density.report_medium_types()).data_in)

    assert [(item.medium_type, item.density) for item in found] == [(0x48, 0x46), (0x58, 0x58), (0x68, 0x5A)]
