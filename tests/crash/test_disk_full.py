"""A disk without room, in the middle of any command: the host is told, nothing raises, and what was promised stays."""

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tapekey.exchange import Command
from tapekey.target import library, medium_log, memory
from tapekey.target.library_front import Library
from tests.crash import library_story as story
from tests.crash.library_book import Step
from tests.model.outcome import Outcome, seen

SLOT = story.moved((0x1000, 0x0100))
BACK = story.moved((0x0100, 0x1000))
LOAD = Step("load", story.ONE, bytes([0x1B, 0, 0, 0, 1, 0]))
READ = Step("read", story.ONE, bytes.fromhex("08 02 00 10 00 00"))


@contextmanager
def full(patch: pytest.MonkeyPatch) -> Iterator[None]:
    """Whatever writes finds no room."""

    def no_room(*_: object, **__: object) -> Any:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    names = ("pwrite", "pwritev", "fdatasync", "fsync", "rename")
    system = SimpleNamespace(**{**vars(os), **dict.fromkeys(names, no_room)})
    with patch.context() as inner:
        inner.setattr(medium_log, "os", system)
        inner.setattr(memory, "os", system)
        yield


def ask(opened: Library, step: Step) -> Outcome:
    while True:
        answer = opened.rack.serve("host", step.lun, Command(step.cdb, step.out, 4096))
        outcome = seen(answer.status, bytes(answer.data), bytes(answer.sense))
        if not outcome.code.startswith("6/"):
            return outcome


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("full") / "library"
    story.template(place)
    return place


@pytest.fixture
def opened(template: Path, tmp_path: Path) -> Iterator[Library]:
    """A library with a cartridge in its first drive, and a block and a filemark on it."""
    shutil.copytree(template, tmp_path / "library")
    with library.open(tmp_path / "library") as found:
        for step in (
            SLOT,
            story.keyed(story.ONE, bytes(32)),
            story.written(story.ONE, b"kept"),
            story.marked(story.ONE),
        ):
            assert ask(found, step).code == ""
        yield found


def recorded(opened: Library) -> list[str | bytes]:
    assert ask(opened, story.keyed(story.ONE, bytes(32))).code == ""
    assert ask(opened, story.located(story.ONE, 0, 0)).code == ""
    found: list[str | bytes] = []
    while (outcome := ask(opened, READ)).code != "8/00/05":
        found.append(outcome.code or outcome.data)
    return found


COMMANDS = {
    "write": story.written(story.ONE, b"lost"),
    "filemark": story.marked(story.ONE),
    "unload": story.unloaded(story.ONE),
    "format": Step("format", story.ONE, bytes([0x04, 0, 1, 0, 0, 0])),
    "move": BACK,
    "exchange": story.moved((0x1001, 0x0100), (0x0100, 0x1003)),
    "move to the other drive": story.moved((0x0100, 0x0101)),
    "fill the other drive": story.moved((0x1001, 0x0101)),
}


@pytest.mark.parametrize("name", COMMANDS)
def test_full_disk_is_told_and_nothing_promised_is_lost(
    name: str, opened: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    if name == "format":
        ask(opened, story.located(story.ONE, 0, 0))
    with full(monkeypatch):
        told = ask(opened, story.written(story.ONE, b"lost")).code, ask(opened, COMMANDS[name]).code
    assert told[1] not in ("", "8/00/05"), told

    assert ask(opened, LOAD).code == ""
    assert recorded(opened)[:2] == [b"kept", "0/00/01"]
    assert ask(opened, story.located(story.ONE, 1, 0)).code == "5/24/00", "a partition more than there was"
    assert ask(opened, story.located(story.ONE, 0, -1)).code == ""
    assert ask(opened, story.written(story.ONE, b"and on")).code == ""
    assert ask(opened, BACK).code == ""
    assert ask(opened, SLOT).code == ""
    assert recorded(opened)[-1] == b"and on"


def test_cartridge_that_cannot_be_loaded_for_lack_of_room_loads_later(
    opened: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert ask(opened, story.unloaded(story.ONE)).code == ""
    with full(monkeypatch):
        told = [ask(opened, LOAD).code for _ in range(3)]
    assert "" not in told

    assert ask(opened, LOAD).code == ""
    assert ask(opened, story.located(story.ONE, 1, 0)).code == "5/24/00"
    assert recorded(opened) == [b"kept", "0/00/01"]
