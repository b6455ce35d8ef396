"""Streams of a drive: they do what the ordinary way does, begin only where that could say nothing but GOOD, and end."""

import os
import random
import threading
from collections.abc import Callable, Iterator
from dataclasses import astuple
from pathlib import Path

import pytest

from tapekey.exchange import Command
from tapekey.scsi import log, media, mode, mode_page, reserve
from tapekey.scsi.encryption import DecryptionMode, EncryptionMode, Scope
from tapekey.scsi.kad import Kad, KadType
from tapekey.scsi.log import LogPage
from tapekey.scsi.mode_page import DeviceConfigurationExtension, ProtectionMethod, WriteMode
from tapekey.scsi.sense import Sense, SenseKey
from tapekey.target import cartridge, drive_stream, machine
from tapekey.target.drive_stream import Reading, Writing
from tapekey.target.machine import Machine
from tapekey.target.medium import Tape
from tapekey.target.medium_record import Header
from tapekey.target.stream import Stream
from tapekey.target.unit_attention import Attention
from tests.bench import Bench, made, powered
from tests.octets import octets
from tests.target.initiator import KEY, OTHER_KEY, code, install, off, parameters, read, rewind, write

SIZE = 4096
WRITE, READ = octets("0a 00 00 10 00 00"), octets("08 00 00 10 00 00")
READY, REWIND = bytes(6), octets("01 00 00 00 00 00")
COMPRESSION_OFF = octets("0f 0e 40 80 000000ff 000000ff 00000000")
ENCRYPT, DECRYPT, MIXED, RAW = EncryptionMode.ENCRYPT, DecryptionMode.DECRYPT, DecryptionMode.MIXED, DecryptionMode.RAW


def data(number: int) -> bytes:
    return random.Random(number).randbytes(SIZE)


def select(bench: Bench, image: bytes) -> None:
    assert code(bench.execute(mode.mode_select(mode.Answer(pages=(mode.RawPage(image),))))) == "good"


def begun(bench: Bench, cdb: bytes = WRITE, size: int = SIZE) -> Stream | None:
    return drive_stream.begin(bench.drive, bench.initiator, cdb, size)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    """A drive that compresses nothing, encrypts, and has written three blocks."""
    bench = powered(tmp_path)
    select(bench, COMPRESSION_OFF)
    install(bench, ENCRYPT, DECRYPT)
    for number in range(3):
        assert write(bench, data(number)) == "good"
    return bench


def put(stream: Stream | None, number: int) -> None:
    """One block through a stream."""
    assert stream is not None
    stream.room[:] = data(number)
    assert stream.take()
    stream.follow()


def got(stream: Stream | None) -> bytes:
    assert stream is not None
    assert stream.take()
    found = bytes(stream.data)
    stream.follow()
    return found


# --- what they do ------------------------------------------------------------------------------------------------


def counted(bench: Bench) -> object:
    """All that counts blocks and bytes, and where the tape is."""
    tape = bench.drive.tape
    pages = [bench.execute(log.log_sense(LogPage(page))).data_in for page in (0x0C, 0x02, 0x03)]
    return (
        *(tape.position, tape.objects, tape.used, tape.written, tape.read, tape.host_written, tape.host_read),
        *(astuple(bench.drive.activity), bench.drive.looked_ahead, tape.first_encrypted, tape.holds_clear, pages),
    )


def headers(bench: Bench) -> list[Header]:
    """Every record of the tape, without what is random."""
    log = bench.drive.tape.log
    return [without_chance(log.read_header(number)) for number in range(log.objects)]


def without_chance(header: Header) -> Header:
    block = header.block
    seal = block and block.seal
    return header._replace(checksum=0, block=block and block._replace(seal=seal and seal._replace(iv=b"")))


