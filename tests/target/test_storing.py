"""How blocks are stored is remembered from one to the next, and never longer than it is true."""

from pathlib import Path

import pytest

from tapekey.exchange import Command
from tapekey.scsi import media, mode
from tapekey.scsi.encryption import DecryptionMode, EncryptionMode, Scope
from tapekey.scsi.kad import Kad, KadType
from tapekey.target import modes
from tapekey.target.compress import Compression
from tapekey.target.medium_record import Block
from tapekey.target.personality import replace
from tests.bench import Bench, made, powered
from tests.target.initiator import OTHER_KEY, code, install, off, parameters, read, rewind, write

TEXT = b"what shrinks " * 100
ENCRYPT, DECRYPT = EncryptionMode.ENCRYPT, DecryptionMode.MIXED


def select(bench: Bench, image: str) -> None:
    page = mode.RawPage(bytes.fromhex(image))
    assert code(bench.execute(mode.mode_select(mode.Answer(pages=(page,))))) == "good"


def stored(bench: Bench) -> Block:
    """The block before the position, as the medium has it."""
    tape = bench.drive.tape
    block = tape.log.read_header(tape.position - 1).block
    assert block is not None
    return block


COMPRESSION_OFF = "0f 0e 40 80 000000ff 000000ff 00000000"


def test_a_key_set_between_two_writes_encrypts_the_second(tmp_path: Path) -> None:
    bench = powered(tmp_path)
    assert write(bench, TEXT) == "good"
    assert stored(bench).seal is None
    install(bench, ENCRYPT, DECRYPT)
    assert write(bench, TEXT) == "good"
    assert stored(bench).seal is not None
    off(bench)
    assert write(bench, TEXT) == "good"
    assert stored(bench).seal is None


def test_each_key_encrypts_what_was_written_under_it(tmp_path: Path) -> None:
    bench = powered(tmp_path)
    for key in (None, OTHER_KEY):
        install(bench, ENCRYPT, DECRYPT, **({"key": key} if key else {}))
        assert write(bench, TEXT) == "good"
    rewind(bench)

    assert code(read(bench)) == "7/74/03"
    install(bench, ENCRYPT, DECRYPT)
    assert read(bench).data_in == TEXT
    assert code(read(bench)) == "7/74/03"
    install(bench, ENCRYPT, DECRYPT, key=OTHER_KEY)
    assert read(bench).data_in == TEXT


def test_key_associated_data_of_a_new_set_is_beside_the_next_block(tmp_path: Path) -> None:
    bench = powered(tmp_path)
    for name in (b"first", b"second"):
        install(bench, ENCRYPT, DECRYPT, kads=(Kad(KadType.UNAUTHENTICATED, name),))
        assert write(bench, TEXT) == "good"
        seal = stored(bench).seal
        assert seal is not None
        assert seal.unauthenticated == name


def test_two_nexuses_with_sets_of_their_own_take_turns(tmp_path: Path) -> None:
    bench = powered(tmp_path)
    other = bench.as_other()
    assert code(bench.execute(parameters(bench, ENCRYPT, DECRYPT, scope=Scope.LOCAL))) == "good"
    for _ in range(3):
        assert write(bench, TEXT) == "good"
        assert stored(bench).seal is not None
        assert write(other, TEXT) == "good"
        assert stored(bench).seal is None


def test_a_reset_takes_the_key_from_the_next_write(tmp_path: Path) -> None:
    bench = powered(tmp_path)
    install(bench, ENCRYPT, DECRYPT)
    assert write(bench, TEXT) == "good"
    bench.drive.reset()
    bench.settle()

    assert write(bench, TEXT) == "good"
    assert stored(bench).seal is None


def test_compression_turned_off_between_two_writes_ends_at_once(tmp_path: Path) -> None:
    bench = powered(tmp_path)
    assert write(bench, TEXT) == "good"
    assert stored(bench).compression == Compression.ZSTANDARD
    select(bench, COMPRESSION_OFF)
    assert write(bench, TEXT) == "good"
    assert stored(bench).compression == Compression.NONE
    bench.drive.modes.power_on()
    assert write(bench, TEXT) == "good"
    assert stored(bench).compression == Compression.ZSTANDARD


def test_a_cartridge_of_an_older_generation_is_judged_anew(tmp_path: Path) -> None:
    bench = powered(tmp_path)
    install(bench, ENCRYPT, DECRYPT)
    assert write(bench, TEXT) == "good"
    bench.swap(made(tmp_path, "lto5", "OLDER"))
    bench.settle()

    assert write(bench, TEXT) == "7/74/07"


def test_a_knob_turned_between_two_writes_counts(tmp_path: Path) -> None:
    bench = powered(tmp_path)
    install(bench, ENCRYPT, DECRYPT)
    assert write(bench, TEXT) == "good"
    bench.drive.personality = replace(bench.drive.personality, algorithms=())

    assert write(bench, TEXT) == "7/74/07"


@pytest.mark.parametrize("encryption", [ENCRYPT, EncryptionMode.DISABLE])
def test_compressed_blocks_come_back_and_count_as_the_host_wrote_them(
    tmp_path: Path, encryption: EncryptionMode
) -> None:
    bench = powered(tmp_path)
    if encryption is ENCRYPT:
        install(bench, encryption, DECRYPT)
    assert write(bench, TEXT) == "good"
    tape = bench.drive.tape
    assert (tape.host_written, stored(bench).length) == (len(TEXT), len(TEXT))
    assert tape.written < len(TEXT) // 5
    rewind(bench)

    reply = bench.execute(media.read_block(2000))
    assert (code(reply), reply.data_in) == ("0/00/00", TEXT)
    assert (tape.host_read, tape.read) == (len(TEXT), tape.written)


def test_no_key_is_remembered(tmp_path: Path) -> None:
    bench = powered(tmp_path)
    install(bench, ENCRYPT, DECRYPT)
    assert write(bench, TEXT) == "good"
    used = bench.drive.parameters.shared
    assert code(bench.execute(media.unload())) == "good"
    off(bench)

    remembered = bench.drive.storing
    assert remembered is not None
    assert remembered.used is used
    assert used.key is not None
    with pytest.raises(ValueError, match="wiped"):
        used.key.reveal()


def test_write_goes_on_from_a_view_of_a_receive_buffer(tmp_path: Path) -> None:
    bench = powered(tmp_path)
    room = bytearray(b"##" + TEXT + b"##")
    assert code(bench.execute(Command(media.write_block(TEXT).cdb, data_out=memoryview(room)[2:-2]))) == "good"
    room[:] = bytes(len(room))
    rewind(bench)

    assert read(bench).data_in == TEXT
    assert modes.COMPRESSION not in bench.drive.modes.current
