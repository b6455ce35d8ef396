"""The log after bad ends: killed, power lost, cut short. What was acknowledged is there; nothing else is but whole
objects that were written."""

import os
import shutil
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest
from crc32c import crc32c

from tapekey.errors import Malformed, MediumDamaged
from tapekey.target.medium import Tape
from tapekey.target.medium_header import PAGE
from tapekey.target.medium_log import Log
from tests.target.power import Disk, PowerLost
from tests.target.tapes import MARK, Object, contents, held, made, put, put_sealed, recorded

SOAK = bool(os.environ.get("TAPEKEY_SOAK"))
KILLS = 2000 if SOAK else 40
LOSSES = 5000 if SOAK else 150
LOG = "partition-0.log"


def steps(seed: int) -> Iterator[tuple[int | None, Object | None]]:
    """An endless job: (None, None) is a sync; else where to write (None: here) and what."""
    random, serial = Random(seed), 0
    while True:
        for _ in range(random.randint(1, 4)):
            serial += 1
            where = random.randint(0, 8) if random.random() < 0.2 else None
            what = MARK if random.random() < 0.3 else serial.to_bytes(4, "big") * random.randint(1, 700)
            yield where, what
        yield None, None


def run(tape: Tape, seed: int, synced: "list[int] | None" = None, pipe: int = -1) -> None:
    """Do the job on a tape, telling after each sync how many steps were done."""
    for number, (where, what) in enumerate(steps(seed)):
        if where is not None:
            tape.locate(where)
        if isinstance(what, bytes) and len(what) % 8:
            put_sealed(tape, what)
        elif what is not None:
            put(tape, what)
        else:
            tape.sync()
            if synced is not None:
                synced.append(number)
            if pipe >= 0:
                os.write(pipe, number.to_bytes(8, "big"))


def states(seed: int, first: int, last: int) -> list[list[Object]]:
    """What the tape may hold after any of these steps, and between cutting and writing within one."""
    model: list[Object] = []
    found, at = [], 0
    for number, (where, what) in enumerate(steps(seed)):
        if number > last:
            break
        if where is not None:
            at = min(where, len(model))
        if what is not None:
            del model[at:]
            if number > first:
                found.append(list(model))
            model.append(what)
            at += 1
        if number >= first:
            found.append(list(model))
    return found


def test_killed_at_any_instant_the_acknowledged_is_there_and_nothing_torn(tmp_path: Path) -> None:
    random = Random(20)
    for seed in range(KILLS):
        place = made(tmp_path / str(seed))
        reader, writer = os.pipe()
        child = os.fork()
        if not child:
            try:
                run(held(place).tape, seed, pipe=writer)
            finally:
                os._exit(1)
        os.close(writer)
        time.sleep(random.uniform(0.002, 0.04))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        told = os.read(reader, 1 << 20)
        os.close(reader)

        acknowledged = int.from_bytes(told[-8:], "big") if told else 0
        assert recorded(place) in [[], *states(seed, acknowledged, acknowledged + 8)][bool(told) :]
        shutil.rmtree(place.parent)
    print(f"killed {KILLS} times")