@pytest.mark.parametrize("clear", [False, True], ids=["encrypted", "clear"])
@pytest.mark.parametrize("kads", [(), (Kad(KadType.UNAUTHENTICATED, b"who"), Kad(KadType.AUTHENTICATED, b"what"))])
def test_tape_and_counters_are_as_without(tmp_path: Path, clear: bool, kads: tuple[Kad, ...]) -> None:
    found = []
    for streams in (False, True):
        (tmp_path / str(streams)).mkdir()
        bench = powered(tmp_path / str(streams))
        select(bench, COMPRESSION_OFF)
        install(bench, ENCRYPT, DECRYPT, kads=kads)
        assert write(bench, data(0)) == "good"
        if clear:
            off(bench)
        for number in range(2):
            assert write(bench, data(number)) == "good"
            assert code(bench.execute(media.write_filemarks())) == "good"
            assert write(bench, data(number)) == "good"
        stream = begun(bench) if streams else None
        for number in range(20):
            put(stream, number) if streams else write(bench, data(number))
        assert code(bench.execute(media.write_filemarks())) == "good"
        found.append([counted(bench), headers(bench)])
        assert code(bench.execute(media.unload())) == "good"
        assert code(bench.execute(media.load())) == "good"
        found[-1].append(headers(bench))  # as a scan finds them

        assert code(bench.execute(media.space(media.SpaceCode.FILEMARKS, 2))) == "good"
        assert read(bench, SIZE).data_in == data(1)
        stream = begun(bench, READ) if streams else None
        read_back = [got(stream) if streams else read(bench, SIZE).data_in for _ in range(20)]
        assert read_back == [data(number) for number in range(20)]
        if stream is not None:
            assert not stream.take()  # a filemark
            stream.end()
        found[-1].append(counted(bench))
        assert code(read(bench)) == "0/00/01"
    assert found[0] == found[1]


def test_no_iv_is_used_twice(bench: Bench) -> None:
    stream = begun(bench)
    for _ in range(50):
        put(stream, 0)
    blocks = [bench.drive.tape.log.read_header(number).block for number in range(bench.drive.tape.objects)]
    assert len({block.seal.iv for block in blocks if block and block.seal}) == 53
    stored = [bytes(bench.drive.tape.stored(bench.drive.tape.log.read_header(number))) for number in range(3, 53)]
    assert len(set(stored)) == 50


def test_fixed_blocks_one_at_a_time(bench: Bench) -> None:
    descriptor = mode.BlockDescriptor(block_length=SIZE)
    assert code(bench.execute(mode.mode_select(mode.Answer(descriptor=descriptor)))) == "good"
    one, two = octets("0a 01 00 00 01 00"), octets("0a 01 00 00 02 00")
    assert begun(bench, two, 2 * SIZE) is None
    assert begun(bench, one, 2 * SIZE) is None
    put(begun(bench, one), 7)
    rewind(bench)
    assert begun(bench, octets("08 03 00 00 01 00")) is None
    assert [got(begun(bench, octets("08 01 00 00 01 00")))] == [data(0)]


# --- where they do not begin -------------------------------------------------------------------------------------


def attention(bench: Bench) -> None:
    bench.drive.nexuses.get("host").tell(Attention.MODE_CHANGED)


def deferred(bench: Bench) -> None:
    bench.drive.nexuses.get("host").deferred = Sense(SenseKey.MEDIUM_ERROR, 0x0C, 0x00, deferred=True)


def reserved(bench: Bench) -> None:
    other = bench.as_other()
    assert code(other.execute(reserve.reserve())) == "good"


def protected_blocks(bench: Bench) -> None:
    how = ProtectionMethod.REED_SOLOMON
    page = mode_page.ControlProtection(method=how, information_length=4, on_write=True, on_read=True)
    assert code(bench.execute(mode.mode_select(mode.Answer(pages=(mode.raw(page),))))) == "good"


def append_only(bench: Bench) -> None:
    page = mode.raw(DeviceConfigurationExtension(short_erase_mode=2, write_mode=WriteMode.APPEND_ONLY))
    assert code(bench.execute(mode.mode_select(mode.Answer(pages=(page,))))) == "good"


def locked(bench: Bench) -> None:
    assert code(bench.execute(parameters(bench, ENCRYPT, DECRYPT, lock=True))) == "good"
    assert code(bench.as_other().execute(parameters(bench, ENCRYPT, DECRYPT))) == "good"
    bench.settle()


def unloaded(bench: Bench) -> None:
    assert code(bench.execute(media.unload())) == "good"


def torn(bench: Bench) -> None:
    bench.drive.tape.log.torn = True


def before_the_end(bench: Bench) -> None:
    bench.drive.tape.position -= 1


def keyless(bench: Bench) -> None:
    off(bench)


def another_key(bench: Bench) -> None:
    install(bench, ENCRYPT, DECRYPT, key=OTHER_KEY)


