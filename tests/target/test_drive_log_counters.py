"""Counters of the drive: log pages 02h, 03h, 06h, 0Ch, 0Dh, 14h, 16h, 1Bh, 32h (reference 11.4)."""

from pathlib import Path

import pytest

from tapekey.exchange import Command
from tapekey.scsi import media, temperature, volume_statistics
from tapekey.scsi.log import LogPage, decode_page, log_sense, reset_counters
from tapekey.scsi.log_counters import Compression, DeviceStatistic, ErrorCounter, SequentialAccess, decode_counters
from tapekey.scsi.volume_statistics import Statistic
from tests.bench import Bench, powered
from tests.octets import octets
from tests.target.initiator import code, read, rewind, write

SIZE = 100_000


def counters(bench: Bench, page: LogPage) -> dict[int, int]:
    return decode_counters(bench.execute(log_sense(page)).data_in, page)


def compression(bench: Bench, *, on: bool) -> None:
    page = octets(f"0000 0000 0f0e {'c0' if on else '40'}80 000000ff 000000ff 00000000")
    assert code(bench.execute(Command(octets("15 10 00 00 14 00"), page))) == "good"


def test_compression_is_seen_in_every_page_that_tells_of_it(tmp_path: Path) -> None:
    bench = powered(tmp_path)
    compression(bench, on=True)
    assert write(bench, bytes(SIZE)) == "good"
    rewind(bench)
    assert len(read(bench, SIZE).data_in) == SIZE

    found = counters(bench, LogPage.DATA_COMPRESSION)
    volume = volume_statistics.decode_volume_statistics(
        bench.execute(volume_statistics.read_volume_statistics()).data_in
    )

    assert found[Compression.WRITE_RATIO] > 1000
    assert found[Compression.READ_RATIO] > 1000
    assert found[Compression.ENABLED] == 1
    assert volume.numbers[Statistic.LAST_WRITE_COMPRESSION] == found[Compression.WRITE_RATIO]
    assert volume.numbers[Statistic.LAST_READ_COMPRESSION] == found[Compression.READ_RATIO]
    assert counters(bench, LogPage.DATA_COMPRESSION_VENDOR)[Compression.WRITE_RATIO] == found[Compression.WRITE_RATIO]


def test_without_compression_bytes_are_what_they_are(tmp_path: Path) -> None:
    bench = powered(tmp_path)
    compression(bench, on=False)
    assert write(bench, bytes(SIZE)) == "good"

    found = counters(bench, LogPage.DATA_COMPRESSION)
    access = counters(bench, LogPage.SEQUENTIAL_ACCESS)

    assert (found[Compression.WRITE_RATIO], found[Compression.ENABLED]) == (100, 0)
    assert found[Compression.BYTES_FROM_HOST] == found[Compression.BYTES_TO_MEDIUM] == SIZE
    assert access[SequentialAccess.BYTES_FROM_HOST] == access[SequentialAccess.BYTES_TO_MEDIUM] == SIZE


def test_positions_are_told_in_megabytes_or_not_at_all(tmp_path: Path) -> None:
    bench = powered(tmp_path)

    there = counters(bench, LogPage.SEQUENTIAL_ACCESS)
    assert code(bench.execute(media.unload())) == "good"
    gone = counters(bench, LogPage.SEQUENTIAL_ACCESS)

    assert (there[SequentialAccess.TO_EARLY_WARNING], there[SequentialAccess.BEYOND_EARLY_WARNING]) == (66, 1)
    assert gone[SequentialAccess.TO_EARLY_WARNING] == gone[SequentialAccess.TO_POSITION] == 0xFFFF_FFFF


def test_reset_sets_back_what_it_may_and_tells_the_others(tmp_path: Path) -> None:
    bench = powered(tmp_path)
    other = bench.as_other()
    assert write(bench, bytes(SIZE)) == "good"
    bench.drive.activity.hard_read_errors = 3

    assert code(bench.execute(reset_counters())) == "good"

    assert counters(bench, LogPage.READ_ERRORS)[ErrorCounter.UNCORRECTED] == 0
    assert counters(bench, LogPage.SEQUENTIAL_ACCESS)[SequentialAccess.BYTES_FROM_HOST] == 0
    assert counters(bench, LogPage.DEVICE_STATISTICS)[DeviceStatistic.LOADS] == 1
    assert code(other.execute(media.test_unit_ready())) == "6/2A/02"


def test_reset_of_one_page_leaves_the_others(tmp_path: Path) -> None:
    bench = powered(tmp_path)
    bench.drive.activity.hard_read_errors = bench.drive.activity.hard_write_errors = 3

    assert code(bench.execute(Command(octets("4c 02 43 00 00 00 00 00 00 00")))) == "good"

    assert counters(bench, LogPage.READ_ERRORS)[ErrorCounter.UNCORRECTED] == 0
    assert counters(bench, LogPage.WRITE_ERRORS)[ErrorCounter.UNCORRECTED] == 3


@pytest.mark.parametrize("cdb", ["4c 02 7d 00 00 00 00 00 00 00", "4c 02 43 01 00 00 00 00 00 00"])
def test_reset_of_a_page_that_is_none_is_refused(tmp_path: Path, cdb: str) -> None:
    assert code(powered(tmp_path).execute(Command(octets(cdb)))) == "5/24/00"


def test_pages_that_have_nothing_to_tell_say_so(tmp_path: Path) -> None:
    bench = powered(tmp_path)

    assert temperature.decode_temperature(bench.execute(log_sense(LogPage.TEMPERATURE)).data_in) is None
    assert (
        decode_page(bench.execute(log_sense(LogPage.TAPE_DIAGNOSTIC)).data_in, LogPage.TAPE_DIAGNOSTIC).parameters == ()
    )
    assert counters(bench, LogPage.NON_MEDIUM_ERRORS) == {0: 0}