def test_after_a_loss_of_power_the_tape_is_one_that_was_since_the_last_sync(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    blank = made(tmp_path)
    for seed in range(LOSSES):
        random = Random(seed)
        place = tmp_path / f"lost{seed}"
        shutil.copytree(blank, place)
        synced = [-1]
        taken = held(place)
        with monkeypatch.context() as patch:
            disk = Disk((place / LOG).read_bytes(), random.randint(0, 60), random)
            disk.install(patch)
            with pytest.raises(PowerLost):
                run(taken.tape, seed, synced)
        taken.close()
        (place / LOG).write_bytes(disk.rest())

        found = recorded(place)
        assert found in [*([[]] if synced[-1] < 0 else []), *states(seed, synced[-1], synced[-1] + 6)], seed
        with held(place) as again:
            again.tape.space_to_end()
            put(again.tape, b"goes on")
            again.unload()
        assert recorded(place) == [*found, b"goes on"]
        shutil.rmtree(place)
    print(f"power lost {LOSSES} times")


def test_cut_before_the_last_was_synced_never_brings_back_the_tape_below(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    blank = made(tmp_path)
    with held(blank) as taken:
        put(taken.tape, MARK)
        put(taken.tape, b"old" * 500)
        taken.unload()
    new: list[Object] = [b"new" * 900, MARK, b"more" * 300]
    lost = 0
    for calls, seed in ((calls, seed) for calls in range(4, 14) for seed in range(12)):
        place = tmp_path / f"{calls}-{seed}"
        shutil.copytree(blank, place)
        taken = held(place)
        with monkeypatch.context() as patch:
            disk = Disk((place / LOG).read_bytes(), calls, Random(seed))
            disk.install(patch)
            try:
                for at, item in enumerate(new):
                    put(taken.tape, item)
                    if not at:  # what follows is written twice, the second time over the first
                        put(taken.tape, b"never synced")
                        taken.tape.locate(1)
                taken.tape.sync()
            except PowerLost:
                lost += 1
        taken.close()
        (place / LOG).write_bytes(disk.rest())
        found = recorded(place)
        assert found in ([], new[:1], [new[0], b"never synced"], new[:2], new), (calls, seed)
        shutil.rmtree(place)
    print(f"power lost {lost} times")


def _three(tmp_path: Path) -> tuple[Path, int, int]:
    """A cartridge with three objects; where the record of the last starts and ends."""
    place = made(tmp_path)
    with held(place) as taken:
        put(taken.tape, b"one")
        put(taken.tape, MARK)
        taken.tape.sync()
        put_sealed(taken.tape, b"three" * 20, authenticated=b"A" * 12)
        return place, taken.tape.log.offset(2), taken.tape.log.end


def test_cut_short_at_any_byte_of_the_last_record_the_rest_stands(tmp_path: Path) -> None:
    place, start, end = _three(tmp_path)
    image = (place / LOG).read_bytes()
    for size in range(start, end):
        (place / LOG).write_bytes(image[:size])
        assert recorded(place) == [b"one", MARK]


@pytest.mark.parametrize("size", [1, 60, 128, 150, 200])
def test_appending_after_a_torn_end_leaves_no_trace_of_it(tmp_path: Path, size: int) -> None:
    place, start, _ = _three(tmp_path)
    os.truncate(place / LOG, start + size)
    with held(place) as taken:
        taken.tape.space_to_end()
        put(taken.tape, b"new")
        taken.unload()

    assert recorded(place) == [b"one", MARK, b"new"]


def test_garbage_behind_the_end_is_no_data(tmp_path: Path) -> None:
    place, start, end = _three(tmp_path)
    with (place / LOG).open("ab") as log:
        log.write((place / LOG).read_bytes()[start:end])
        log.write(b"tkrecord" * 1000)

    assert recorded(place) == [b"one", MARK, b"three" * 20]


def test_opening_changes_nothing_on_disk(tmp_path: Path) -> None:
    place, start, _ = _three(tmp_path)
    os.truncate(place / LOG, start + 140)
    before = (place / LOG).read_bytes()
    with held(place) as taken:
        contents(taken.tape)
        taken.unload()

    assert (place / LOG).read_bytes() == before


def test_a_full_disk_takes_the_whole_block_or_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = made(tmp_path)
    real = os.pwritev

    def part(fd: int, parts: list[bytes], offset: int) -> int:
        return real(fd, [b"".join(parts)[:200]], offset)

    def none(*_: object) -> int:
        raise OSError(28, "No space left on device")

    with held(place) as taken:
        put(taken.tape, b"one")
        with monkeypatch.context() as patch:
            patch.setattr(os, "pwritev", part)
            patch.setattr(os, "pwrite", none)
            with pytest.raises(OSError, match="No space"):
                put(taken.tape, b"x" * 1000)
        put(taken.tape, b"two")
        taken.unload()

    assert recorded(place) == [b"one", b"two"]


def test_a_write_that_the_system_splits_is_finished(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = made(tmp_path)
    real = os.pwritev
    monkeypatch.setattr(os, "pwritev", lambda fd, parts, at: real(fd, [b"".join(parts)[:150]], at))
    with held(place) as taken:
        put(taken.tape, b"x" * 1000)
        assert contents(taken.tape) == [b"x" * 1000]


def test_a_log_of_an_unknown_version_is_refused(tmp_path: Path) -> None:
    place, *_ = _three(tmp_path)
    image = bytearray((place / LOG).read_bytes())
    for copy in (0, PAGE):
        image[copy + 17] = 3
        image[copy + 124 : copy + 128] = crc32c(image[copy : copy + 124]).to_bytes(4, "big")
    (place / LOG).write_bytes(image)

    with pytest.raises(Malformed, match="version 3"):
        Log.open(place / LOG, writable=False)


def test_a_missing_log_is_a_medium_that_does_not_thread(tmp_path: Path) -> None:
    place, *_ = _three(tmp_path)
    (place / LOG).unlink()
    with pytest.raises(MediumDamaged):
        held(place)