def raw(bench: Bench) -> None:
    install(bench, ENCRYPT, RAW)


def demanding(bench: Bench) -> None:
    off(bench)
    assert write(bench, data(0)) == "good"
    answer = bench.execute(
        mode.mode_sense(mode_page.ModePage.DEVICE_CONFIGURATION, mode_page.EXTENSION, descriptor=False)
    )
    image = bytearray(mode.decode_answer_10(answer.data_in).pages[0].image)
    image[8] = 0x04
    select(bench, bytes(image))


def compressing(bench: Bench) -> None:
    bench.drive.modes.power_on()
    install(bench, ENCRYPT, DECRYPT)
    assert write(bench, data(0)) == "good"


def nothing(bench: Bench) -> None:
    pass


OF_WRITING = [attention, deferred, reserved, protected_blocks, append_only, locked, unloaded, torn, before_the_end]
OF_WRITING += [another_key, demanding, compressing]
OF_READING = [attention, deferred, reserved, protected_blocks, locked, unloaded, keyless, another_key, raw]


def state(bench: Bench) -> object:
    drive, nexus = bench.drive, bench.drive.nexuses.get("host")
    told = set(nexus.pending), nexus.deferred, frozenset(drive.nexuses.alerts)
    reference = drive.require_cartridge().memory.account.reference if drive.mounted else None
    return told, drive.tries.wrong, drive.permission, drive.place, drive.looked_ahead, reference


@pytest.mark.parametrize("prepare", OF_WRITING, ids=lambda prepare: prepare.__name__)
def test_writing_does_not_begin(bench: Bench, prepare: Callable[[Bench], None]) -> None:
    assert begun(bench) is not None
    prepare(bench)
    before = state(bench)
    assert begun(bench) is None
    assert state(bench) == before


@pytest.mark.parametrize("prepare", OF_READING, ids=lambda prepare: prepare.__name__)
def test_reading_does_not_begin(bench: Bench, prepare: Callable[[Bench], None]) -> None:
    rewind(bench)
    stream = begun(bench, READ)
    assert stream is not None
    stream.end()
    prepare(bench)
    if prepare is not unloaded:
        bench.drive.tape.rewind()
    before = state(bench)
    stream = begun(bench, READ)
    assert stream is None or not stream.take()
    assert state(bench) == before


@pytest.mark.parametrize(
    ("cdb", "size"),
    [
        (WRITE, SIZE - 1),
        (WRITE, 0),
        (octets("0a 00 00 00 00 00"), 0),
        (octets("0a 01 00 00 01 00"), SIZE),
        (octets("13 00 00 10 00 00"), SIZE),
        (READY, 0),
        (octets("0a 00 ff ff ff 00"), 0xFF_FFFF),
    ],
)
def test_other_commands_have_none(bench: Bench, cdb: bytes, size: int) -> None:
    assert begun(bench, cdb, size) is None


def test_stranger_has_none_and_is_not_made_known(bench: Bench) -> None:
    assert drive_stream.begin(bench.drive, "stranger", WRITE, SIZE) is None
    assert bench.drive.nexuses.find("stranger") is None


def test_volume_change_reference_that_somebody_has_seen_changes_with_the_first_block(bench: Bench) -> None:
    inside = bench.drive.require_cartridge()

    def reference() -> int:
        return inside.memory.account.reference

    inside.attributes()
    before = reference()
    stream = begun(bench)
    assert reference() == before
    put(stream, 3)
    changed = reference()
    assert changed != before
    put(stream, 4)
    assert reference() == changed


def test_what_the_drive_knows_of_the_next_block_is_as_without(bench: Bench) -> None:
    """Page 0021h tells of the next block only once a read has been there."""
    rewind(bench)
    stream = begun(bench, READ)
    before = bench.drive.looked_ahead
    assert got(stream) == data(0)
    assert (before, bench.drive.looked_ahead) == (False, True)
    assert code(bench.execute(media.space(media.SpaceCode.END_OF_DATA))) == "good"
    assert code(read(bench)) == "8/00/05"
    stream, before = begun(bench), bench.drive.looked_ahead
    put(stream, 3)
    assert (before, bench.drive.looked_ahead) == (True, False)


