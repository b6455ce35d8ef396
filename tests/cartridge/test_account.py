"""The drive's account of a cartridge: MAM 0009h, 0003h, 0222h, 0224h, 0225h and log page 17h (reference 1.11, 4.2)."""

from pathlib import Path

import pytest

from tapekey import errors
from tapekey.cartridge.account import NONE_THERE, account
from tapekey.scsi.codes import Opcode
from tests.bench import NAMES, powered
from tests.cartridge.test_contents import LOG, chip, clear, encrypted
from tests.waist import Meddling, at_step, attribute_read, cut, refused, steps_of


@pytest.mark.parametrize("name", NAMES)
def test_an_untouched_tape_has_nothing_to_tell(name: str, tmp_path: Path) -> None:
    told = account(powered(tmp_path, name))
    assert (told.first_encrypted, told.first_clear_after) == (NONE_THERE, NONE_THERE)
    assert (told.loads, told.written_mib, told.remarks) == (1, 0, ())
    assert told.change_reference


@pytest.mark.parametrize("name", NAMES)
def test_a_write_changes_the_reference(name: str, tmp_path: Path) -> None:
    bench = powered(tmp_path, name)
    before = account(bench)
    encrypted(bench)
    after = account(bench)
    assert after.change_reference != before.change_reference
    assert (after.first_encrypted, after.first_clear_after) == (0, NONE_THERE)
    assert account(bench).change_reference == after.change_reference


@pytest.mark.parametrize("name", NAMES)
def test_clear_data_behind_encrypted_data_is_told(name: str, tmp_path: Path) -> None:
    bench = powered(tmp_path, name)
    encrypted(bench)
    clear(bench)
    told = account(bench)
    assert (told.first_encrypted, told.first_clear_after) == (0, 2)


def test_what_a_drive_does_not_tell_is_not_none(tmp_path: Path) -> None:
    bench = powered(tmp_path)
    encrypted(bench)
    mute = Meddling(
        bench,
        lambda command: LOG(command) or command.cdb[0] == Opcode.READ_ATTRIBUTE,
        instead=refused("5/24/00"),
    )
    told = account(mute)
    assert (told.first_encrypted, told.first_clear_after, told.loads, told.written_mib) == (None, None, None, None)
    assert told.change_reference == b""


def test_sources_that_disagree_are_remarked(tmp_path: Path) -> None:
    bench = powered(tmp_path)
    encrypted(bench)
    told = account(Meddling(bench, attribute_read(0x0225), instead=chip(0x0225, "00" * 7 + "01")))  # type: ignore[arg-type]
    assert told.first_clear_after is None
    assert told.remarks == ("first clear object after it: the memory says 1, log page 17h says none",)


def test_taking_the_account_moves_and_changes_nothing(tmp_path: Path) -> None:
    bench = powered(tmp_path)
    before = len(bench.commands)
    account(bench)
    assert {command.cdb[0] for command in bench.commands[before:]} == {Opcode.READ_ATTRIBUTE, Opcode.LOG_SENSE}


def test_a_failure_at_any_step_is_that_failure(tmp_path: Path) -> None:
    bench = powered(tmp_path)
    encrypted(bench)
    for step in range(steps_of(bench, account)):
        with pytest.raises(errors.HardwareFailed):
            account(at_step(bench, step, instead=refused("4/44/00")))
        with pytest.raises(errors.Malformed):
            account(at_step(bench, step, change=cut(3)))
