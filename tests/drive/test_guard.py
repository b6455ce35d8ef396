"""The drive's own guard, writes-require-encryption: mode page 10h/01h, reference 1.12."""

import io
from dataclasses import replace
from pathlib import Path

import pytest

from tapekey import errors
from tapekey.drive import data, guard
from tapekey.exchange import Command, Reply, Transport
from tapekey.scsi.codes import Opcode
from tests.bench import NAMES, Bench, powered
from tests.waist import Meddling, at_step, by_opcode, cut, patched, refused, steps_of

GUARDED = ("ibm-lto6", "ibm-lto9")
WRE_BYTE = 8 + 8  # behind the header of MODE SENSE(10)


@pytest.mark.parametrize("name", NAMES)
def test_the_guard_is_there_where_the_drive_lets_the_bit_be_changed(name: str, tmp_path: Path) -> None:
    assert guard.available(powered(tmp_path, name)) is (name in GUARDED)


@pytest.mark.parametrize("code", ["4/44/00", "6/2A/01", "5/26/00", "2/04/01", "B/47/00"])
@pytest.mark.parametrize("step", [0, 1])
def test_a_failure_does_not_mean_that_there_is_no_guard(code: str, step: int, tmp_path: Path) -> None:
    with pytest.raises(errors.DeviceError):
        guard.available(at_step(powered(tmp_path), step, instead=refused(code)))


@pytest.mark.parametrize("name", GUARDED)
def test_a_closed_drive_refuses_clear_writes(name: str, tmp_path: Path) -> None:
    bench = powered(tmp_path, name)
    guard.close(bench)
    with pytest.raises(errors.DataProtected):
        data.write(bench, io.BytesIO(b"clear"))
    assert guard.look(bench).closed


@pytest.mark.parametrize("name", GUARDED)
def test_an_opened_drive_takes_them_again(name: str, tmp_path: Path) -> None:
    bench = powered(tmp_path, name)
    guard.close(bench)
    before = guard.open(bench)
    data.write(bench, io.BytesIO(b"clear"))
    assert before.closed
    assert not guard.look(bench).closed
    assert not guard.look(bench).saved_closed


def test_closing_outlives_the_power(tmp_path: Path) -> None:
    bench = powered(tmp_path)
    guard.close(bench)
    bench.drive.modes.power_on()
    assert guard.look(bench).closed


def test_what_stood_there_is_put_back(tmp_path: Path) -> None:
    bench = powered(tmp_path)
    original = guard.look(bench)
    assert guard.close(bench) == original
    guard.put_back(bench, original)
    assert guard.look(bench) == original


def test_current_values_that_differ_from_the_saved_ones_stay_so(tmp_path: Path) -> None:
    bench = powered(tmp_path)
    guard.close(bench)
    bench.drive.modes.current.clear()
    mixed = guard.look(bench)
    guard.put_back(bench, replace(mixed, current=_opened(mixed.current)))
    assert (guard.look(bench).closed, guard.look(bench).saved_closed) == (False, True)


def _opened(image: bytes) -> bytes:
    return image[:8] + bytes([image[8] & ~0x04]) + image[9:]


def test_a_guard_that_stands_is_not_set_again(tmp_path: Path) -> None:
    bench = powered(tmp_path)
    guard.close(bench)
    before = len(bench.commands)
    guard.close(bench)
    assert Opcode.MODE_SELECT_10 not in {command.cdb[0] for command in bench.commands[before:]}


def _ignored(bench: Bench) -> Transport:
    """A drive that takes MODE SELECT and does nothing."""
    return Meddling(bench, by_opcode(Opcode.MODE_SELECT_10), instead=Reply(0))


def test_a_drive_that_ignores_the_setting_lied(tmp_path: Path) -> None:
    with pytest.raises(errors.DriveLied, match="current values"):
        guard.close(_ignored(powered(tmp_path)))


def test_a_drive_that_does_not_save_the_setting_lied(tmp_path: Path) -> None:
    bench = powered(tmp_path)

    def saved(command: Command) -> bool:
        return command.cdb[0] == Opcode.MODE_SENSE_10 and command.cdb[2] >> 6 == 3

    with pytest.raises(errors.DriveLied, match="saved values"):
        guard.close(Meddling(bench, saved, change=patched(WRE_BYTE, b"\0")))


def test_a_failure_at_any_step_of_closing_is_that_failure(tmp_path: Path) -> None:
    steps = steps_of(powered(tmp_path / "count"), guard.close)
    assert steps == 6
    for step in range(steps):
        with pytest.raises(errors.HardwareFailed):
            guard.close(at_step(powered(tmp_path / str(step)), step, instead=refused("4/44/00")))


def test_a_short_answer_at_any_step_of_looking_is_refused(tmp_path: Path) -> None:
    bench = powered(tmp_path)
    for step in range(steps_of(bench, guard.look)):
        for size in (0, 7, 8, 20):
            with pytest.raises(errors.Malformed):
                guard.look(at_step(bench, step, change=cut(size)))