def test_block_that_opens_forgives_wrong_keys(bench: Bench) -> None:
    rewind(bench)
    bench.drive.tries.wrong = 2
    stream = begun(bench, READ)
    assert bench.drive.tries.wrong == 2
    assert got(stream) == data(0)
    assert bench.drive.tries.wrong == 0


def test_long_blocks_have_none(bench: Bench) -> None:
    long = bytes(drive_stream.LONGEST + 4)
    cdb = bytes([0x0A, 0]) + len(long).to_bytes(3, "big") + bytes(1)
    assert bench.execute(Command(cdb, long)).status == 0
    assert begun(bench, cdb, len(long)) is None
    assert begun(bench, octets("0a 00 10 00 00 00"), 1 << 20) is not None


def test_oracle_blocks_are_judged_one_by_one(tmp_path: Path) -> None:
    bench = powered(tmp_path, "oracle-t10000c")
    install(bench, ENCRYPT, DECRYPT)
    assert write(bench, data(0)) == "good"
    rewind(bench)
    assert begun(bench, READ) is None


# --- where they stop by themselves -------------------------------------------------------------------------------


def test_last_block_before_early_warning_goes_the_ordinary_way(tmp_path: Path) -> None:
    told = []
    for streams in (False, True):
        (tmp_path / str(streams)).mkdir()
        bench = powered(tmp_path / str(streams), empty=True)
        bench.insert(made(tmp_path / str(streams), "lto6", "SMALL", capacity=200_000, margin=50_000))
        bench.settle()
        select(bench, COMPRESSION_OFF)
        install(bench, ENCRYPT, DECRYPT)
        assert write(bench, data(0)) == "good"
        stream = begun(bench) if streams else None
        passed = 0
        while stream is not None and passed < 50 and stream.take():
            stream.follow()
            passed += 1
        assert not streams or 20 < passed < 50
        while (answer := write(bench, data(1))) != "D/00/02":
            told.append((bench.drive.tape.position, answer))
    half = next(at for at, (position, _) in enumerate(told) if at and position < told[at - 1][0])
    assert [each for each in told[:half] if each[1] != "good"] == [each for each in told[half:] if each[1] != "good"]


def damage(bench: Bench, number: int, at: int) -> None:
    log = bench.drive.tape.log
    offset = log.index.offsets[number] + at
    byte = os.pread(log.fd, 1, offset)
    os.pwrite(log.fd, bytes([byte[0] ^ 1]), offset)


@pytest.mark.parametrize("at", [10, 80, 125, 128 + 100, 128 + SIZE + 3], ids=["magic", "IV", "sum", "block", "tag"])
def test_damaged_block_is_told_and_only_that(bench: Bench, at: int) -> None:
    for number in range(3, 8):
        assert write(bench, data(number)) == "good"
    damage(bench, 4, at)
    rewind(bench)
    stream = begun(bench, READ)
    assert [got(stream) for _ in range(4)] == [data(number) for number in range(4)]
    assert stream is not None
    assert not stream.take()
    stream.end()
    assert bench.drive.tape.position == 4
    assert code(read(bench)) == "3/11/00"
    assert bench.drive.tries.wrong == 0


def test_block_under_another_key_is_told_and_counted_once(bench: Bench) -> None:
    install(bench, ENCRYPT, DECRYPT, key=OTHER_KEY)
    assert write(bench, data(3)) == "good"
    install(bench, ENCRYPT, DECRYPT, key=KEY)
    rewind(bench)
    stream = begun(bench, READ)
    assert isinstance(stream, Reading)
    assert [got(stream) for _ in range(3)] == [data(number) for number in range(3)]
    assert not stream.take()
    assert bytes(stream.data) == bytes(SIZE)
    stream.end()
    assert bench.drive.tries.wrong == 0
    assert code(read(bench)) == "7/74/03"
    assert bench.drive.tries.wrong == 1


def test_clear_block_among_encrypted_ones_ends_it(bench: Bench) -> None:
    off(bench)
    assert write(bench, data(3)) == "good"
    install(bench, ENCRYPT, DECRYPT)
    rewind(bench)
    stream = begun(bench, READ)
    assert [got(stream) for _ in range(3)] == [data(number) for number in range(3)]
    assert stream is not None
    assert not stream.take()
    stream.end()
    assert code(read(bench)) == "7/74/02"


# --- who else comes ----------------------------------------------------------------------------------------------

