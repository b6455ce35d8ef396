"""Early warning and the programmable one before it (reference 1.5, 1.6, 1.12)."""

from pathlib import Path

from tapekey.exchange import Command
from tapekey.scsi import media, mode, position
from tapekey.scsi.mode_page import DeviceConfigurationExtension
from tests.bench import Bench, made, powered
from tests.octets import octets
from tests.target.initiator import code, sense_of

MB = 10**6


def warned(directory: Path, megabytes: int) -> Bench:
    """A volume of 16 MB with early warning at 12, compression off, and PEWS set."""
    bench = powered(directory, empty=True)
    bench.insert(made(directory, "lto6", "SMALL", capacity=16 * MB, margin=4 * MB))
    plain = octets("0000 0000 0f0e 4080 000000ff 000000ff 00000000")
    assert code(bench.execute(Command(octets("15 10 00 00 14 00"), plain))) == "good"
    page = mode.raw(DeviceConfigurationExtension(short_erase_mode=2, early_warning_size=megabytes))
    assert code(bench.execute(mode.mode_select(mode.Answer(pages=(page,))))) == "good"
    return bench.settle()


def fill(bench: Bench, count: int) -> list[str]:
    return [code(bench.execute(media.write_block(bytes(MB)))) for _ in range(count)]


def flags(bench: Bench) -> tuple[bool, bool]:
    """EOP and BPEW, which must be alike in the three forms."""
    short = position.decode_short_position(bench.execute(position.read_short_position()).data_in)
    long = position.decode_long_position(bench.execute(position.read_long_position()).data_in)
    wide = position.decode_extended_position(bench.execute(position.read_extended_position()).data_in)
    found = {(form.end_of_partition, form.beyond_early_warning) for form in (short, long, wide)}
    assert len(found) == 1
    return found.pop()


def test_programmable_warning_is_told_once_before_early_warning(tmp_path: Path) -> None:
    bench = warned(tmp_path, 5)

    assert fill(bench, 13) == ["good"] * 6 + ["0/00/07"] + ["good"] * 4 + ["0/00/02", "0/00/02"]


def test_programmable_warning_takes_the_block_and_sets_eom(tmp_path: Path) -> None:
    bench = warned(tmp_path, 5)
    fill(bench, 6)

    sense = sense_of(bench.execute(media.write_block(bytes(MB))))

    assert (sense.code, sense.eom, sense.information) == ("0/00/07", True, 0)
    assert bench.drive.tape.objects == 7


def test_position_tells_both(tmp_path: Path) -> None:
    bench = warned(tmp_path, 5)
    seen = [flags(bench)]
    for _ in range(12):
        fill(bench, 1)
        seen.append(flags(bench))

    assert seen == [(False, False)] * 7 + [(False, True)] * 5 + [(True, True)]


def test_without_a_size_there_is_none(tmp_path: Path) -> None:
    bench = warned(tmp_path, 0)

    assert fill(bench, 12) == ["good"] * 11 + ["0/00/02"]
    assert flags(bench) == (True, False)


def test_filemark_tells_too(tmp_path: Path) -> None:
    bench = warned(tmp_path, 12)

    assert code(bench.execute(media.write_filemarks())) == "0/00/07"
    assert code(bench.execute(media.write_filemarks())) == "good"
