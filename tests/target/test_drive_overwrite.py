"""Append-only mode, and ALLOW OVERWRITE through it (reference 1.3, 1.12, 5.3)."""

from pathlib import Path

import pytest

from tapekey.exchange import Command
from tapekey.scsi import media, mode
from tapekey.scsi.media import Overwrite
from tapekey.scsi.mode_page import DeviceConfigurationExtension, WriteMode
from tests.bench import Bench, powered
from tests.target.initiator import code, rewind, write


def appending(directory: Path) -> Bench:
    """A tape of three blocks, rewound, in a drive that only appends."""
    bench = powered(directory)
    for _ in range(3):
        assert write(bench, b"old") == "good"
    page = mode.raw(DeviceConfigurationExtension(short_erase_mode=2, write_mode=WriteMode.APPEND_ONLY))
    assert code(bench.execute(mode.mode_select(mode.Answer(pages=(page,))))) == "good"
    rewind(bench)
    return bench


WRITES = {"write": media.write_block(b"new"), "filemark": media.write_filemarks(), "erase": media.erase()}


@pytest.mark.parametrize("name", WRITES)
def test_what_is_recorded_is_not_overwritten(tmp_path: Path, name: str) -> None:
    bench = appending(tmp_path)

    assert code(bench.execute(WRITES[name])) == "7/5A/02"
    assert bench.drive.tape.objects == 3


@pytest.mark.parametrize("name", WRITES)
def test_end_of_data_is_written(tmp_path: Path, name: str) -> None:
    bench = appending(tmp_path)
    assert code(bench.execute(media.space(media.SpaceCode.END_OF_DATA))) == "good"

    assert code(bench.execute(WRITES[name])) == "good"


def test_permission_is_for_one_write_at_one_position(tmp_path: Path) -> None:
    bench = appending(tmp_path)
    assert code(bench.execute(media.locate(1))) == "good"
    assert code(bench.execute(media.allow_overwrite(Overwrite.CURRENT_POSITION, 0, 1))) == "good"

    assert write(bench, b"new") == "good"

    assert bench.drive.tape.objects == 2
    assert code(bench.execute(media.locate(1))) == "good"
    assert write(bench, b"again") == "7/5A/02"


def test_moving_away_forgets_the_permission(tmp_path: Path) -> None:
    bench = appending(tmp_path)
    assert code(bench.execute(media.allow_overwrite(Overwrite.CURRENT_POSITION))) == "good"
    assert code(bench.execute(media.locate(1))) == "good"
    rewind(bench)

    assert write(bench, b"new") == "7/5A/02"


REFUSED = {
    "another position": (media.allow_overwrite(Overwrite.CURRENT_POSITION, 0, 2), "5/24/00"),
    "another partition": (media.allow_overwrite(Overwrite.CURRENT_POSITION, 1, 0), "5/24/00"),
    "a value that is none": (media.allow_overwrite(Overwrite(7)), "5/24/00"),
}


@pytest.mark.parametrize(("command", "answer"), REFUSED.values(), ids=REFUSED)
def test_permission_for_elsewhere_is_refused(tmp_path: Path, command: Command, answer: str) -> None:
    assert code(appending(tmp_path).execute(command)) == answer


def test_format_needs_its_own_permission(tmp_path: Path) -> None:
    bench = appending(tmp_path)
    assert code(bench.execute(media.allow_overwrite(Overwrite.CURRENT_POSITION))) == "good"
    assert code(bench.execute(media.format_medium())) == "7/5A/02"
    assert code(bench.execute(media.allow_overwrite(Overwrite.FORMAT))) == "good"

    assert code(bench.execute(media.format_medium())) == "good"

    assert bench.drive.tape.objects == 0


def test_outside_append_only_mode_it_is_out_of_sequence(tmp_path: Path) -> None:
    bench = powered(tmp_path)

    assert code(bench.execute(media.allow_overwrite(Overwrite.CURRENT_POSITION))) == "5/2C/00"
    assert code(bench.execute(media.allow_overwrite(Overwrite.DISABLED))) == "good"