US, THEM = "us", "them"


@pytest.fixture
def shared(tmp_path: Path) -> Iterator[Machine]:
    machine.create(tmp_path / "drive", "ibm-lto6", serial="DRIVE00001")
    cartridge.create(tmp_path / "tape", "lto6", "ENC001L6", capacity=1 << 22, margin=1 << 19)
    with machine.open(tmp_path / "drive") as powered:
        powered.insert(tmp_path / "tape")
        for nexus in (US, THEM):
            while powered.execute(nexus, Command(READY)).status:
                pass
        page = mode.mode_select(mode.Answer(pages=(mode.RawPage(COMPRESSION_OFF),)))
        assert powered.execute(US, page).status == 0
        powered.execute(THEM, Command(READY))
        bench = Bench(powered.drive)
        assert powered.execute(US, parameters(bench, ENCRYPT, MIXED)).status == 0
        powered.execute(THEM, Command(READY))
        assert powered.execute(US, Command(WRITE, data(0))).status == 0
        yield powered


def streaming(shared: Machine, cdb: bytes = WRITE) -> Stream:
    stream = shared.stream(US, cdb, SIZE)
    assert stream is not None
    return stream


def test_whoever_comes_finds_what_was_answered_for(shared: Machine) -> None:
    stream = streaming(shared)
    put(stream, 1)
    stream.room[:] = data(2)
    assert stream.take()  # answered, and not stored yet

    assert shared.execute(THEM, Command(octets("34 00 00 00 00 00 00 00 00 00"), data_in_max=20)).data_in[7] == 3
    assert not stream.take()
    stream.follow()
    stream.end()
    assert shared.drive.tape.objects == 3
    for number in range(3):
        shared.execute(THEM, Command(REWIND)) if not number else None
        assert shared.execute(THEM, Command(READ, data_in_max=SIZE)).data_in == data(number)


def press(shared: Machine) -> None:
    shared.status()


COMERS: dict[str, Callable[[Machine], object]] = {
    "a command": lambda shared: shared.execute(THEM, Command(READY)),
    "a command of the same nexus": lambda shared: shared.execute(US, Command(READY)),
    "a stream of another nexus": lambda shared: shared.stream(THEM, WRITE, SIZE),
    "somebody who looks": press,
    "a reset": lambda shared: shared.reset(),
    "a knob": lambda shared: shared.set(log_sense_reports_attention=True),
    "a lost nexus": lambda shared: shared.nexus_lost(THEM),
    "the button": lambda shared: shared.eject(),
    "the robot": lambda shared: shared.hand_out(unloads=True),
    "a power cut": lambda shared: shared.power_cycle(orderly=False),
}


@pytest.mark.parametrize("who", COMERS)
@pytest.mark.parametrize("cdb", [WRITE, READ], ids=["writing", "reading"])
def test_whoever_comes_ends_it(shared: Machine, who: str, cdb: bytes) -> None:
    if cdb == READ:
        shared.execute(US, Command(REWIND))
    stream = streaming(shared, cdb)
    assert isinstance(stream, Writing | Reading)
    assert stream.cipher is not None
    COMERS[who](shared)
    assert not stream.take()
    assert stream.cipher is None


def test_key_that_goes_is_used_no_more(shared: Machine) -> None:
    stream = streaming(shared)
    put(stream, 1)
    bench = Bench(shared.drive)
    assert shared.execute(THEM, parameters(bench, EncryptionMode.DISABLE, DecryptionMode.DISABLE, key=None)).status == 0
    assert not stream.take()
    assert shared.stream(US, WRITE, SIZE) is None
    told = shared.execute(US, Command(WRITE, data(2)))
    assert (told.status, told.sense[2] & 0x0F, told.sense[12:14].hex()) == (2, SenseKey.UNIT_ATTENTION, "2a11")
    assert shared.execute(US, Command(WRITE, data(2))).status == 0
    last = shared.drive.tape.log.read_header(2).block
    assert last is not None
    assert last.seal is None


