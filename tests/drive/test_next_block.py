"""What stands beside the next block: page 0021h, reference 2.6, and 6.8 on read-ahead."""

import io
from pathlib import Path

import pytest

from tapekey import errors
from tapekey.drive import abilities, data, parameters
from tapekey.drive.next_block import kad_at
from tapekey.drive.parameters import kads_of
from tapekey.scsi import position
from tapekey.scsi.codes import Opcode
from tapekey.scsi.encryption import DecryptionMode, EncryptionMode
from tapekey.scsi.encryption_status import BlockEncryption
from tapekey.scsi.run import run
from tapekey.secret import Secret
from tests.bench import NAMES, Bench, powered
from tests.waist import Meddling, at_step, by_opcode, cut, patched, refused, spin, steps_of

NAME = b"0123456789abcdef"


def written(bench: Bench, content: bytes = b"data") -> Bench:
    """An encrypted tape, and no key in the drive any more."""
    able = abilities.abilities(bench)
    parameters.set_key(
        bench,
        able,
        encryption=EncryptionMode.ENCRYPT,
        decryption=DecryptionMode.MIXED,
        plain=Secret(bytes(32)),
        kads=able.kad_room.split(NAME),
    )
    data.write(bench, io.BytesIO(content), block=64)
    parameters.clear_key(bench, able)
    return bench


def stands_at(bench: Bench) -> int:
    return position.decode_short_position(run(bench, position.read_short_position())).first_object


@pytest.mark.parametrize("knows", [True, False], ids=["read ahead", "not read ahead"])
@pytest.mark.parametrize("name", NAMES)
def test_an_encrypted_block_gives_its_name_without_a_key(name: str, knows: bool, tmp_path: Path) -> None:
    bench = written(powered(tmp_path, name, read_ahead_knows=knows))
    block = kad_at(bench)
    assert block.encryption == BlockEncryption.NO_KEY
    assert kads_of(block.kads).rstrip(b"\0") == NAME  # the T10000 fills its U-KAD up with zeros
    assert stands_at(bench) == 0


def test_a_later_block_is_gone_to(tmp_path: Path) -> None:
    bench = written(powered(tmp_path), bytes(64 * 5))
    assert kad_at(bench, 3).object_number == 3
    assert stands_at(bench) == 3


@pytest.mark.parametrize("knows", [True, False], ids=["read ahead", "not read ahead"])
def test_looking_sets_no_key_and_counts_as_no_try(knows: bool, tmp_path: Path) -> None:
    bench = written(powered(tmp_path, "hpe-lto6", read_ahead_knows=knows))
    before = len(bench.commands)
    for _ in range(12):
        kad_at(bench)
    assert Opcode.SECURITY_PROTOCOL_OUT not in {command.cdb[0] for command in bench.commands[before:]}
    parameters.clear_key(bench, abilities.abilities(bench))


def test_a_clear_block_is_clear(tmp_path: Path) -> None:
    bench = powered(tmp_path)
    data.write(bench, io.BytesIO(b"clear"))
    block = kad_at(bench)
    assert block.encryption == BlockEncryption.CLEAR
    assert block.kads == ()


def test_a_clear_block_that_was_tried_is_gone_back_to(tmp_path: Path) -> None:
    bench = powered(tmp_path, read_ahead_knows=False)
    data.write(bench, io.BytesIO(b"clear"))
    kad_at(bench)
    assert stands_at(bench) == 0


@pytest.mark.parametrize("knows", [True, False], ids=["read ahead", "not read ahead"])
def test_of_a_blank_tape_nothing_is_known(knows: bool, tmp_path: Path) -> None:
    assert kad_at(powered(tmp_path, read_ahead_knows=knows)).encryption == BlockEncryption.NOT_KNOWN_NOW


def test_a_broken_block_is_not_taken_for_an_encrypted_one(tmp_path: Path) -> None:
    bench = written(powered(tmp_path, read_ahead_knows=False))
    for code, kind in (("3/11/00", errors.MediumFailed), ("7/5A/02", errors.WriteProtected)):
        with pytest.raises(kind):
            kad_at(Meddling(bench, by_opcode(Opcode.READ_6), instead=refused(code)))


def test_a_description_of_another_block_is_a_lie(tmp_path: Path) -> None:
    bench = written(powered(tmp_path))
    with pytest.raises(errors.DriveLied, match="object 7 instead of 0"):
        kad_at(Meddling(bench, spin(0x21), change=patched(11, b"\x07")))


def test_a_failure_at_any_step_is_that_failure(tmp_path: Path) -> None:
    for knows in (True, False):
        bench = written(powered(tmp_path / str(knows), read_ahead_knows=knows))
        for step in range(steps_of(bench, kad_at)):
            with pytest.raises(errors.HardwareFailed):
                kad_at(at_step(bench, step, instead=refused("4/44/00")))


@pytest.mark.parametrize("size", [0, 3, 15, 18])
def test_a_short_answer_is_refused(size: int, tmp_path: Path) -> None:
    with pytest.raises(errors.Malformed):
        kad_at(Meddling(written(powered(tmp_path)), spin(0x21), change=cut(size)))


def test_an_empty_drive_has_no_next_block(tmp_path: Path) -> None:
    with pytest.raises(errors.NoCartridge):
        kad_at(powered(tmp_path, empty=True))
