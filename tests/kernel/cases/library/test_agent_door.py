"""The agent's way in: `st` sees every change of cartridge, held or not, and nobody gets in while it is held."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tapekey.discovery.st_mode import StMode, st_mode
from tapekey.service import nodes
from tapekey.service.door import Presence
from tapekey.service.events import Cause
from tapekey.service.nodes import Nodes
from tapekey.service.tape_node import TapeNode
from tapekey.transport import sgio
from tests.kernel.cases import simulated, st_node
from tests.kernel.cases.library import bench
from tests.kernel.cases.library.bench import Bench, Recorder, tape
from tests.kernel.cases.st_node import Place

CHANGES, LOADS, LOOKS = 5, 10, 1000
FRESH, DEEP = Place(0, 0, "BOT"), Place(2, 0, "EOF")
SLOWLY = "load_time=1.5"  # of the virtual drive: it says 2/04/01 so long

# Opens the node as fast as it can until it is told to stop, and says how often it was tried and got in.
HAMMER = """
import os, sys, threading
node, stop = sys.argv[1], threading.Event()
threading.Thread(target=lambda: (sys.stdin.read(1), stop.set()), daemon=True).start()
tried = entered = 0
print("begun", flush=True)
while not stop.is_set():
    tried += 1
    try:
        handle = os.open(node, os.O_RDWR | os.O_NONBLOCK)
    except OSError:
        continue
    entered += 1
    os.close(handle)
print(tried, entered, flush=True)
"""


@pytest.fixture(scope="module", autouse=True)
def _two_files(library: Bench) -> None:
    for slot in (14, 15):
        with library.loaded(slot) as drive:
            bench.save(drive)
            with st_node.opened(tape(drive)) as written:
                written.do("weof 2")


@pytest.fixture
def watched() -> Iterator[Nodes]:
    with nodes.follow() as found:
        yield found


def door(library: Bench, watched: Nodes) -> TapeNode:
    node = library.drives[0]
    return TapeNode(tape(node), lambda: sgio.open_device(node.path), mode=st_mode(str(node.nst)), nodes=watched)


def until(door: TapeNode, presence: Presence) -> list[Presence]:
    """Look until it is so; what was seen on the way."""
    seen: list[Presence] = []

    def looked() -> bool:
        seen.append(door.look().presence)
        return seen[-1] is presence

    simulated.await_(looked, f"the door to see {presence}")
    return seen


def deep(node: str) -> None:
    """Leave `st` two files into the cartridge."""
    with st_node.opened(node) as opened:
        assert [opened.do(line) for line in ("rewind", "fsf 2")] == ["ok", "ok"]
        assert opened.place() == DEEP


def place(node: str) -> Place:
    with st_node.opened(node, reading=True) as opened:
        return opened.place()


@pytest.mark.parametrize("held", [False, True], ids=["not held", "held"])
def test_driver_sees_every_change_of_cartridge(
    library: Bench, watched: Nodes, held: bool, record_property: Recorder
) -> None:
    entry, node = door(library, watched), tape(library.drives[0])
    with library.turned(SLOWLY):
        for change in range(CHANGES):
            if held:
                assert entry.shut()
            assert until(entry, Presence.EMPTY)[-1] is Presence.EMPTY
            with library.loaded(14 + change % 2):
                seen = until(entry, Presence.LOADED)
                entry.release()
                assert place(node) == FRESH, (change, seen)
                assert place(node) == FRESH
                deep(node)
    record_property("changes", CHANGES)


@contextmanager
def hammered(node: str) -> Iterator[list[int]]:
    """Another program that tries to open the node all the time; in the end, how often it tried and got in."""
    counts: list[int] = []
    line = [sys.executable, "-c", HAMMER, node]
    with subprocess.Popen(line, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as hammer:
        assert hammer.stdin
        assert hammer.stdout
        assert hammer.stdout.readline() == "begun\n"
        yield counts
        hammer.stdin.write("x")
        hammer.stdin.flush()
        counts += [int(word) for word in hammer.stdout.readline().split()]


def test_nobody_gets_in_while_it_is_held(library: Bench, watched: Nodes, record_property: Recorder) -> None:
    entry, node = door(library, watched), tape(library.drives[0])
    found: list[list[int]] = []
    for change in range(LOADS):
        slot = 14 + change % 2
        assert entry.shut()
        with hammered(node) as counts:
            library.mtx("load", slot, 0)
            until(entry, Presence.LOADED)
        found.append(counts)
        library.mtx("unload", slot, 0)
        until(entry, Presence.EMPTY)
        entry.release()
    record_property("openings", sum(tried for tried, _ in found))
    record_property("loads", len(found))
    assert all(tried > 0 for tried, _ in found)
    assert sum(entered for _, entered in found) == 0


def test_node_that_is_let_go_to_look_lets_another_in(library: Bench, watched: Nodes, record_property: Recorder) -> None:
    """Why it is not: so many looks pass until one of who opens the node anew for each finds another in."""
    node = library.drives[0]
    first = StMode(counts=False, sets_defaults=True)
    entry = TapeNode(tape(node), lambda: sgio.open_device(node.path), mode=first, nodes=watched, pause=0.0)
    assert entry.shut()
    with hammered(tape(node)):
        looks = next((look for look in range(LOOKS) if entry.look().presence is Presence.HELD), LOOKS)
    entry.release()
    record_property("looks", looks + 1)
    assert looks < LOOKS


def test_position_stays_when_a_drive_in_use_is_held_and_let_go(library: Bench, watched: Nodes) -> None:
    entry, node = door(library, watched), tape(library.drives[0])
    with library.loaded(14):
        until(entry, Presence.LOADED)
        deep(node)
        assert entry.shut()
        assert [entry.look().presence for _ in range(3)] == [Presence.LOADED] * 3
        entry.release()
        assert place(node) == DEEP
        assert entry.look().presence is Presence.LOADED
        assert place(node) == DEEP


def test_held_by_another_is_no_word_of_the_cartridge(library: Bench, watched: Nodes) -> None:
    entry = door(library, watched)
    with st_node.opened(tape(library.drives[0]), reading=True):
        assert entry.look().presence is Presence.HELD
        assert not entry.shut()
    assert entry.look().presence is Presence.EMPTY


def test_opens_of_others_are_told_and_ours_are_not(library: Bench, watched: Nodes) -> None:
    entry, node = door(library, watched), tape(library.drives[0])
    watched.watch(node)
    for _ in range(20):
        entry.look()
    assert watched.receive() == []
    with st_node.opened(node, reading=True):
        assert watched.receive() == [(node, Cause.OPENED)]
        assert entry.look().presence is Presence.HELD
    entry.look()
    assert watched.receive() == [(node, Cause.CLOSED)]
