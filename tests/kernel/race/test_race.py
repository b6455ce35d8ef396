"""The plan of the race, and what is made of its results: a clear block that is not seen here would never be told."""

import hashlib
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from tapekey.scsi import media
from tapekey.scsi.encryption import DecryptionMode, EncryptionMode
from tests.bench import powered
from tests.kernel.race import outcome, runs, verdict
from tests.kernel.race.outcome import Outcome
from tests.kernel.race.runs import Guard, Health, Round, Run, Way
from tests.target.initiator import install

PLANNED = list(runs.plan(1, 32, 12))
HELD = Outcome("6.1", 1, Run(0, Guard.DRIVE, 1.0, Way.ASKING, False), Health.DEAD, True, 4.0, "E00001L6", 24, 0, 24)


def test_every_guard_meets_every_state_of_the_agent_in_both_ways() -> None:
    met = {(run.guard, round.health, run.way) for round in PLANNED for run in round.runs}

    assert met == {(guard, health, way) for guard in Guard for health in Health for way in Way}


def test_starts_fill_the_whole_range_and_most_are_near_the_load_or_the_tapes_being_ready() -> None:
    starts = [(run.offset, round.load_time) for round in PLANNED for run in round.runs]
    near = [start for start, ready in starts if start < 3.0 or -2.0 <= start - ready <= 6.0]

    assert (min(starts)[0], max(starts)[0]) == (runs.EARLIEST, runs.LATEST)
    assert len(near) > 0.6 * len(starts)
    assert len({start // 10 for start, _ in starts}) == 8


def test_no_guard_has_less_than_an_eighth_of_the_runs() -> None:
    counts = Counter(run.guard for round in PLANNED for run in round.runs)

    assert min(counts.values()) >= sum(counts.values()) / 8


def test_while_the_agent_is_dead_only_guards_that_stand_without_it_are_loaded_again() -> None:
    dead = next(round for round in PLANNED if round.health is Health.DEAD)
    further = list(runs.streak(1, dead))

    assert len(further) == runs.FULL.streak
    assert {run.guard for round in further for run in round.runs} == {Guard.DRIVE, Guard.PARKED}


def test_round_comes_back_from_its_json() -> None:
    assert [Round.from_json(runs.as_json(round)) for round in PLANNED] == PLANNED


@pytest.mark.parametrize(("encrypted", "counts"), {False: (1, 0), True: (0, 1)}.items())
def test_verdict_tells_a_clear_block_from_an_encrypted_one(
    tmp_path: Path, encrypted: bool, counts: tuple[int, int]
) -> None:
    drive = powered(tmp_path)
    content = incompressible()
    if encrypted:
        install(drive, EncryptionMode.ENCRYPT, DecryptionMode.DECRYPT)
    drive.execute(media.write_block(content))
    cartridge = drive.drive.require_cartridge()
    drive.drive.take_out()

    found = verdict.judge(cartridge.directory, (content[64:128],))

    assert (found.clear, found.encrypted, found.seen) == (*counts, not encrypted)


def incompressible() -> bytes:
    """What the drive cannot compress."""
    return hashlib.shake_128(b"race").digest(4096)


BROKEN = {
    "a clear block under the drive's guard, agent dead": (replace(HELD, clear=1, alarms=("x",)), 1),
    "one through the gate of a living agent": (
        replace(HELD, run=replace(HELD.run, guard=Guard.GATE), health=Health.SLOW, clear=1, alarms=("x",)),
        1,
    ),
    "one through the gate of a dead agent, told": (
        replace(HELD, run=replace(HELD.run, guard=Guard.GATE), clear=1, alarms=("x",)),
        0,
    ),
    "a lost race that nobody was told of": (replace(HELD, run=replace(HELD.run, guard=Guard.WATCHED), clear=3), 1),
    "content in the files, and no block of it": (replace(HELD, seen=True), 3),
    "a key that nobody knows": (replace(HELD, strange=True), 1),
    "all well": (HELD, 0),
}


@pytest.mark.parametrize(("one", "count"), BROKEN.values(), ids=BROKEN)
def test_broken_promise_is_found(one: Outcome, count: int) -> None:
    assert len(outcome.broken([one])) == count


def test_table_has_a_row_for_each_guard_and_state() -> None:
    lost = replace(HELD, run=replace(HELD.run, guard=Guard.WATCHED), clear=3, alarms=("told",))

    assert outcome.table([HELD, HELD, lost])[2:] == [
        "| drive | dead | 2 | 2 | 0 | 0 | 0 | 0 | 0 |",
        "| watched | dead | 1 | 1 | 1 | 3 | 1 | 0 | 0 |",
    ]