def test_block_whose_key_has_gone_is_never_stored_in_clear(shared: Machine) -> None:
    """It cannot be: who takes the key stores the block first. If it were so, the block is lost, and that is told."""
    stream = streaming(shared)
    assert isinstance(stream, Writing)
    stream.room[:] = data(1)
    assert stream.take()
    stream.cipher = None
    with pytest.raises(ValueError, match="its key has gone"):
        stream.follow()
    told = shared.execute(US, Command(WRITE, data(2)))
    assert (told.status, told.sense[0], told.sense[2] & 0x0F) == (2, 0x71, SenseKey.MEDIUM_ERROR)
    assert shared.drive.tape.objects == 1
    files = [path.read_bytes() for path in shared.drive.require_cartridge().directory.iterdir() if path.is_file()]
    assert not any(data(1)[:64] in file for file in files)


def test_set_of_its_own_governs_its_own_stream(shared: Machine) -> None:
    bench = Bench(shared.drive)
    off_here = parameters(bench, EncryptionMode.DISABLE, DecryptionMode.DISABLE, key=None, scope=Scope.LOCAL)
    assert shared.execute(THEM, off_here).status == 0
    assert shared.execute(THEM, Command(WRITE, data(1))).status == 0
    clear = shared.stream(THEM, WRITE, SIZE)
    put(clear, 2)
    assert shared.execute(US, Command(WRITE, data(3))).status == 0
    put(streaming(shared), 4)
    shared.execute(US, Command(READY))
    blocks = [shared.drive.tape.log.read_header(number).block for number in range(5)]
    assert [block is not None and block.seal is not None for block in blocks] == [True, False, False, True, True]


def test_who_waits_with_a_command_lets_no_stream_survive(shared: Machine) -> None:
    """A LOAD that is waited for lets others in; what they began is over before it goes on."""
    found: list[Stream] = []

    def waits(_: float) -> None:
        thread = threading.Thread(target=lambda: found.append(streaming(shared)))
        thread.start()
        thread.join(10)

    shared._off.wait = waits  # type: ignore[assignment,method-assign]
    with shared._turn:
        shared._pause(shared.clock() + 1)
    assert len(found) == 1
    assert not found[0].take()


def test_mistake_of_ours_in_a_stream_ends_it_all_the_same(shared: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    stream = streaming(shared)
    assert isinstance(stream, Writing)
    assert stream.take()
    with monkeypatch.context() as patch:
        patch.setattr(Tape, "write_like", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            stream.end()
    assert stream.cipher is None
    assert not stream.take()
    told = shared.execute(US, Command(WRITE, data(2)))
    assert (told.status, told.sense[0]) == (2, 0x71)


# --- a failing disk ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("orderly", [True, False], ids=["told by a stream", "told by another"])
def test_block_that_the_disk_refuses_is_told_by_the_next_command(
    shared: Machine, monkeypatch: pytest.MonkeyPatch, orderly: bool
) -> None:
    stream = streaming(shared)
    put(stream, 1)
    broken = threading.Event()
    shipped = os.pwritev

    def pwritev(fd: int, parts: list[bytes], offset: int) -> int:
        if not broken.is_set():
            broken.set()
            return shipped(fd, [bytes(parts[0])[:100]], offset)
        return shipped(fd, parts, offset)

    def pwrite(fd: int, part: bytes, offset: int) -> int:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "pwritev", pwritev)
        patch.setattr(os, "pwrite", pwrite)
        stream.room[:] = data(2)
        assert stream.take()
        if orderly:
            stream.follow()
            assert not stream.take()
        else:
            shared.execute(THEM, Command(READY))
    assert broken.is_set()
    told = shared.execute(US, Command(WRITE, data(2)))
    assert (told.status, told.sense[0], told.sense[2] & 0x0F) == (2, 0x71, SenseKey.MEDIUM_ERROR)
    assert shared.drive.tape.objects == 2
    assert shared.execute(US, Command(WRITE, data(3))).status == 0
    put(streaming(shared), 4)
    shared.execute(US, Command(REWIND))
    found = [shared.execute(US, Command(READ, data_in_max=SIZE)).data_in for _ in range(4)]
    assert found == [data(number) for number in (0, 1, 3, 4)]


def test_page_of_the_log_that_cannot_be_read_is_left_to_the_ordinary_way(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    rewind(bench)
    stream = begun(bench, READ)
    assert got(stream) == data(0)

    def preadv(*_: object) -> int:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(os, "preadv", preadv)
        assert got(stream) == data(1)
    assert stream is not None
    assert not stream.take()
    stream.end()
    assert read(bench, SIZE).data_in == data(2)
