"""However an agent ends, and whatever it was doing: jobs go on, nothing is written in clear, and the next one goes on.

Eight drives under one agent: four with jobs that it makes ready, two that stay empty, one that is hands-off and one
under observe. Each end of the agent is counted once, whatever the number of mounts that live through it.
"""

import os
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import pytest

from tests import told
from tests.crash import agent_birth, tally
from tests.crash.agent_birth import Births
from tests.crash.agent_stops import Stops
from tests.crash.agent_story import Story
from tests.crash.agent_yard import yard

SOAK: Final = bool(os.environ.get(tally.SOAK))
CHUNKS: Final = 2 if SOAK else 1  # for as many processors
TURNS: Final = 7 if SOAK else 1
KEYING, BUSY, READING = (3, 6, 2) if SOAK else (2, 4, 2)  # ends of the agent to each save, and to each restore
AT_LEAST: Final = 300 if SOAK else 15
NEWER: Final = "9.9.9"

Note = Callable[[str, object], None]


@pytest.fixture(scope="module")
def installations(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Births]]:
    newer = agent_birth.installed(tmp_path_factory.mktemp("newer"), NEWER)
    with agent_birth.births() as here, agent_birth.births(newer) as there:
        assert there.version == NEWER != here.version
        yield [here, there]


@pytest.mark.long
@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_jobs_outlive_every_agent(
    chunk: int, installations: list[Births], tmp_path: Path, record_property: Note
) -> None:
    chance = random.Random(f"agents {chunk}")
    with yard(tmp_path, list(installations)) as made:
        stops = Stops(made, chance)
        story = Story(made, stops, chance, KEYING, BUSY, READING)
        story.begin()
        for _ in range(TURNS):
            story.turn()
        story.end()
    assert stops.kinds.total() >= AT_LEAST / CHUNKS
    kinds = ", ".join(f"{kind.value} {count}" for kind, count in stops.kinds.most_common())
    phases = ", ".join(f"{phase} {count}" for phase, count in sorted(stops.phases.items()))
    notes = ", ".join(f"{name} {count}" for name, count in sorted(story.notes.items()))
    record_property(
        told.PROPERTY,
        f"ends of the agent: {stops.kinds.total()} ({kinds}; while: {phases}); mounts in use that lived through one or "
        f"more: {len(stops.mounts)}, {stops.lived.total()} times in all; {notes}",
    )
