"""What a drive does when it has answered: nobody finds it undone, and a failing disk is told by the next command."""

import os
import random
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tapekey.exchange import Command
from tapekey.scsi import media
from tapekey.scsi.sense import SenseKey
from tapekey.target import cartridge
from tapekey.target import machine as machines
from tapekey.target.machine import Machine
from tapekey.target.owed import Owed
from tapekey.target.unit import Answer
from tests.octets import octets
from tests.target import portals
from tests.target.peer import Peer

US, THEM = "us", "them"
SIZE = 8192
WRITE, READ = octets("0a 00 00 20 00 00"), octets("08 00 00 20 00 00")
FILEMARK, REWIND, READY, POSITION = (
    octets("10 00 00 00 01 00"),
    octets("01 00 00 00 00 00"),
    bytes(6),
    octets("34 00 00 00 00 00 00 00 00 00"),
)
DEFERRED = octets("71 00 03")


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    machines.create(tmp_path / "drive", "ibm-lto6", serial="DRIVE00001")
    cartridge.create(tmp_path / "tape", "lto6", "ENC001L6", capacity=1 << 20, margin=1 << 19)
    with machines.open(tmp_path / "drive") as powered:
        powered.insert(tmp_path / "tape")
        for nexus in (US, THEM):
            while powered.serve(nexus, Command(READY)).status:
                pass
        yield powered


def block(number: int) -> bytearray:
    return bytearray(random.Random(number).randbytes(SIZE))  # which does not shrink


def write(machine: Machine, data: bytearray, nexus: str = US) -> Answer:
    return machine.serve(nexus, Command(WRITE, data, buffered=True))


def ask(machine: Machine, cdb: bytes, nexus: str = US, room: int = 0) -> Answer:
    return machine.serve(nexus, Command(cdb, data_in_max=room))


def begun(machine: Machine) -> None:
    """The first block under new conditions is stored before it is answered."""
    assert write(machine, block(0)).after is None


def objects(machine: Machine) -> int:
    """What is on the tape, without touching the drive."""
    assert machine._drive is not None
    return machine._drive.tape.objects


def test_block_is_answered_and_then_stored(machine: Machine) -> None:
    begun(machine)
    answer = write(machine, block(1))
    assert (answer.status, answer.taken, objects(machine)) == (0, SIZE, 1)
    assert answer.after is not None
    answer.after()
    answer.after()
    assert objects(machine) == 2


def test_command_that_is_not_buffered_is_done_when_it_is_answered(machine: Machine) -> None:
    begun(machine)
    assert machine.serve(US, Command(WRITE, block(1))).after is None
    assert objects(machine) == 2


@pytest.mark.parametrize("nexus", [US, THEM])
@pytest.mark.parametrize("cdb", [FILEMARK, REWIND, POSITION, READY], ids=["filemark", "rewind", "position", "ready"])
def test_every_command_finds_the_block_stored(machine: Machine, nexus: str, cdb: bytes) -> None:
    begun(machine)
    write(machine, block(1))
    assert ask(machine, cdb, nexus, room=20).status == 0
    assert objects(machine) >= 2


def test_position_counts_what_was_answered(machine: Machine) -> None:
    begun(machine)
    write(machine, block(1))
    assert bytes(ask(machine, POSITION, room=20).data)[4:8] == (2).to_bytes(4, "big")


@pytest.mark.parametrize("orderly", [True, False])
def test_panel_and_power_find_it_stored(machine: Machine, orderly: bool) -> None:
    begun(machine)
    write(machine, block(1))
    machine.power_cycle(orderly=orderly)
    assert objects(machine) == 2


def test_what_was_written_reads_back_whoever_stored_it(machine: Machine) -> None:
    for number in range(40):
        answer = write(machine, block(number))
        if answer.after is not None and number % 3:
            answer.after()
    ask(machine, REWIND)
    for number in range(40):
        into = memoryview(bytearray(SIZE))
        answer = machine.serve(US, Command(READ, data_in_max=SIZE, into=into, buffered=True))
        assert bytes(answer.data) == bytes(block(number))
        if answer.after is not None and number % 3:
            answer.after()


def failing(*_: object) -> int:
    raise OSError(28, "No space left on device")


