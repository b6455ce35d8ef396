"""What is on the tape; the words of both sources are in the reference, 1.11 and 4.2."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tapekey import errors
from tapekey.cartridge.contents import FEW, Contents, Recorded, judge, look
from tapekey.cartridge.extent import Extent, Vote
from tapekey.exchange import Reply
from tapekey.policy import facts
from tapekey.scsi import media, position
from tapekey.scsi.codes import Opcode
from tapekey.scsi.counter import Absent
from tapekey.scsi.encryption import DecryptionMode, EncryptionMode, Scope
from tapekey.scsi.kad import Kad, KadType
from tapekey.scsi.media import SpaceCode
from tapekey.scsi.run import run
from tapekey.scsi.set_encryption import SetDataEncryption, set_data_encryption
from tapekey.scsi.volume_statistics import Statistic, decode_volume_statistics, encode_volume_statistics
from tapekey.secret import Secret
from tests.bench import NAMES, Bench, made, powered
from tests.octets import octets
from tests.waist import (
    Change,
    Meddling,
    at_step,
    attribute_read,
    by_opcode,
    cut,
    good,
    patched,
    refused,
    scripted,
    steps_of,
)

LOG = by_opcode(Opcode.LOG_SENSE)
POSITION = by_opcode(Opcode.READ_POSITION)
NONE, UNKNOWN = "ff" * 8, "ff" * 7 + "fe"


def clear(bench: Bench) -> None:
    _set(bench, EncryptionMode.DISABLE, DecryptionMode.DISABLE, None)
    _write(bench, b"clear")


def encrypted(bench: Bench) -> None:
    _set(bench, EncryptionMode.ENCRYPT, DecryptionMode.MIXED, Secret(bytes(32)))
    _write(bench, b"secret")


def _set(bench: Bench, encryption: EncryptionMode, decryption: DecryptionMode, key: Secret | None) -> None:
    index = bench.drive.personality.algorithms[-1].index
    page = SetDataEncryption(scope=Scope.ALL, encryption=encryption, decryption=decryption, algorithm_index=index)
    run(bench, set_data_encryption(page, key, [Kad(KadType.UNAUTHENTICATED, b"name")] if key else []))


def _write(bench: Bench, data: bytes) -> None:
    run(bench, media.write_block(data))
    run(bench, media.write_filemarks())


def stands_at(bench: Bench) -> int:
    return position.decode_short_position(run(bench, position.read_short_position())).first_object


TAPES: dict[str, tuple[list[Callable[[Bench], None]], Contents, int | None]] = {
    "nothing": ([], Contents.BLANK, None),
    "clear": ([clear], Contents.CLEAR, None),
    "encrypted": ([encrypted], Contents.ENCRYPTED, 0),
    "encrypted behind a clear label": ([clear, encrypted], Contents.ENCRYPTED, 2),
    "clear behind encrypted": ([encrypted, clear], Contents.MIXED, 0),
    "clear between encrypted": ([clear, encrypted, clear, encrypted], Contents.MIXED, 2),
}


@pytest.mark.parametrize(("parts", "contents", "first"), TAPES.values(), ids=TAPES)
@pytest.mark.parametrize("name", NAMES)
def test_a_tape_is_what_was_written(
    name: str, parts: list[Callable[[Bench], None]], contents: Contents, first: int | None, tmp_path: Path
) -> None:
    bench = powered(tmp_path, name)
    for part in parts:
        part(bench)
    found = look(bench)
    assert (found.contents, found.first_encrypted) == (contents, first)
    assert found.why
    assert stands_at(bench) == 0


@pytest.mark.parametrize("count", [1, FEW])
@pytest.mark.parametrize("name", NAMES)
def test_filemarks_alone_are_nothing_to_lose(name: str, count: int, tmp_path: Path) -> None:
    bench = powered(tmp_path, name)
    run(bench, media.write_filemarks(count))
    assert look(bench) == Recorded(Contents.BLANK, why="nothing but filemarks is recorded")
    assert stands_at(bench) == 0


MORE_THAN_MARKS: dict[str, Callable[[Bench], object]] = {
    "a block": lambda bench: run(bench, media.write_block(b"clear")),
    "a block and a filemark": clear,
    "a filemark and a block": lambda bench: (
        run(bench, media.write_filemarks()),
        run(bench, media.write_block(b"clear")),
    ),
    "too many filemarks": lambda bench: run(bench, media.write_filemarks(FEW + 1)),
}


@pytest.mark.parametrize("write", MORE_THAN_MARKS.values(), ids=MORE_THAN_MARKS)
def test_what_may_be_more_than_a_few_filemarks_is_no_blank_tape(
    write: Callable[[Bench], object], tmp_path: Path
) -> None:
    bench = powered(tmp_path)
    write(bench)
    assert look(bench).contents is Contents.CLEAR
    assert stands_at(bench) == 0


@pytest.mark.parametrize("value", ["00" * 8, UNKNOWN])
def test_filemarks_where_a_source_tells_of_encrypted_blocks_are_no_blank_tape(value: str, tmp_path: Path) -> None:
    bench = powered(tmp_path)
    run(bench, media.write_filemarks())
    told = Meddling(bench, attribute_read(0x0224), instead=chip(0x0224, value))  # type: ignore[arg-type]
    assert look(told).contents is Contents.UNKNOWN


def test_a_filemark_on_a_write_once_cartridge_stays_there(tmp_path: Path) -> None:
    bench = powered(tmp_path, empty=True)
    bench.insert(made(tmp_path, "lto6", "WORM01", worm=True))
    run(bench, media.write_filemarks())
    assert look(bench).contents is Contents.CLEAR


def test_an_erased_tape_is_blank(tmp_path: Path) -> None:
    bench = powered(tmp_path)
    encrypted(bench)
    run(bench, media.rewind())
    run(bench, media.erase())
    assert look(bench).contents is Contents.BLANK


def test_looking_changes_nothing(tmp_path: Path) -> None:
    bench = powered(tmp_path)
    encrypted(bench)
    before = len(bench.commands)
    look(bench)
    written = {Opcode.WRITE_6, Opcode.WRITE_FILEMARKS_6, Opcode.WRITE_ATTRIBUTE, Opcode.SECURITY_PROTOCOL_OUT}
    assert not written & {command.cdb[0] for command in bench.commands[before:]}


def test_the_words_are_those_of_the_policy() -> None:
    assert {item.name: item.value for item in Contents} == {item.name: item.value for item in facts.Contents}


# --- what the sources make together -------------------------------------------------------------------------


def one(first: Vote, clear_after: Vote, partition: int = 0) -> Extent:
    return Extent(partition, first, clear_after)


VERDICTS = {
    "no encrypted block": ([one(Absent.NONE, Absent.NONE)], Contents.CLEAR),
    "no encrypted block, rest untold": ([one(Absent.NONE, None)], Contents.CLEAR),
    "encrypted": ([one(5, Absent.NONE)], Contents.ENCRYPTED),
    "encrypted, rest untold": ([one(5, None)], Contents.ENCRYPTED),
    "clear behind": ([one(5, 9)], Contents.MIXED),
    "first unknown": ([one(Absent.UNKNOWN, Absent.NONE)], Contents.UNKNOWN),
    "rest unknown": ([one(5, Absent.UNKNOWN)], Contents.UNKNOWN),
    "rest unknown, none encrypted": ([one(Absent.NONE, Absent.UNKNOWN)], Contents.UNKNOWN),
    "nobody tells": ([one(None, None)], Contents.UNKNOWN),
    "contradiction": ([one(Absent.NONE, 3)], Contents.UNKNOWN),
    "two clear partitions": ([one(Absent.NONE, Absent.NONE), one(Absent.NONE, Absent.NONE, 1)], Contents.CLEAR),
    "two encrypted partitions": ([one(0, Absent.NONE), one(1, Absent.NONE, 1)], Contents.ENCRYPTED),
    "clear partition beside": ([one(0, Absent.NONE), one(Absent.NONE, Absent.NONE, 1)], Contents.MIXED),
    "second unknown": ([one(0, Absent.NONE), one(Absent.UNKNOWN, None, 1)], Contents.UNKNOWN),
}


@pytest.mark.parametrize(("extents", "contents"), VERDICTS.values(), ids=VERDICTS)
def test_unknown_is_never_taken_for_less(extents: list[Extent], contents: Contents) -> None:
    verdict, why = judge(extents)
    assert verdict is contents
    assert why


def chip(identifier: int, value: str) -> object:
    return good(octets(f"00 00 00 0d  {identifier:04x} 80 00 08 {value}"))


DISAGREEMENTS = {
    "chip: none, log: 0": (0x0224, NONE),
    "chip: another object": (0x0224, "00" * 7 + "05"),
    "chip: unknown": (0x0224, UNKNOWN),
    "rest, chip: 1, log: none": (0x0225, "00" * 7 + "01"),
    "rest, chip: unknown": (0x0225, UNKNOWN),
}


@pytest.mark.parametrize(("identifier", "value"), DISAGREEMENTS.values(), ids=DISAGREEMENTS)
def test_sources_that_disagree_make_it_unknown_and_are_both_named(identifier: int, value: str, tmp_path: Path) -> None:
    bench = powered(tmp_path)
    encrypted(bench)
    found = look(Meddling(bench, attribute_read(identifier), instead=chip(identifier, value)))  # type: ignore[arg-type]
    assert found.contents is Contents.UNKNOWN
    assert "memory says" in found.why
    assert "log page 17h says" in found.why


def test_one_source_is_enough_when_the_other_abstains(tmp_path: Path) -> None:
    bench = powered(tmp_path)
    encrypted(bench)
    assert look(Meddling(bench, LOG, instead=refused("5/24/00"))).contents is Contents.ENCRYPTED
    no_chip = Meddling(bench, attribute_read(0x0224), instead=refused("5/24/00"))
    assert look(Meddling(no_chip, attribute_read(0x0225), instead=refused("5/24/00"))).contents is Contents.ENCRYPTED


def test_without_any_source_a_written_tape_is_unknown(tmp_path: Path) -> None:
    bench = powered(tmp_path)
    clear(bench)
    mute = Meddling(bench, lambda command: LOG(command) or attribute_read(0x0224)(command), instead=refused("5/24/00"))
    assert look(mute).contents is Contents.UNKNOWN


def test_the_log_page_of_another_volume_has_no_vote(tmp_path: Path) -> None:
    bench = powered(tmp_path)
    encrypted(bench)

    def foreign(reply: Reply) -> Reply:
        page = decode_volume_statistics(reply.data_in)
        texts = {**page.texts, Statistic.VOLUME_SERIAL: "ANOTHER"}
        partitions = {**page.partitions, Statistic.FIRST_CLEAR_OBJECT_AFTER: {0: 1}}
        return good(encode_volume_statistics(replace(page, texts=texts, partitions=partitions)))

    found = look(Meddling(bench, LOG, change=foreign))
    assert found.contents is Contents.ENCRYPTED
    assert "another volume" in found.why


def test_data_in_the_second_partition_is_not_blank() -> None:
    told = [good(octets(f"00 00 00 0d  02 {number} 80 00 08 {NONE}")) for number in ("24", "25")]
    transport = scripted(
        good(octets("00 02 00 02")),  # partitions: from 0 on, two
        *(good(), good(), good(octets("80 00 00 00  00 00 00 00") + bytes(12))),
        *(good(), good(), good(octets("00 01 00 00  00 00 00 05") + bytes(12))),
        good(),  # back to the beginning
        refused("5/24/00"),  # no log page 17h
        *told,
        *told,
    )
    assert look(transport).contents is Contents.CLEAR
    assert len(transport.commands) == len(transport.replies)


# --- failures -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", ["4/44/00", "3/11/00", "6/28/00", "5/26/00", "2/3A/00"])
@pytest.mark.parametrize("prepare", [clear, encrypted])
def test_a_failure_at_any_step_is_that_failure(prepare: Callable[[Bench], None], code: str, tmp_path: Path) -> None:
    bench = powered(tmp_path)
    prepare(bench)
    for step in range(steps_of(bench, look)):
        with pytest.raises(errors.DeviceError):
            look(at_step(bench, step, instead=refused(code)))


def test_a_short_answer_at_any_step_is_refused(tmp_path: Path) -> None:
    bench = powered(tmp_path)
    encrypted(bench)
    before = len(bench.commands)
    look(bench)
    for step, command in enumerate(bench.commands[before:]):
        if command.data_in_max > 4:
            for size in (0, 3, 4):
                with pytest.raises(errors.Malformed):
                    look(at_step(bench, step, change=cut(size)))


POSITIONS = {
    "unknown": (patched(0, b"\x04"), errors.MediumFailed),
    "another partition": (patched(1, b"\x01"), errors.DriveLied),
}


@pytest.mark.parametrize(("change", "kind"), POSITIONS.values(), ids=POSITIONS)
def test_a_position_that_is_not_known_proves_nothing(
    change: Change, kind: type[errors.TapekeyError], tmp_path: Path
) -> None:
    with pytest.raises(kind):
        look(Meddling(powered(tmp_path), POSITION, change=change))


def test_a_log_page_cut_between_parameters_has_not_abstained(tmp_path: Path) -> None:
    bench = powered(tmp_path)
    encrypted(bench)
    with pytest.raises(errors.Malformed):
        look(Meddling(bench, LOG, change=cut(4 + 4 + 1)))


def test_a_drive_that_reports_the_end_when_it_moves_there_is_believed_by_position(tmp_path: Path) -> None:
    bench = powered(tmp_path)
    ended = Meddling(bench, by_opcode(Opcode.SPACE_6), instead=refused("8/00/05"))
    assert look(ended) == Recorded(Contents.BLANK, why="the end of data is at the beginning of every partition")


def test_space_to_the_end_is_what_is_sent(tmp_path: Path) -> None:
    bench = powered(tmp_path)
    look(bench)
    spaces = [command.cdb for command in bench.commands if command.cdb[0] == Opcode.SPACE_6]
    assert spaces == [media.space(SpaceCode.END_OF_DATA).cdb]