def test_failing_disk_is_a_deferred_error_of_the_next_command_which_is_not_carried_out(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun(machine)
    answer = write(machine, block(1))
    with monkeypatch.context() as broken:
        broken.setattr(os, "pwritev", failing)
        assert answer.after is not None
        answer.after()
    told = ask(machine, FILEMARK)
    assert told.status == 2
    assert told.sense[:3] == DEFERRED
    assert told.sense[12:14] == octets("0c 00")
    assert objects(machine) == 1
    assert ask(machine, FILEMARK).status == 0


def test_only_who_wrote_hears_of_it_and_not_by_inquiry(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    begun(machine)
    answer = write(machine, block(1))
    with monkeypatch.context() as broken:
        broken.setattr(os, "pwritev", failing)
        assert answer.after is not None
        answer.after()
    assert ask(machine, READY, THEM).status == 0
    assert ask(machine, octets("12 00 00 00 24 00"), room=36).status == 0
    assert ask(machine, READY).sense[:3] == DEFERRED


def test_near_the_end_every_write_waits_for_what_it_has_to_tell(machine: Machine) -> None:
    begun(machine)
    told = []
    for number in range(80):
        answer = write(machine, block(number))
        if answer.after is not None:
            answer.after()
        told.append((answer.status, answer.after is not None))
    early = next(at for at, (status, _) in enumerate(told) if status)
    assert told[early - 1] == (0, False)
    assert (0, True) in told[:early]
    assert all(status and not later for status, later in told[early:])
    assert (1 << 19) - 3 * SIZE < early * SIZE < 1 << 19


def test_overwriting_waits(machine: Machine) -> None:
    begun(machine)
    write(machine, block(1))
    ask(machine, REWIND)
    assert write(machine, block(2)).after is None
    assert objects(machine) == 1


def test_next_block_is_read_ahead_and_given_without_the_disk(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(3):
        machine.serve(US, Command(WRITE, block(number)))
    ask(machine, REWIND)
    first = machine.serve(US, Command(READ, data_in_max=SIZE, buffered=True))
    assert first.after is not None
    first.after()
    with monkeypatch.context() as broken:
        broken.setattr(os, "preadv", failing)
        broken.setattr(os, "pread", failing)
        assert bytes(machine.serve(US, Command(READ, data_in_max=SIZE)).data) == bytes(block(1))
        assert machine.serve(US, Command(READ, data_in_max=SIZE)).status == 2
    assert bytes(machine.serve(US, Command(READ, data_in_max=SIZE)).data) == bytes(block(2))


def test_what_was_read_ahead_is_forgotten_when_it_is_overwritten(machine: Machine) -> None:
    for number in range(3):
        machine.serve(US, Command(WRITE, block(number)))
    ask(machine, REWIND)
    machine.serve(US, Command(READ, data_in_max=SIZE, buffered=True))
    write(machine, block(9), THEM)
    ask(machine, media.locate(1).cdb)
    assert bytes(machine.serve(US, Command(READ, data_in_max=SIZE)).data) == bytes(block(9))


def test_damage_found_ahead_is_told_by_the_read_that_meets_it(machine: Machine) -> None:
    for number in range(2):
        machine.serve(US, Command(WRITE, block(number)))
    ask(machine, REWIND)
    first = machine.serve(US, Command(READ, data_in_max=SIZE, buffered=True))
    assert machine._drive is not None
    log = machine._drive.tape.log
    os.pwrite(log.fd, b"\xff", log.offset(1) + 4000)
    assert first.after is not None
    first.after()
    told = machine.serve(US, Command(READ, data_in_max=SIZE))
    assert (told.status, told.sense[2] & 0x0F) == (2, SenseKey.MEDIUM_ERROR)


@dataclass
class Watched:
    """A unit that remembers which of its answers left something to do."""

    unit: Machine
    later: list[bool] = field(default_factory=list)

    def serve(self, nexus: str, command: Command) -> Answer:
        answer = self.unit.serve(nexus, command)
        self.later.append(answer.after is not None)
        return answer

    def stream(self, nexus: str, cdb: bytes, size: int) -> None:
        return None

    def reset(self) -> None:
        self.unit.reset()

    def nexus_lost(self, nexus: str) -> None:
        self.unit.nexus_lost(nexus)


def test_block_after_block_over_a_socket_is_stored_as_it_came(tmp_path: Path) -> None:
    """Each lies in the session's memory until it is stored, and the next one follows without being waited for."""
    with portals.drive(tmp_path) as powered:
        watched = Watched(powered)
        with portals.listening(watched) as address, Peer.login(address) as peer:
            while peer.command(0, READY).status:
                pass
            tags = [peer.send_command(0, WRITE, bytes(block(number))) for number in range(20)]
            assert [peer.answer(tag).status for tag in tags] == [0] * 20
            assert watched.later.count(True) == 19
            peer.command(0, REWIND)
            for number in range(20):
                assert peer.command(0, READ, room=SIZE).data == bytes(block(number))


def test_owed_work_is_done_once_and_waited_for() -> None:
    owed, go, done = Owed(), threading.Event(), []

    def slowly() -> None:
        assert go.wait(10)
        done.append(1)

    owed.leave(slowly)
    with pytest.raises(ValueError, match="not been done"):
        owed.leave(slowly)
    workers = [threading.Thread(target=owed.settle) for _ in range(3)]
    for each in workers:
        each.start()
    assert not done
    go.set()
    for each in workers:
        each.join(10)
    assert done == [1]
    assert not owed.standing


def test_mistake_of_ours_is_told_to_the_host_too(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    begun(machine)
    answer = write(machine, block(1))
    with monkeypatch.context() as broken:
        broken.setattr(os, "pwritev", lambda *_: 1 // 0)
        assert answer.after is not None
        with pytest.raises(ZeroDivisionError):
            answer.after()
    assert ask(machine, FILEMARK).sense[:3] == DEFERRED
